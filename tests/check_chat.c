/* SPDX-License-Identifier: MIT */
/*
 * The program's stop texts and chat format: every case in one piece, byte by
 * byte, and cut in two at every place must print the same.
 */
#include "chat_format.h"
#include "check_util.h"
#include "stop.h"

#include <stdlib.h>
#include <string.h>

/* Feeds text in pieces: up to `cut` at once, then the rest; cut 0: byte by
 * byte.  Returns what was printed, the end of the stream included. */
static const char *stopped_text(const char *const *texts, size_t n_texts,
                                const char *text, size_t cut, bool *stopped)
{
    static char out[1024];
    struct anser_stop stop;
    size_t n = strlen(text), written = 0;
    ck_assert(anser_stop_init(&stop, texts, n_texts));
    for (size_t at = 0; at < n;) {
        size_t piece = cut == 0 ? 1 : at == 0 && cut < n ? cut : n - at;
        written += anser_stop_push(&stop, text + at, piece, out + written);
        at += piece;
    }
    written += anser_stop_flush(&stop, out + written);
    ck_assert_uint_eq(anser_stop_flush(&stop, out + written), 0);
    out[written] = '\0';
    *stopped = stop.stopped;
    return out;
}

START_TEST(stop_texts)
{
    static const struct {
        const char *texts[3], *in, *out;
        bool stopped;
    } cases[] = {
        { { "END" }, "one END two", "one ", true },
        { { "END" }, "one EN", "one EN", false },
        { { "END" }, "EEENDx", "EE", true },
        { { "aab" }, "aaaab", "aa", true },
        { { "abab" }, "abaabab!", "aba", true },
        { { "x", "yy" }, "ay yyx", "ay ", true },
        { { "abcd", "bc" }, "zabcx", "za", true },
        { { "abcd", "bc" }, "zabc", "za", true },
        { { "ab", "abc" }, "zabc", "z", true },
        { { "\n\n", "User:" }, "a\nUser\nUser:", "a\nUser\n", true },
        { { NULL }, "anything", "anything", false },
    };
    size_t n_texts = 0;
    bool stopped;
    while (cases[_i].texts[n_texts] != NULL)
        n_texts++;
    for (size_t cut = 0; cut <= strlen(cases[_i].in); cut++) {
        const char *out = stopped_text(cases[_i].texts, n_texts, cases[_i].in,
                                       cut, &stopped);
        ck_assert_str_eq(out, cases[_i].out);
        ck_assert_int_eq(stopped, cases[_i].stopped);
    }
}
END_TEST

START_TEST(stop_holds_back_no_more_than_needed)
{
    static const char *const texts[] = { "\n\nUser" };
    struct anser_stop stop;
    char out[1024];
    ck_assert(anser_stop_init(&stop, texts, 1));
    ck_assert_uint_eq(anser_stop_push(&stop, "Hi.\n", 4, out), 3);
    ck_assert_uint_eq(anser_stop_push(&stop, "\nUse", 4, out), 0);
    ck_assert_uint_eq(anser_stop_push(&stop, "d", 1, out), 6);
    ck_assert_int_eq(memcmp(out, "\n\nUsed", 6), 0);
}
END_TEST

START_TEST(stop_refuses_texts)
{
    char longest[ANSER_STOP_BYTES + 1];
    const char *texts[] = { "a", longest };
    struct anser_stop stop;
    memset(longest, 'x', sizeof longest);
    longest[ANSER_STOP_BYTES] = '\0';
    ck_assert(!anser_stop_init(&stop, texts, 2));
    longest[ANSER_STOP_BYTES - 1] = '\0';
    ck_assert(anser_stop_init(&stop, texts, 2));
    texts[0] = "";
    ck_assert(!anser_stop_init(&stop, texts, 2));
}
END_TEST

START_TEST(clean)
{
    static const char *const cases[][2] = {
        { "  hi \n", "hi" },
        { "a\r\nb", "a\nb" },
        { "a\r\n\r\n\nb\n\nc", "a\nb\nc" },
        { "\n\n a\n \nb\t", "a\n \nb" },
        { "a\rb", "a\rb" },
        { " \r\n ", "" },
        { "", "" },
    };
    char *got = anser_chat_clean(cases[_i][0]);
    ck_assert_str_eq(got, cases[_i][1]);
    free(got);
}
END_TEST

START_TEST(prompt)
{
    static const struct anser_chat_gap none = { NULL, 0, 0 };
    static const struct anser_chat_gap owed = { ".\n\nx", 1, 0 };
    static const struct anser_chat_gap fed = { NULL, 0, 1 };
    static const struct anser_chat_gap user_fed = { NULL, 0, 6 };
    static const struct {
        struct anser_chat_round round;
        const char *text;
    } cases[] = {
        { { NULL, "hi", ANSER_THINK_NONE, NULL },
          "User: hi\n\nAssistant:" },
        { { "Be brief.", "hi", ANSER_THINK_FULL, NULL },
          "System: Be brief.\n\nUser: hi\n\nAssistant: <think" },
        { { NULL, "hi", ANSER_THINK_FAKE, NULL },
          "User: hi\n\nAssistant: <think>\n</think" },
        { { "Be brief.", "hi", ANSER_THINK_NONE, &none },
          "\n\nUser: hi\n\nAssistant:" },
        { { NULL, "hi", ANSER_THINK_NONE, &owed },
          ".\n\nUser: hi\n\nAssistant:" },
        { { NULL, "hi", ANSER_THINK_NONE, &fed },
          "\nUser: hi\n\nAssistant:" },
        { { NULL, "hi", ANSER_THINK_NONE, &user_fed },
          ": hi\n\nAssistant:" },
    };
    char *got = anser_chat_prompt(&cases[_i].round);
    ck_assert_str_eq(got, cases[_i].text);
    free(got);
}
END_TEST

