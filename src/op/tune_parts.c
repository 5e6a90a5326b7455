/* SPDX-License-Identifier: MIT */
/* Tuning what is no matrix product: elementary operations by their time for
 * one token and for a full chunk, phases by a whole pass of one token. */
#include "op/tune_parts.h"

#include "op/contest.h"
#include "op/select.h"
#include "op/small.h"

#include <stdio.h>
#include <string.h>

void anser_tune_tell(const struct anser_tune_run *run, const char *op,
                     const struct anser_need *need,
                     const struct anser_told *told)
{
    const struct anser_tune_result result = {
        .op = op, .type = anser_block_find(need->type)->name,
        .variant = told->variant, .rows = need->rows, .cols = need->cols,
        .tokens = told->tokens, .seconds = told->seconds,
        .chosen = told->chosen
    };
    if (run->plan->fn != NULL)
        run->plan->fn(run->plan->user, &result);
}

enum anser_status anser_tune_put(const struct anser_tune_run *run,
                                 const char *op, const struct anser_need *need,
                                 const char *value)
{
    struct anser_tuning_entry e = { .type = need->type, .rows = need->rows,
                                    .cols = need->cols };
    snprintf(e.op, sizeof e.op, "%s", op);
    snprintf(e.value, sizeof e.value, "%s", value);
    return anser_tuning_put(run->device->ctx, run->found, &e);
}

/* ------------------------------------------------------------- elementary */

static void run_small(struct anser_rival *r)
{
    anser_small_run(r->bench, &r->kernel);
}

/* Every row that can run and is right; the one in use comes first. */
static enum anser_status gather(const struct anser_tune_run *run,
                                const struct anser_op *op,
                                const struct anser_need *need,
                                struct anser_rival *rivals, unsigned *n)
{
    struct anser_chosen now;
    TRY(anser_op_choose(run->device, op, need, &now));
    *n = 0;
    for (uint32_t i = 0; i <= op->n && *n < ANSER_RIVALS; i++) {
        const struct anser_variant *row = i == 0 ? now.variant
                                                 : &op->rows[i - 1];
        struct anser_rival r = { .run = run_small };
        if ((i == 0 || row != now.variant)
            && anser_op_try(run->device, op, row, need, &r.kernel))
            rivals[(*n)++] = r;
    }
    return ANSER_OK;
}

/* The rivals at T tokens. */
static enum anser_status contest_at(const struct anser_tune_run *run,
                                    const struct anser_small_kind *kind,
                                    struct anser_small_shape shape,
                                    struct anser_rival *rivals, unsigned n,
                                    double until, unsigned *turns)
{
    struct anser_small small;
    TRY(anser_small_new(run->device, kind, &shape, &small));
    for (unsigned i = 0; i < n; i++)
        rivals[i].bench = &small;
    const enum anser_status status = anser_contest(run->device->queue, rivals,
                                                   n, until, turns);
    const enum anser_status left = anser_small_free(&small);
    return status != ANSER_OK ? status : left;
}

/* One row serves for any number of tokens: the least of the time for one
 * token plus a token's part of the time for a chunk. */
static enum anser_status tune_kind(const struct anser_tune_run *run,
                                   const struct anser_small_kind *kind,
                                   struct anser_small_shape shape,
                                   double until)
{
    struct anser_rival one[ANSER_RIVALS], many[ANSER_RIVALS];
    const struct anser_need need = anser_small_need(kind, &shape);
    const uint32_t tokens = kind->once ? 1 : run->plan->tokens;
    unsigned n, turns, more;
    TRY(gather(run, kind->op, &need, one, &n));
    if (n < 2)
        return ANSER_OK;
    memcpy(many, one, sizeof many);
    TRY(contest_at(run, kind, shape, one, n, until, &turns));
    shape.T = tokens;
    TRY(contest_at(run, kind, shape, many, n, until, &more));
    if (turns < ANSER_CONTEST_LEAST || more < ANSER_CONTEST_LEAST)
        return ANSER_OK;
    struct anser_rival sum[ANSER_RIVALS];
    memcpy(sum, one, sizeof sum);
    for (unsigned i = 0; i < n; i++)
        sum[i].median += many[i].median / tokens;
    const unsigned first = anser_contest_winner(sum, n);
    for (unsigned i = 0; i < n; i++) {
        const char *name = one[i].kernel.variant->name;
        anser_tune_tell(run, kind->op->name, &need, &(struct anser_told){
            name, 1, one[i].median, i == first });
        if (tokens > 1)
            anser_tune_tell(run, kind->op->name, &need, &(struct anser_told){
                name, tokens, many[i].median, i == first });
    }
    return anser_tune_put(run, kind->op->name, &need,
                          one[first].kernel.variant->name);
}

static struct anser_small_shape shape_of(const struct anser_tune_run *run)
{
    const struct anser_need *embedding = &run->plan->embedding;
    return (struct anser_small_shape){
        .C = embedding->cols, .V = embedding->rows, .T = 1,
        .type = embedding->type
    };
}

