/* SPDX-License-Identifier: MIT */
/*
 * Whether the numbers are right.  compat: the inherited benchmark's 704 tokens
 * of history, 16 of prompt, 32 greedy ones (the last among equal maxima), and
 * their hash.  text: the best token and the Kullback-Leibler divergence
 * against float activations, at 256 positions of English text.
 */
#include "bench.h"
#include "io.h"
#include "perplexity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------- compat */

static uint32_t last_best(const float *logits, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (logits[i] >= logits[best])
            best = i;
    return best;
}

/* The history in the pieces in which the original feeds it. */
static enum anser_status feed_history(anser_state *state, uint32_t V)
{
    uint32_t ids[BENCH_HISTORY];
    enum { FIRST = BENCH_WARM_UPS * BENCH_WARM_TOKENS
                   + BENCH_RUNS * BENCH_PREFILL,
           RUN = BENCH_BEFORE + BENCH_GENERATED };
    anser_bench_history(V, ids);
    enum anser_status status = anser_feed(state, ids, FIRST);
    for (int i = 0; i < BENCH_RUNS && status == ANSER_OK; i++) {
        const uint32_t *run = ids + FIRST + i * RUN;
        status = anser_feed(state, run, BENCH_BEFORE);
        for (int j = BENCH_BEFORE; j < RUN && status == ANSER_OK; j++)
            status = anser_feed(state, run + j, 1);
    }
    return status;
}

static enum anser_status replay(struct anser_session *s, float *logits,
                                uint32_t *greedy)
{
    const uint32_t V = s->n_vocab;
    uint32_t prompt[BENCH_PROMPT];
    anser_bench_tokens(BENCH_QUALITY_SEED, V, prompt, BENCH_PROMPT);
    enum anser_status status = anser_state_reset(s->state);
    if (status == ANSER_OK)
        status = feed_history(s->state, V);
    if (status == ANSER_OK)
        status = anser_feed(s->state, prompt, BENCH_PROMPT);
    for (int i = 0; i < BENCH_GREEDY && status == ANSER_OK; i++) {
        status = anser_logits(s->state, logits);
        if (status != ANSER_OK)
            break;
        greedy[i] = last_best(logits, V);
        status = anser_feed(s->state, &greedy[i], 1);
    }
    return status;
}

int anser_bench_compat(struct anser_session *s, struct anser_bench_result *r)
{
    float *logits = malloc(s->n_vocab * sizeof *logits);
    if (logits == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return -1;
    }
    fprintf(stderr, "quality  compat\n");
    const int failed = anser_session_check(s, replay(s, logits, r->greedy));
    free(logits);
    if (failed != 0)
        return -1;
    r->has_hash = 1;
    r->comparable = s->n_vocab == 65536;
    r->hash = anser_bench_fold(0, r->greedy, BENCH_GREEDY);
    return 0;
}

/* ------------------------------------------------------------- text */

/* WINDOWS pieces of the text, evenly apart, each from the empty sequence;
 * BEFORE tokens of context, then the logits after each of the rest. */
enum { WINDOWS = 8, BEFORE = 32, TAKEN = 32, POSITIONS = WINDOWS * TAKEN };

struct sample {
    const uint32_t *ids;
    size_t n;                        /* of the text                         */
    float *logits;                   /* owned (POSITIONS, V)                */
};

static const uint32_t *window(const struct sample *t, unsigned i)
{
    return t->ids + (t->n - BEFORE - TAKEN - 1) * i / (WINDOWS - 1);
}

static enum anser_status read_sample(struct anser_session *s,
                                     const struct sample *t)
{
    enum anser_status status = ANSER_OK;
    for (unsigned i = 0; i < WINDOWS && status == ANSER_OK; i++) {
        status = anser_state_reset(s->state);
        if (status == ANSER_OK)
            status = anser_feed(s->state, window(t, i), BEFORE);
        if (status == ANSER_OK)
            status = anser_feed_all(s->state, window(t, i) + BEFORE, TAKEN,
                                    t->logits + (size_t)i * TAKEN
                                                    * s->n_vocab);
    }
    return status;
}

/* Adds position p, whose next token is `next`, to the figures. */
static void compare_at(const float *precise, const float *fast, uint32_t V,
                       uint32_t next, struct anser_bench_text *q)
{
    uint32_t a, b;
    const double la = anser_log_sum(precise, V, &a);
    const double lb = anser_log_sum(fast, V, &b);
    double kl = 0;
    for (uint32_t i = 0; i < V; i++) {
        const double p = (double)precise[i] - la, f = (double)fast[i] - lb;
        kl += exp(p) * (p - f);
    }
    q->agreement += (a == b) / (double)POSITIONS;
    q->kl_mean += kl / POSITIONS;
    q->kl_max = kl > q->kl_max ? kl : q->kl_max;
    q->loss += (la - (double)precise[next]) / POSITIONS;
    q->positions++;
}

static void compare_all(const struct sample *precise,
                        const struct sample *fast, uint32_t V,
                        struct anser_bench_text *q)
{
    for (unsigned p = 0; p < POSITIONS; p++)
        compare_at(precise->logits + (size_t)p * V,
                   fast->logits + (size_t)p * V, V,
                   window(fast, p / TAKEN)[BEFORE + p % TAKEN + 1], q);
    /* A model that guesses no better than a tenth below chance. */
    q->meaningless = q->loss > 0.9 * log((double)V);
}

/* The precise model instead of the session's. */
static int open_precise(struct anser_session *s)
{
    struct anser_model_options options = { .size = sizeof options,
                                           .precise = 1 };
    anser_state_free(s->state);
    anser_model_close(s->model);
    s->state = NULL;
    s->model = NULL;
    enum anser_status status = anser_model_open(s->device, s->file, &options,
                                                &s->model);
    if (status == ANSER_OK)
        status = anser_state_new(s->model, &s->state);
    return anser_session_check(s, status);
}

static int compare_paths(struct anser_session *s, struct sample *fast,
                         struct anser_bench_text *q)
{
    struct sample precise = *fast;
    const size_t bytes = (size_t)POSITIONS * s->n_vocab * sizeof(float);
    fast->logits = malloc(bytes);
    precise.logits = malloc(bytes);
    int failed = fast->logits == NULL || precise.logits == NULL;
    if (failed)
        fprintf(stderr, "anser: out of memory\n");
    failed = failed || anser_session_check(s, read_sample(s, fast)) != 0
        || open_precise(s) != 0
        || anser_session_check(s, read_sample(s, &precise)) != 0;
    if (!failed)
        compare_all(&precise, fast, s->n_vocab, q);
    free(fast->logits);
    free(precise.logits);
    return failed ? -1 : 0;
}

int anser_bench_on_text(struct anser_session *s, const char *path,
                        struct anser_bench_result *r)
{
    char *text = NULL;
    size_t bytes = 0, n = 0;
    uint32_t *ids = NULL;
    fprintf(stderr, "quality  text %s\n", path);
    int failed = anser_io_read(path, &text, &bytes);
    if (failed == 0)
        failed = anser_session_encode(s, text, bytes, &ids, &n);
    if (failed == 0 && n < (size_t)WINDOWS * (BEFORE + TAKEN + 1)) {
        fprintf(stderr, "anser: %s: %zu tokens are too few; at least %d\n",
                path, n, WINDOWS * (BEFORE + TAKEN + 1));
        failed = -1;
    }
    struct sample fast = { .ids = ids, .n = n };
    if (failed == 0)
        failed = compare_paths(s, &fast, &r->text);
    free(ids);
    free(text);
    return failed;
}
