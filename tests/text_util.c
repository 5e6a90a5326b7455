/* SPDX-License-Identifier: MIT */
/* Vocabularies for the suites of text and world. */
#include "text_util.h"

#include <stdlib.h>
#include <string.h>

anser_ctx *test_text_ctx;
anser_vocab *test_text_vocab;

void test_text_enter(void)
{
    test_enter();
    ck_assert_int_eq(anser_ctx_new(&test_text_ctx), ANSER_OK);
    test_text_vocab = NULL;
}

void test_text_leave(void)
{
    anser_vocab_free(test_text_vocab);
    anser_ctx_free(test_text_ctx);
    test_leave();
}

void test_ok(enum anser_status status)
{
    ck_assert_msg(status == ANSER_OK, "%s: %s", anser_status_text(status),
                  anser_error(test_text_ctx));
}

enum anser_status test_vocab_open(const struct test_vocab *v)
{
    const char *path = test_path("vocab.gguf");
    struct anser_gguf_writer *w;
    anser_file *file;
    test_ok(anser_gguf_create(test_text_ctx, path, &w));
    if (v->model != NULL)
        test_ok(anser_gguf_put_string(w, "tokenizer.ggml.model", v->model));
    if (v->tokens != NULL)
        test_ok(anser_gguf_put_strings(w, "tokenizer.ggml.tokens", v->n,
                                  v->tokens));
    if (v->types != NULL)
        test_ok(anser_gguf_put_i32s(w, "tokenizer.ggml.token_type", v->n_types,
                               v->types));
    if (v->eos != 0)
        test_ok(anser_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", v->eos));
    test_ok(anser_gguf_finish(w));
    test_ok(anser_gguf_open(test_text_ctx, path, &file));
    enum anser_status status = anser_vocab_new(file, &test_text_vocab);
    anser_gguf_close(file);
    return status;
}

void test_expect_ids(const char *text, size_t n, const uint32_t *want,
                       size_t n_want)
{
    uint32_t ids[4096];
    size_t count = 99;
    ck_assert_uint_le(n_want, 4096);
    test_ok(anser_encode(test_text_vocab, text, n, ids, 4096, &count));
    ck_assert_msg(count == n_want, "%zu ids, expected %zu, of \"%.*s\"",
                  count, n_want, (int)n, text);
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(ids[i] == want[i], "id %zu is %u, expected %u", i,
                      (unsigned)ids[i], (unsigned)want[i]);
}

void test_expect_bytes(uint32_t id, const char *want, size_t n_want)
{
    const char *bytes;
    size_t n;
    test_ok(anser_decode(test_text_vocab, id, &bytes, &n));
    ck_assert_msg(n == n_want && memcmp(bytes, want, n) == 0,
                  "id %u has other bytes than expected", (unsigned)id);
}

void test_expect_round_trips(void)
{
    static const char letters[] = "ab \n<>s[]PAD0123456\\x\xe6\x97\xa5";
    srand(7);
    for (int round = 0; round < 200; round++) {
        unsigned char text[500];
        uint32_t ids[500];
        size_t n = (size_t)rand() % sizeof text, count, at = 0;
        for (size_t i = 0; i < n; i++)
            text[i] = (unsigned char)(round & 1 ? rand() >> 7
                : letters[(size_t)rand() % (sizeof letters - 1)]);
        test_ok(anser_encode(test_text_vocab, text, n, ids, sizeof text,
                             &count));
        ck_assert_uint_le(count, n);
        for (size_t i = 0; i < count; i++) {
            const char *bytes;
            size_t length;
            test_ok(anser_decode(test_text_vocab, ids[i], &bytes, &length));
            ck_assert_uint_gt(length, 0);
            ck_assert_uint_le(at + length, n);
            ck_assert_int_eq(memcmp(text + at, bytes, length), 0);
            at += length;
        }
        ck_assert_uint_eq(at, n);
    }
}

