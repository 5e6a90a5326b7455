/* SPDX-License-Identifier: MIT */
/* The wishes for a row: ANSER_VARIANT, then tuning. */
#include "op/select.h"

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
    return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_VARIANT: no operation '%.*s';"
                      " there are: %s", (int)n, name, known);
}

static enum anser_status fail_row(anser_ctx *ctx, const struct anser_op *op,
                                  const char *name, size_t n)
{
    char known[256] = "";
    for (uint32_t i = 0; i < op->n; i++)
        add_name(known, sizeof known, op->rows[i].name);
    return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_VARIANT: %s has no variant "
                      "'%.*s'; there are: %s", op->name, (int)n, name, known);
}

/* All of the text is checked, whatever op is asked for, so that a misspelt
 * name is found at once.  Its form is right: rt/settings.c. */
static enum anser_status find_override(anser_device *device,
                                       const struct anser_op *op,
                                       const struct anser_variant **row)
{
    const char *at = device->settings.variant;
    *row = strcmp(at, "plain") == 0 ? &op->rows[0] : NULL;
    if (*row != NULL)
        return ANSER_OK;
    while (*at != '\0') {
        const size_t n = strcspn(at, "="), m = strcspn(at + n + 1, ",");
        const char *name = at + n + 1;
        const struct anser_op *named = anser_op_named(at, n);
        if (named == NULL)
            return fail_op(device->ctx, at, n);
        const struct anser_variant *v = anser_row_named(named, name, m);
        if (v == NULL)
            return fail_row(device->ctx, named, name, m);
        if (named == op)
            *row = v;
        at = name + m + (name[m] == ',');
    }
    return ANSER_OK;
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
