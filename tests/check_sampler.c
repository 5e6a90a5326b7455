/* SPDX-License-Identifier: MIT */
/*
 * The sampler against a second telling of its rules: a full sort in double
 * precision, with the same uniform numbers.
 */
#include "check_util.h"
#include "philox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 600                     /* ids in a test                       */

static anser_ctx *ctx;
static anser_sampler *sampler;
static struct anser_sampler_options options;

static void setup(void)
{
    ck_assert_int_eq(anser_ctx_new(&ctx), ANSER_OK);
    anser_sampler_defaults(&options);
    sampler = NULL;
}

static void teardown(void)
{
    anser_sampler_free(sampler);
    anser_ctx_free(ctx);
}

static void open_sampler(uint32_t V)
{
    anser_sampler_free(sampler);
    ck_assert_int_eq(anser_sampler_new(ctx, V, &options, &sampler), ANSER_OK);
}

/* Temperature 1, no cut, no penalty. */
static void set_plain(void)
{
    options.top_p = 1;
    options.presence = options.frequency = 0;
}

static uint32_t sample(const float *logits)
{
    uint32_t id = UINT32_MAX;
    enum anser_status status = anser_sample(sampler, logits, &id);
    ck_assert_msg(status == ANSER_OK, "%s", anser_error(ctx));
    return id;
}

/* ------------------------------------------------- the second telling */

struct entry {
    double p;
    uint32_t id;
};

static int down(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? 1 : -1;
    return x->id < y->id ? -1 : 1;
}

/* Probabilities p(V) after cuts and temperature, by the rules' own words. */
static void second_telling(double *p, const float *logits,
                           const double *count, uint32_t V)
{
    struct entry sorted[MOST];
    double most = -INFINITY, sum = 0, reached = 0;
    for (uint32_t i = 0; i < V; i++) {
        p[i] = logits[i];
        if (count[i] > 0)
            p[i] -= options.presence + count[i] * options.frequency;
        most = fmax(most, p[i]);
    }
    for (uint32_t i = 0; i < V; i++)
        sum += p[i] = exp(p[i] - most);
    for (uint32_t i = 0; i < V; i++)
        sorted[i] = (struct entry) { p[i] /= sum, i };
    qsort(sorted, V, sizeof *sorted, down);
    uint32_t last = 0;
    while ((reached += sorted[last].p) < options.top_p && last + 1 < V)
        last++;
    while (last + 1 < V && sorted[last + 1].p >= sorted[last].p)
        last++;
    if (options.top_k > 0 && last >= options.top_k)
        last = options.top_k - 1;
    for (uint32_t i = last + 1; i < V; i++)
        p[sorted[i].id] = 0;
    sum = 0;
    for (uint32_t i = 0; i < V; i++)
        sum += p[i] = p[i] > 0 ? pow(p[i], 1 / options.temperature) : 0;
    for (uint32_t i = 0; i < V; i++)
        p[i] /= sum;
}

static float normal(void)
{
    double u = (rand() + 1.0) / ((double)RAND_MAX + 2), v = rand() * 1e-3;
    return (float)(sqrt(-2 * log(u)) * cos(v));
}

/* The drawn id's part of [0, 1), in the order of ids, must hold u. */
static void expect_draw(const double *p, uint32_t id, uint64_t position)
{
    double below = 0, u = anser_philox_at((uint32_t)options.seed,
        (uint32_t)(options.seed >> 32), (uint32_t)position, 0) / 4294967296.0;
    for (uint32_t i = 0; i < id; i++)
        below += p[i];
    ck_assert_msg(p[id] > 0, "id %u was cut", (unsigned)id);
    ck_assert_msg(u >= below - 1e-6 && u <= below + p[id] + 1e-6,
                  "u %.9f is not in %.9f..%.9f of id %u", u, below,
                  below + p[id], (unsigned)id);
}

