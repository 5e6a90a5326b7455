/* SPDX-License-Identifier: MIT */
/* Vocabulary, tokenizer and UTF-8 assembly, on made-up vocabularies. */
#include "text_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) { s, sizeof(s) - 1 }
#define MOST 300

/* "<s>", the 256 bytes as \xHH, then the given tokens, all normal. */
static void open_bytes_and(const char *const *more, unsigned n_more)
{
    static char escapes[256][5];
    struct anser_gguf_text tokens[MOST] = { TEXT("<s>") };
    int32_t types[MOST] = { 3 };
    unsigned n = 1;
    for (; n <= 256; n++) {
        snprintf(escapes[n - 1], 5, "\\x%02x", n - 1);
        tokens[n] = (struct anser_gguf_text) { escapes[n - 1], 4 };
        types[n] = 1;
    }
    for (unsigned i = 0; i < n_more; i++, n++) {
        tokens[n] = (struct anser_gguf_text) { more[i], strlen(more[i]) };
        types[n] = 1;
    }
    struct test_vocab v = { "rwkv", tokens, types, n, n, 0 };
    test_ok(test_vocab_open(&v));
}

START_TEST(unescapes)
{
    static const struct anser_gguf_text tokens[] = {
        TEXT("<s>"), TEXT("\\t\\n\\r"), TEXT("\\\\"), TEXT("\\'\""),
        TEXT("\\x00\\xfF"), TEXT("\\q"), TEXT("caf\xc3\xa9"), TEXT("gone"),
        TEXT("[PAD8]"),
    };
    static const int32_t types[] = { 3, 1, 1, 1, 1, 1, 4, 3, 5 };
    struct test_vocab v = { "rwkv", tokens, types, 9, 9, 7 };
    test_ok(test_vocab_open(&v));
    ck_assert_uint_eq(anser_vocab_size(test_text_vocab), 9);
    ck_assert_uint_eq(anser_vocab_eos(test_text_vocab), 7);
    test_expect_bytes(0, "", 0);
    test_expect_bytes(1, "\t\n\r", 3);
    test_expect_bytes(2, "\\", 1);
    test_expect_bytes(3, "'\"", 2);
    test_expect_bytes(4, "\0\xff", 2);
    test_expect_bytes(5, "q", 1);
    test_expect_bytes(6, "caf\xc3\xa9", 5);
    test_expect_bytes(7, "", 0);
    test_expect_bytes(8, "", 0);
    const char *bytes = "kept";
    size_t n = 4;
    ck_assert_int_eq(anser_decode(test_text_vocab, 9, &bytes, &n),
                     ANSER_BAD_ARG);
    ck_assert_str_eq(bytes, "kept");
}
END_TEST

START_TEST(refuses_bad_escapes)
{
    static const char *const bad[] = { "\\", "\\x", "\\x1", "\\x1g", "a\\xg1" };
    struct anser_gguf_text tokens[] = { TEXT("<s>"), TEXT("a"), TEXT("") };
    static const int32_t types[] = { 3, 1, 1 };
    tokens[2] = (struct anser_gguf_text) { bad[_i], strlen(bad[_i]) };
    struct test_vocab v = { "rwkv", tokens, types, 3, 3, 0 };
    ck_assert_int_eq(test_vocab_open(&v), ANSER_BAD_FILE);
    ck_assert_ptr_null(test_text_vocab);
    ck_assert_ptr_nonnull(strstr(anser_error(test_text_ctx), "token 2 "));
}
END_TEST

START_TEST(refuses_bad_files)
{
    static const struct anser_gguf_text tokens[] = { TEXT("<s>"), TEXT("a") };
    static const int32_t types[] = { 3, 1, 1 };
    static const struct {
        struct test_vocab made;
        enum anser_status status;
        const char *text;
    } cases[] = {
        { { "gpt2", tokens, types, 2, 2, 0 }, ANSER_UNSUPPORTED, "gpt2" },
        { { NULL, tokens, types, 2, 2, 0 }, ANSER_BAD_FILE, "ggml.model" },
        { { "rwkv", NULL, types, 2, 2, 0 }, ANSER_BAD_FILE, "ggml.tokens" },
        { { "rwkv", tokens, types, 0, 2, 0 }, ANSER_BAD_FILE, "ggml.tokens" },
        { { "rwkv", tokens, types, 2, 3, 0 }, ANSER_BAD_FILE, "token_type" },
        { { "rwkv", tokens, types, 2, 2, 2 }, ANSER_BAD_FILE, "eos_token_id" },
    };
    ck_assert_int_eq(test_vocab_open(&cases[_i].made), cases[_i].status);
    ck_assert_ptr_null(test_text_vocab);
    ck_assert_ptr_nonnull(strstr(anser_error(test_text_ctx), cases[_i].text));
}
END_TEST

START_TEST(takes_the_longest_match)
{
    static const char *const more[] = { "ab", "abcd", "bc", "ab", "<s>x" };
    open_bytes_and(more, 5);
    test_expect_ids("abcd", 4, (const uint32_t[]) { 258 }, 1);
    test_expect_ids("abce", 4, (const uint32_t[]) { 257, 'c' + 1, 'e' + 1 }, 3);
    test_expect_ids("xbc", 3, (const uint32_t[]) { 'x' + 1, 259 }, 2);
    test_expect_ids("a<s>b", 5, (const uint32_t[]) {
        'a' + 1, '<' + 1, 's' + 1, '>' + 1, 'b' + 1 }, 5);
    test_expect_ids("\0\xff", 2, (const uint32_t[]) { 1, 256 }, 2);
    test_expect_ids("", 0, NULL, 0);
    test_expect_round_trips();
}
END_TEST

