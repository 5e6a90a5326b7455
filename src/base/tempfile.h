/* SPDX-License-Identifier: MIT */
/*
 * A file that is whole or not there: it grows under a temporary name beside
 * its target and gets its own name at the end.  GGUF files and saved states
 * are written so.
 */
#ifndef ANSER_BASE_TEMPFILE_H
#define ANSER_BASE_TEMPFILE_H

#include "base/ctx.h"

#include <stdio.h>

struct anser_tempfile {
    anser_ctx *ctx;                  /* borrowed                            */
    char *path, *temporary;          /* owned                               */
    FILE *out;                       /* owned                               */
};

/* Begins a file that will be path.  IO, with the path in the text; t is then
 * as after _abandon. */
enum anser_status anser_tempfile_open(anser_ctx *ctx, const char *path,
                                      struct anser_tempfile *t);

enum anser_status anser_tempfile_write(struct anser_tempfile *t,
                                       const void *data, size_t n);

/* Syncs and renames; on failure nothing is left.  t is then as after
 * _abandon. */
enum anser_status anser_tempfile_finish(struct anser_tempfile *t);

/* Removes what was written.  May be called again, and on a zeroed t. */
void anser_tempfile_abandon(struct anser_tempfile *t);

#endif