static const struct {
    float temperature, top_p;
    uint32_t top_k;
    float presence, frequency, decay, spread;
    uint32_t V;
} settings[] = {
    { 1.0f, 0.85f, 0,   0.2f, 0.2f, 0.996f, 2.0f, 600 },
    { 1.0f, 1.0f,  0,   0.0f, 0.0f, 1.0f,   3.0f, 600 },
    { 1.0f, 0.3f,  0,   0.5f, 0.5f, 0.996f, 2.0f, 600 },
    { 2.0f, 0.2f,  0,   0.2f, 0.2f, 0.9f,   1.0f, 300 },
    { 0.3f, 0.9f,  10,  0.2f, 0.0f, 0.5f,   1.0f, 300 },
    { 0.1f, 0.5f,  3,   0.0f, 1.0f, 0.996f, 0.5f, 64  },
    { 1.5f, 1.0f,  40,  -1.f, 0.1f, 0.99f,  2.0f, 600 },
    { 1.0f, 0.0f,  0,   0.2f, 0.2f, 0.996f, 2.0f, 600 },
    { 1.0f, 0.7f,  1,   0.2f, 0.2f, 0.996f, 2.0f, 7   },
    { 1.0f, 0.99f, 500, 0.2f, 0.2f, 0.0f,   9.0f, 600 },
    { 0.7f, 0.5f,  5,   0.2f, 0.2f, 0.996f, 2.0f, 1   },
};

START_TEST(draws_as_told_twice)
{
    static float logits[MOST];
    static double p[MOST], counts[MOST];
    uint32_t V = settings[_i].V;
    options.temperature = settings[_i].temperature;
    options.top_p = settings[_i].top_p;
    options.top_k = settings[_i].top_k;
    options.presence = settings[_i].presence;
    options.frequency = settings[_i].frequency;
    options.penalty_decay = settings[_i].decay;
    options.seed = 0x123456789abcdefu + (unsigned)_i;
    srand(1 + (unsigned)_i);
    open_sampler(V);
    for (uint64_t n = 0; n < 300; n++) {
        for (uint32_t i = 0; i < V; i++)
            logits[i] = 5 + settings[_i].spread * normal();
        second_telling(p, logits, counts, V);
        uint32_t id = sample(logits);
        ck_assert_uint_lt(id, V);
        expect_draw(p, id, n);
        for (uint32_t i = 0; i < V; i++)        /* 0 is "never drawn" here  */
            if (counts[i] > 0)
                counts[i] = fmax(counts[i] * options.penalty_decay, 1e-300);
        counts[id] += 1;
    }
}
END_TEST

/* ------------------------------------------------------ single rules */

static void draw_many(const float *logits, uint32_t V, unsigned n,
                      unsigned *times)
{
    open_sampler(V);
    memset(times, 0, V * sizeof *times);
    for (unsigned i = 0; i < n; i++)
        times[sample(logits)]++;
}

START_TEST(frequencies_fit_the_softmax)
{
    static const float logits[8] = { 0, 1, -1, 2, .5f, -2, 1.5f, 0 };
    unsigned times[8], n = 40000;
    double sum = 0, chi = 0;
    set_plain();
    options.seed = 42;
    for (int i = 0; i < 8; i++)
        sum += exp(logits[i]);
    draw_many(logits, 8, n, times);
    for (int i = 0; i < 8; i++) {
        double want = n * exp(logits[i]) / sum;
        chi += (times[i] - want) * (times[i] - want) / want;
    }
    ck_assert_double_lt(chi, 24.32);            /* 7 degrees, 0.1 %         */
}
END_TEST

/* p = .5 .3 .2: top-p .55 alone keeps two; after a top-k of 2, or after a low
 * temperature, it would keep one. */
