/* SPDX-License-Identifier: MIT */
/* Reading what bench_json.c wrote: one document, several, or an array. */
#ifndef ANSER_TOOLS_BENCH_READ_H
#define ANSER_TOOLS_BENCH_READ_H

#include <jansson.h>
#include <stddef.h>

/* text(n) as an array of documents of schema anser-bench-1, owned by the
 * caller; -1 with the reason, and `name` before it, told on stderr. */
int anser_bench_documents(const char *name, const char *text, size_t n,
                          json_t **documents);

#endif
