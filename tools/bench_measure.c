/* SPDX-License-Identifier: MIT */
/*
 * The tests of anser bench: loading, the inherited protocol (128 tokens in
 * chunks of 32; 64 single tokens after 32; all random), prefill of n tokens
 * and generation of n tokens (greedy, as anser run does it).  Every test is
 * preceded by the same work for a given time, so that the order of tests does
 * not matter: clocks are up and kernels compiled.
 */
#include "bench.h"
#include "bench_stats.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OWN_RUNS = 5, LOAD_RUNS = 3 };

/* A test as it is run. */
struct test {
    struct anser_session *s;
    struct anser_bench_figure *figure;
    uint32_t *ids;                   /* owned (before + tokens)             */
    uint32_t before;                 /* fed before the clock starts         */
    anser_sampler *greedy;           /* owned; NULL: ids are fed            */
};

/* ------------------------------------------------------------- figures */

static struct anser_bench_figure *
new_figure(struct anser_bench_result *r, enum anser_bench_kind kind,
           uint32_t tokens, uint32_t chunk)
{
    struct anser_bench_figure *f = &r->figures[r->n_figures++];
    *f = (struct anser_bench_figure){ .kind = kind, .tokens = tokens,
                                      .chunk = chunk };
    return f;
}

/* What a run can not do without: every weight once a pass, the head once for
 * the tokens whose logits are wanted, a state read and written a pass; two
 * operations a weight and token, nine a float of the state [V7:wkv]. */
static void count_work(const struct anser_bench_result *r,
                       struct anser_bench_figure *f)
{
    const double T = f->tokens;
    const int one = f->kind == BENCH_WRITE;
    const double passes = one ? T : ceil(T / f->chunk);
    const double heads = one ? T : 1;
    f->bytes = passes * ((double)r->file.token_bytes - (double)r->head_bytes
                         + 2.0 * (double)r->file.state_bytes)
             + heads * (double)r->head_bytes;
    f->operations = T * (2 * r->matrix_weights
                         + 9.0 / 4 * (double)r->file.state_bytes)
                  + 2 * heads * (double)r->head_weights;
}

/* Median, mean, deviation and rates from the seconds. */
static void sum_up(struct anser_bench_figure *f, double read)
{
    double values[BENCH_MAX_RUNS], sum = 0;
    for (uint32_t i = 0; i < f->n; i++) {
        sum += f->seconds[i];
        values[i] = f->kind == BENCH_LOAD ? 1e3 * f->seconds[i]
                                          : f->tokens / f->seconds[i];
    }
    const struct anser_bench_summary v = anser_bench_summarise(values, f->n);
    f->median = v.median;
    f->sd = v.sd;
    f->mean = f->kind == BENCH_LOAD ? v.mean : f->tokens * f->n / sum;
    if (f->kind == BENCH_LOAD)
        return;
    const double seconds = f->tokens / f->median;
    f->gbps = 1e-9 * f->bytes / seconds;
    f->gflops = 1e-9 * f->operations / seconds;
    f->percent = read > 0 ? 1e11 * f->gbps / read : 0;
}

/* ------------------------------------------------------------- one run */

/* ids(n), `chunk` at a time. */
static enum anser_status feed(const struct test *t, const uint32_t *ids,
                              uint32_t n, uint32_t chunk)
{
    enum anser_status status = ANSER_OK;
    for (uint32_t i = 0; i < n && status == ANSER_OK; i += chunk)
        status = anser_feed(t->s->state, ids + i,
                            n - i < chunk ? n - i : chunk);
    return status;
}

static int go_on(void *user, uint32_t id)
{
    (void)user;
    (void)id;
    return anser_interrupted();
}

/* n tokens of the test, or fewer while warming up. */
static enum anser_status work(const struct test *t, uint32_t n)
{
    const struct anser_bench_figure *f = t->figure;
    if (f->kind == BENCH_READ)
        return anser_feed(t->s->state, t->ids, n);
    if (t->greedy == NULL)
        return feed(t, t->ids + t->before, n, 1);
    return anser_generate(t->s->state, t->greedy, n, go_on, NULL);
}

