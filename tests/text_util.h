/* SPDX-License-Identifier: MIT */
/*
 * Vocabularies for the suites of text and world: one file, one vocabulary and
 * one context at a time, in the scratch directory of check_util.h.
 */
#ifndef ANSER_TEXT_UTIL_H
#define ANSER_TEXT_UTIL_H

#include "base/gguf_write.h"
#include "check_util.h"

extern anser_ctx *test_text_ctx;     /* made by _enter, freed by _leave     */
extern anser_vocab *test_text_vocab; /* NULL until one was opened           */

void test_text_enter(void);
void test_text_leave(void);

/* Fails the test with the error's text. */
void test_ok(enum anser_status status);

/* What goes into a file; a zero is left out of it. */
struct test_vocab {
    const char *model;
    const struct anser_gguf_text *tokens;
    const int32_t *types;
    uint64_t n, n_types;
    uint32_t eos;
};

/* Writes the file, opens the vocabulary of it, closes it. */
enum anser_status test_vocab_open(const struct test_vocab *v);

void test_expect_ids(const char *text, size_t n, const uint32_t *want,
                     size_t n_want);
void test_expect_bytes(uint32_t id, const char *want, size_t n_want);

/* decode(encode(x)) == x for random bytes, half of them from a few letters. */
void test_expect_round_trips(void);

#endif
