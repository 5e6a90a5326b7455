/* SPDX-License-Identifier: MIT */
/* Measuring the variants, and the choices as a file. */
#include "base/v7.h"
#include "model/model.h"
#include "op/tune.h"

#include <stdio.h>

/* Merges what was found into the device's table. */
static enum anser_status keep(anser_device *device,
                              const struct anser_tuning *found)
{
    struct anser_op_memory *m = anser_op_memory(device);
    for (uint32_t i = 0; found != NULL && i < found->n; i++)
        TRY(anser_tuning_put(device->ctx, &m->tuning, &found->entries[i]));
    m->generation++;
    return ANSER_OK;
}

/* Only kernels for CPUs make use of it. */
static enum anser_status measure_density(anser_state *state, double *density)
{
    enum { TOKENS = 16 };
    const anser_device *device = state->model->device;
    *density = 1;
    if ((device->caps.type & CL_DEVICE_TYPE_CPU) == 0)
        return ANSER_OK;
    TRY(anser_v7_density(state, TOKENS, density));
    anser_log(device->ctx, 1, "relu^2: %.1f %% are not zero",
              100 * *density);
    return ANSER_OK;
}

enum anser_status anser_tune(anser_model *model, double seconds,
                             anser_tune_fn *fn, void *user)
{
    if (model == NULL)
        return ANSER_BAD_ARG;
    if (!(seconds >= 0.1 && seconds <= 3600))
        return anser_fail(model->ctx, ANSER_BAD_ARG,
                          "anser_tune: seconds is not from 0.1 to 3600");
    struct anser_tuning *found = NULL;
    anser_state *state;
    TRY(anser_state_new(model, &state));
    const struct anser_layers layers = {
        .pass = { .q = model->device->queue, .shape = &model->shape,
                  .elementary = &model->elementary, .work = &model->work,
                  .vecs = model->vecs.mem, .state = state->floats.mem,
                  .T = 1 },
        .at = model->layers, .n = model->shape.L
    };
    struct anser_tune_plan plan = {
        .seconds = seconds, .bytes = model->device_bytes,
        .tokens = model->work.chunk, .layers = &layers,
        .embedding = { .type = model->embd.block->type,
                       .rows = model->shape.V, .cols = model->shape.C },
        .fn = fn, .user = user
    };
    enum anser_status status = measure_density(state, &plan.density);
    if (status == ANSER_OK)
        status = anser_op_tune(model->device, &plan, &found);
    if (status == ANSER_OK)
        status = keep(model->device, found);
    anser_tuning_free(found);
    anser_state_free(state);
    return status;
}

size_t anser_tuning_path(const anser_device *device, char *buf, size_t cap)
{
    char path[1200] = "";
    if (device != NULL)
        anser_tuning_place(device, path, sizeof path);
    const int n = snprintf(buf, cap, "%s", path);
    return n < 0 ? 0 : (size_t)n;
}

/* The given path, or the device's own in own(cap). */
static enum anser_status place(const anser_device *device, const char **path,
                               char *own, size_t cap)
{
    if (*path != NULL)
        return ANSER_OK;
    anser_tuning_place(device, own, cap);
    *path = own;
    if (*own != '\0')
        return ANSER_OK;
    return anser_fail(device->ctx, ANSER_BAD_ARG, "no place for the tuning of "
                      "%s; ANSER_TUNING names a file", device->caps.name);
}

enum anser_status anser_tuning_import(anser_device *device, const char *path)
{
    char own[1200];
    if (device == NULL)
        return ANSER_BAD_ARG;
    TRY(place(device, &path, own, sizeof own));
    struct anser_op_memory *m = anser_op_memory(device);
    if (m == NULL)
        return anser_fail_memory(device->ctx, sizeof *m);
    TRY(anser_tuning_read(device, path, &m->tuning));
    m->generation++;
    return ANSER_OK;
}

enum anser_status anser_tuning_export(anser_device *device, const char *path)
{
    char own[1200];
    if (device == NULL)
        return ANSER_BAD_ARG;
    const struct anser_op_memory *m = anser_op_memory(device);
    if (m == NULL || m->tuning == NULL)
        return anser_fail(device->ctx, ANSER_BAD_ARG, "nothing was measured "
                          "on %s; `anser tune` does it", device->caps.name);
    TRY(place(device, &path, own, sizeof own));
    return anser_tuning_write(device, m->tuning, path);
}
