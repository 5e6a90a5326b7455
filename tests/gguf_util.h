/* SPDX-License-Identifier: MIT */
/* What the suites of GGUF files share: a context for each test, and a small
 * file. */
#ifndef ANSER_GGUF_UTIL_H
#define ANSER_GGUF_UTIL_H

#include "check_util.h"

#include "base/gguf_write.h"

extern anser_ctx *gguf_ctx;

/* A checked fixture. */
void gguf_enter(void);
void gguf_leave(void);

/* Fails the test with the error's text. */
void gguf_must(enum anser_status status);

/* A few keys and two tensors, of 5 floats and of 3 rows of Q8_0. */
void gguf_write_sample(struct anser_gguf_writer *w);

#endif
