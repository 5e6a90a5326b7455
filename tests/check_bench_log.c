/* SPDX-License-Identifier: MIT */
/*
 * The Markdown log of anser bench: nothing but the new block may change,
 * whatever the file and its titles look like, and however many write at once.
 */
#include "bench_append.h"
#include "bench_log.h"
#include "check_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Uniform in 0..1, by Knuth's linear congruential generator. */
static double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

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
    "no end of line", "\n\n\n", "## A \n", "##A\n",
    "- list\n  ```\n  x\n  ```\n", "| a | b |\n", "\xff\xfe bytes\n", "`` ` ``\n", "tab\t\n",
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
    Suite *s = suite_create("bench log");
    TCase *log = tcase_create("log"), *files = tcase_create("files");
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
