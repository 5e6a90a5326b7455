/* SPDX-License-Identifier: MIT */
/*
 * Device memory: cl_mem by size class, kept when freed, committed when made.
 *
 * A class is the size rounded up to 4 leading bits (at most 12.5 % more), at
 * least 256 bytes.
 * Freed buffers are kept up to a number of entries and bytes; an allocation
 * that fails drops what is held and tries once more.  One in-order queue uses
 * them all, so a freed buffer may be handed out again at once.
 */
#ifndef ANSER_RT_BUFFER_H
#define ANSER_RT_BUFFER_H

#include "rt/queue.h"

struct anser_buf {
    cl_mem mem;                  /* owned by the pool, lent                 */
    size_t bytes;                /* of the size class                       */
};

struct anser_pool_stats {
    uint64_t hits, misses;       /* pool requests served from held / created */
    uint64_t created;            /* clCreateBuffer calls, exact ones too    */
    uint64_t held_bytes, held;   /* kept for reuse                          */
    uint64_t used_bytes;         /* lent out, exact ones too                */
    uint64_t peak_bytes;         /* the most ever, used and held            */
};

enum anser_status anser_pool_new(anser_device *device,
                                 struct anser_pool **pool);
void anser_pool_free(struct anser_pool *pool);
void anser_pool_stats(const struct anser_pool *pool,
                      struct anser_pool_stats *stats);
/* Releases all that is held. */
void anser_pool_trim(struct anser_pool *pool);

/* A read-write buffer of at least bytes (0 counts as 1), its content
 * undefined.  NO_MEMORY says how much was asked for and what the device
 * has. */
enum anser_status anser_buf_new(anser_device *device, size_t bytes,
                                struct anser_buf *buf);
void anser_buf_free(anser_device *device, struct anser_buf *buf);

/* The size class of a request, at most max_alloc if the request is. */
size_t anser_pool_class(size_t bytes, cl_ulong max_alloc);

/* One large buffer outside the pool, of exactly this size (weights). */
enum anser_status anser_buf_new_exact(anser_device *device, size_t bytes,
                                      struct anser_buf *buf);
void anser_buf_free_exact(anser_device *device, struct anser_buf *buf);

/* A read-only buffer over the caller's memory, without a copy where the device
 * shares it (a CPU).  The memory must stay while commands read it; the buffer
 * may be freed as soon as they are enqueued. */
enum anser_status anser_buf_over(anser_device *device, const void *data,
                                 size_t bytes, struct anser_buf *buf);
void anser_buf_free_over(anser_device *device, struct anser_buf *buf);

#endif
