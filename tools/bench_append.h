/* SPDX-License-Identifier: MIT */
/* A log on disk that several processes may add to at once. */
#ifndef ANSER_TOOLS_BENCH_APPEND_H
#define ANSER_TOOLS_BENCH_APPEND_H

#include "text.h"

#include <stddef.h>

/* Makes the new content from log(n); NULL, or why it can't. */
typedef const char *anser_append_fn(void *user, const char *log, size_t n,
                                    struct anser_text *out);

/* Replaces the file (made if it is not there) by what fn makes of it, under a
 * lock and at once: nobody sees half of it, and no other process's addition is
 * lost.  A link stays one.  0, or -1 with the reason told on stderr and the
 * file as it was. */
int anser_append(const char *path, anser_append_fn *fn, void *user);

#endif
