/* SPDX-License-Identifier: MIT */
/* Matrix products on a CPU: strips of 16 rows. */
#include "op/strip.h"

/* Columns of a run, and its bytes in a strip (cl/strip_pack.cl). */
enum { RUN = 256, STRIP = 16 };

/* The bytes of columns that are rounded: 48 for each 32; tokens whose columns
 * lie side by side (cl/strip.cl). */
enum { SUB = 32, SUB_BYTES = 48, SIDE = 8 };

/* Work-items for each core: a core that is late leaves some to the others. */
enum { ITEMS_PER_UNIT = 4 };

static uint32_t run_bytes(enum anser_type type)
{
    return type == ANSER_Q4_K   ? 2368
           : type == ANSER_Q5_K ? 2880
           : type == ANSER_Q6_K ? 3392
           : type == ANSER_Q8_0 ? 4352
                                : 0;
}

uint64_t anser_strip_bytes(const struct anser_block *block, uint32_t rows,
                           uint32_t cols)
{
    return (uint64_t)((rows + STRIP - 1) / STRIP) * (cols / RUN)
           * run_bytes(block->type);
}

bool anser_fits_strip(const struct anser_caps *caps,
                      const struct anser_need *need)
{
    (void)caps;
    return !need->precise                /* activations are rounded         */
           && run_bytes(need->type) != 0 /* a type with a layout            */
           && need->cols % RUN == 0;     /* whole runs of columns           */
}

bool anser_suits_strip(const struct anser_caps *caps)
{
    return (caps->type & CL_DEVICE_TYPE_CPU) != 0;
}

enum anser_status anser_strip_repack(struct anser_queue *q,
                                     const struct anser_repack *r)
{
    const struct anser_grid grid = {
        { (r->rows + STRIP - 1) / STRIP, 1, 1 }, { 1, 1, 1 }
    };
    return anser_repack_run(q, r, "strip_pack.cl", "strip_pack", grid);
}

uint32_t anser_strip_items(const anser_device *device)
{
    return device->caps.units * ITEMS_PER_UNIT;
}

/* The kernel that rounds activations for the kernels of 8 tokens; type and
 * form don't matter to it. */
static const struct anser_kernel_key round_key = {
    "strip.cl", "-D TYPE=12 -D TOKENS=1 -D SIDE=8 -D FORM=0", "strip_round"
};

enum anser_status anser_strip_room(anser_device *device, uint64_t bytes)
{
    struct anser_kernel *kernel;
    TRY(anser_kernel_get(device, &round_key, &kernel));
    return anser_op_room(device, bytes);
}

/* Room for the rounded activations of a block of tokens, or of one token for
 * each work-item. */
enum anser_status anser_strip_prepare(anser_device *device,
                                      const struct anser_need *need)
{
    const uint32_t items = anser_strip_items(device);
    const uint32_t tokens = items > SH_STRIP_TOKENS ? items : SH_STRIP_TOKENS;
    return anser_strip_room(device, (uint64_t)tokens * (need->cols / SUB)
                                    * SUB_BYTES);
}

bool anser_strip_round(struct anser_queue *q, const struct matmul_args *args,
                       cl_mem x)
{
    const cl_mem scratch = anser_op_memory(q->device)->scratch.mem;
    const struct anser_grid grid = { { (args->T + SIDE - 1) / SIDE * SIDE, 1,
                                       1 }, { 1, 1, 1 } };
    struct anser_kernel *kernel;
    const enum anser_status status = anser_kernel_get(q->device, &round_key,
                                                      &kernel);
    if (status == ANSER_OK)
        ANSER_RUN(q, kernel, grid, *args, x, scratch);
    else
        anser_queue_poison(q, status);
    return status == ANSER_OK;
}

struct matmul_args anser_strip_block(const struct matmul_args *args,
                                     uint32_t t)
{
    struct matmul_args block = *args;
    block.T = args->T - t < SH_STRIP_TOKENS ? args->T - t : SH_STRIP_TOKENS;
    block.x_at += t * args->cols;
    block.y_at += t * args->y_stride;
    return block;
}

void anser_strip_run(struct anser_queue *q, const struct anser_chosen *chosen,
                     const struct matmul_args *args,
                     const struct anser_product *p)
{
    const uint32_t strips = (args->rows + STRIP - 1) / STRIP;
    const uint32_t most = anser_strip_items(q->device);
    const struct anser_grid grid = { { strips < most ? strips : most, 1, 1 },
                                     { 1, 1, 1 } };
    const cl_mem scratch = anser_op_memory(q->device)->scratch.mem;
    for (uint32_t t = 0; t < args->T; t += SH_STRIP_TOKENS) {
        const struct matmul_args block = anser_strip_block(args, t);
        if (chosen->variant->tokens == 1
            || anser_strip_round(q, &block, p->x))
            ANSER_RUN(q, chosen->kernel, grid, block, p->W, p->x, p->y,
                      scratch);
    }
}
