/* SPDX-License-Identifier: MIT */
/* Which layers the kernels of op/nv_prefill.c serve: what they can read, and
 * where they agreed with the plain rows on this device. */
#include "op/nv_prefill.h"

#include "op/select.h"
#include "rt/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void anser_nv_prefill_free(struct anser_nv_prefill *list)
{
    for (struct anser_nv_prefill *next; list != NULL; list = next) {
        next = list->next;
        free(list);
    }
}

static void run_trial(const void *kernels, unsigned phase,
                      const struct anser_pass *p, const struct anser_layer *l)
{
    anser_nv_prefill_run(kernels, phase, p, l);
}

/* The recurrence by itself, whose bound is closer; then a number of tokens for
 * each size of tile, none of them whole. */
enum anser_status anser_nv_prefill_check(anser_device *device,
                                         const struct anser_nv_prefill *k,
                                         struct anser_error *error)
{
    static const uint32_t T[TILE_SIZES] = { 3, 11, 45, 130 };
    struct anser_error worst = { .error = 0 };
    TRY(anser_nv_chunk_check(device, &k->chunk, error));
    if (!(error->error <= error->bound))
        return ANSER_OK;
    for (int i = TILE_SIZES; i-- > 0;) {
        if (i % 3 != 0 && device->caps.class != ANSER_CLASS_NVIDIA)
            continue;                /* the same tiles, emulated: slow      */
        const struct anser_nv_trial trial = { &k->shape, T[i], run_trial, k };
        TRY(anser_nv_compare(device, &trial, error));
        if (!(error->error <= worst.error))
            worst = *error;
    }
    *error = worst;
    return ANSER_OK;
}

static bool passes(anser_device *device, const struct anser_nv_prefill *k)
{
    const struct anser_nv_shape *s = &k->shape;
    struct anser_error error;
    char name[128];
    snprintf(name, sizeof name, "nv-prefill/%u/%u/%u.%u/%u.%u/%u.%u/%u.%u",
             s->C, s->F, s->rank[0], s->type[0], s->rank[1], s->type[1],
             s->rank[2], s->type[2], s->rank[3], s->type[3]);
    if (anser_cache_passed(device, name))
        return true;
    if (anser_nv_prefill_check(device, k, &error) != ANSER_OK)
        return false;
    if (!(error.error <= error.bound)) {
        anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                   "%s is wrong (%s: error %.3g, bound %.3g)", name,
                   error.shape, error.error, error.bound);
        return false;
    }
    anser_cache_pass(device, name);
    return true;
}

static struct anser_nv_prefill *find(anser_device *device,
                                     const struct anser_nv_shape *shape)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_nv_prefill *k = m == NULL ? NULL : m->prefill;
    while (k != NULL && memcmp(&k->shape, shape, sizeof *shape) != 0)
        k = k->next;
    return k;
}

/* Builds and checks at the first question, and remembers the answer. */
static bool learn(anser_device *device, const struct anser_nv_shape *shape)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_nv_prefill *k = m == NULL ? NULL : calloc(1, sizeof *k);
    if (k == NULL)
        return false;
    k->right = anser_nv_prefill_build(device, shape, k) == ANSER_OK
               && passes(device, k);
    if (!k->right)
        anser_log(device->ctx, 1, "nv-prefill phases are not used: %s",
                  anser_error(device->ctx));
    k->shape = *shape;
    k->next = m->prefill;
    m->prefill = k;
    return k->right;
}

/* ANSER_VARIANT wants another row for one of the phases. */
static bool unwanted(anser_device *device, const struct anser_v7_shape *shape,
                     const struct anser_layer *l, uint32_t T)
{
    for (unsigned i = 0; i < PHASE_COUNT; i++) {
        const struct anser_phase *wish = anser_select_phase(device, i, shape, l,
                                                            T);
        if (wish != NULL && wish->fits != anser_nv_prefill_fits
            && wish->fits(device, shape, l, T))
            return true;
    }
    return false;
}

bool anser_nv_prefill_fits(anser_device *device,
                           const struct anser_v7_shape *shape,
                           const struct anser_layer *l, uint32_t T)
{
    if (T < 2                                  /* several tokens            */
        || device->caps.class != ANSER_CLASS_NVIDIA  /* inline PTX          */
        || device->caps.max_group < 256 || !anser_nv_layer_fits(l)
        || unwanted(device, shape, l, T))
        return false;
    const struct anser_nv_shape s = anser_nv_shape_of(shape, l);
    const struct anser_nv_prefill *k = find(device, &s);
    return k != NULL ? k->right : learn(device, &s);
}

static void run(unsigned phase, const struct anser_pass *p,
                const struct anser_layer *l)
{
    const struct anser_nv_shape shape = anser_nv_shape_of(p->shape, l);
    anser_nv_prefill_run(find(p->q->device, &shape), phase, p, l);
}

void anser_nv_prefill_time_in(const struct anser_pass *p,
                              const struct anser_layer *l)
{
    run(PHASE_A, p, l);
}

void anser_nv_prefill_time_mix(const struct anser_pass *p,
                               const struct anser_layer *l)
{
    run(PHASE_B, p, l);
}

void anser_nv_prefill_time_out(const struct anser_pass *p,
                               const struct anser_layer *l)
{
    run(PHASE_C, p, l);
}

void anser_nv_prefill_channel_in(const struct anser_pass *p,
                                 const struct anser_layer *l)
{
    run(PHASE_D, p, l);
}

void anser_nv_prefill_channel_out(const struct anser_pass *p,
                                  const struct anser_layer *l)
{
    run(PHASE_E, p, l);
}
