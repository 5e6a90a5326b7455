/* SPDX-License-Identifier: MIT */
/* opbench: every variant of the matrix products for every block type at the
 * shapes of a 2.9B model, and of the elementary operations. */
#include "op/small.h"
#include "op/tables.h"
#include "op/tune_bench.h"
#include "opbench.h"

#include <stdio.h>

/* ---------------------------------------------------------------- products */

/* Attention, feed-forward both ways, head. */
static const struct { uint32_t rows, cols; } shapes[] = {
    { 2560, 2560 }, { 10240, 2560 }, { 2560, 10240 }, { 65536, 2560 },
};

/* What relu^2 leaves of a trained model (doc/cpu.md). */
#define DENSITY 0.075

static void run_product(struct opbench_work *w)
{
    anser_tune_bench_run(w->data);
}

/* A row that is right, on weights of its own. */
static enum anser_status time_product(struct opbench *b,
                                      const struct anser_op *op,
                                      const struct anser_need *need,
                                      struct anser_rival *rival)
{
    const struct anser_block *block = anser_block_find(need->type);
    const struct anser_variant *v = rival->kernel.variant;
    const struct anser_tune_plan plan = {
        .bytes = b->quick ? 0 : (uint64_t)128 << 20, .tokens = rival->T,
        .density = DENSITY
    };
    struct anser_tune_bench bench;
    if (v->prepare != NULL)
        TRY(v->prepare(b->device, need));
    TRY(anser_tune_bench_new(b->device, &plan, need,
                             (enum anser_layout)v->layout, &bench));
    rival->bench = &bench;
    struct opbench_work w = {
        .run = run_product, .op = op->name, .variant = v->name, .data = rival,
        .bytes = (double)anser_block_bytes(block, need->cols) * need->rows
                 + 4.0 * rival->T * (need->rows + need->cols),
        .operations = 2.0 * rival->T * need->rows * need->cols
    };
    snprintf(w.shape, sizeof w.shape, "%s %ux%u T %u", block->name,
             (unsigned)need->rows, (unsigned)need->cols, (unsigned)rival->T);
    const enum anser_status status = opbench_tell(b, &w);
    anser_tune_bench_free(&bench);
    return status;
}

static enum anser_status all_products(struct opbench *b,
                                      const struct anser_op *op, uint32_t T)
{
    const size_t n = b->quick ? 1 : sizeof shapes / sizeof *shapes;
    if (!opbench_wanted(b, op->name))
        return ANSER_OK;
    for (const struct anser_block *block = anser_blocks; block->name != NULL;
         block++)
        for (uint32_t row = 0; row < op->n; row++) {
            struct anser_rival rival = { .T = T };
            struct anser_need need = { .type = block->type,
                .rows = shapes[0].rows, .cols = shapes[0].cols,
                .sparse = true };
            if (!opbench_is_right(b, op, row, &need, &rival.kernel))
                continue;
            for (size_t i = 0; i < n; i++) {
                need.rows = shapes[i].rows;
                need.cols = shapes[i].cols;
                need.sparse = need.cols > need.rows;
                if (!op->rows[row].fits(&b->device->caps, &need))
                    continue;
                TRY(time_product(b, op, &need, &rival));
            }
        }
    return ANSER_OK;
}

enum anser_status opbench_matmul(struct opbench *b)
{
    TRY(all_products(b, &anser_op_matmul_few, 1));
    return all_products(b, &anser_op_matmul_many, b->quick ? 32 : 128);
}

/* -------------------------------------------------------------- elementary */

struct small_run {
    struct anser_small small;
    struct anser_chosen chosen;
};

static void run_small(struct opbench_work *w)
{
    const struct small_run *r = w->data;
    anser_small_run(&r->small, &r->chosen);
}

/* A row that is right, at T tokens. */
static enum anser_status time_small(struct opbench *b,
                                    const struct anser_small_kind *kind,
                                    const struct anser_small_shape *shape,
                                    const char *size,
                                    const struct anser_chosen *chosen)
{
    struct small_run r = { .chosen = *chosen };
    TRY(anser_small_new(b->device, kind, shape, &r.small));
    struct opbench_work w = {
        .run = run_small, .op = kind->op->name, .data = &r,
        .variant = chosen->variant->name, .bytes = r.small.bytes
    };
    snprintf(w.shape, sizeof w.shape, "%s T %u", size, (unsigned)shape->T);
    const enum anser_status status = opbench_tell(b, &w);
    TRY(anser_small_free(&r.small));
    return status;
}

static enum anser_status time_kind(struct opbench *b,
                                   const struct anser_small_kind *kind,
                                   const struct opbench_sizes *sizes)
{
    struct anser_small_shape shape = { .C = sizes->C, .V = sizes->V,
                                       .type = ANSER_Q4_K };
    const struct anser_need need = anser_small_need(kind, &shape);
    for (uint32_t row = 0; row < kind->op->n; row++) {
        struct anser_chosen chosen;
        if (!opbench_is_right(b, kind->op, row, &need, &chosen))
            continue;
        shape.T = 1;
        TRY(time_small(b, kind, &shape, sizes->name, &chosen));
        shape.T = opbench_tokens(b);
        if (!kind->once)
            TRY(time_small(b, kind, &shape, sizes->name, &chosen));
    }
    return ANSER_OK;
}

enum anser_status opbench_small(struct opbench *b,
                                const struct opbench_sizes *sizes)
{
    for (const struct anser_small_kind *k = anser_small_kinds; k->op != NULL;
         k++)
        if (opbench_wanted(b, k->op->name))
            TRY(time_kind(b, k, sizes));
    return ANSER_OK;
}