START_TEST(cuts_by_p_first)
{
    const float logits[3] = { logf(.5f), logf(.3f), logf(.2f) };
    unsigned times[3];
    set_plain();
    options.top_p = .55f;
    options.top_k = 2;
    draw_many(logits, 3, 8000, times);
    ck_assert_uint_gt(times[1], 2800);          /* 3/8 of 8000 are 3000     */
    ck_assert_uint_lt(times[1], 3200);
    ck_assert_uint_eq(times[2], 0);
    options.temperature = .25f;                 /* .6^4 / (1 + .6^4): .1147 */
    draw_many(logits, 3, 8000, times);
    ck_assert_uint_gt(times[1], 820);
    ck_assert_uint_lt(times[1], 1020);
    ck_assert_uint_eq(times[2], 0);
}
END_TEST

START_TEST(ties)
{
    static const float logits[6] = { 0, 1, 1, 1, 1, 1 };
    static const float below[4] = { 1, 1, 2, 1 };
    unsigned times[6];
    set_plain();
    options.top_k = 2;                          /* one above, one of three  */
    draw_many(below, 4, 1000, times);
    ck_assert_uint_eq(times[0] + times[2], 1000);
    ck_assert_uint_gt(times[0], 200);
    options.top_k = 2;                          /* the lowest ids           */
    draw_many(logits, 6, 1000, times);
    ck_assert_uint_eq(times[1] + times[2], 1000);
    ck_assert_uint_gt(times[2], 400);
    options.top_k = 0;
    options.top_p = .1f;                        /* all equal to the cutoff  */
    draw_many(logits, 6, 1000, times);
    ck_assert_uint_eq(times[0], 0);
    for (int i = 1; i < 6; i++)
        ck_assert_uint_gt(times[i], 140);
    options.temperature = 0;
    draw_many(logits, 6, 10, times);
    ck_assert_uint_gt(times[1], 0);
    options.presence = 0;
    draw_many(logits, 6, 10, times);
    ck_assert_uint_eq(times[1], 10);
}
END_TEST

START_TEST(penalties_at_temperature_0)
{
    static const float logits[3] = { 1.0f, 0.7f, 0.4f };
    static const uint32_t presence[] = { 0, 1, 0, 0, 0 };
    static const uint32_t decayed[] = { 0, 1, 0, 1, 0, 2, 0 };
    options.temperature = 0;
    options.presence = .4f;
    options.frequency = 0;
    open_sampler(3);
    for (size_t i = 0; i < sizeof presence / sizeof *presence; i++)
        ck_assert_uint_eq(sample(logits), presence[i]);
    /* counts 1 0 0, .5 1 0, 1.25 .5 0, .625 1.25 0, 1.31 .62 0, .66 .31 1 */
    options.presence = 0;
    options.frequency = .5f;
    options.penalty_decay = .5f;
    open_sampler(3);
    for (size_t i = 0; i < sizeof decayed / sizeof *decayed; i++)
        ck_assert_msg(sample(logits) == decayed[i], "token %zu", i);
}
END_TEST

START_TEST(tiny_temperature_is_greedy)
{
    static const float logits[4] = { 1, 1.001f, 3, 2.999f };
    unsigned times[4];
    set_plain();
    options.temperature = 1e-30f;
    draw_many(logits, 4, 50, times);
    ck_assert_uint_eq(times[2], 50);
}
END_TEST

START_TEST(never_draws_banned_or_infinite)
{
    float logits[5] = { 9, 1, NAN, INFINITY, -INFINITY };
    unsigned times[5] = { 0 };
    uint32_t id = 77;
    options.temperature = (float)_i;            /* 0 and 1                  */
    open_sampler(5);
    ck_assert_int_eq(anser_sampler_ban(sampler, 5), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sampler_ban(sampler, 0), ANSER_OK);
    for (int i = 0; i < 50; i++)
        times[sample(logits)]++;
    ck_assert_uint_eq(times[1], 50);
    ck_assert_float_eq(logits[0], 9);
    logits[1] = NAN;
    ck_assert_int_eq(anser_sample(sampler, logits, &id), ANSER_DEVICE_FAILED);
    ck_assert_uint_eq(id, 77);
    ck_assert_str_ne(anser_error(ctx), "");
}
END_TEST

