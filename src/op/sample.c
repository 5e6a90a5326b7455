/* SPDX-License-Identifier: MIT */
/* The kernels of cl/sample*.cl: their rows, room and launches, and the check
 * against base/draw.c. */
#include "op/sample.h"

#include "base/draw.h"
#include "op/check.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 256 };                 /* as in cl/sample.h                   */

static bool fits_group(const struct anser_caps *caps,
                       const struct anser_need *need)
{
    (void)need;
    return caps->max_group >= 256 && caps->max_item[0] >= 256;
}

/* `rows` is the number of parts. */
static const struct anser_variant rows[] = {
    { .name = "item", .file = "sample_cut.cl", .kernel = "sample_pick",
      .options = "-D WG=1 -D PARTS=8", .fits = anser_fits_any,
      .grid = anser_grid_items, .rows = 8 },
    { .name = "group", .file = "sample_cut.cl", .kernel = "sample_pick",
      .options = "-D WG=256 -D PARTS=32", .fits = fits_group,
      .suits = anser_suits_gpu, .grid = anser_grid_groups, .wg = 256,
      .rows = 32 },
};

/* ----------------------------------------------------------------- room */

enum { COUNT, BEST, WHERE, SUMS, NUMBERS, CUT, PARTS_SUM, PARTS_N, KEPT,
       KEPT_ID, OPEN, OPEN_ID };

/* Bytes of each buffer: an id, a part, a bin of a part. */
static const struct {
    uint32_t id, part, bin;
} sizes[SAMPLE_BUFS] = {
    [COUNT] = { 4, 0, 0 },      [BEST] = { 0, 4, 0 },
    [WHERE] = { 0, 4, 0 },      [SUMS] = { 0, 0, 8 },
    [NUMBERS] = { 0, 0, 4 },    [CUT] = { 0, 8, 0 },
    [PARTS_SUM] = { 0, 8, 0 },  [PARTS_N] = { 0, 4, 0 },
    [KEPT] = { 16, 0, 0 },      [KEPT_ID] = { 4, 0, 0 },
    [OPEN] = { 16, 0, 0 },      [OPEN_ID] = { 4, 0, 0 },
};

static enum anser_status fill(struct anser_sampling *s, uint32_t n)
{
    const struct anser_variant *v = s->variant;
    const struct {
        const char *file, *name;
        struct anser_kernel **kernel;
    } kernels[] = {
        { "sample.cl", "sample_top", &s->top },
        { "sample.cl", "sample_best", &s->best },
        { "sample.cl", "sample_sums", &s->sums },
        { v->file, "sample_keep", &s->keep },
        { v->file, "sample_pick", &s->pick },
    };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        const struct anser_kernel_key key = { kernels[i].file, v->options,
                                              kernels[i].name };
        TRY(anser_kernel_get(s->device, &key, kernels[i].kernel));
        if (v->wg > (*kernels[i].kernel)->max_group)
            return anser_fail(s->device->ctx, ANSER_UNSUPPORTED,
                              "%s: a work-group of %u does not fit",
                              kernels[i].name, (unsigned)v->wg);
    }
    for (int i = 0; i < SAMPLE_BUFS; i++)
        TRY(anser_buf_new(s->device, (size_t)sizes[i].id * n
                          + (sizes[i].part + (size_t)sizes[i].bin * BINS)
                            * v->rows, &s->buf[i]));
    return ANSER_OK;
}

static enum anser_status make(anser_device *device,
                              const struct anser_variant *variant, uint32_t n,
                              struct anser_sampling **sampling)
{
    struct anser_sampling *s = calloc(1, sizeof *s);
    if (s == NULL)
        return anser_fail_memory(device->ctx, sizeof *s);
    s->device = device;
    s->variant = variant;
    const enum anser_status status = fill(s, n);
    if (status == ANSER_OK)
        *sampling = s;
    else
        anser_sampling_free(s);
    return status;
}

enum anser_status anser_sampling_new(anser_device *device, uint32_t n,
                                     struct anser_sampling **sampling)
{
    const struct anser_need need = { .rows = n };
    struct anser_chosen chosen;
    TRY(anser_op_choose(device, &anser_op_sampler, &need, &chosen));
    return make(device, chosen.variant, n, sampling);
}

void anser_sampling_free(struct anser_sampling *s)
{
    if (s == NULL)
        return;
    for (int i = 0; i < SAMPLE_BUFS; i++)
        anser_buf_free(s->device, &s->buf[i]);
    free(s);
}

enum anser_status anser_sampling_begin(struct anser_sampling *s,
                                       const float *counts, uint32_t n)
{
    anser_queue_write(s->device->queue, s->buf[COUNT].mem, 0, counts,
                      n * sizeof *counts);
    return anser_queue_finish(s->device->queue);
}

/* ------------------------------------------------------------------ run */

void anser_op_sample(struct anser_sampling *s, const struct sample_args *a,
                     cl_mem logits, cl_mem id)
{
    struct anser_queue *q = s->device->queue;
    const struct anser_variant *v = s->variant;
    const struct anser_grid parts = v->grid(v, v->rows, 1);
    const struct anser_grid one = v->grid(v, 1, 1);
    cl_mem b[SAMPLE_BUFS];
    for (int i = 0; i < SAMPLE_BUFS; i++)
        b[i] = s->buf[i].mem;
    ANSER_RUN(q, s->top, parts, *a, logits, b[COUNT], id, b[BEST], b[WHERE]);
    if (a->cooling == 0) {
        ANSER_RUN(q, s->best, anser_grid_items(v, 1, 1), *a, b[BEST],
                  b[WHERE], id);
        return;
    }
    ANSER_RUN(q, s->sums, parts, *a, logits, b[COUNT], b[BEST], b[SUMS],
              b[NUMBERS]);
    ANSER_RUN(q, s->keep, parts, *a, logits, b[COUNT], b[BEST], b[SUMS],
              b[NUMBERS], b[CUT], b[PARTS_SUM], b[PARTS_N], b[KEPT],
              b[KEPT_ID], b[OPEN], b[OPEN_ID]);
    ANSER_RUN(q, s->pick, one, *a, b[CUT], b[PARTS_SUM], b[PARTS_N], b[KEPT],
              b[KEPT_ID], b[OPEN], b[OPEN_ID], id);
}

