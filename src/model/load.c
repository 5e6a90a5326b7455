/* SPDX-License-Identifier: MIT */
/* Opening a model: does it fit, weights, work space, plan. */
#include "model/load.h"

#include "model/ahead.h"
#include "model/need.h"

#include <pthread.h>
#include <stdlib.h>

/* Before anything is uploaded. */
static enum anser_status check_memory(const anser_model *m,
                                      const struct anser_v7_file *v7)
{
    const double mib = 1 << 20;
    const uint64_t need = anser_v7_device_bytes(v7, m->work.chunk);
    const uint64_t have = m->device->caps.memory;
    if (need <= have)
        return ANSER_OK;
    return anser_fail(m->ctx, ANSER_NO_MEMORY,
                      "%s: needs %.0f MiB, %s has %.0f MiB: %.0f MiB are "
                      "missing; choose a smaller model, a smaller --chunk or "
                      "another device", v7->file->path, (double)need / mib,
                      m->device->caps.name, (double)have / mib,
                      (double)(need - have) / mib);
}

struct printing {
    anser_model *model;
    const struct anser_v7_file *v7;
};

static void *print_finger(void *arg)
{
    const struct printing *p = arg;
    anser_v7_fingerprint(p->v7, p->model->fingerprint);
    return NULL;
}

/* Kernels are chosen while weights are on their way. */
static enum anser_status weights_and_plan(anser_model *m,
                                          const struct anser_v7_file *v7,
                                          const struct anser_model_options *o)
{
    struct anser_loading *loading;
    double from = anser_clock_ms();
    TRY(anser_weights_begin(m, v7, o, &loading));
    anser_log_time(m->ctx, "weights begun", from);
    from = anser_clock_ms();
    const enum anser_status status = anser_model_plan(m);
    anser_log_time(m->ctx, "kernels of phases", from);
    from = anser_clock_ms();
    const enum anser_status loaded = anser_weights_end(loading);
    anser_log_time(m->ctx, "weights ended", from);
    return status != ANSER_OK ? status : loaded;
}

/* The fingerprint reads pages all over the file: in a thread, if there can be
 * one. */
static enum anser_status load_weights(anser_model *m,
                                      const struct anser_v7_file *v7,
                                      const struct anser_model_options *o)
{
    struct printing printing = { m, v7 };
    pthread_t thread;
    const bool threaded = pthread_create(&thread, NULL, print_finger,
                                         &printing) == 0;
    if (!threaded)
        print_finger(&printing);
    const enum anser_status status = weights_and_plan(m, v7, o);
    if (threaded)
        pthread_join(thread, NULL);
    return status;
}

static enum anser_status fill(anser_model *m, const struct anser_v7_file *v7,
                              const struct anser_model_options *o)
{
    const uint32_t chunk = o->chunk != 0 ? o->chunk
                           : anser_default_chunk(&m->device->caps);
    m->shape = v7->shape;
    m->precise = o->precise != 0;
    m->work.chunk = chunk;
    TRY(check_memory(m, v7));
    TRY(anser_work_new(m->device, &m->shape, chunk, &m->work));
    TRY(load_weights(m, v7, o));
    m->device_bytes += anser_work_bytes(&m->shape, chunk);
    return ANSER_OK;
}

enum anser_status anser_model_load(anser_device *device,
                                   const anser_file *file,
                                   const struct anser_model_options *options,
                                   anser_model **model)
{
    struct anser_v7_file v7;
    TRY(anser_v7_bind(file, &v7));
    anser_model *made = calloc(1, sizeof *made);
    enum anser_status status;
    if (made == NULL) {
        status = anser_fail_memory(device->ctx, sizeof *made);
        goto fail;
    }
    made->ctx = device->ctx;
    made->device = device;
    device->children++;
    TRY_OR_FAIL(fill(made, &v7, options));
    anser_v7_unbind(&v7);
    *model = made;
    return ANSER_OK;
fail:
    anser_v7_unbind(&v7);
    anser_model_unload(made);
    return status;
}

void anser_model_unload(anser_model *m)
{
    if (m == NULL)
        return;
    m->device->children--;
    anser_ahead_free(m->ahead);
    anser_token_free(m->token);
    anser_work_free(m->device, &m->work);
    anser_weights_free(m);
    free(m->plans);
    free(m);
}
