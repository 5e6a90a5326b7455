/* SPDX-License-Identifier: MIT */
/* The wishes for a row: ANSER_VARIANT, then tuning. */
#include "op/select.h"

#include "op/phase.h"
#include "op/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_named(const char *known, const char *name, size_t n)
{
    return strlen(known) == n && strncmp(known, name, n) == 0;
}

const struct anser_op *anser_op_named(const char *name, size_t n)
{
    for (const struct anser_op *const *op = anser_ops; *op != NULL; op++)
        if (is_named((*op)->name, name, n))
            return *op;
    return NULL;
}

const struct anser_variant *anser_row_named(const struct anser_op *op,
                                            const char *name, size_t n)
{
    for (uint32_t i = 0; i < op->n; i++)
        if (is_named(op->rows[i].name, name, n))
            return &op->rows[i];
    return NULL;
}

const struct anser_phase_table *anser_phase_named(const char *name, size_t n)
{
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        if (is_named(anser_phases[i].name, name, n))
            return &anser_phases[i];
    return NULL;
}

const struct anser_phase *anser_phase_row_named(
    const struct anser_phase_table *table, const char *name, size_t n)
{
    for (uint32_t i = 0; i < table->n; i++)
        if (is_named(table->rows[i].name, name, n))
            return &table->rows[i];
    return NULL;
}

/* ------------------------------------------------------------- override */

static void add_name(char *text, size_t cap, const char *name)
{
    const size_t n = strlen(text);
    snprintf(text + n, cap - n, "%s%s", n > 0 ? " " : "", name);
}

static enum anser_status fail_op(anser_ctx *ctx, const char *name, size_t n)
{
    char known[256] = "";
    for (const struct anser_op *const *op = anser_ops; *op != NULL; op++)
        add_name(known, sizeof known, (*op)->name);
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        add_name(known, sizeof known, anser_phases[i].name);
    return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_VARIANT: no operation '%.*s';"
                      " there are: %s", (int)n, name, known);
}

/* An entry OP=ROW, or PHASE=ROW, at text; n and m bytes are the names. */
struct entry {
    const char *op, *row;
    size_t n, m;
};

static struct entry entry_at(const char *text)
{
    struct entry e = { .op = text, .n = strcspn(text, "=") };
    e.row = text + e.n + 1;
    e.m = strcspn(e.row, ",");
    return e;
}

static const char *next_entry(const struct entry *e)
{
    return e->row + e->m + (e->row[e->m] == ',');
}

static enum anser_status check_entry(anser_ctx *ctx, const struct entry *e)
{
    const struct anser_op *op = anser_op_named(e->op, e->n);
    const struct anser_phase_table *phase = anser_phase_named(e->op, e->n);
    char known[256] = "";
    bool found = false;
    if (op == NULL && phase == NULL)
        return fail_op(ctx, e->op, e->n);
    for (uint32_t i = 0; i < (op != NULL ? op->n : phase->n); i++) {
        const char *name = op != NULL ? op->rows[i].name : phase->rows[i].name;
        add_name(known, sizeof known, name);
        found = found || is_named(name, e->row, e->m);
    }
    return found ? ANSER_OK
                 : anser_fail(ctx, ANSER_BAD_ARG, "ANSER_VARIANT: %.*s has no "
                              "variant '%.*s'; there are: %s", (int)e->n,
                              e->op, (int)e->m, e->row, known);
}

/* All of the text is checked, whatever op is asked for, so that a misspelt
 * name is found at once.  Its form is right: rt/settings.c. */
static enum anser_status find_override(anser_device *device,
                                       const struct anser_op *op,
                                       const struct anser_variant **row)
{
    const char *at = device->settings.variant;
    *row = strcmp(at, "plain") == 0 ? &op->rows[0] : NULL;
    while (*row == NULL && *at != '\0') {
        const struct entry e = entry_at(at);
        TRY(check_entry(device->ctx, &e));
        at = next_entry(&e);
    }
    for (at = device->settings.variant; *row == NULL && *at != '\0';) {
        const struct entry e = entry_at(at);
        if (is_named(op->name, e.op, e.n))
            *row = anser_row_named(op, e.row, e.m);
        at = next_entry(&e);
    }
    return ANSER_OK;
}

