/* SPDX-License-Identifier: MIT */
/*
 * Where matrices lie in few large buffers, none larger than one allocation
 * may be.  A matrix goes into the current buffer if it fits, else into a new
 * one; one that fits in no buffer is split by rows.
 */
#ifndef ANSER_MODEL_PLACEMENT_H
#define ANSER_MODEL_PLACEMENT_H

#include "op/op.h"
#include "rt/buffer.h"

struct anser_placement {
    anser_ctx *ctx;                  /* borrowed                            */
    uint64_t most;                   /* bytes of a buffer                   */
    uint64_t bytes;                  /* in all                              */
    uint64_t *sizes;                 /* owned, (n): bytes of each buffer    */
    uint32_t n;
    struct anser_matrix **placed;    /* owned list, matrices borrowed       */
    size_t n_placed, room;
};

void anser_placement_init(struct anser_placement *p, anser_ctx *ctx,
                          uint64_t max_alloc);
void anser_placement_free(struct anser_placement *p);

/* Gives W its parts; their buffer is a number until _buffers.  UNSUPPORTED: a
 * single row is larger than a buffer may be. */
enum anser_status anser_placement_add(struct anser_placement *p,
                                      struct anser_matrix *W);

/* Makes the buffers, owned by the caller, and puts them into the parts. */
enum anser_status anser_placement_buffers(struct anser_placement *p,
                                          anser_device *device,
                                          struct anser_buf **buffers,
                                          uint32_t *n);

#endif
