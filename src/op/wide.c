/* SPDX-License-Identifier: MIT */
#include "op/wide.h"

/* Rows and tokens of a tile, columns of a step, work-items of a group. */
enum { TILE = 128, STEP = 32, GROUP = 256, LOCAL_BYTES = 32 * 1024 };

/* Tokens of a launch; of all its planes, tokens and numbers, where one plane of
 * a tile's tokens is not more; planes; groups that a unit is given at once. */
enum { MOST_TOKENS = 512, PLANE_TOKENS = 3 * MOST_TOKENS,
       PLANE_FLOATS = 1 << 24, MOST_PLANES = 12, PER_UNIT = 2 };

bool anser_fits_wide(const struct anser_caps *caps,
                     const struct anser_need *need)
{
    return caps->max_group >= GROUP
           && caps->local_memory >= LOCAL_BYTES /* its two sides             */
           && need->cols % STEP == 0;           /* whole runs of columns     */
}

bool anser_suits_wide(const struct anser_caps *caps)
{
    return anser_suits_gpu(caps)
           && (caps->class == ANSER_CLASS_NVIDIA  /* 128 registers for each  */
               || caps->class == ANSER_CLASS_AMD); /* work-item of two groups */
}

static uint32_t over(uint32_t n, uint32_t by)
{
    return (n + by - 1) / by;
}

static uint32_t tokens_of_planes(uint32_t rows)
{
    const uint32_t n = PLANE_FLOATS / rows;
    return n < TILE ? TILE : n < PLANE_TOKENS ? n : PLANE_TOKENS;
}

/* Into how many ranges the columns go: as many as make the last round of
 * groups cost least. */
static uint32_t planes_for(const struct anser_caps *caps, uint32_t rows,
                           uint32_t cols, uint32_t T)
{
    const uint32_t tiles = over(rows, TILE) * over(T, TILE);
    const uint32_t room = caps->units * PER_UNIT, steps = cols / STEP;
    uint32_t best = 1;
    for (uint32_t n = 2; n <= MOST_PLANES && n <= steps
                         && n * T <= tokens_of_planes(rows); n++)
        if (over(tiles * n, room) * best < over(tiles * best, room) * n)
            best = n;
    return best;
}

/* What adds the planes; types don't matter to it. */
static const struct anser_kernel_key join_key = {
    "matmul_wide.cl", "-D TYPE=0", "matmul_join"
};

enum anser_status anser_wide_prepare(anser_device *device,
                                     const struct anser_need *need)
{
    struct anser_kernel *join;
    TRY(anser_kernel_get(device, &join_key, &join));
    return anser_op_room(device, (uint64_t)tokens_of_planes(need->rows)
                                 * need->rows * sizeof(float));
}

static void run_block(struct anser_queue *q, struct anser_kernel *kernel,
                      struct anser_kernel *join,
                      const struct matmul_args *args,
                      const struct anser_product *p)
{
    const uint32_t rows = args->rows, T = args->T;
    const uint32_t planes = planes_for(&q->device->caps, rows, args->cols, T);
    const struct matmul_wide_args a = {
        .of = *args, .span = over(args->cols / STEP, planes) * STEP
    };
    const cl_mem scratch = anser_op_memory(q->device)->scratch.mem;
    const struct anser_grid tiles = {
        { (size_t)over(rows, TILE) * GROUP, over(T, TILE),
          over(args->cols, a.span) },
        { GROUP, 1, 1 }
    };
    const struct anser_grid sums = { { over(rows, 64) * 64, T, 1 },
                                     { 64, 1, 1 } };
    ANSER_RUN(q, kernel, tiles, a, p->W, p->x, scratch);
    ANSER_RUN(q, join, sums, a, scratch, p->y);
}

void anser_wide_run(struct anser_queue *q, const struct anser_chosen *chosen,
                    const struct matmul_args *args,
                    const struct anser_product *p)
{
    struct anser_kernel *join;
    const enum anser_status status = anser_kernel_get(q->device, &join_key,
                                                      &join);
    if (status != ANSER_OK) {
        anser_queue_poison(q, status);
        return;
    }
    const uint32_t all = tokens_of_planes(args->rows) / TILE * TILE;
    const uint32_t most = all < MOST_TOKENS ? all : MOST_TOKENS;
    for (uint32_t t = 0; t < args->T; t += most) {
        struct matmul_args block = *args;
        block.T = args->T - t < most ? args->T - t : most;
        block.x_at += t * args->cols;
        block.y_at += t * args->y_stride;
        run_block(q, chosen->kernel, join, &block, p);
    }
}
