/* SPDX-License-Identifier: MIT */
/* For each shape of a product: the fastest `few`, the fastest `many` that
 * reads the same layout, and from how many tokens on the second beats the
 * first. */
#include "op/tune.h"

#include "op/tables.h"
#include "op/tune_bench.h"
#include "op/tune_parts.h"

#include <stdio.h>
#include <string.h>

/* Of the time: until then phases, then elementary operations, then products,
 * which are many. */
#define PHASES_PART 0.15
#define SMALL_PART 0.3

/* Where `few` and `many` are compared, ascending. */
static const uint32_t token_counts[] = { 2, 3, 4, 6, 8, 12, 16, 24, 32, 48,
                                         64 };

/* One shape at work. */
struct tuning {
    const struct anser_tune_run *run;
    struct anser_need need;
    struct anser_tune_bench benches[ANSER_LAYOUTS];  /* made when needed    */
};

static enum anser_status get_bench(struct tuning *t, enum anser_layout layout,
                                   struct anser_tune_bench **bench)
{
    struct anser_tune_bench *b = &t->benches[layout];
    if (b->w.mem == NULL)
        TRY(anser_tune_bench_new(t->run->device, t->run->plan,
                                 &t->need, layout, b));
    *bench = b;
    return ANSER_OK;
}

/* Every row that can run and is right; the one in use comes first. */
static enum anser_status gather(struct tuning *t, const struct anser_op *op,
                                uint32_t layouts,
                                const struct anser_variant *now, uint32_t T,
                                struct anser_rival *rivals, unsigned *n)
{
    anser_device *device = t->run->device;
    struct anser_need need = t->need;
    need.layouts = layouts;
    *n = 0;
    for (uint32_t i = 0; i <= op->n && *n < ANSER_RIVALS; i++) {
        const struct anser_variant *row = i == 0 ? now : &op->rows[i - 1];
        struct anser_rival r = { .run = anser_tune_bench_run, .T = T };
        struct anser_tune_bench *bench;
        if ((i > 0 && row == now)
            || !anser_op_try(device, op, row, &need, &r.kernel))
            continue;
        if (row->prepare != NULL)
            TRY(row->prepare(device, &need));
        TRY(get_bench(t, (enum anser_layout)row->layout, &bench));
        r.bench = bench;
        rivals[(*n)++] = r;
    }
    return ANSER_OK;
}

/* The fastest row of op at T tokens to *best; its variant stays NULL where the
 * time did not suffice. */
static enum anser_status tune_op(struct tuning *t, const struct anser_op *op,
                                 uint32_t layouts,
                                 const struct anser_variant *now, uint32_t T,
                                 double until, struct anser_rival *best)
{
    struct anser_rival rivals[ANSER_RIVALS];
    unsigned n, turns;
    TRY(gather(t, op, layouts, now, T, rivals, &n));
    TRY(anser_contest(t->run->device->queue, rivals, n, until, &turns));
    if (n == 0 || turns < ANSER_CONTEST_LEAST)
        return ANSER_OK;
    const unsigned first = anser_contest_winner(rivals, n);
    for (unsigned i = 0; i < n; i++)
        anser_tune_tell(t->run, op->name, &t->need, &(struct anser_told){
            rivals[i].kernel.variant->name, T, rivals[i].median, i == first });
    *best = rivals[first];
    return anser_tune_put(t->run, op->name, &t->need,
                          best->kernel.variant->name);
}

/* The last count of tokens at which `few` is not slower. */
static enum anser_status tune_crossover(struct tuning *t,
                                        const struct anser_rival *few,
                                        const struct anser_rival *many,
                                        double until)
{
    uint32_t crossover = 1;
    const size_t n = sizeof token_counts / sizeof *token_counts;
    for (size_t i = 0; i < n && token_counts[i] <= t->run->plan->tokens; i++) {
        struct anser_rival two[2] = { *few, *many };
        unsigned turns;
        two[0].T = two[1].T = token_counts[i];
        TRY(anser_contest(t->run->device->queue, two, 2, until, &turns));
        if (turns < ANSER_CONTEST_LEAST)
            return ANSER_OK;
        if (two[1].median < two[0].median)
            break;
        crossover = token_counts[i];
    }
    anser_tune_tell(t->run, ANSER_TUNING_CROSSOVER, &t->need,
                    &(struct anser_told){ "", crossover, 0, true });
    char figure[16];
    snprintf(figure, sizeof figure, "%u", (unsigned)crossover);
    return anser_tune_put(t->run, ANSER_TUNING_CROSSOVER, &t->need, figure);
}

/* Half of the time for T = 1, which is generation; a quarter for prefill. */
static enum anser_status tune_shape(struct tuning *t,
                                    const struct anser_matmul_plan *now,
                                    double until)
{
    struct anser_rival few = { .calls = 1 }, many = { .calls = 1 };
    const double start = anser_contest_clock(), all = until - start;
    if (all <= 0)
        return ANSER_OK;
    TRY(tune_op(t, &anser_op_matmul_few, t->need.layouts, now->few.variant, 1,
                start + all / 2, &few));
    if (few.kernel.variant == NULL)
        return ANSER_OK;
    TRY(tune_op(t, &anser_op_matmul_many,
                1u << few.kernel.variant->layout, now->many.variant,
                t->run->plan->tokens, start + all * 3 / 4, &many));
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

static enum anser_status tune_products(const struct anser_tune_run *run,
                                       double end)
{
    const struct anser_op_memory *m = anser_op_memory(run->device);
    const uint32_t all = count(m);
    uint32_t left = all, done = 0;
    for (const struct anser_matmul_plan *p = m->plans; p != NULL;
         p = p->next) {
        if (!is_newest(m, p))
            continue;
        const double now = anser_contest_clock();
        struct tuning t = { .run = run, .need = p->need };
        const enum anser_status status
            = tune_shape(&t, p, now + (end - now) / left--);
        for (int i = 0; i < ANSER_LAYOUTS; i++)
            anser_tune_bench_free(&t.benches[i]);
        TRY(status);
        done += anser_tuning_find(*run->found, ANSER_TUNING_CROSSOVER,
                                  &p->need) != NULL;
    }
    if (done < all)
        anser_log(run->device->ctx, 1, "%g s sufficed for %u of %u shapes",
                  run->plan->seconds, (unsigned)done, (unsigned)all);
    return ANSER_OK;
}

enum anser_status anser_op_tune(anser_device *device,
                                const struct anser_tune_plan *plan,
                                struct anser_tuning **found)
{
    const struct anser_tune_run run = { device, plan, found };
    const struct anser_op_memory *m = anser_op_memory(device);
    if (m == NULL)
        return anser_fail_memory(device->ctx, sizeof *m);
    check_all(device, m);
    anser_tune_small_build(&run);
    const double start = anser_contest_clock(), all = plan->seconds;
    TRY(anser_tune_phases(&run, start + PHASES_PART * all));
    TRY(anser_tune_small(&run, start + SMALL_PART * all));
    return tune_products(&run, start + all);
}
