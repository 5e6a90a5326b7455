/* SPDX-License-Identifier: MIT */
/* The lowest index of the largest logit, in two steps: runs, then their
 * winners. */
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fits_group(const struct anser_caps *caps,
                       const struct anser_need *need)
{
    (void)need;
    return caps->max_group >= 256 && caps->max_item[0] >= 256;
}

static const struct anser_variant parts_rows[] = {
    { .name = "item", .file = "argmax.cl", .kernel = "argmax_parts",
      .fits = anser_fits_any, .grid = anser_grid_items },
    { .name = "group", .file = "argmax.cl", .kernel = "argmax_parts_group",
      .options = "-D WG=256", .fits = fits_group, .suits = anser_suits_gpu,
      .grid = anser_grid_groups, .wg = 256 },
};
static const struct anser_variant last_rows[] = {
    { .name = "item", .file = "argmax.cl", .kernel = "argmax_last",
      .fits = anser_fits_any, .grid = anser_grid_items },
    { .name = "group", .file = "argmax.cl", .kernel = "argmax_last_group",
      .options = "-D WG=256", .fits = fits_group, .suits = anser_suits_gpu,
      .grid = anser_grid_groups, .wg = 256 },
};

void anser_op_argmax(struct anser_queue *q, const struct anser_elementary *e,
                     cl_mem x, uint32_t n, cl_mem scratch[2], cl_mem id)
{
    const struct argmax_args args = { .n = n, .parts = ANSER_ARGMAX_PARTS };
    const struct anser_chosen *a = &e->argmax_parts, *b = &e->argmax_last;
    ANSER_RUN(q, a->kernel, a->variant->grid(a->variant, args.parts, 1), args,
              x, scratch[0], scratch[1]);
    ANSER_RUN(q, b->kernel, b->variant->grid(b->variant, 1, 1), args,
              scratch[0], scratch[1], id);
}

/* ---------------------------------------------------------------- check */

enum { CHECK_N = 1000 };

/* Equal largest values in two runs, and a NaN: the lower index wins. */
static enum anser_status check_parts(anser_device *device,
                                     const struct anser_chosen *chosen,
                                     const struct anser_need *need,
                                     struct anser_error *error)
{
    (void)need;
    float x[CHECK_N];
    struct anser_trial b;
    anser_trial_init(&b, device);
    anser_check_fill(x, CHECK_N, 1, 0, 1);
    x[5] = x[7] = x[900] = 2;
    x[6] = NAN;
    const unsigned in = anser_trial_bytes(&b, x, sizeof x);
    const unsigned best = anser_trial_add(&b, 10, 0, 1);
    const unsigned where = anser_trial_add(&b, 10, 0, 1);
    const struct argmax_args args = { .n = CHECK_N, .parts = 10 };
    if (b.status == ANSER_OK)
        ANSER_RUN(device->queue, chosen->kernel,
                  chosen->variant->grid(chosen->variant, 10, 1), args,
                  b.buf[in].mem, b.buf[best].mem, b.buf[where].mem);
    snprintf(error->shape, sizeof error->shape, "n %d", CHECK_N);
    error->bound = 0;
    error->error = NAN;
    float *out = anser_trial_read(&b, where);
    uint32_t got[10];
    if (out != NULL) {
        memcpy(got, out, sizeof got);
        error->error = got[0] == 5 && got[9] == 900 ? 0 : 1;
    }
    free(out);
    return anser_trial_free(&b);
}

static enum anser_status check_last(anser_device *device,
                                    const struct anser_chosen *chosen,
                                    const struct anser_need *need,
                                    struct anser_error *error)
{
    (void)need;
    static const float best[4] = { -INFINITY, 1, 3, 3 };
    static const uint32_t where[4] = { 16, 4, 8, 12 };
    struct anser_trial b;
    anser_trial_init(&b, device);
    const unsigned top = anser_trial_bytes(&b, best, sizeof best);
    const unsigned at = anser_trial_bytes(&b, where, sizeof where);
    const unsigned id = anser_trial_add(&b, 1, 0, 1);
    const struct argmax_args args = { .n = 16, .parts = 4 };
    if (b.status == ANSER_OK)
        ANSER_RUN(device->queue, chosen->kernel,
                  chosen->variant->grid(chosen->variant, 1, 1),
                  args, b.buf[top].mem, b.buf[at].mem, b.buf[id].mem);
    snprintf(error->shape, sizeof error->shape, "n 4");
    error->bound = 0;
    error->error = NAN;
    float *out = anser_trial_read(&b, id);
    uint32_t got = 0;
    if (out != NULL) {
        memcpy(&got, out, sizeof got);
        error->error = got == 8 ? 0 : 1;
    }
    free(out);
    return anser_trial_free(&b);
}

const struct anser_op anser_op_argmax_parts = {
    "argmax-parts", parts_rows, sizeof parts_rows / sizeof *parts_rows, false,
    check_parts
};
const struct anser_op anser_op_argmax_last = {
    "argmax-last", last_rows, sizeof last_rows / sizeof *last_rows, false,
    check_last
};
