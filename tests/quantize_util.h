/* SPDX-License-Identifier: MIT */
/*
 * What the suites of anser_quantize share: a context that counts notices, and
 * small models to quantise.
 */
#ifndef ANSER_QUANTIZE_UTIL_H
#define ANSER_QUANTIZE_UTIL_H

#include "base/gguf.h"
#include "check_util.h"

/* A scratch directory, the context and the number of notices in its log:
 * checked fixtures of a TCase. */
void test_quantize_enter(void);
void test_quantize_leave(void);
anser_ctx *test_quantize_ctx(void);
unsigned test_quantize_notices(void);

anser_file *test_quantize_open(const char *path);

/* A tiny model with C channels, 4 C in the feed-forward layers. */
anser_file *test_quantize_model(const char *name, uint32_t C,
                                const char *type);

struct anser_quantize_options test_quantize_options(const char *type);

/* Must succeed. */
void test_quantize(const anser_file *file,
                   const struct anser_quantize_options *options,
                   const char *path);

/* The type of a tensor. */
const char *test_quantize_type(const anser_file *file, const char *name);

#endif
