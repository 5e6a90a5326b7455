/* SPDX-License-Identifier: MIT */
/* [V7:embed] x(T, C) = the embedding's rows ids(T), of any block type. */
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 32 weights a work-item. */
static struct anser_grid grid(const struct anser_variant *v, uint32_t C,
                              uint32_t T)
{
    (void)v;
    return (struct anser_grid){ { (C + 31) / 32, T, 1 }, { 0, 0, 0 } };
}

static const struct anser_variant rows[] = {
    { .name = "item", .file = "embed.cl", .kernel = "embed",
      .fits = anser_fits_any, .grid = grid, .bound = 1e-6 },
};

enum { CHECK_C = 256, CHECK_V = 9, CHECK_T = 4 };
static const uint32_t check_ids[CHECK_T] = { 3, 0, 8, 3 };

static enum anser_status run_check(anser_device *device,
                                   const struct anser_chosen *chosen,
                                   const struct anser_block *block,
                                   unsigned char *W, double *error)
{
    const uint64_t bytes = anser_block_bytes(block, CHECK_V * CHECK_C);
    const uint32_t row = (uint32_t)(bytes / CHECK_V);
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_check_blocks(block, W, bytes / block->bytes, 5);
    const unsigned w = anser_trial_bytes(&b, W, bytes);
    const unsigned ids = anser_trial_bytes(&b, check_ids, sizeof check_ids);
    const unsigned x = anser_trial_add(&b, CHECK_T * CHECK_C, 0, 1);
    const struct embed_args args = { .row_bytes = row, .rows = CHECK_V,
                                     .C = CHECK_C, .T = CHECK_T };
    if (b.status == ANSER_OK)
        ANSER_RUN(device->queue, chosen->kernel,
                  grid(chosen->variant, CHECK_C, CHECK_T), args, b.buf[w].mem,
                  b.buf[ids].mem, b.buf[x].mem);
    float *out = anser_trial_read(&b, x);
    for (int t = 0; out != NULL && t < CHECK_T; t++)
        block->decode(W + row * check_ids[t], b.host[x] + t * CHECK_C,
                      CHECK_C);
    if (out != NULL)
        *error = anser_check_error(out, b.host[x], CHECK_T * CHECK_C);
    free(out);
    return anser_trial_free(&b);
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    const struct anser_block *block = anser_block_find(need->type);
    const uint64_t bytes = anser_block_bytes(block, CHECK_V * CHECK_C);
    unsigned char *W = malloc(bytes);
    if (W == NULL)
        return anser_fail_memory(device->ctx, bytes);
    snprintf(error->shape, sizeof error->shape, "%s %dx%d T %d", block->name,
             CHECK_V, CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = NAN;
    const enum anser_status status = run_check(device, chosen, block, W,
                                               &error->error);
    free(W);
    return status;
}

const struct anser_op anser_op_embedding = {
    "embed", rows, sizeof rows / sizeof *rows, true, check
};

enum anser_status anser_embed_kernel(anser_device *device,
                                     const struct anser_need *need,
                                     struct anser_chosen *chosen)
{
    return anser_op_choose(device, &anser_op_embedding, need, chosen);
}

void anser_op_embed(struct anser_queue *q, const struct anser_chosen *kernel,
                    const struct anser_matrix *W, cl_mem ids, cl_mem x,
                    uint32_t T)
{
    for (uint32_t i = 0; i < W->n_parts; i++) {
        const struct anser_part *part = &W->parts[i];
        const struct embed_args args = {
            .w_at = part->at, .row_bytes = W->row_bytes, .row0 = part->row0,
            .rows = part->rows, .C = W->cols, .T = T
        };
        ANSER_RUN(q, kernel->kernel, grid(kernel->variant, W->cols, T), args,
                  part->mem, ids, x);
    }
}
