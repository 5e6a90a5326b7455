/* SPDX-License-Identifier: MIT */
/*
 * The World vocabulary from its author's list, as a GGUF file stores it:
 * 65,536 texts, id 0 "<s>" and the unused ids at the end "[PADn]" included.
 */
#ifndef ANSER_BASE_WORLD_H
#define ANSER_BASE_WORLD_H

#include "base/gguf.h"

#define ANSER_WORLD_V 65536u

struct anser_world {
    struct anser_gguf_text *tokens;  /* owned (ANSER_WORLD_V)               */
    int32_t *types;                  /* owned: 1 normal, 3 control, 5 unused */
    char *arena;                     /* owned: what tokens point into       */
};

/* Lines of the list are: id, a Python literal of str or bytes, its number of
 * bytes; ids count from 1.  BAD_FILE names the line. */
enum anser_status anser_world_read(anser_ctx *ctx, const char *path,
                                   struct anser_world *world);
void anser_world_free(struct anser_world *world);

#endif
