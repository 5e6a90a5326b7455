/* SPDX-License-Identifier: MIT */
/* Matrix products on a CPU: columns. */
#include "op/columns.h"

#include "op/strip.h"

/* Columns of a run, rows of a slice and of what is made strips of at once
 * (cl/columns.cl). */
enum { RUN = 256, SLICE = 256, BLOCK = 64 };

/* Bytes of a run of a block as strips, at most (Q6_K), of a column of a token
 * of which there are many, and of one with a list: for each 32. */
enum { STRIPS_BYTES = 4 * 3392, SUB = 32, SUB_BYTES = 48, LIST_BYTES = 96 };

static uint32_t slice_bytes(enum anser_type type)
{
    return type == ANSER_Q4_K   ? 37888
           : type == ANSER_Q6_K ? 53760
                                : 0;
}

uint64_t anser_columns_bytes(const struct anser_block *block, uint32_t rows,
                             uint32_t cols)
{
    return (uint64_t)(rows / SLICE) * (cols / RUN) * slice_bytes(block->type);
}

bool anser_fits_columns(const struct anser_caps *caps,
                        const struct anser_need *need)
{
    (void)caps;
    return need->sparse                    /* else strips are as good     */
           && !need->precise               /* activations are rounded     */
           && slice_bytes(need->type) != 0 /* a type with a layout        */
           && need->cols % RUN == 0        /* whole runs of columns       */
           && need->rows % SLICE == 0;     /* whole slices                */
}

enum anser_status anser_columns_repack(struct anser_queue *q,
                                       const struct anser_repack *r)
{
    const struct anser_grid grid = { { r->cols / RUN, r->rows / SLICE, 1 },
                                     { 1, 1, 1 } };
    return anser_repack_run(q, r, "columns_pack.cl", "columns_pack", grid);
}

/* What sums the parts of a token; type and form don't matter to it. */
static const struct anser_kernel_key sum_key = {
    "columns.cl", "-D TYPE=12 -D TOKENS=1 -D FORM=0", "columns_sum"
};

static uint32_t items_for(const anser_device *device, uint32_t parts)
{
    const uint32_t most = anser_strip_items(device);
    return parts < most ? parts : most;
}

/* Room for one token, for many. */
enum anser_status anser_columns_prepare(anser_device *device,
                                        const struct anser_need *need)
{
    const uint64_t subs = need->cols / SUB;
    const uint64_t one = SH_COLUMN_PARTS * need->rows * sizeof(float)
                         + anser_strip_items(device) * subs * LIST_BYTES;
    const uint64_t many = SH_STRIP_TOKENS * subs * SUB_BYTES
                          + (uint64_t)items_for(device, need->rows / BLOCK)
                            * (need->cols / RUN) * STRIPS_BYTES;
    struct anser_kernel *kernel;
    TRY(anser_kernel_get(device, &sum_key, &kernel));
    return anser_strip_room(device, one > many ? one : many);
}

static void run_one(struct anser_queue *q, const struct anser_chosen *chosen,
                    const struct matmul_args *args,
                    const struct anser_product *p)
{
    const cl_mem scratch = anser_op_memory(q->device)->scratch.mem;
    const uint32_t slices = args->rows / SLICE;
    const struct anser_grid parts = {
        { items_for(q->device, slices * SH_COLUMN_PARTS), 1, 1 }, { 1, 1, 1 }
    };
    const struct anser_grid sums = { { slices, 1, 1 }, { 1, 1, 1 } };
    struct anser_kernel *sum;
    const enum anser_status status = anser_kernel_get(q->device, &sum_key,
                                                      &sum);
    if (status != ANSER_OK) {
        anser_queue_poison(q, status);
        return;
    }
    ANSER_RUN(q, chosen->kernel, parts, *args, p->W, p->x, scratch);
    ANSER_RUN(q, sum, sums, *args, scratch, p->y);
}

static void run_many(struct anser_queue *q, const struct anser_chosen *chosen,
                     const struct matmul_args *args,
                     const struct anser_product *p)
{
    const cl_mem scratch = anser_op_memory(q->device)->scratch.mem;
    const struct anser_grid blocks = {
        { items_for(q->device, args->rows / BLOCK), 1, 1 }, { 1, 1, 1 }
    };
    for (uint32_t t = 0; t < args->T; t += SH_STRIP_TOKENS) {
        const struct matmul_args block = anser_strip_block(args, t);
        if (anser_strip_round(q, &block, p->x))
            ANSER_RUN(q, chosen->kernel, blocks, block, p->W, p->y, scratch);
    }
}

void anser_columns_run(struct anser_queue *q,
                       const struct anser_chosen *chosen,
                       const struct matmul_args *args,
                       const struct anser_product *p)
{
    if (chosen->variant->tokens > 1) {
        run_many(q, chosen, args, p);
        return;
    }
    for (uint32_t t = 0; t < args->T; t++) {
        struct matmul_args one = *args;
        one.T = 1;
        one.x_at += t * args->cols;
        one.y_at += t * args->y_stride;
        run_one(q, chosen, &one, p);
    }
}
