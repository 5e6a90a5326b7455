/* SPDX-License-Identifier: MIT */
/*
 * What anser bench is made of: the tokens and hashes of the inherited protocol
 * (numbers of web-rwkv-gguf's log and of fastrand 2.1, computed elsewhere), and
 * the statistics against tables.
 */
#include "bench_stats.h"
#include "bench_tokens.h"
#include "check_util.h"

#include <math.h>

/* ------------------------------------------------------------- tokens */

static void expect_tokens(uint64_t seed, const uint32_t *want)
{
    uint32_t ids[16];
    anser_bench_tokens(seed, 65536, ids, 16);
    for (int i = 0; i < 16; i++)
        ck_assert_uint_eq(ids[i], want[i]);
}

START_TEST(first_tokens)
{
    static const uint32_t quality[16] = {
        40654, 35531, 59942, 24899, 45423, 44925, 31306, 12725,
        18380, 52006, 42149, 3034, 52011, 56320, 36046, 46463
    };
    static const uint32_t speed[16] = {
        30359, 21000, 47799, 29478, 23910, 21085, 41932, 417,
        48775, 51847, 10000, 52911, 8863, 20435, 65415, 49721
    };
    expect_tokens(BENCH_QUALITY_SEED, quality);
    expect_tokens(BENCH_SEED, speed);
}
END_TEST

START_TEST(folds)
{
    uint32_t ids[BENCH_HISTORY], prompt[BENCH_PROMPT];
    ck_assert_int_eq(BENCH_HISTORY, 704);
    anser_bench_tokens(BENCH_SEED, 65536, ids, 128);
    ck_assert(anser_bench_fold(0, ids, 128) == 0x883d220f206ad968u);
    anser_bench_history(65536, ids);
    anser_bench_tokens(BENCH_QUALITY_SEED, 65536, prompt, BENCH_PROMPT);
    const uint64_t acc = anser_bench_fold(0, ids, BENCH_HISTORY);
    ck_assert(acc == 0xc5d4aa828ab42b83u);
    ck_assert(anser_bench_fold(acc, prompt, BENCH_PROMPT)
              == 0xd3dd43cb36814f0bu);
    ck_assert(anser_bench_fold(0, prompt, BENCH_PROMPT)
              == 0xd340a5e6c4968988u);
}
END_TEST

START_TEST(published_hashes)
{
    static const uint32_t loops[2][4] = { { 33, 3319, 153, 129 },
                                          { 33, 236, 149, 157 } };
    static const uint64_t want[2] = { 0x3895ad4add71cff0u,
                                      0xc55251c506e49c98u };
    for (int k = 0; k < 2; k++) {
        uint64_t acc = 0;
        for (int i = 0; i < 8; i++)
            acc = anser_bench_fold(acc, loops[k], 4);
        ck_assert(acc == want[k]);
    }
}
END_TEST

START_TEST(small_vocabulary)
{
    uint32_t ids[200];
    anser_bench_tokens(BENCH_SEED, 512, ids, 200);
    ck_assert_uint_eq(ids[0], 30359 % 512);
    for (int i = 0; i < 200; i++)
        ck_assert_uint_lt(ids[i], 512);
}
END_TEST

/* ------------------------------------------------------------- statistics */

START_TEST(student)
{
    /* Two-sided quantiles, from printed tables. */
    static const struct { double p, df, t; } table[] = {
        { 0.95, 1, 12.7062 }, { 0.95, 10, 2.2281 }, { 0.99, 2, 9.9248 },
        { 0.99, 30, 2.7500 }, { 0.998, 5, 5.8934 }, { 0.999, 120, 3.3735 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ck_assert_double_eq_tol(anser_bench_t(table[i].p, table[i].df),
                                table[i].t, 1e-4);
}
END_TEST

START_TEST(summaries)
{
    const double x[] = { 4, 1, 3, 2 }, one[] = { 7 };
    struct anser_bench_summary s = anser_bench_summarise(x, 4);
    ck_assert_double_eq_tol(s.median, 2.5, 1e-12);
    ck_assert_double_eq_tol(s.mean, 2.5, 1e-12);
    ck_assert_double_eq_tol(s.sd, sqrt(5.0 / 3), 1e-12);
    s = anser_bench_summarise(one, 1);
    ck_assert_double_eq_tol(s.median, 7, 1e-12);
    ck_assert_double_eq_tol(s.sd, 0, 1e-12);
}
END_TEST

/* Uniform in 0..1, by Knuth's linear congruential generator. */
static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum;
}

/* How often intervals at 95 % of 8 pairs miss a true ratio of 1.1, with drift
 * that pairs share. */
START_TEST(coverage)
{
    enum { TRIALS = 2000, N = 8 };
    uint64_t state = 1;
    int missed = 0, missed_apart = 0;
    for (int k = 0; k < TRIALS; k++) {
        double a[N], b[N];
        for (int i = 0; i < N; i++) {
            const double drift = 0.2 * normal(&state);
            a[i] = 100 * exp(drift + 0.02 * normal(&state));
            b[i] = 110 * exp(drift + 0.02 * normal(&state));
        }
        const struct anser_bench_ratio r = anser_bench_paired(a, b, N, 0.95);
        const struct anser_bench_ratio u = anser_bench_unpaired(a, N, b, N,
                                                                0.95);
        missed += r.low > 1.1 || r.high < 1.1;
        missed_apart += u.low > 1.1 || u.high < 1.1;
        ck_assert(r.low <= r.ratio && r.ratio <= r.high);
    }
    ck_assert_int_gt(missed, TRIALS * 3 / 100);
    ck_assert_int_lt(missed, TRIALS * 7 / 100);
    ck_assert_int_lt(missed_apart, TRIALS / 100);
}
END_TEST

START_TEST(no_interval)
{
    const double a[] = { 2 }, b[] = { 3 };
    const struct anser_bench_ratio r = anser_bench_paired(a, b, 1, 0.99);
    ck_assert(r.df <= 0);
    ck_assert_double_eq_tol(r.ratio, 1.5, 1e-12);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bench");
    TCase *tokens = tcase_create("tokens"), *numbers = tcase_create("numbers");
    tcase_add_test(tokens, first_tokens);
    tcase_add_test(tokens, folds);
    tcase_add_test(tokens, published_hashes);
    tcase_add_test(tokens, small_vocabulary);
    suite_add_tcase(s, tokens);
    tcase_add_test(numbers, student);
    tcase_add_test(numbers, summaries);
    tcase_add_test(numbers, coverage);
    tcase_add_test(numbers, no_interval);
    suite_add_tcase(s, numbers);
    return s;
}

int main(void)
{
    return test_run(suite(), 1);
}
