/* SPDX-License-Identifier: MIT */
/* [V7:decay] [V7:iclr] [V7:vfirst] [V7:kk] [V7:kmix]: from the projections of
 * T tokens to what the recurrence reads, a head at a time. */
#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A head of a token a work-item, or a group. */
static const struct anser_variant rows[] = {
    { .name = "item", .file = "prepare.cl", .kernel = "prepare_item",
      .fits = anser_fits_any, .grid = anser_grid_items, .bound = 1e-5 },
    { .name = "group", .file = "prepare.cl", .kernel = "prepare_group",
      .options = "-D WG=64", .fits = anser_fits_group64,
      .suits = anser_suits_gpu, .grid = anser_grid_groups,
      .wg = 64, .bound = 1e-5 },
};

void anser_op_prepare(struct anser_queue *q, const struct anser_chosen *kernel,
                      const struct prepare_args *args, cl_mem vecs,
                      const struct anser_heads *h)
{
    const struct anser_grid grid = kernel->variant->grid(
        kernel->variant, args->C / SH_HEAD, args->T);
    ANSER_RUN(q, kernel->kernel, grid, *args, vecs, h->w, h->a, h->k, h->v,
              h->v_lora, h->v_first, h->kk);
}

/* ---------------------------------------------------------------- check */

enum { CHECK_H = 2, CHECK_C = CHECK_H * SH_HEAD, CHECK_T = 3,
       CHECK_N = CHECK_C * CHECK_T };

/* The numbers of the trial's arrays. */
enum { VECS, W, A, K, V, V_LORA, V_FIRST, KK };

static void reference(float *const *x)
{
    const float *vecs = x[VECS];
    for (int t = 0; t < CHECK_T; t++) {
        const int at = t * CHECK_C;
        anser_ref_decay(x[W] + at, vecs, x[W] + at, CHECK_C);
        anser_ref_iclr(x[A] + at, vecs + CHECK_C, x[A] + at, CHECK_C);
        anser_ref_value_mix(x[V] + at, x[V_FIRST] + at, vecs + 2 * CHECK_C,
                            x[V_LORA] + at, CHECK_C);
        anser_ref_kk(x[KK] + at, x[K] + at, vecs + 3 * CHECK_C, CHECK_H,
                     SH_HEAD);
        anser_ref_key_mix(x[K] + at, x[A] + at, vecs + 4 * CHECK_C, CHECK_C);
    }
}

static void launch(struct anser_trial *b, const struct anser_chosen *chosen)
{
    const struct prepare_args args = {
        .C = CHECK_C, .T = CHECK_T, .a0_at = CHECK_C, .v0_at = 2 * CHECK_C,
        .k_k_at = 3 * CHECK_C, .k_a_at = 4 * CHECK_C
    };
    const struct anser_heads heads = {
        .w = b->buf[W].mem, .a = b->buf[A].mem, .k = b->buf[K].mem,
        .v = b->buf[V].mem, .v_lora = b->buf[V_LORA].mem,
        .v_first = b->buf[V_FIRST].mem, .kk = b->buf[KK].mem
    };
    if (b->status == ANSER_OK)
        anser_op_prepare(b->device->queue, chosen, &args, b->buf[VECS].mem,
                         &heads);
}

/* The largest error over what was written. */
static double compare(struct anser_trial *b)
{
    static const int written[] = { W, A, K, V, KK };
    double most = 0;
    float *out[5];
    for (int i = 0; i < 5; i++)
        out[i] = anser_trial_read(b, written[i]);
    reference(b->host);
    for (int i = 0; i < 5; i++) {
        const double e = out[i] == NULL ? NAN
                         : anser_check_error(out[i], b->host[written[i]],
                                             CHECK_N);
        most = e <= most ? most : e;
        free(out[i]);
    }
    return most;
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    (void)need;
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_trial_add(&b, 5 * CHECK_C, 0.5f, 1);
    for (int i = W; i <= KK; i++)
        anser_trial_add(&b, CHECK_N, 0, 2);
    launch(&b, chosen);
    snprintf(error->shape, sizeof error->shape, "C %d T %d", CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = b.status == ANSER_OK ? compare(&b) : NAN;
    return anser_trial_free(&b);
}

const struct anser_op anser_op_head_prepare = {
    "prepare", rows, sizeof rows / sizeof *rows, false, check
};
