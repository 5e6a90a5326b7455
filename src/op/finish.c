/* SPDX-License-Identifier: MIT */
/* [V7:groupnorm] [V7:bonus] [V7:gate]: what follows the recurrence, a head of
 * each token at a time, in place. */
#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A head of a token a work-item, or a group. */
static const struct anser_variant rows[] = {
    { .name = "item", .file = "finish.cl", .kernel = "finish_item",
      .fits = anser_fits_any, .grid = anser_grid_items, .bound = 1e-5 },
    { .name = "group", .file = "finish.cl", .kernel = "finish_group",
      .options = "-D WG=64", .fits = anser_fits_group64,
      .suits = anser_suits_gpu, .grid = anser_grid_groups,
      .wg = 64, .bound = 1e-5 },
};

void anser_op_finish(struct anser_queue *q, const struct anser_chosen *kernel,
                     const struct finish_args *args, cl_mem vecs,
                     const struct anser_heads *h)
{
    const struct anser_grid grid = kernel->variant->grid(
        kernel->variant, args->C / SH_HEAD, args->T);
    ANSER_RUN(q, kernel->kernel, grid, *args, vecs, h->r, h->k, h->v, h->g,
              h->y);
}

/* ---------------------------------------------------------------- check */

enum { CHECK_H = 2, CHECK_C = CHECK_H * SH_HEAD, CHECK_T = 3,
       CHECK_N = CHECK_C * CHECK_T };

/* The numbers of the trial's arrays. */
enum { VECS, R, K, V, G, Y };

static void reference(float *const *x)
{
    const float *vecs = x[VECS];
    for (int t = 0; t < CHECK_T; t++) {
        const int at = t * CHECK_C;
        float *y = x[Y] + at;
        anser_ref_group_norm(y, vecs, vecs + CHECK_C, CHECK_H, SH_HEAD);
        anser_ref_bonus(y, x[R] + at, x[K] + at, x[V] + at,
                        vecs + 2 * CHECK_C, CHECK_H, SH_HEAD);
        for (int c = 0; c < CHECK_C; c++)
            y[c] *= x[G][at + c];
    }
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    (void)need;
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_trial_add(&b, 3 * CHECK_C, 0.3f, 1);
    for (int i = R; i <= Y; i++)
        anser_trial_add(&b, CHECK_N, 0, 1);
    const struct finish_args args = {
        .C = CHECK_C, .T = CHECK_T, .bias_at = CHECK_C, .r_k_at = 2 * CHECK_C,
        .eps = V7_GN_EPS
    };
    const struct anser_heads heads = {
        .r = b.buf[R].mem, .k = b.buf[K].mem, .v = b.buf[V].mem,
        .g = b.buf[G].mem, .y = b.buf[Y].mem
    };
    if (b.status == ANSER_OK)
        anser_op_finish(device->queue, chosen, &args, b.buf[VECS].mem, &heads);
    snprintf(error->shape, sizeof error->shape, "C %d T %d", CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = NAN;
    float *out = anser_trial_read(&b, Y);
    if (out != NULL) {
        reference(b.host);
        error->error = anser_check_error(out, b.host[Y], CHECK_N);
    }
    free(out);
    return anser_trial_free(&b);
}

const struct anser_op anser_op_head_finish = {
    "finish", rows, sizeof rows / sizeof *rows, false, check
};
