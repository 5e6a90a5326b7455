/* SPDX-License-Identifier: MIT */
/* [V7:shift] mixed(n, T, C): n blends of each token's vector with the one
 * before it, which for the first token stands in the state. */
#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Four channels of a token a work-item. */
static const struct anser_variant rows[] = {
    { .name = "item", .file = "mix.cl", .kernel = "shift",
      .fits = anser_fits_any, .grid = anser_grid_items, .bound = 1e-6 },
};

void anser_op_shift(struct anser_queue *q, const struct anser_chosen *kernel,
                    const struct shift_args *args, cl_mem vecs, cl_mem state,
                    cl_mem xn, cl_mem mixed)
{
    const struct anser_grid grid = kernel->variant->grid(
        kernel->variant, args->C / 4, args->T);
    ANSER_RUN(q, kernel->kernel, grid, *args, vecs, state, xn, mixed);
}

enum { CHECK_C = 192, CHECK_T = 3, CHECK_N = 6, CHECK_AT = 64 };

static void reference(float *mixed, const float *lerp, const float *state,
                      const float *xn)
{
    for (int i = 0; i < CHECK_N; i++)
        for (int t = 0; t < CHECK_T; t++)
            anser_ref_lerp(mixed + (i * CHECK_T + t) * CHECK_C,
                           xn + t * CHECK_C,
                           t == 0 ? state : xn + (t - 1) * CHECK_C,
                           lerp + i * CHECK_C, CHECK_C);
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    (void)need;
    struct anser_trial b;
    anser_trial_init(&b, device);
    const unsigned vecs = anser_trial_add(&b, CHECK_N * CHECK_C, 0.5f, 0.5f);
    const unsigned state = anser_trial_add(&b, CHECK_AT + CHECK_C, 0, 1);
    const unsigned xn = anser_trial_add(&b, CHECK_T * CHECK_C, 0, 1);
    const unsigned y = anser_trial_add(&b, CHECK_N * CHECK_T * CHECK_C, 0, 1);
    const struct shift_args args = { .C = CHECK_C, .T = CHECK_T, .n = CHECK_N,
                                     .prev_at = CHECK_AT };
    if (b.status == ANSER_OK)
        anser_op_shift(device->queue, chosen, &args, b.buf[vecs].mem,
                       b.buf[state].mem, b.buf[xn].mem, b.buf[y].mem);
    snprintf(error->shape, sizeof error->shape, "C %d T %d", CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = NAN;
    float *out = anser_trial_read(&b, y);
    if (out != NULL) {
        reference(b.host[y], b.host[vecs], b.host[state] + CHECK_AT,
                  b.host[xn]);
        error->error = anser_check_error(out, b.host[y],
                                         CHECK_N * CHECK_T * CHECK_C);
    }
    free(out);
    return anser_trial_free(&b);
}

const struct anser_op anser_op_token_shift = {
    "shift", rows, sizeof rows / sizeof *rows, false, check
};