/* The test's own work, a chunk or a few tokens at a time. */
static enum anser_status warm_up(const struct test *t, double seconds)
{
    const struct anser_bench_figure *f = t->figure;
    const uint32_t most = f->kind == BENCH_READ ? f->chunk : 4;
    const uint32_t piece = f->tokens < most ? f->tokens : most;
    const double end = anser_seconds() + seconds;
    enum anser_status status = feed(t, t->ids, 1, 1);
    do {
        if (status == ANSER_OK)
            status = work(t, piece);
    } while (status == ANSER_OK && anser_seconds() < end
             && !anser_interrupted());
    return status;
}

static enum anser_status run_once(const struct test *t, double *seconds)
{
    struct anser_bench_figure *f = t->figure;
    struct anser_stats_info before = { .size = sizeof before }, after = before;
    enum anser_status status = ANSER_OK;
    if (f->kind == BENCH_WRITE)
        status = feed(t, t->ids, t->before, f->chunk);
    if (status == ANSER_OK)
        status = anser_stats(t->s->device, &before);
    const double start = anser_seconds();
    if (status == ANSER_OK)
        status = work(t, f->tokens);
    *seconds = anser_seconds() - start;
    if (status == ANSER_OK)
        status = anser_stats(t->s->device, &after);
    f->launches = (double)(after.launches - before.launches) / f->tokens;
    if (status == ANSER_OK && anser_interrupted())
        status = ANSER_CANCELLED;
    return status;
}

static enum anser_status run_test(struct test *t, uint32_t runs, double warm)
{
    struct anser_bench_figure *f = t->figure;
    enum anser_status status = warm_up(t, warm);
    for (f->n = 0; f->n < runs && status == ANSER_OK; f->n++)
        status = run_once(t, &f->seconds[f->n]);
    return status;
}

/* ------------------------------------------------------------- tests */

static int test_new(struct test *t, struct anser_session *s, int greedy)
{
    struct anser_sampler_options o = { .size = sizeof o };
    const uint32_t n = t->before + t->figure->tokens;
    t->s = s;
    t->ids = malloc(n * sizeof *t->ids);
    if (t->ids == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return -1;
    }
    anser_bench_tokens(BENCH_SEED, s->n_vocab, t->ids, n);
    if (!greedy)
        return 0;
    anser_sampler_defaults(&o);
    o.temperature = o.presence = o.frequency = 0;
    return anser_session_check(s, anser_sampler_new(s->ctx, s->n_vocab, &o,
                                                    &t->greedy));
}

/* A test from its figure: warmed up, run, summed up. */
static int run_figure(struct anser_session *s, const struct test *asked,
                      const struct anser_bench_plan *plan, uint32_t runs,
                      struct anser_bench_result *r)
{
    struct test t = *asked;
    const int own = t.figure->name[0] == 't';
    fprintf(stderr, "test     %s\n", t.figure->name);
    int failed = test_new(&t, s, own);
    count_work(r, t.figure);
    if (failed == 0)
        failed = anser_session_check(s, run_test(&t, runs, plan->warm));
    anser_sampler_free(t.greedy);
    free(t.ids);
    return failed;
}

static int run_protocol(struct anser_session *s,
                        const struct anser_bench_plan *plan, uint32_t chunk,
                        struct anser_bench_result *r)
{
    const uint32_t runs = plan->runs > 0 ? plan->runs : BENCH_RUNS;
    struct test read = { .figure = new_figure(r, BENCH_READ, BENCH_PREFILL,
                                              chunk) };
    struct test write = { .before = BENCH_BEFORE,
        .figure = new_figure(r, BENCH_WRITE, BENCH_GENERATED, chunk) };
    snprintf(read.figure->name, sizeof read.figure->name, "prefill");
    snprintf(write.figure->name, sizeof write.figure->name, "generation");
    if (run_figure(s, &read, plan, runs, r) != 0)
        return -1;
    return run_figure(s, &write, plan, runs, r);
}