/* ---------------------------------------------------------------- check */

enum { CHECK_N = 6000, CHECK_DRAWS = 8 };

/* Settings that take each way through the kernels.  The last one is tried
 * on equal logits: all are open then, and a lone work-item goes round
 * over 65,535 times, where Mesa's llvmpipe leaves its loops and says nothing.
 */
static const struct sample_args check_args[] = {
    { .cooling = 1, .top_p = SH_ONE_P },
    { .cooling = 1, .top_p = SH_ONE_P / 100 * 85, .presence = 0.2f,
      .frequency = 0.2f },
    { .cooling = 2, .top_p = SH_ONE_P / 2, .top_k = 40 },
    { .cooling = 0.7f, .top_p = SH_ONE_P, .top_k = 300, .frequency = 1 },
    { .cooling = 1, .top_p = 0, .presence = -1 },
    { .cooling = 1, .top_p = SH_ONE_P - 1, .top_k = CHECK_N - 700 },
    { .cooling = 0, .top_p = SH_ONE_P, .presence = 0.5f },
    { .cooling = 1, .top_p = SH_ONE_P / 2, .top_k = CHECK_N / 2 },
};
enum { CHECKS = sizeof check_args / sizeof *check_args };

/* Logits with ties, or all equal, some that may not be drawn, and counts. */
static void check_data(float *logits, float *counts, bool equal)
{
    anser_check_fill(logits, CHECK_N, 3, 0, equal ? 0 : 6);
    for (int i = 0; i < CHECK_N; i++) {
        logits[i] = i % 3 == 0 ? roundf(logits[i]) : logits[i];
        counts[i] = i % 5 == 0 ? (float)(i % 7) / 4
                    : i % 41 == 1 ? SH_BANNED : SH_NEVER;
    }
    logits[17] = NAN;
    logits[CHECK_N - 1] = INFINITY;
}

static void count(float *counts, const struct sample_args *a, uint32_t id)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (counts[i] >= 0)
            counts[i] *= a->decay;
    if (id < a->n)
        counts[id] = fmaxf(counts[id], 0) + 1;
}

struct check {
    struct anser_sampling *s;
    struct anser_draw draw;
    float logits[CHECK_N], counts[CHECK_N];
    cl_mem logits_mem, id;
};

/* Draws by both, and the counts carried on by both: the number of ids that
 * differ. */
static enum anser_status compare(struct check *c, struct sample_args a,
                                 bool equal, double *error)
{
    struct anser_queue *q = c->s->device->queue;
    uint32_t drawn[CHECK_DRAWS];
    check_data(c->logits, c->counts, equal);
    anser_queue_write(q, c->logits_mem, 0, c->logits, sizeof c->logits);
    TRY(anser_sampling_begin(c->s, c->counts, CHECK_N));
    a.n = CHECK_N;
    a.decay = 0.9f;
    for (uint32_t i = 0; i < CHECK_DRAWS; i++) {
        a.position_lo = i;
        a.first = i == 0;
        anser_op_sample(c->s, &a, c->logits_mem, c->id);
        anser_queue_read(q, c->id, 0, &drawn[i], sizeof *drawn);
    }
    TRY(anser_queue_finish(q));
    for (uint32_t i = 0; i < CHECK_DRAWS; i++) {
        a.position_lo = i;
        *error += drawn[i] != anser_draw(&c->draw, &a, c->logits, c->counts);
        count(c->counts, &a, drawn[i]);
    }
    return ANSER_OK;
}

static enum anser_status run_check(anser_device *device,
                                   const struct anser_variant *variant,
                                   struct check *c, double *error)
{
    struct anser_trial b;
    anser_trial_init(&b, device);
    c->logits_mem = b.buf[anser_trial_add(&b, CHECK_N, 0, 1)].mem;
    c->id = b.buf[anser_trial_add(&b, 1, 0, 1)].mem;
    if (b.status == ANSER_OK)
        b.status = make(device, variant, CHECK_N, &c->s);
    *error = 0;
    for (int i = 0; i < CHECKS && b.status == ANSER_OK; i++)
        b.status = compare(c, check_args[i], i == CHECKS - 1, error);
    anser_sampling_free(c->s);
    return anser_trial_free(&b);
}

static enum anser_status check(anser_device *device,
                               const struct anser_chosen *chosen,
                               const struct anser_need *need,
                               struct anser_error *error)
{
    (void)need;
    struct check *c = calloc(1, sizeof *c);
    if (c == NULL || !anser_draw_init(&c->draw, CHECK_N)) {
        free(c);
        return anser_fail_memory(device->ctx, sizeof *c);
    }
    snprintf(error->shape, sizeof error->shape, "n %d", CHECK_N);
    error->bound = 0;
    error->error = NAN;
    const enum anser_status status = run_check(device, chosen->variant, c,
                                               &error->error);
    anser_draw_free(&c->draw);
    free(c);
    return status;
}

const struct anser_op anser_op_sampler = {
    "sample", rows, sizeof rows / sizeof *rows, false, check
};
