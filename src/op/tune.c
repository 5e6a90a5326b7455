/* SPDX-License-Identifier: MIT */
/* For each shape: the fastest `few`, the fastest `many` that reads the same
 * layout, and from how many tokens on the second beats the first. */
#include "op/tune.h"

#include "op/tables.h"
#include "op/tune_bench.h"

#include <stdio.h>
#include <string.h>

#define KEEP 0.97                    /* another row must be this much faster */
enum { RIVALS_MAX = 16 };

/* Where `few` and `many` are compared, ascending. */
static const uint32_t token_counts[] = { 2, 3, 4, 6, 8, 12, 16, 24, 32, 48,
                                         64 };

/* One shape at work. */
struct tuning {
    anser_device *device;
    const struct anser_tune_plan *plan;
    struct anser_need need;
    const char *type;
    struct anser_tune_bench benches[ANSER_LAYOUTS];  /* made when needed    */
    struct anser_tuning **found;
};

static enum anser_status get_bench(struct tuning *t, enum anser_layout layout,
                                   struct anser_tune_bench **bench)
{
    struct anser_tune_bench *b = &t->benches[layout];
    if (b->w.mem == NULL)
        TRY(anser_tune_bench_new(t->device, &t->need, layout, t->plan->tokens,
                                 t->plan->bytes, b));
    *bench = b;
    return ANSER_OK;
}

/* Every row that can run and is right; the one in use comes first. */
static enum anser_status gather(struct tuning *t, const struct anser_op *op,
                                uint32_t layouts,
                                const struct anser_variant *now,
                                struct anser_tune_rival *rivals, unsigned *n)
{
    struct anser_need need = t->need;
    need.layouts = layouts;
    *n = 0;
    for (uint32_t i = 0; i <= op->n && *n < RIVALS_MAX; i++) {
        const struct anser_variant *row = i == 0 ? now : &op->rows[i - 1];
        struct anser_tune_rival r = { .calls = 1 };
        if ((i > 0 && row == now)
            || !anser_op_try(t->device, op, row, &need, &r.kernel))
            continue;
        if (row->prepare != NULL)
            TRY(row->prepare(t->device, &need));
        TRY(get_bench(t, (enum anser_layout)row->layout, &r.bench));
        rivals[(*n)++] = r;
    }
    return ANSER_OK;
}

static void tell(const struct tuning *t, const struct anser_op *op,
                 const struct anser_tune_rival *r, uint32_t T, int chosen)
{
    const struct anser_tune_result result = {
        .op = op->name, .type = t->type, .variant = r->kernel.variant->name,
        .rows = t->need.rows, .cols = t->need.cols, .tokens = T,
        .seconds = r->median, .chosen = chosen
    };
    if (t->plan->fn != NULL)
        t->plan->fn(t->plan->user, &result);
}

static enum anser_status put(struct tuning *t, const char *op,
                             const char *value)
{
    struct anser_tuning_entry e = { .type = t->need.type,
                                    .rows = t->need.rows,
                                    .cols = t->need.cols };
    snprintf(e.op, sizeof e.op, "%s", op);
    snprintf(e.value, sizeof e.value, "%s", value);
    return anser_tuning_put(t->device->ctx, t->found, &e);
}

/* The fastest row of op at T tokens to *best; its variant stays NULL where the
 * time did not suffice. */
static enum anser_status tune_op(struct tuning *t, const struct anser_op *op,
                                 uint32_t layouts,
                                 const struct anser_variant *now, uint32_t T,
                                 double until, struct anser_tune_rival *best)
{
    struct anser_tune_rival rivals[RIVALS_MAX];
    unsigned n, turns, first = 0;
    TRY(gather(t, op, layouts, now, rivals, &n));
    TRY(anser_tune_contest(rivals, n, T, until, &turns));
    if (n == 0 || turns < ANSER_TUNE_LEAST)
        return ANSER_OK;
    for (unsigned i = 1; i < n; i++)
        if (rivals[i].median < (first == 0 ? KEEP : 1.0)
                               * rivals[first].median)
            first = i;
    for (unsigned i = 0; i < n; i++)
        tell(t, op, &rivals[i], T, i == first);
    *best = rivals[first];
    return put(t, op->name, best->kernel.variant->name);
}