/* A seed gives one sequence, on this machine and on every other.  The pinned
 * one was computed in Python, doubles and a full sort. */
START_TEST(sequence_of_a_seed)
{
    static const uint32_t pinned[] = {
        57, 62, 24, 53, 31, 5, 43, 57, 57, 5, 27, 19,
        48, 55, 57, 36, 38, 15, 58, 12, 34, 31, 15, 32,
    };
    float logits[64];
    uint32_t first[100];
    for (int i = 0; i < 64; i++)
        logits[i] = (float)(i * 37 % 64) / 16;
    options.seed = 20240501;
    open_sampler(64);
    for (int i = 0; i < 100; i++)
        first[i] = sample(logits);
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++)
        ck_assert_uint_eq(first[i], pinned[i]);
    anser_sampler_reset(sampler);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(sample(logits), first[i]);
    options.seed += (uint64_t)1 << 32;
    open_sampler(64);
    int same = 0;
    for (int i = 0; i < 100; i++)
        same += sample(logits) == first[i];
    ck_assert_int_lt(same, 30);
}
END_TEST

START_TEST(refuses_options_out_of_range)
{
    static const struct {
        const char *name;
        size_t at;
        float value;
    } cases[] = {
#define AT(field) offsetof(struct anser_sampler_options, field)
        { "temperature", AT(temperature), -0.1f },
        { "temperature", AT(temperature), NAN },
        { "temperature", AT(temperature), INFINITY },
        { "top_p", AT(top_p), 1.01f },
        { "top_p", AT(top_p), -0.01f },
        { "presence", AT(presence), NAN },
        { "frequency", AT(frequency), -INFINITY },
        { "penalty_decay", AT(penalty_decay), 1.5f },
        { "penalty_decay", AT(penalty_decay), -1 },
    };
    memcpy((char *)&options + cases[_i].at, &cases[_i].value, sizeof(float));
    ck_assert_int_eq(anser_sampler_new(ctx, 8, &options, &sampler),
                     ANSER_BAD_ARG);
    ck_assert_ptr_null(sampler);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), cases[_i].name));
}
END_TEST

START_TEST(refuses_bad_arguments)
{
    float logit = 0;
    uint32_t id;
    ck_assert_int_eq(anser_sampler_new(NULL, 8, &options, &sampler),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sampler_new(ctx, 8, NULL, &sampler), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sampler_new(ctx, 8, &options, NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sampler_new(ctx, 0, &options, &sampler),
                     ANSER_BAD_ARG);
    options.size--;
    ck_assert_int_eq(anser_sampler_new(ctx, 8, &options, &sampler),
                     ANSER_BAD_ARG);
    options.size++;
    open_sampler(1);
    ck_assert_int_eq(anser_sample(NULL, &logit, &id), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sample(sampler, NULL, &id), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sample(sampler, &logit, NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_sampler_ban(NULL, 0), ANSER_BAD_ARG);
    anser_sampler_free(NULL);
    anser_sampler_reset(NULL);
    anser_sampler_defaults(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sampler");
    TCase *tests = tcase_create("sampler");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, draws_as_told_twice, 0,
                        sizeof settings / sizeof *settings);
    tcase_add_test(tests, frequencies_fit_the_softmax);
    tcase_add_test(tests, cuts_by_p_first);
    tcase_add_test(tests, ties);
    tcase_add_test(tests, penalties_at_temperature_0);
    tcase_add_test(tests, tiny_temperature_is_greedy);
    tcase_add_loop_test(tests, never_draws_banned_or_infinite, 0, 2);
    tcase_add_test(tests, sequence_of_a_seed);
    tcase_add_loop_test(tests, refuses_options_out_of_range, 0, 9);
    tcase_add_test(tests, refuses_bad_arguments);
    suite_add_tcase(suite, tests);
    return test_run(suite, 1);
}
