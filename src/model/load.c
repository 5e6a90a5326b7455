/* SPDX-License-Identifier: MIT */
/* Opening a model: does it fit, weights, work space, plan. */
#include "model/load.h"
#include "model/need.h"

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

static enum anser_status fill(anser_model *m, const struct anser_v7_file *v7,
                              const struct anser_model_options *o)
{
    const uint32_t chunk = o->chunk != 0 ? o->chunk
                           : anser_default_chunk(&m->device->caps);
    m->shape = v7->shape;
    m->precise = o->precise != 0;
    m->work.chunk = chunk;
    TRY(check_memory(m, v7));
    anser_v7_fingerprint(v7, m->fingerprint);
    TRY(anser_weights_load(m, v7, o));
    TRY(anser_work_new(m->device, &m->shape, chunk, &m->work));
    m->device_bytes += anser_work_bytes(&m->shape, chunk);
    return anser_model_plan(m);
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
    anser_work_free(m->device, &m->work);
    anser_weights_free(m);
    free(m->plans);
    free(m);
}