/* As stopped_text, for an answer; *fed counts bytes of tokens fed, a token
 * being a piece. */
static const char *answer(enum anser_think think, const char *text,
                          size_t cut, struct anser_chat_stop *stop,
                          size_t *fed)
{
    static char out[1024];
    size_t n = strlen(text), written = 0, at = 0;
    anser_chat_stop_init(stop, think);
    while (at < n && !stop->stopped) {
        size_t piece = cut == 0 ? 1 : at == 0 && cut < n ? cut : n - at;
        written += anser_chat_stop_push(stop, text + at, piece,
                                        out + written);
        *fed = at;
        at += piece;
    }
    if (!stop->stopped)
        *fed = n;
    written += anser_chat_stop_flush(stop, out + written);
    out[written] = '\0';
    return out;
}

static const struct {
    enum anser_think think;
    const char *in, *out;
    size_t stop;                     /* where the stop text begins; 0: none */
} answers[] = {
    { ANSER_THINK_NONE, " Hello.\n\nUser: x", "Hello.", 7 },
    { ANSER_THINK_NONE, " a\nb\n\n\nc", "a\nb", 4 },
    { ANSER_THINK_NONE, " a\n", "a\n", 0 },
    { ANSER_THINK_NONE, " no stop", "no stop", 0 },
    { ANSER_THINK_NONE, "\n\n code:\n\nmore", "code:", 8 },
    { ANSER_THINK_NONE, "  \n\nUser: again", "", 2 },
    { ANSER_THINK_NONE, "\n\nUsual\n\nx", "Usual", 7 },
    { ANSER_THINK_NONE, "<thing>\n\n", "<thing>", 7 },
    { ANSER_THINK_NONE, " <think>a\n\nb</think>\n\nc\n\nd",
      "<think>a\n\nb</think>\n\nc", 23 },
    { ANSER_THINK_FULL, ">\nOne.\n\nTwo.\n</think>\n\nSo: 4.\n\nUser:",
      ">\nOne.\n\nTwo.\n</think>\n\nSo: 4.", 29 },
    { ANSER_THINK_FULL, ">\nOne.\n\nUser: x", ">\nOne.", 6 },
    { ANSER_THINK_FULL, ">\nOne.</thi", ">\nOne.</thi", 0 },
    { ANSER_THINK_FAKE, ">\n\nHi there.\n\nUser", "Hi there.", 12 },
    { ANSER_THINK_FAKE, "> Hi <think> > x", "Hi <think> > x", 0 },
    { ANSER_THINK_FAKE, " Hi", "Hi", 0 },
    { ANSER_THINK_FAKE, ">", "", 0 },
};

/* What is printed does not depend on the pieces; and what was fed, with the
 * next prompt, reads as the answer and "\n\nUser: ". */
START_TEST(follows_an_answer)
{
    size_t n = strlen(answers[_i].in);
    for (size_t cut = 0; cut <= n; cut++) {
        struct anser_chat_stop stop;
        struct anser_chat_round round = { .user = "q", .gap = &stop.gap };
        size_t fed = 0, end = answers[_i].stop;
        const char *out = answer(answers[_i].think, answers[_i].in, cut,
                                 &stop, &fed);
        ck_assert_str_eq(out, answers[_i].out);
        ck_assert_int_eq(stop.stopped, end > 0);
        if (end == 0)
            continue;
        char history[512], want[512];
        char *next = anser_chat_prompt(&round);
        strcpy(history, answers[_i].in);
        strcpy(history + fed, next);
        strcpy(want, answers[_i].in);
        strcpy(want + end, "\n\nUser: q\n\nAssistant:");
        ck_assert_str_eq(history, want);
        free(next);
    }
}
END_TEST

/* An answer that the end token ended after one "\n" already fed. */
START_TEST(gap_after_the_end)
{
    static const struct {
        const char *in;
        size_t fed;
    } cases[] = {
        { " a.", 0 }, { " a.\n", 1 }, { " <think>a\n\nUse", 5 },
        { " <think>a</th", 0 }, { "", 0 },
    };
    struct anser_chat_stop stop;
    size_t fed;
    answer(ANSER_THINK_NONE, cases[_i].in, 0, &stop, &fed);
    ck_assert(!stop.stopped);
    ck_assert_uint_eq(stop.gap.n_owed, 0);
    ck_assert_uint_eq(stop.gap.fed, cases[_i].fed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chat");
    TCase *tests = tcase_create("chat");
    tcase_add_loop_test(tests, stop_texts, 0, 11);
    tcase_add_test(tests, stop_holds_back_no_more_than_needed);
    tcase_add_test(tests, stop_refuses_texts);
    tcase_add_loop_test(tests, clean, 0, 7);
    tcase_add_loop_test(tests, prompt, 0, 7);
    tcase_add_loop_test(tests, follows_an_answer, 0,
                        sizeof answers / sizeof *answers);
    tcase_add_loop_test(tests, gap_after_the_end, 0, 5);
    suite_add_tcase(suite, tests);
    return test_run(suite, 1);
}
