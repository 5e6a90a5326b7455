/* SPDX-License-Identifier: MIT */
/* [V7:layernorm] y(T, C) = (x - mean) / sqrt(var + eps) * weight + bias. */
#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool fits_group(const struct anser_caps *caps,
                       const struct anser_need *need)
{
    return anser_fits_group64(caps, need) && caps->max_group >= 128;
}

/* A token a work-item, or a group. */
static const struct anser_variant rows[] = {
    { .name = "item", .file = "norm.cl", .kernel = "norm_item",
      .fits = anser_fits_any, .grid = anser_grid_items, .bound = 1e-5 },
    { .name = "group", .file = "norm.cl", .kernel = "norm_group",
      .options = "-D WG=128", .fits = fits_group,
      .suits = anser_suits_gpu, .grid = anser_grid_groups,
      .wg = 128, .bound = 1e-5 },
};

void anser_op_norm(struct anser_queue *q, const struct anser_chosen *kernel,
                   const struct norm_args *args, cl_mem vecs, cl_mem x,
                   cl_mem y)
{
    const struct anser_grid grid = kernel->variant->grid(kernel->variant,
                                                         args->T, 1);
    ANSER_RUN(q, kernel->kernel, grid, *args, vecs, x, y);
}

/* x has one token more than T, since the first is left out by x_at. */
enum { CHECK_C = 320, CHECK_T = 3 };

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    (void)need;
    struct anser_trial b;
    anser_trial_init(&b, device);
    const unsigned vecs = anser_trial_add(&b, 2 * CHECK_C, 0.5f, 1);
    const unsigned x = anser_trial_add(&b, (CHECK_T + 1) * CHECK_C, 3, 2);
    const unsigned y = anser_trial_add(&b, CHECK_T * CHECK_C, 0, 1);
    const struct norm_args args = { .C = CHECK_C, .T = CHECK_T,
                                    .x_at = CHECK_C, .bias_at = CHECK_C,
                                    .eps = V7_LN_EPS };
    if (b.status == ANSER_OK)
        anser_op_norm(device->queue, chosen, &args, b.buf[vecs].mem,
                      b.buf[x].mem, b.buf[y].mem);
    snprintf(error->shape, sizeof error->shape, "C %d T %d", CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = NAN;
    float *out = anser_trial_read(&b, y);
    for (int t = 0; out != NULL && t < CHECK_T; t++)
        anser_ref_layer_norm(b.host[y] + t * CHECK_C,
                             b.host[x] + (t + 1) * CHECK_C, b.host[vecs],
                             b.host[vecs] + CHECK_C, CHECK_C, V7_LN_EPS);
    if (out != NULL)
        error->error = anser_check_error(out, b.host[y], CHECK_T * CHECK_C);
    free(out);
    return anser_trial_free(&b);
}

const struct anser_op anser_op_layer_norm = {
    "norm", rows, sizeof rows / sizeof *rows, false, check
};
