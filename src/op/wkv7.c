/* SPDX-License-Identifier: MIT */
/* [V7:wkv] T steps of the recurrence on a layer's state. */
#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A row of the state a work-item. */
static struct anser_grid grid_item(const struct anser_variant *v, uint32_t C,
                                   uint32_t one)
{
    (void)v;
    return (struct anser_grid){ { C, one, 1 }, { 16, 1, 1 } };
}

/* A head a group. */
static struct anser_grid grid_group(const struct anser_variant *v, uint32_t C,
                                    uint32_t one)
{
    return (struct anser_grid){ { C, one, 1 }, { v->wg, 1, 1 } };
}

/* Half of a head's rows a group. */
static struct anser_grid grid_split(const struct anser_variant *v, uint32_t C,
                                    uint32_t one)
{
    return (struct anser_grid){ { (size_t)C / 32 * v->wg, one, 1 },
                                { v->wg, 1, 1 } };
}

/* v->rows rows of a head a work-item. */
static struct anser_grid grid_rows(const struct anser_variant *v, uint32_t C,
                                   uint32_t one)
{
    return (struct anser_grid){ { C / v->rows, one, 1 }, { 4, 1, 1 } };
}

static bool suits_cpu(const struct anser_caps *caps)
{
    return (caps->type & CL_DEVICE_TYPE_CPU) != 0;  /* many wide registers  */
}

static bool fits_nv(const struct anser_caps *caps,
                    const struct anser_need *need)
{
    (void)need;
    return caps->class == ANSER_CLASS_NVIDIA;  /* inline PTX                */
}

static const struct anser_variant rows[] = {
    { .name = "item", .file = "wkv7.cl", .kernel = "wkv7_item",
      .fits = anser_fits_any, .grid = grid_item, .bound = 1e-5 },
    { .name = "rows", .file = "wkv7.cl", .kernel = "wkv7_rows",
      .options = "-D ROWS=4", .fits = anser_fits_any, .suits = suits_cpu,
      .grid = grid_rows, .rows = 4, .bound = 1e-5 },
    { .name = "group", .file = "wkv7.cl", .kernel = "wkv7_group",
      .options = "-D WG=64", .fits = anser_fits_group64,
      .suits = anser_suits_gpu, .grid = grid_group,
      .wg = 64, .bound = 1e-5 },
    { .name = "nv-split", .file = "nv_wkv7.cl", .kernel = "nv_wkv7",
      .options = "-D WG=128 -D PTX", .fits = fits_nv, .grid = grid_split,
      .wg = 128, .bound = 1e-5 },
};

void anser_op_wkv7(struct anser_queue *q, const struct anser_chosen *kernel,
                   const struct wkv_args *args, cl_mem state,
                   const struct anser_heads *h)
{
    const struct anser_grid grid = kernel->variant->grid(kernel->variant,
                                                         args->C, 1);
    ANSER_RUN(q, kernel->kernel, grid, *args, h->r, h->w, h->k, h->v, h->kk,
              h->a, h->y, state);
}

/* ---------------------------------------------------------------- check */

enum { CHECK_H = 2, CHECK_C = CHECK_H * SH_HEAD, CHECK_T = 37,
       CHECK_N = CHECK_C * CHECK_T, CHECK_AT = 128,
       CHECK_STATE = CHECK_AT + CHECK_C * SH_HEAD };

/* The numbers of the trial's arrays. */
enum { R, W, K, V, KK, A, Y, STATE };

static void reference(float *const *x)
{
    for (int t = 0; t < CHECK_T; t++) {
        const int at = t * CHECK_C;
        const struct anser_ref_wkv in = {
            .r = x[R] + at, .w = x[W] + at, .k = x[K] + at, .v = x[V] + at,
            .kk = x[KK] + at, .a = x[A] + at, .H = CHECK_H, .N = SH_HEAD
        };
        anser_ref_wkv(x[Y] + at, x[STATE] + CHECK_AT, &in);
    }
}

static void launch(struct anser_trial *b, const struct anser_chosen *chosen)
{
    const struct wkv_args args = { .C = CHECK_C, .T = CHECK_T,
                                   .s_at = CHECK_AT };
    const struct anser_heads heads = {
        .r = b->buf[R].mem, .w = b->buf[W].mem, .k = b->buf[K].mem,
        .v = b->buf[V].mem, .kk = b->buf[KK].mem, .a = b->buf[A].mem,
        .y = b->buf[Y].mem
    };
    if (b->status == ANSER_OK)
        anser_op_wkv7(b->device->queue, chosen, &args, b->buf[STATE].mem,
                      &heads);
}

static double compare(struct anser_trial *b)
{
    float *y = anser_trial_read(b, Y), *state = anser_trial_read(b, STATE);
    double most = NAN;
    if (y != NULL && state != NULL) {
        reference(b->host);
        const double e = anser_check_error(y, b->host[Y], CHECK_N);
        const double s = anser_check_error(state, b->host[STATE], CHECK_STATE);
        most = e <= s ? s : e;
    }
    free(y);
    free(state);
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
    anser_trial_add(&b, CHECK_N, 0, 1);
    anser_trial_add(&b, CHECK_N, 0.75f, 0.2f);           /* decay           */
    anser_trial_add(&b, CHECK_N, 0, 1);
    anser_trial_add(&b, CHECK_N, 0, 1);
    anser_trial_add(&b, CHECK_N, 0, 0.2f);               /* about unit length */
    anser_trial_add(&b, CHECK_N, 0.5f, 0.5f);
    anser_trial_add(&b, CHECK_N, 0, 1);
    anser_trial_add(&b, CHECK_STATE, 0, 1);
    launch(&b, chosen);
    snprintf(error->shape, sizeof error->shape, "C %d T %d", CHECK_C, CHECK_T);
    error->bound = chosen->variant->bound;
    error->error = b.status == ANSER_OK ? compare(&b) : NAN;
    return anser_trial_free(&b);
}

const struct anser_op anser_op_recurrence = {
    "wkv7", rows, sizeof rows / sizeof *rows, false, check
};
