/* SPDX-License-Identifier: MIT */
/* The public face of models and states: argument checks, no logic. */
#include "model/load.h"
#include "model/state.h"

#include <stdio.h>
#include <string.h>

#define MAX_CHUNK 4096

static enum anser_status check_options(anser_ctx *ctx,
                                       const struct anser_model_options *o)
{
    if (o->size != sizeof *o)
        return anser_fail(ctx, ANSER_BAD_ARG, "model options: size is %zu, "
                          "not %zu; set it to sizeof(struct "
                          "anser_model_options)", o->size, sizeof *o);
    if (o->chunk > MAX_CHUNK)
        return anser_fail(ctx, ANSER_BAD_ARG, "a chunk of %u tokens is too "
                          "large; at most %d", (unsigned)o->chunk, MAX_CHUNK);
    return ANSER_OK;
}

enum anser_status anser_model_open(anser_device *device,
                                   const anser_file *file,
                                   const struct anser_model_options *options,
                                   anser_model **model)
{
    struct anser_model_options mine = { .size = sizeof mine };
    if (device == NULL)
        return ANSER_BAD_ARG;
    if (file == NULL || model == NULL)
        return anser_fail(device->ctx, ANSER_BAD_ARG,
                          "anser_model_open: file or model is NULL");
    if (options != NULL) {
        TRY(check_options(device->ctx, options));
        mine = *options;
    }
    return anser_model_load(device, file, &mine, model);
}

void anser_model_close(anser_model *model)
{
    anser_model_unload(model);
}

enum anser_status anser_model_info(const anser_model *model,
                                   struct anser_model_info *info)
{
    if (model == NULL || info == NULL)
        return ANSER_BAD_ARG;
    if (info->size != sizeof *info)
        return anser_fail(model->ctx, ANSER_BAD_ARG,
                          "anser_model_info: set info->size to sizeof *info");
    *info = (struct anser_model_info){
        .size = sizeof *info, .n_layer = model->shape.L,
        .n_embd = model->shape.C, .n_vocab = model->shape.V,
        .chunk = model->work.chunk, .device_bytes = model->device_bytes,
        .state_bytes = anser_v7_state_bytes(&model->shape)
    };
    return ANSER_OK;
}

enum anser_status anser_state_new(anser_model *model, anser_state **state)
{
    if (model == NULL)
        return ANSER_BAD_ARG;
    if (state == NULL)
        return anser_fail(model->ctx, ANSER_BAD_ARG,
                          "anser_state_new: state is NULL");
    return anser_state_make(model, state);
}

void anser_state_free(anser_state *state)
{
    if (state != NULL)
        anser_state_drop(state);
}

enum anser_status anser_state_reset(anser_state *state)
{
    return state == NULL ? ANSER_BAD_ARG : anser_state_zero(state);
}

enum anser_status anser_state_copy(anser_state *to, const anser_state *from)
{
    if (to == NULL || from == NULL)
        return ANSER_BAD_ARG;
    if (to->model != from->model)
        return anser_fail(to->model->ctx, ANSER_BAD_ARG,
                          "anser_state_copy: the states are of two models");
    return anser_state_assign(to, from);
}

enum anser_status anser_state_save(const anser_state *state, const char *path)
{
    if (state == NULL || path == NULL)
        return ANSER_BAD_ARG;
    return anser_state_write(state, path);
}

enum anser_status anser_state_load(anser_state *state, const char *path)
{
    if (state == NULL || path == NULL)
        return ANSER_BAD_ARG;
    return anser_state_read(state, path);
}