START_TEST(counts_beyond_the_room)
{
    static const char *const more[] = { "ab" };
    open_bytes_and(more, 1);
    uint32_t ids[3] = { 7, 7, 7 };
    size_t count;
    test_ok(anser_encode(test_text_vocab, "abxab", 5, ids, 2, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert_uint_eq(ids[0], 257);
    ck_assert_uint_eq(ids[1], 'x' + 1);
    ck_assert_uint_eq(ids[2], 7);
    test_ok(anser_encode(test_text_vocab, "abxab", 5, NULL, 0, &count));
    ck_assert_uint_eq(count, 3);
}
END_TEST

/* Without types, id 0 and [PADn] at id n are still no text. */
START_TEST(needs_no_types)
{
    static const struct anser_gguf_text tokens[] = {
        TEXT("a"), TEXT("a"), TEXT("[PAD2]"), TEXT("[PAD2]"),
    };
    struct test_vocab v = { "rwkv", tokens, NULL, 4, 0, 0 };
    test_ok(test_vocab_open(&v));
    test_expect_ids("a[PAD2]a", 8, (const uint32_t[]) { 1, 3, 1 }, 3);
    test_expect_bytes(0, "", 0);
    test_expect_bytes(2, "", 0);
}
END_TEST

START_TEST(fails_on_a_byte_without_token)
{
    static const struct anser_gguf_text tokens[] = { TEXT("a"), TEXT("a") };
    struct test_vocab v = { "rwkv", tokens, NULL, 2, 0, 0 };
    uint32_t ids[2] = { 7, 7 };
    size_t count = 7;
    test_ok(test_vocab_open(&v));
    ck_assert_int_eq(anser_encode(test_text_vocab, "ab", 2, ids, 2, &count),
                     ANSER_BAD_FILE);
    ck_assert_uint_eq(ids[0], 7);
    ck_assert_uint_eq(count, 7);
    ck_assert_ptr_nonnull(strstr(anser_error(test_text_ctx),
                                 "0x62 at offset 1"));
}
END_TEST

START_TEST(takes_null)
{
    size_t count;
    ck_assert_int_eq(anser_vocab_new(NULL, &test_text_vocab), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_encode(NULL, "a", 1, NULL, 0, &count),
                     ANSER_BAD_ARG);
    open_bytes_and(NULL, 0);
    ck_assert_int_eq(anser_encode(test_text_vocab, NULL, 1, NULL, 0, &count),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_encode(test_text_vocab, "a", 1, NULL, 1, &count),
                     ANSER_BAD_ARG);
    anser_vocab_free(NULL);
}
END_TEST

/* Every way to cut the text in three gives the text; after the middle, only
 * whole characters are out. */
START_TEST(utf8_waits_for_whole_characters)
{
    static const char text[] = "a\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80z";
    static const size_t ends[] = { 0, 1, 3, 6, 10, 11 };
    size_t n = sizeof text - 1;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = i; j <= n; j++) {
            struct anser_utf8 u = { { 0 }, 0 };
            char out[32];
            size_t at = anser_utf8_push(&u, text, i, out), whole = 0;
            at += anser_utf8_push(&u, text + i, j - i, out + at);
            for (size_t k = 0; k < 6; k++)
                whole = ends[k] <= j ? ends[k] : whole;
            ck_assert_uint_eq(at, whole);
            at += anser_utf8_push(&u, text + j, n - j, out + at);
            ck_assert_uint_eq(at, n);
            ck_assert_int_eq(memcmp(out, text, n), 0);
            ck_assert_uint_eq(anser_utf8_flush(&u, out), 0);
        }
}
END_TEST

START_TEST(utf8_passes_what_is_none)
{
    static const struct {
        const char *in;
        size_t out;                  /* bytes out before the flush          */
    } cases[] = {
        { "\xf0\x9f" "A", 3 }, { "\x80\xbf", 2 }, { "\xc0", 1 },
        { "\xe0\x9f", 2 }, { "\xed\xa0", 2 }, { "\xf4\x90", 2 },
        { "\xf5\x80", 2 }, { "\xff", 1 }, { "\xf0\x9f\x98", 0 },
        { "\xe6\xe6\x97", 1 }, { "\xc3\xc3\xa9", 3 }, { "\xf0\x8f", 2 },
    };
    struct anser_utf8 u = { { 0 }, 0 };
    char out[16];
    size_t n = strlen(cases[_i].in), at = 0;
    for (size_t i = 0; i < n; i++)
        at += anser_utf8_push(&u, cases[_i].in + i, 1, out + at);
    ck_assert_uint_eq(at, cases[_i].out);
    at += anser_utf8_flush(&u, out + at);
    ck_assert_uint_eq(at, n);
    ck_assert_int_eq(memcmp(out, cases[_i].in, n), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tests = tcase_create("text");
    tcase_add_checked_fixture(tests, test_text_enter, test_text_leave);
    tcase_add_test(tests, unescapes);
    tcase_add_loop_test(tests, refuses_bad_escapes, 0, 5);
    tcase_add_loop_test(tests, refuses_bad_files, 0, 6);
    tcase_add_test(tests, takes_the_longest_match);
    tcase_add_test(tests, counts_beyond_the_room);
    tcase_add_test(tests, needs_no_types);
    tcase_add_test(tests, fails_on_a_byte_without_token);
    tcase_add_test(tests, takes_null);
    tcase_add_test(tests, utf8_waits_for_whole_characters);
    tcase_add_loop_test(tests, utf8_passes_what_is_none, 0, 12);
    suite_add_tcase(suite, tests);
    return test_run(suite, 1);
}