/* The last count of tokens at which `few` is not slower. */
static enum anser_status tune_crossover(struct tuning *t,
                                        const struct anser_tune_rival *few,
                                        const struct anser_tune_rival *many,
                                        double until)
{
    uint32_t crossover = 1;
    const size_t n = sizeof token_counts / sizeof *token_counts;
    for (size_t i = 0; i < n && token_counts[i] <= t->plan->tokens; i++) {
        struct anser_tune_rival two[2] = { *few, *many };
        unsigned turns;
        TRY(anser_tune_contest(two, 2, token_counts[i], until, &turns));
        if (turns < ANSER_TUNE_LEAST)
            return ANSER_OK;
        if (two[1].median < two[0].median)
            break;
        crossover = token_counts[i];
    }
    const struct anser_tune_result result = {
        .op = ANSER_TUNING_CROSSOVER, .type = t->type, .variant = "",
        .rows = t->need.rows, .cols = t->need.cols, .tokens = crossover,
        .chosen = 1
    };
    if (t->plan->fn != NULL)
        t->plan->fn(t->plan->user, &result);
    char figure[16];
    snprintf(figure, sizeof figure, "%u", (unsigned)crossover);
    return put(t, ANSER_TUNING_CROSSOVER, figure);
}

/* Half of the time for T = 1, which is generation; a quarter for prefill. */
static enum anser_status tune_shape(struct tuning *t,
                                    const struct anser_matmul_plan *now,
                                    double until)
{
    struct anser_tune_rival few = { .calls = 1 }, many = { .calls = 1 };
    const double start = anser_tune_clock(), all = until - start;
    if (all <= 0)
        return ANSER_OK;
    TRY(tune_op(t, &anser_op_matmul_few, t->need.layouts, now->few.variant, 1,
                start + all / 2, &few));
    if (few.kernel.variant == NULL)
        return ANSER_OK;
    TRY(tune_op(t, &anser_op_matmul_many,
                1u << few.kernel.variant->layout, now->many.variant,
                t->plan->tokens, start + all * 3 / 4, &many));
    if (many.kernel.variant == NULL)
        return ANSER_OK;
    return tune_crossover(t, &few, &many, until);
}

/* A shape that was planned again after its tuning changed counts once: the
 * newest plan is the first of the list. */
static bool is_newest(const struct anser_op_memory *m,
                      const struct anser_matmul_plan *plan)
{
    const struct anser_matmul_plan *p = m->plans;
    while (p->need.type != plan->need.type || p->need.rows != plan->need.rows
           || p->need.cols != plan->need.cols)
        p = p->next;
    return p == plan;
}

static uint32_t count(const struct anser_op_memory *m)
{
    uint32_t n = 0;
    for (const struct anser_matmul_plan *p = m->plans; p != NULL; p = p->next)
        n += is_newest(m, p);
    return n;
}

/* Builds and checks every candidate, before the clock starts. */
static void check_all(anser_device *device, const struct anser_op_memory *m)
{
    const struct anser_op *const ops[] = { &anser_op_matmul_few,
                                           &anser_op_matmul_many };
    for (const struct anser_matmul_plan *p = m->plans; p != NULL; p = p->next)
        for (uint32_t i = 0; i < ops[0]->n + ops[1]->n; i++) {
            const struct anser_op *op = ops[i >= ops[0]->n];
            struct anser_chosen chosen = { .variant = NULL };
            anser_op_try(device, op, &op->rows[i < ops[0]->n ? i
                                               : i - ops[0]->n],
                         &p->need, &chosen);
        }
}

enum anser_status anser_op_tune(anser_device *device,
                                const struct anser_tune_plan *plan,
                                struct anser_tuning **found)
{
    const struct anser_op_memory *m = anser_op_memory(device);
    if (m == NULL)
        return anser_fail_memory(device->ctx, sizeof *m);
    const uint32_t all = count(m);
    uint32_t left = all, done = 0;
    check_all(device, m);
    const double end = anser_tune_clock() + plan->seconds;
    for (const struct anser_matmul_plan *p = m->plans; p != NULL;
         p = p->next) {
        if (!is_newest(m, p))
            continue;
        const double now = anser_tune_clock();
        struct tuning t = {
            .device = device, .plan = plan, .need = p->need,
            .type = anser_block_find(p->need.type)->name, .found = found
        };
        const enum anser_status status
            = tune_shape(&t, p, now + (end - now) / left--);
        for (int i = 0; i < ANSER_LAYOUTS; i++)
            anser_tune_bench_free(&t.benches[i]);
        TRY(status);
        done += anser_tuning_find(*found, ANSER_TUNING_CROSSOVER, &p->need)
                != NULL;
    }
    if (done < all)
        anser_log(device->ctx, 1, "%g s sufficed for %u of %u shapes",
                  plan->seconds, (unsigned)done, (unsigned)all);
    return ANSER_OK;
}
