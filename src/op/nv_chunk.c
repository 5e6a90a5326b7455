/* SPDX-License-Identifier: MIT */
#include "op/nv_chunk.h"

#include "base/ref.h"
#include "op/check.h"
#include "rt/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { GROUP = 128, GROUP_ROWS = 32 }; /* work-items, and their rows of a head */

static enum anser_status get(anser_device *device, const char *name,
                             struct anser_kernel **kernel)
{
    const struct anser_kernel_key key = {
        "nv_chunk.cl",
        device->caps.class == ANSER_CLASS_NVIDIA ? "-D WG=128 -D PTX"
                                                 : "-D WG=128",
        name
    };
    TRY(anser_kernel_get(device, &key, kernel));
    if ((*kernel)->max_group < GROUP)
        return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                          "%s: a work-group of %d does not fit (at most %zu)",
                          name, GROUP, (*kernel)->max_group);
    return ANSER_OK;
}

enum anser_status anser_nv_chunk_build(anser_device *device,
                                       struct anser_nv_chunk *made)
{
    TRY(get(device, "nv_prepare", &made->prepare));
    return get(device, "nv_steps", &made->steps);
}

static struct anser_grid groups(uint32_t n)
{
    return (struct anser_grid){ { (size_t)n * GROUP, 1, 1 }, { GROUP, 1, 1 } };
}

void anser_nv_chunk_run(struct anser_queue *q,
                        const struct anser_nv_chunk *kernels,
                        const struct anser_nv_recurrence *r)
{
    const struct anser_heads *h = &r->heads;
    const uint32_t C = r->prepare.C, T = r->prepare.T;
    const uint32_t chunks = (T + SH_NV_CHUNK - 1) / SH_NV_CHUNK;
    const struct wkv_args steps = { .C = C, .T = T, .s_at = r->s_at };
    ANSER_RUN(q, kernels->prepare, groups(C / SH_HEAD * chunks), r->prepare,
              r->vecs, h->r, h->w, h->a, h->k, h->v, h->v_lora, h->v_first,
              r->records);
    ANSER_RUN(q, kernels->steps, groups(C / GROUP_ROWS), steps, h->v,
              r->records, h->y, r->state);
}

/* ---------------------------------------------------------------- check */

/* Two heads; a chunk, and most of another. */
enum { CHECK_H = 2, CHECK_C = CHECK_H * SH_HEAD, CHECK_T = 2 * SH_NV_CHUNK - 3,
       CHECK_N = CHECK_C * CHECK_T, CHECK_AT = 128,
       CHECK_STATE = CHECK_AT + CHECK_C * SH_HEAD,
       CHECK_RECORDS = 2 * CHECK_H * SH_NV_RECORD };

/* Products lack 2^-18 of each number. */
#define BOUND 1e-4

/* The numbers of the trial's arrays; vecs are w0, a0, v0, k_k, k_a. */
enum { VECS, R, W, A, K, V, V_LORA, V_FIRST, KK, Y, STATE, RECORDS };

static void reference_step(float *const *x, int t)
{
    const float *vecs = x[VECS];
    const int at = t * CHECK_C;
    anser_ref_decay(x[W] + at, vecs, x[W] + at, CHECK_C);
    anser_ref_iclr(x[A] + at, vecs + CHECK_C, x[A] + at, CHECK_C);
    anser_ref_value_mix(x[V] + at, x[V_FIRST] + at, vecs + 2 * CHECK_C,
                        x[V_LORA] + at, CHECK_C);
    anser_ref_kk(x[KK] + at, x[K] + at, vecs + 3 * CHECK_C, CHECK_H, SH_HEAD);
    anser_ref_key_mix(x[K] + at, x[A] + at, vecs + 4 * CHECK_C, CHECK_C);
    const struct anser_ref_wkv in = {
        .r = x[R] + at, .w = x[W] + at, .k = x[K] + at, .v = x[V] + at,
        .kk = x[KK] + at, .a = x[A] + at, .H = CHECK_H, .N = SH_HEAD
    };
    anser_ref_wkv(x[Y] + at, x[STATE] + CHECK_AT, &in);
}

static void launch(struct anser_trial *b, const struct anser_nv_chunk *kernels)
{
    const struct anser_nv_recurrence r = {
        .prepare = { .C = CHECK_C, .T = CHECK_T, .a0_at = CHECK_C,
                     .v0_at = 2 * CHECK_C, .k_k_at = 3 * CHECK_C,
                     .k_a_at = 4 * CHECK_C },
        .s_at = CHECK_AT,
        .heads = { .r = b->buf[R].mem, .w = b->buf[W].mem,
                   .k = b->buf[K].mem, .v = b->buf[V].mem,
                   .a = b->buf[A].mem, .v_lora = b->buf[V_LORA].mem,
                   .v_first = b->buf[V_FIRST].mem, .y = b->buf[Y].mem },
        .vecs = b->buf[VECS].mem, .state = b->buf[STATE].mem,
        .records = b->buf[RECORDS].mem
    };
    if (b->status == ANSER_OK)
        anser_nv_chunk_run(b->device->queue, kernels, &r);
}

/* The largest error over what was written. */
static double compare(struct anser_trial *b)
{
    static const int written[] = { K, V, Y, STATE };
    enum { WRITTEN = sizeof written / sizeof *written };
    double most = 0;
    float *out[WRITTEN];
    for (int i = 0; i < WRITTEN; i++)
        out[i] = anser_trial_read(b, (unsigned)written[i]);
    for (int t = 0; t < CHECK_T; t++)
        reference_step(b->host, t);
    for (int i = 0; i < WRITTEN; i++) {
        const double e = out[i] == NULL ? NAN
                         : anser_check_error(out[i], b->host[written[i]],
                                             b->count[written[i]]);
        most = e <= most ? most : e;
        free(out[i]);
    }
    return most;
}

enum anser_status anser_nv_chunk_check(anser_device *device,
                                       const struct anser_nv_chunk *kernels,
                                       struct anser_error *error)
{
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_trial_add(&b, 5 * CHECK_C, 0.5f, 1);
    for (int i = R; i <= Y; i++)
        anser_trial_add(&b, CHECK_N, 0, 2);
    anser_trial_add(&b, CHECK_STATE, 0, 1);
    anser_trial_add(&b, CHECK_RECORDS, 0, 1);
    launch(&b, kernels);
    snprintf(error->shape, sizeof error->shape, "recurrence C %d T %d",
             CHECK_C, CHECK_T);
    error->bound = BOUND;
    error->error = b.status == ANSER_OK ? compare(&b) : NAN;
    return anser_trial_free(&b);
}
