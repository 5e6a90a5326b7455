/* SPDX-License-Identifier: MIT */
/* What a device would do and whether it does it right: the self-test of every
 * kernel variant, and the plan of a model. */
#include "model/model.h"
#include "op/nv_prefill.h"
#include "op/select.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------- selftest */

struct tally {
    anser_check_fn *fn;
    void *user;
    unsigned failed;
};

static void check_row(anser_device *device, const struct anser_op *op,
                      uint32_t row, uint32_t type, struct tally *tally)
{
    /* Sizes that every predicate accepts; the check has its own. */
    const struct anser_need need = { .type = type, .rows = 256, .cols = 256,
                                     .sparse = true };
    struct anser_error error = { .error = NAN };
    struct anser_chosen chosen;
    if (!op->rows[row].fits(&device->caps, &need))
        return;
    const enum anser_status status = anser_op_row(device, op, row, &need,
                                                  &chosen, &error);
    if (status == ANSER_UNSUPPORTED)     /* only the driver could tell      */
        return;
    const struct anser_check check = {
        .op = op->name, .variant = op->rows[row].name,
        .shape = status == ANSER_OK || error.error >= 0
                 ? error.shape : anser_error(device->ctx),
        .error = error.error, .bound = error.bound, .ok = status == ANSER_OK
    };
    tally->failed += status != ANSER_OK;
    tally->fn(tally->user, &check);
}

static void check_op(anser_device *device, const struct anser_op *op,
                     struct tally *tally)
{
    for (uint32_t row = 0; row < op->n; row++) {
        if (!op->typed) {
            check_row(device, op, row, 0, tally);
            continue;
        }
        for (const struct anser_block *b = anser_blocks; b->name != NULL; b++)
            check_row(device, op, row, b->type, tally);
    }
}

/* The fused phases at a small shape, where they may be chosen.  Elsewhere they
 * can run, too, without PTX, but a CPU's compiler takes minutes for them. */
static const struct anser_nv_shape small = {
    .C = 256, .F = 1024, .rank = { 32, 32, 32, 64 },
    .type = { ANSER_F32, ANSER_F16, ANSER_F16, ANSER_F16 }
};

static void tell_phases(anser_device *device, const char *variant,
                        enum anser_status status,
                        const struct anser_error *error, struct tally *tally)
{
    const struct anser_check check = {
        .op = "phases", .variant = variant,
        .shape = status == ANSER_OK ? error->shape : anser_error(device->ctx),
        .error = error->error, .bound = error->bound,
        .ok = status == ANSER_OK && error->error <= error->bound
    };
    if (status == ANSER_UNSUPPORTED)
        return;
    tally->failed += !check.ok;
    tally->fn(tally->user, &check);
}

static void check_phases(anser_device *device, struct tally *tally)
{
    struct anser_error error = { .error = NAN };
    struct anser_nv nv;
    enum anser_status status = anser_nv_build(device, &small, &nv);
    if (status == ANSER_OK)
        status = anser_nv_check(device, &nv, &error);
    tell_phases(device, "nv-int8", status, &error, tally);
}

static void check_prefill(anser_device *device, struct tally *tally)
{
    struct anser_error error = { .error = NAN };
    struct anser_nv_prefill k;
    enum anser_status status = anser_nv_prefill_build(device, &small, &k);
    if (status == ANSER_OK)
        status = anser_nv_prefill_check(device, &k, &error);
    tell_phases(device, "nv-mma", status, &error, tally);
}

enum anser_status anser_selftest(anser_device *device, anser_check_fn *fn,
                                 void *user)
{
    struct tally tally = { fn, user, 0 };
    if (device == NULL || fn == NULL)
        return ANSER_BAD_ARG;
    TRY(anser_device_probe(device));     /* can it compile and run at all?  */
    for (const struct anser_op *const *op = anser_ops; *op != NULL; op++)
        check_op(device, *op, &tally);
    if (device->caps.class == ANSER_CLASS_NVIDIA) {
        check_phases(device, &tally);
        check_prefill(device, &tally);
    }
    if (tally.failed > 0)
        return anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                          "%u kernel variants failed on %s", tally.failed,
                          device->caps.name);
    return ANSER_OK;
}

/* ----------------------------------------------------------------- plan */

struct lines {
    anser_line_fn *fn;
    void *user;
};

