/* SPDX-License-Identifier: MIT */
/*
 * What anser bench is made of: the tokens and hashes of the inherited protocol
 * (numbers of web-rwkv-gguf's log and of fastrand 2.1, computed elsewhere), the
 * statistics against tables, and the Markdown log, where nothing but the block
 * may change whatever the file and its titles look like.
 */
#include "bench_append.h"
#include "bench_log.h"
#include "bench_stats.h"
#include "bench_tokens.h"
#include "check_util.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ------------------------------------------------------------- the log */

static const char block[] =
    "### 2026-11-23 01:02:03 - try | this\n\n"
    "| Metric | Value |\n|--------|-------|\n| Model | a\\|b.gguf |\n"
    "| Version | V7 |\n| GPU | Some GPU |\n"
    "| **Load Time** | **12.50 ms** |\n| **Prefill** | **100.25 tok/s** |\n"
    "| Quality Hash | `3895ad4add71cff0` |\n"
    "| Prefill Runs | median 1.00, mean 1.00, sd 2.50 tok/s, n 3 |\n\n"
    "<details><summary>Quality tokens (first 16)</summary>\n\n```\n"
    "## not a heading\n```\n\n</details>\n\n";

/* Inserts and looks that all other bytes stand as they were; *at is where the
 * new ones begin. */
static void insert_checked(const char *log, const char *title, size_t *at,
                           struct anser_text *out)
{
    const size_t n = strlen(log);
    const char *why = anser_log_insert(log, n, title, block, out);
    ck_assert_msg(why == NULL, "%s", why != NULL ? why : "");
    ck_assert_uint_ge(out->n, n);
    size_t same = 0;
    while (same < n && log[same] == out->at[same])
        same++;
    ck_assert(n == 0 || memcmp(out->at + out->n - (n - same), log + same,
                               n - same) == 0);
    *at = same;
}

START_TEST(new_log)
{
    size_t at;
    struct anser_text out = { .at = NULL };
    struct anser_log log;
    insert_checked("", "A title", &at, &out);
    ck_assert(strncmp(out.at, "# Benchmark Results\n\n", 21) == 0);
    ck_assert(strstr(out.at, "\n---\n\n## A title\n\n### 2026") != NULL);
    ck_assert_int_eq(anser_log_parse(out.at, out.n, &log), 0);
    ck_assert_uint_eq(log.n, 1);
    const struct anser_log_block *b = log.blocks;
    ck_assert_str_eq(b->title, "A title");
    ck_assert_str_eq(b->change, "try | this");
    ck_assert_str_eq(b->date, "2026-11-23 01:02:03");
    ck_assert_str_eq(b->model, "a|b.gguf");
    ck_assert_str_eq(b->device, "Some GPU");
    ck_assert_str_eq(b->hash, "3895ad4add71cff0");
    ck_assert_uint_eq(b->n_figures, 2);
    ck_assert_str_eq(b->figures[1].name, "Prefill");
    ck_assert_double_eq_tol(b->figures[1].value, 100.25, 1e-9);
    ck_assert_double_eq_tol(b->figures[1].sd, 2.5, 1e-9);
    ck_assert(b->figures[0].sd < 0);
    ck_assert_ptr_eq(anser_log_last(&log, "A title", "a|b.gguf", "Some GPU"),
                     b);
    ck_assert_ptr_null(anser_log_last(&log, "A titl", "a|b.gguf",
                                      "Some GPU"));
    anser_log_free(&log);
    anser_text_free(&out);
}
END_TEST

