/* SPDX-License-Identifier: MIT */
/* What the suites of whole models share: one open model, precise, with a
 * state, and logits by it and by plain C. */
#ifndef ANSER_MODEL_UTIL_H
#define ANSER_MODEL_UTIL_H

#include "device_util.h"

#define PRECISE 1e-4                 /* of --precise, and of chunkings      */

struct test_model {
    anser_file *file;
    anser_model *model;
    anser_state *state;
    struct test_tiny tiny;
    uint32_t prompt[TEST_TINY_PROMPT];
    uint32_t V;
};
extern struct test_model tm;

/* A checked fixture: the tiny model's numbers and the prompt. */
void tm_enter(void);

void tm_open_model(const char *path, uint32_t chunk);
void tm_open_tiny(uint32_t chunk);
void tm_close_model(void);

/* Logits (V), owned by the caller: of the state now; after the prompt, in
 * pieces of n tokens; after n tokens, by plain C. */
float *tm_logits_now(void);
float *tm_logits_in_pieces(uint32_t n);
float *tm_logits_of_ref(const uint32_t *ids, uint32_t n);

/* Fails the test beyond the bound; frees both. */
void tm_expect_equal(float *got, float *want, double bound);

#endif
