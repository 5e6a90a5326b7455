/* SPDX-License-Identifier: MIT */
/* Made-up weights of a shape. */
#include "op/tune_bench.h"

#include "op/check.h"

#include <stdlib.h>
#include <string.h>

/* Copies together are at most this large: more than any cache of today. */
#define COPIES_BYTES ((uint64_t)128 << 20)
enum { ALIGN = 256 };

static uint32_t count_copies(const anser_device *device, uint64_t stride,
                             uint64_t bytes)
{
    uint64_t most = bytes < COPIES_BYTES ? bytes : COPIES_BYTES;
    if (most > device->caps.max_alloc / 2)
        most = device->caps.max_alloc / 2;
    return stride >= most ? 1 : (uint32_t)(most / stride);
}

/* The first copy: blocks as in the file, brought into the layout. */
static enum anser_status fill_first(struct anser_tune_bench *b)
{
    const struct anser_block *block = anser_block_find(b->need.type);
    const struct anser_layout_info *layout = &anser_layouts[b->layout];
    struct anser_queue *q = b->device->queue;
    const uint64_t bytes = b->need.rows
                           * anser_block_bytes(block, b->need.cols);
    unsigned char *data = malloc(bytes);
    struct anser_buf from = { .mem = NULL };
    enum anser_status status = ANSER_OK;
    if (data == NULL)
        return anser_fail_memory(b->device->ctx, bytes);
    anser_check_blocks(block, data, bytes / block->bytes, 1);
    if (layout->repack == NULL) {
        anser_queue_write(q, b->w.mem, 0, data, bytes);
    } else {
        const struct anser_repack r = {
            .block = block, .rows = b->need.rows, .cols = b->need.cols,
            .to = b->w.mem
        };
        struct anser_repack from_file = r;
        TRY_OR_FAIL(anser_buf_new(b->device, bytes, &from));
        from_file.from = from.mem;
        anser_queue_write(q, from.mem, 0, data, bytes);
        TRY_OR_FAIL(layout->repack(q, &from_file));
    }
    status = anser_queue_finish(q);
fail:
    if (from.mem != NULL)
        anser_buf_free(b->device, &from);
    free(data);
    return status;
}

/* As relu^2 leaves x: squares, and zeros but for a part of them. */
static void thin_out(float *x, size_t n, double density)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t draw = (uint32_t)i * 2654435761u >> 8;
        x[i] = draw < density * 0x1p24 ? x[i] * x[i] : 0;
    }
}

static enum anser_status fill(struct anser_tune_bench *b,
                              const struct anser_tune_plan *plan)
{
    const size_t n = (size_t)plan->tokens * b->need.cols;
    struct anser_queue *q = b->device->queue;
    TRY(fill_first(b));
    for (uint32_t i = 1; i < b->copies; i++)
        anser_queue_copy(q, b->w.mem, 0, b->w.mem, i * b->stride, b->stride);
    float *x = malloc(n * sizeof *x);
    if (x == NULL)
        return anser_fail_memory(b->device->ctx, n * sizeof *x);
    anser_check_fill(x, n, 2, 0.0f, 1.0f);
    if (b->need.sparse)
        thin_out(x, n, plan->density);
    anser_queue_write(q, b->x.mem, 0, x, n * sizeof *x);
    const enum anser_status status = anser_queue_finish(q);
    free(x);
    return status;
}

enum anser_status anser_tune_bench_new(anser_device *device,
                                       const struct anser_tune_plan *plan,
                                       const struct anser_need *need,
                                       enum anser_layout layout,
                                       struct anser_tune_bench *bench)
{
    const struct anser_block *block = anser_block_find(need->type);
    const size_t tokens = plan->tokens;
    struct anser_tune_bench b = { .device = device, .need = *need,
                                  .layout = layout };
    enum anser_status status = ANSER_OK;
    const uint64_t one = anser_layouts[layout].bytes(block, need->rows,
                                                     need->cols);
    b.stride = (one + ALIGN - 1) / ALIGN * ALIGN;
    b.copies = count_copies(device, b.stride, plan->bytes);
    TRY_OR_FAIL(anser_buf_new_exact(device, b.stride * b.copies, &b.w));
    TRY_OR_FAIL(anser_buf_new(device, tokens * need->cols * 4, &b.x));
    TRY_OR_FAIL(anser_buf_new(device, tokens * need->rows * 4, &b.y));
    TRY_OR_FAIL(fill(&b, plan));
    *bench = b;
    return ANSER_OK;
fail:
    anser_tune_bench_free(&b);
    return status;
}

void anser_tune_bench_free(struct anser_tune_bench *b)
{
    if (b->y.mem != NULL)
        anser_buf_free(b->device, &b->y);
    if (b->x.mem != NULL)
        anser_buf_free(b->device, &b->x);
    if (b->w.mem != NULL)
        anser_buf_free_exact(b->device, &b->w);
    memset(b, 0, sizeof *b);
}

void anser_tune_bench_run(struct anser_rival *r)
{
    struct anser_tune_bench *b = r->bench;
    const struct anser_block *block = anser_block_find(b->need.type);
    const struct anser_matmul_plan plan = {
        .few = r->kernel, .many = r->kernel, .crossover = r->T,
        .layout = b->layout
    };
    const struct anser_matmul_call call = {
        .y = { b->y.mem, 0 }, .x = { b->x.mem, 0 }, .T = r->T,
        .y_stride = b->need.rows
    };
    struct anser_part part = {
        b->w.mem, (uint32_t)(b->next * b->stride / SH_UNIT), 0, b->need.rows
    };
    const struct anser_matrix W = {
        .block = block, .rows = b->need.rows, .cols = b->need.cols,
        .row_bytes = (uint32_t)anser_block_bytes(block, b->need.cols),
        .layout = b->layout, .n_parts = 1, .parts = &part, .plan = &plan
    };
    anser_op_matmul(b->device->queue, &W, &call);
    b->next = (b->next + 1) % b->copies;
}