static void plan_matrix(const struct lines *out, const char *name,
                        const struct anser_matrix *W)
{
    char line[320], few[100], many[100];
    const struct anser_matmul_plan *p = W->plan;
    if (p == NULL)
        return;
    anser_why_text(&p->few, few, sizeof few);
    anser_why_text(&p->many, many, sizeof many);
    snprintf(line, sizeof line, "    %-12s %-4s %6u x %-6u T<=%u (%s) %s (%s),"
             " above %s (%s)%s", name, W->block->name, (unsigned)W->rows,
             (unsigned)W->cols, (unsigned)p->crossover,
             p->crossover_why == ANSER_WHY_TUNED ? "tuned" : "class",
             p->few.variant->name, few, p->many.variant->name, many,
             W->n_parts > 1 ? ", split" : "");
    out->fn(out->user, line);
}

/* "nv-int8 (tuned)", or "plain". */
static void phase_text(const anser_model *m, uint32_t layer, unsigned phase,
                       uint32_t T, char text[80])
{
    const struct anser_layer_plan *plan = &m->plans[layer];
    const struct anser_phase *row = T == 1 ? plan->one[phase]
                                           : plan->many[phase];
    const struct anser_chosen chosen = {
        .why = anser_select_phase_why(m->device, phase, &m->shape,
                                      &m->layers[layer], T, row)
    };
    char why[40];
    anser_why_text(&chosen, why, sizeof why);
    if (chosen.why == ANSER_WHY_PLAIN)
        snprintf(text, 80, "%s", row->name);
    else
        snprintf(text, 80, "%s (%s)", row->name, why);
}

static void plan_layer(const struct lines *out, const anser_model *m,
                       uint32_t i)
{
    const struct anser_layer *l = &m->layers[i];
    const struct {
        const char *name;
        const struct anser_matrix *W;
    } matrices[] = {
        { "receptance", &l->receptance }, { "key", &l->key },
        { "value", &l->value },           { "w1", &l->w1 },
        { "a1", &l->a1 },                 { "v1", &l->v1 },
        { "g1", &l->g1 },                 { "w2", &l->w2 },
        { "a2", &l->a2 },                 { "v2", &l->v2 },
        { "g2", &l->g2 },                 { "output", &l->output },
        { "ffn.key", &l->ffn_key },       { "ffn.value", &l->ffn_value },
    };
    char line[240], one[80], many[80];
    for (unsigned j = 0; j < PHASE_COUNT; j++) {
        phase_text(m, i, j, 1, one);
        phase_text(m, i, j, m->work.chunk, many);
        snprintf(line, sizeof line, "  layer %u %-12s T=1 %s, T>1 %s",
                 (unsigned)i, anser_phases[j].name, one, many);
        out->fn(out->user, line);
    }
    for (size_t j = 0; j < sizeof matrices / sizeof *matrices; j++)
        plan_matrix(out, matrices[j].name, matrices[j].W);
}

/* Whether a layer is planned as the one before it, so that the plan needs no
 * line for it. */
static bool like_before(const anser_model *m, uint32_t i)
{
    return i > 1 && memcmp(&m->plans[i], &m->plans[i - 1],
                           sizeof m->plans[i]) == 0
           && m->layers[i].receptance.plan == m->layers[i - 1].receptance.plan
           && m->layers[i].w1.plan == m->layers[i - 1].w1.plan
           && m->layers[i].g2.plan == m->layers[i - 1].g2.plan
           && m->layers[i].ffn_key.plan == m->layers[i - 1].ffn_key.plan
           && m->layers[i].ffn_value.plan == m->layers[i - 1].ffn_value.plan;
}

static void plan_elementary(const struct lines *out,
                            const struct anser_elementary *e, uint32_t C)
{
    const struct {
        const char *name;
        const struct anser_chosen *chosen;
    } all[] = {
        { "norm", &e->norm },       { "shift", &e->shift },
        { "prepare", &e->prepare }, { "wkv7", &e->wkv7 },
        { "finish", &e->finish },
    };
    char line[200], why[100];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        anser_why_text(all[i].chosen, why, sizeof why);
        snprintf(line, sizeof line, "  %-12s C %u: %s (%s)", all[i].name,
                 (unsigned)C, all[i].chosen->variant->name, why);
        out->fn(out->user, line);
    }
}

void anser_plan_print(const anser_model *m, anser_line_fn *fn, void *user)
{
    if (m == NULL || fn == NULL)
        return;
    const struct lines out = { fn, user };
    char line[200];
    snprintf(line, sizeof line, "%s: chunk %u", m->device->caps.name,
             (unsigned)m->work.chunk);
    fn(user, line);
    plan_elementary(&out, &m->elementary, m->shape.C);
    for (uint32_t i = 0; i < m->shape.L; i++)
        if (!like_before(m, i))
            plan_layer(&out, m, i);
    plan_matrix(&out, "head", &m->head);
}