static int run_own(struct anser_session *s,
                   const struct anser_bench_plan *plan, uint32_t chunk,
                   struct anser_bench_result *r)
{
    const uint32_t runs = plan->runs > 0 ? plan->runs : OWN_RUNS;
    for (unsigned i = 0; i < plan->n_prefill + plan->n_generate; i++) {
        const int read = i < plan->n_prefill;
        const uint32_t n = read ? plan->prefill[i]
                                : plan->generate[i - plan->n_prefill];
        struct test t = { .before = read ? 0 : 1,
            .figure = new_figure(r, read ? BENCH_READ : BENCH_WRITE, n,
                                 chunk) };
        snprintf(t.figure->name, sizeof t.figure->name, "%s%u",
                 read ? "pp" : "tg", (unsigned)n);
        if (run_figure(s, &t, plan, runs, r) != 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------- loading */

static void close_model(struct anser_session *s)
{
    anser_state_free(s->state);
    anser_model_close(s->model);
    s->state = NULL;
    s->model = NULL;
}

/* The model anew with this chunk, a fresh state; the seconds, file parsed. */
static int load(struct anser_session *s, uint32_t chunk, double *seconds)
{
    struct anser_model_options options = {
        .size = sizeof options, .precise = s->values->precise, .chunk = chunk
    };
    close_model(s);
    const double start = anser_seconds();
    enum anser_status status = anser_model_open(s->device, s->file, &options,
                                                &s->model);
    if (status == ANSER_OK)
        status = anser_state_new(s->model, &s->state);
    *seconds = anser_seconds() - start;
    return anser_session_check(s, status);
}

/* The first load, which may have to compile kernels, is told on its own. */
static int measure_load(struct anser_session *s, uint32_t chunk, uint32_t runs,
                        struct anser_bench_result *r)
{
    struct anser_bench_figure *f = new_figure(r, BENCH_LOAD, 0, 0);
    snprintf(f->name, sizeof f->name, "load");
    fprintf(stderr, "test     load\n");
    if (load(s, chunk, &r->first_load) != 0)
        return -1;
    for (f->n = 0; f->n < runs; f->n++)
        if (load(s, chunk, &f->seconds[f->n]) != 0)
            return -1;
    return 0;
}

/* A time would be that of a build that computes something else. */
static int refuse_wrong(struct anser_session *s)
{
    struct anser_stats_info stats = { .size = sizeof stats };
    if (anser_session_check(s, anser_stats(s->device, &stats)) != 0)
        return -1;
    if (stats.wrong == 0)
        return 0;
    fprintf(stderr, "anser: %u kernel variants are wrong on this device and "
            "get no time; anser selftest tells which\n",
            (unsigned)stats.wrong);
    return -1;
}

static int model_chunk(struct anser_session *s, uint32_t *chunk)
{
    struct anser_model_info info = { .size = sizeof info };
    if (anser_session_check(s, anser_model_info(s->model, &info)) != 0)
        return -1;
    *chunk = info.chunk;
    return 0;
}

int anser_bench_measure(struct anser_session *s,
                        const struct anser_bench_plan *plan,
                        struct anser_bench_result *r)
{
    const uint32_t asked = plan->chunk > 0 || !plan->protocol ? plan->chunk
                                                              : BENCH_CHUNK;
    const uint32_t runs = plan->runs > 0 ? plan->runs : LOAD_RUNS;
    double seconds;
    uint32_t chunk;
    if (measure_load(s, asked, runs, r) != 0 || refuse_wrong(s) != 0
        || model_chunk(s, &chunk) != 0)
        return -1;
    if (plan->protocol && run_protocol(s, plan, chunk, r) != 0)
        return -1;
    if (plan->n_prefill + plan->n_generate == 0)
        return 0;
    if (asked != plan->chunk && (load(s, plan->chunk, &seconds) != 0
                                 || model_chunk(s, &chunk) != 0))
        return -1;
    return run_own(s, plan, chunk, r);
}

int anser_bench_finish(struct anser_session *s,
                       const struct anser_bench_plan *plan,
                       struct anser_bench_result *r)
{
    fprintf(stderr, "test     bandwidth\n");
    if (anser_session_check(s, anser_bandwidth(s->device, plan->warm,
                                               &r->read, &r->copy)) != 0)
        return -1;
    for (unsigned i = 0; i < r->n_figures; i++)
        sum_up(&r->figures[i], r->read);
    return 0;
}