/* The phase with which one is plain or fused together, because a fused one
 * leaves the state's last vector to the fused one behind it; or itself. */
static const struct anser_phase_table *partner(unsigned phase)
{
    static const unsigned with[PHASE_COUNT] = { PHASE_B, PHASE_A, PHASE_C,
                                                PHASE_E, PHASE_D };
    return &anser_phases[with[phase]];
}

static const struct anser_phase *phase_override(
    const anser_device *device, const struct anser_phase_table *table)
{
    const struct anser_phase *row = NULL;
    const char *at = device->settings.variant;
    if (strcmp(at, "plain") == 0)
        return &table->rows[0];
    while (row == NULL && *at != '\0') {
        const struct entry e = entry_at(at);
        if (is_named(table->name, e.op, e.n))
            row = anser_phase_row_named(table, e.row, e.m);
        at = next_entry(&e);
    }
    return row;
}

/* --------------------------------------------------------------- wishes */

static void wish(struct anser_wishes *w, const struct anser_variant *row,
                 enum anser_why why)
{
    if (row == NULL)
        return;
    w->row[w->n] = row;
    w->why[w->n++] = why;
}

static const char *tuned(anser_device *device, const char *op,
                         const struct anser_need *need)
{
    const struct anser_op_memory *m = anser_op_memory(device);
    return m == NULL ? NULL : anser_tuning_find(m->tuning, op, need);
}

enum anser_status anser_select(anser_device *device, const struct anser_op *op,
                               const struct anser_need *need,
                               struct anser_wishes *wishes)
{
    const struct anser_variant *row;
    wishes->n = 0;
    TRY(find_override(device, op, &row));
    wish(wishes, row, ANSER_WHY_OVERRIDE);
    const char *name = tuned(device, op->name, need);
    if (name != NULL)
        wish(wishes, anser_row_named(op, name, strlen(name)),
             ANSER_WHY_TUNED);
    return ANSER_OK;
}

struct anser_need anser_phase_need(const struct anser_v7_shape *shape,
                                   const struct anser_layer *l)
{
    return (struct anser_need){ .type = l->receptance.block->type,
                                .rows = shape->F, .cols = shape->C };
}

/* As the user wants it, with the partner; or NULL. */
static const struct anser_phase *wanted(const anser_device *device,
                                        unsigned phase)
{
    const struct anser_phase_table *table = &anser_phases[phase];
    const struct anser_phase_table *with = partner(phase);
    return phase_override(device, with) == &with->rows[0]
           ? &table->rows[0] : phase_override(device, table);
}

enum anser_why anser_select_phase_why(
    anser_device *device, unsigned phase, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T, const struct anser_phase *row)
{
    if (row == wanted(device, phase))
        return ANSER_WHY_OVERRIDE;
    if (row == anser_select_phase(device, phase, shape, l, T))
        return ANSER_WHY_TUNED;
    return row == &anser_phases[phase].rows[0] ? ANSER_WHY_PLAIN
                                               : ANSER_WHY_CLASS;
}

const struct anser_phase *anser_select_phase(
    anser_device *device, unsigned phase, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T)
{
    const struct anser_phase_table *table = &anser_phases[phase];
    const struct anser_phase *row = wanted(device, phase);
    if (row != NULL || T != 1)
        return row;
    const struct anser_need need = anser_phase_need(shape, l);
    const char *name = tuned(device, table->name, &need);
    return name == NULL ? NULL
                        : anser_phase_row_named(table, name, strlen(name));
}

enum anser_why anser_select_crossover(anser_device *device,
                                      const struct anser_need *need,
                                      uint32_t *crossover)
{
    const char *figure = tuned(device, ANSER_TUNING_CROSSOVER, need);
    if (figure == NULL)
        return ANSER_WHY_CLASS;
    *crossover = (uint32_t)strtoul(figure, NULL, 10);
    return ANSER_WHY_TUNED;
}
