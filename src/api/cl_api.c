/* SPDX-License-Identifier: MIT */
/* The public face of the kernels on the caller's own OpenCL objects. */
#include <anser_cl.h>

#include "op/op.h"
#include "op/tables.h"
#include "rt/device.h"

#include <string.h>

enum anser_status anser_cl_attach(anser_ctx *ctx, cl_context context,
                                  cl_device_id id, cl_command_queue queue,
                                  anser_device **device)
{
    if (ctx == NULL || context == NULL || id == NULL || queue == NULL
        || device == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_cl_attach: an argument is NULL");
    return anser_device_attach(ctx, context, id, queue, device);
}

void anser_cl_detach(anser_device *device)
{
    anser_device_close(device);
}

enum anser_status anser_cl_block_info(anser_ctx *ctx, const char *type,
                                      uint32_t *length, uint32_t *bytes)
{
    if (type == NULL || length == NULL || bytes == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_cl_block_info: an argument is NULL");
    const struct anser_block *block = anser_block_named(type);
    if (block == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "%s: not a block type", type);
    *length = block->length;
    *bytes = block->bytes;
    return ANSER_OK;
}

static enum anser_status check_matrix(anser_device *device,
                                      const struct anser_cl_matrix *W,
                                      const struct anser_block **block)
{
    anser_ctx *ctx = device->ctx;
    if (W == NULL || W->size != sizeof *W || W->type == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_cl_matmul: set W->size "
                          "and W->type");
    *block = anser_block_named(W->type);
    if (*block == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "%s: not a block type", W->type);
    if (W->rows == 0 || W->cols == 0 || W->cols % (*block)->length != 0)
        return anser_fail(ctx, ANSER_BAD_ARG, "a %s matrix of %u x %u: columns"
                          " must be a multiple of %u", W->type,
                          (unsigned)W->rows, (unsigned)W->cols,
                          (unsigned)(*block)->length);
    if (W->at % SH_UNIT != 0 || W->at / SH_UNIT > UINT32_MAX)
        return anser_fail(ctx, ANSER_BAD_ARG, "a matrix must begin at a "
                          "multiple of %d bytes", SH_UNIT);
    return ANSER_OK;
}

enum anser_status anser_cl_matmul(anser_device *device,
                                  const struct anser_cl_matrix *W,
                                  struct anser_cl_view x,
                                  struct anser_cl_view y, uint32_t T, int add)
{
    const struct anser_block *block = NULL;
    if (device == NULL)
        return ANSER_BAD_ARG;
    TRY(check_matrix(device, W, &block));
    if (T == 0)
        return anser_fail(device->ctx, ANSER_BAD_ARG,
                          "anser_cl_matmul: T is 0");
    struct anser_part part = { W->mem, (uint32_t)(W->at / SH_UNIT), 0,
                               W->rows };
    struct anser_matrix M = {
        .block = block, .rows = W->rows, .cols = W->cols,
        .row_bytes = (uint32_t)anser_block_bytes(block, W->cols),
        .n_parts = 1, .parts = &part
    };
    const struct anser_need need = { .type = block->type, .rows = W->rows,
                                     .cols = W->cols, .precise = true };
    TRY(anser_matmul_plan(device, &need, &M.plan));
    const struct anser_matmul_call call = {
        { y.mem, y.at }, { x.mem, x.at }, T, add ? SH_ACT_ADD : SH_ACT_NONE,
        W->rows
    };
    anser_op_matmul(device->queue, &M, &call);
    return anser_queue_status(device->queue);
}

enum anser_status anser_cl_norm(anser_device *device,
                                const struct anser_cl_norm_args *args,
                                struct anser_cl_view x, cl_mem y)
{
    if (device == NULL)
        return ANSER_BAD_ARG;
    if (args == NULL || args->size != sizeof *args || args->C == 0
        || args->C % 16 != 0 || args->T == 0)
        return anser_fail(device->ctx, ANSER_BAD_ARG, "anser_cl_norm: set "
                          "args->size; C must be a multiple of 16, T not 0");
    const struct anser_need need = { .cols = args->C };
    struct anser_chosen kernel;
    TRY(anser_op_choose(device, &anser_op_layer_norm, &need, &kernel));
    const struct norm_args norm = {
        .C = args->C, .T = args->T, .x_at = x.at,
        .weight_at = args->weight_at, .bias_at = args->bias_at,
        .eps = args->eps
    };
    anser_op_norm(device->queue, &kernel, &norm, args->vecs, x.mem, y);
    return anser_queue_status(device->queue);
}

enum anser_status anser_cl_wkv7(anser_device *device,
                                const struct anser_cl_wkv_args *args, cl_mem y)
{
    if (device == NULL)
        return ANSER_BAD_ARG;
    if (args == NULL || args->size != sizeof *args || args->C == 0
        || args->C % SH_HEAD != 0 || args->T == 0)
        return anser_fail(device->ctx, ANSER_BAD_ARG, "anser_cl_wkv7: set "
                          "args->size; C must be a multiple of %d, T not 0",
                          SH_HEAD);
    const struct anser_need need = { .cols = args->C };
    struct anser_chosen kernel;
    TRY(anser_op_choose(device, &anser_op_recurrence, &need, &kernel));
    const struct wkv_args wkv = { .C = args->C, .T = args->T,
                                  .s_at = args->state.at };
    const struct anser_heads heads = {
        .r = args->r, .w = args->w, .k = args->k, .v = args->v,
        .kk = args->kk, .a = args->a, .y = y
    };
    anser_op_wkv7(device->queue, &kernel, &wkv, args->state.mem, &heads);
    return anser_queue_status(device->queue);
}