void anser_tune_small_build(const struct anser_tune_run *run)
{
    const struct anser_small_shape shape = shape_of(run);
    for (const struct anser_small_kind *k = anser_small_kinds; k->op != NULL;
         k++) {
        const struct anser_need need = anser_small_need(k, &shape);
        struct anser_chosen chosen = { .variant = NULL };
        for (uint32_t i = 0; i < k->op->n; i++)
            anser_op_try(run->device, k->op, &k->op->rows[i], &need, &chosen);
    }
}

enum anser_status anser_tune_small(const struct anser_tune_run *run,
                                   double until)
{
    const struct anser_small_shape shape = shape_of(run);
    unsigned left = 0;
    for (const struct anser_small_kind *k = anser_small_kinds; k->op != NULL;
         k++)
        left++;
    for (const struct anser_small_kind *k = anser_small_kinds; k->op != NULL;
         k++) {
        const double now = anser_contest_clock();
        TRY(tune_kind(run, k, shape, now + (until - now) / left--));
    }
    return ANSER_OK;
}

/* ----------------------------------------------------------------- phases */

enum { SETS = 8 };

struct sets {
    struct anser_phase_set at[SETS]; /* that are right, the one in use first */
    unsigned n;
};

struct set_bench {
    const struct anser_layers *layers;
    const struct anser_phase_set *set;
};

static void run_set(struct anser_rival *r)
{
    const struct set_bench *b = r->bench;
    anser_phase_set_run(b->layers, b->set, b->layers->n);
}

/* The set, if it is a new one and right. */
static enum anser_status add_set(const struct anser_tune_run *run, uint32_t i,
                                 struct sets *sets)
{
    const struct anser_layers *layers = run->plan->layers;
    struct anser_phase_set *set = &sets->at[sets->n];
    struct anser_error error;
    TRY(anser_phase_set_new(layers, i, set));
    if (set->rows == NULL)
        return ANSER_OK;
    sets->n++;
    TRY(anser_phase_set_check(layers, set, &error));
    if (error.error <= error.bound)
        return ANSER_OK;
    anser_log(run->device->ctx, 1, "phases %s are wrong and not measured "
              "(%s: error %.3g, bound %.3g)", set->name, error.shape,
              error.error, error.bound);
    anser_phase_set_free(set);
    sets->n--;
    return ANSER_OK;
}

/* The last set is what runs without tuning, so it comes first. */
static enum anser_status gather_sets(const struct anser_tune_run *run,
                                     struct sets *sets)
{
    uint32_t most = 1;
    for (unsigned j = 0; j < PHASE_COUNT; j++)
        most = anser_phases[j].n > most ? anser_phases[j].n : most;
    for (uint32_t i = most; i-- > 0 && sets->n < SETS;)
        TRY(add_set(run, i, sets));
    return ANSER_OK;
}

/* An entry for each phase: the row of the last layer. */
static enum anser_status put_set(const struct anser_tune_run *run,
                                 const struct anser_need *need,
                                 const struct anser_phase_set *set)
{
    for (unsigned j = 0; j < PHASE_COUNT; j++)
        TRY(anser_tune_put(run, anser_phases[j].name, need,
                           set->rows[set->n - 1][j]->name));
    return ANSER_OK;
}

static enum anser_status contest_sets(const struct anser_tune_run *run,
                                      const struct sets *sets, double until)
{
    struct anser_rival rivals[SETS];
    struct set_bench benches[SETS];
    const struct anser_layers *layers = run->plan->layers;
    const struct anser_need need = anser_phase_need(
        layers->pass.shape, &layers->at[layers->n - 1]);
    unsigned turns;
    for (unsigned i = 0; i < sets->n; i++) {
        benches[i] = (struct set_bench){ layers, &sets->at[i] };
        rivals[i] = (struct anser_rival){ .run = run_set, .T = 1,
                                          .bench = &benches[i] };
    }
    TRY(anser_contest(run->device->queue, rivals, sets->n, until, &turns));
    if (turns < ANSER_CONTEST_LEAST)
        return ANSER_OK;
    const unsigned first = anser_contest_winner(rivals, sets->n);
    for (unsigned i = 0; i < sets->n; i++)
        anser_tune_tell(run, "phases", &need, &(struct anser_told){
            sets->at[i].name, 1, rivals[i].median, i == first });
    return put_set(run, &need, &sets->at[first]);
}

enum anser_status anser_tune_phases(const struct anser_tune_run *run,
                                    double until)
{
    struct sets sets = { .n = 0 };
    enum anser_status status = gather_sets(run, &sets);
    if (status == ANSER_OK && sets.n > 1)
        status = contest_sets(run, &sets, until);
    for (unsigned i = 0; i < sets.n; i++)
        anser_phase_set_free(&sets.at[i]);
    return status;
}