/* Titles that begin with one another, or look like what they are not. */
static const char *const hostile[] = {
    "A", "A B", "A B C", "#", "## A", "A ## B", "A #", "### A", "- A", "*A*",
    "A\\", "`A", "```", "~~~", "<!-- A", "</details>", "| A | B |", "%s%n",
    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "A\xc2\xa0", "---", "=", "a",
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

/* Each title as often as it was added, and under its own name. */
static void expect_counts(const struct anser_text *log, const unsigned *counts)
{
    struct anser_log read;
    unsigned found[HOSTILE] = { 0 };
    ck_assert_int_eq(anser_log_parse(log->at, log->n, &read), 0);
    for (size_t i = 0; i < read.n; i++)
        for (int j = 0; j < HOSTILE; j++)
            found[j] += strcmp(read.blocks[i].title, hostile[j]) == 0;
    for (int j = 0; j < HOSTILE; j++)
        ck_assert_msg(found[j] == counts[j], "'%s': %u blocks, not %u",
                      hostile[j], found[j], counts[j]);
    anser_log_free(&read);
}

START_TEST(hostile_titles)
{
    struct anser_text log = { .at = NULL };
    unsigned counts[HOSTILE] = { 0 };
    uint64_t state = (uint64_t)_i + 1;
    anser_text_bytes(&log, "", 0);
    for (int i = 0; i < 60; i++) {
        const int k = (int)(uniform(&state) * HOSTILE);
        struct anser_text more = { .at = NULL };
        size_t at;
        ck_assert_ptr_null(anser_log_title_fault(hostile[k]));
        insert_checked(log.at, hostile[k], &at, &more);
        counts[k]++;
        anser_text_free(&log);
        log = more;
    }
    expect_counts(&log, counts);
    anser_text_free(&log);
}
END_TEST

START_TEST(huge_title)
{
    enum { N = 10240 };
    char *title = malloc(N + 1);
    struct anser_text one = { .at = NULL }, two = { .at = NULL };
    struct anser_log log;
    size_t at;
    memset(title, 'x', N);
    title[N] = '\0';
    ck_assert_ptr_null(anser_log_title_fault(title));
    insert_checked("", title, &at, &one);
    insert_checked(one.at, title, &at, &two);
    ck_assert_int_eq(anser_log_parse(two.at, two.n, &log), 0);
    ck_assert_uint_eq(log.n, 2);
    ck_assert_str_eq(log.blocks[1].title, title);
    anser_log_free(&log);
    anser_text_free(&one);
    anser_text_free(&two);
    free(title);
}
END_TEST

START_TEST(refused_titles)
{
    static const char *const bad[] = {
        "", " a", "a ", "a\nb", "a\n## b", "a\r", "\x01", "a\x7f", "\xff",
        "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(anser_log_title_fault(bad[i]) != NULL, "bad[%zu]", i);
}
END_TEST

/* Pieces of foreign files; those with "## A" hidden in code or a comment must
 * not be taken for the section. */
static const char *const pieces[] = {
    "# Title\n\ntext\n", "## A\n\nmine\n", "## A B\n\nother\n",
    "```\n## A\n```\n", "~~~~\n## A\n~~~\n~~~~\n", "<!--\n## A\n-->\n",
    "<pre>\n## A\n</pre>\n", "    ## A\n", "text ## A\n", "### A\n\nsub\n",
    "no end of line", "\n\n\n", "## A \n", "##A\n", "- list\n  ```\n  x\n  ```\n",
    "| a | b |\n", "\xff\xfe bytes\n", "`` ` ``\n", "tab\t\n",
};
enum { PIECES = sizeof pieces / sizeof *pieces };

/* Piece k begins with a heading of level 1 or 2, and that is "## A". */
static int ends_section(int k)
{
    return k <= 2 || k == 12;
}

/* A random file of pieces, in which the place is known by the way it is
 * made. */
static void foreign_once(uint64_t *state)
{
    struct anser_text log = { .at = NULL }, out = { .at = NULL };
    const int n = 1 + (int)(uniform(state) * 12);
    size_t end = 0, at;
    int there = 0, ended = 0;
    for (int i = 0; i < n; i++) {
        const int k = (int)(uniform(state) * PIECES);
        if (there && !ended && ends_section(k)) {
            ended = 1;
            end = log.n;
        }
        there |= k == 1;
        anser_text_add(&log, "%s%s", pieces[k], k == 10 && i < n - 1 ? "\n"
                                                                     : "");
    }
    end = ended ? end : log.n;
    insert_checked(log.at, "A", &at, &out);
    const char *new = strstr(out.at, "### 2026-11-23");
    ck_assert_ptr_nonnull(new);
    const size_t added = (size_t)(new - out.at);
    ck_assert_msg(added >= end && added <= end + 8, "at %zu, not %zu in:\n%s",
                  added, end, out.at);
    if (!there)
        ck_assert(memcmp(new - 6, "## A\n\n", 6) == 0);
    anser_text_free(&log);
    anser_text_free(&out);
}

START_TEST(foreign_files)
{
    uint64_t state = 7;
    for (int i = 0; i < 3000; i++)
        foreign_once(&state);
}
END_TEST

START_TEST(open_code)
{
    static const char *const open[] = { "```\ncode\n", "<!-- x\n", "~~~\n" };
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        struct anser_text out = { .at = NULL };
        ck_assert_ptr_nonnull(anser_log_insert(open[i], strlen(open[i]), "A",
                                               block, &out));
        anser_text_free(&out);
    }
}
END_TEST

START_TEST(windows_lines)
{
    const char *log = "# x\r\n\r\n## A\r\n\r\nold\r\n\r\n## B\r\n";
    struct anser_text out = { .at = NULL };
    size_t at;
    insert_checked(log, "A", &at, &out);
    for (size_t i = 0; i < out.n; i++)
        if (out.at[i] == '\n')
            ck_assert(i > 0 && out.at[i - 1] == '\r');
    ck_assert_ptr_nonnull(strstr(out.at, "old\r\n\r\n### 2026"));
    anser_text_free(&out);
}
END_TEST

/* ------------------------------------------------------------- at once */

static const char *add_block(void *user, const char *log, size_t n,
                             struct anser_text *out)
{
    return anser_log_insert(log, n, user, block, out);
}

static const char *refuse(void *user, const char *log, size_t n,
                          struct anser_text *out)
{
    (void)log;
    (void)n;
    (void)out;
    return user;
}

START_TEST(several_writers)
{
    enum { WRITERS = 4, TIMES = 25 };
    static char titles[WRITERS][8] = { "A", "A", "A B", "C" };
    struct anser_log log;
    size_t n;
    for (int i = 0; i < WRITERS; i++) {
        const pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        int failed = 0;
        for (int j = 0; pid == 0 && j < TIMES; j++)
            failed |= anser_append(test_path("log.md"), add_block, titles[i]);
        if (pid == 0)
            _exit(failed != 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        wait(&status);
        ck_assert_int_eq(status, 0);
    }
    char *text = (char *)test_read_file(test_path("log.md"), &n);
    ck_assert_int_eq(anser_log_parse(text, n, &log), 0);
    ck_assert_uint_eq(log.n, WRITERS * TIMES);
    ck_assert_uint_eq(test_count_files(), 1);
    anser_log_free(&log);
    free(text);
}
END_TEST

START_TEST(refusal_leaves_all)
{
    static char why[] = "no";
    size_t n;
    test_write_file(test_path("log.md"), "mine", 4);
    ck_assert_int_eq(symlink(test_path("log.md"), test_path("link.md")), 0);
    ck_assert_int_eq(anser_append(test_path("link.md"), refuse, why), -1);
    char *text = (char *)test_read_file(test_path("log.md"), &n);
    ck_assert(n == 4 && memcmp(text, "mine", 4) == 0);
    free(text);
    static char title[] = "T";
    ck_assert_int_eq(anser_append(test_path("link.md"), add_block, title), 0);
    char target[8];
    ck_assert_int_gt(readlink(test_path("link.md"), target, sizeof target), 0);
    text = (char *)test_read_file(test_path("log.md"), &n);
    ck_assert(n > 4 && memcmp(text, "mine\n\n## T\n\n###", 15) == 0);
    free(text);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bench");
    TCase *tokens = tcase_create("tokens"), *numbers = tcase_create("numbers");
    TCase *log = tcase_create("log"), *files = tcase_create("files");
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
    tcase_add_test(log, new_log);
    tcase_add_loop_test(log, hostile_titles, 0, 20);
    tcase_add_test(log, huge_title);
    tcase_add_test(log, refused_titles);
    tcase_add_test(log, foreign_files);
    tcase_add_test(log, open_code);
    tcase_add_test(log, windows_lines);
    tcase_set_timeout(log, 60);
    suite_add_tcase(s, log);
    tcase_add_checked_fixture(files, test_enter, test_leave);
    tcase_add_test(files, several_writers);
    tcase_add_test(files, refusal_leaves_all);
    tcase_set_timeout(files, 120);
    suite_add_tcase(s, files);
    return s;
}

int main(void)
{
    return test_run(suite(), 1);
}
