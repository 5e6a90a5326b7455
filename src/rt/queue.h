/* SPDX-License-Identifier: MIT */
/*
 * One in-order queue with a sticky first error: after a failure every call
 * does nothing, and _finish tells which kernel or copy failed and how.  So
 * the graph needs no check on each line.
 */
#ifndef ANSER_RT_QUEUE_H
#define ANSER_RT_QUEUE_H

#include "rt/device.h"

struct anser_buf;
struct anser_kernel;
struct anser_waiter;

struct anser_queue {
    anser_device *device;        /* borrowed                                */
    cl_command_queue cl;         /* owned; a caller's one is retained       */
    struct anser_waiter *waiter; /* owned: how to wait (ANSER_WAIT)         */
    enum anser_status status;    /* the first failure                       */
    char text[512];              /* its text, put back into ctx by _finish  */
    uint64_t launches;           /* kernels enqueued since _new             */
};

/* A new queue, or on the caller's own one if that is not NULL. */
enum anser_status anser_queue_new(anser_device *device, cl_command_queue own,
                                  struct anser_queue **queue);
void anser_queue_free(struct anser_queue *queue);

/* Work-items in all and in a group, along x, y, z; 0 along y or z is 1.
 * local[0] = 0 leaves the group to the driver. */
struct anser_grid {
    size_t global[3], local[3];
};

/* Enqueues a kernel.  Argument 0 is the struct at args(bytes), when bytes is
 * not 0; the n buffers follow in order. */
struct anser_call {
    const void *args;
    size_t bytes;
    const cl_mem *mems;
    unsigned n;
};
void anser_queue_run(struct anser_queue *q, struct anser_kernel *kernel,
                     struct anser_grid grid, struct anser_call call);

/* anser_queue_run with the buffers written out. */
#define ANSER_RUN(q, kernel, grid, args_, ...)                              \
    anser_queue_run(q, kernel, grid, (struct anser_call){                   \
        .args = &(args_), .bytes = sizeof(args_),                           \
        .mems = (const cl_mem[]){ __VA_ARGS__ },                            \
        .n = sizeof((const cl_mem[]){ __VA_ARGS__ }) / sizeof(cl_mem) })

/* Copies between host and buffer at byte offset `at`; 0 bytes do nothing.
 * _write keeps no copy: data must stay until _finish or a _read.  _read waits
 * for all that was enqueued before it. */
void anser_queue_write(struct anser_queue *q, cl_mem mem, size_t at,
                       const void *data, size_t bytes);
void anser_queue_read(struct anser_queue *q, cl_mem mem, size_t at,
                      void *data, size_t bytes);
void anser_queue_copy(struct anser_queue *q, cl_mem from, size_t from_at,
                      cl_mem to, size_t to_at, size_t bytes);
void anser_queue_zero(struct anser_queue *q, cl_mem mem, size_t at,
                      size_t bytes);

/* A read that doesn't wait: data is there once *done is awaited.  *done stays
 * NULL after a failure. */
void anser_queue_read_later(struct anser_queue *q, cl_mem mem, size_t at,
                            void *data, size_t bytes, cl_event *done);

/* Waits for an event of this queue, which must have been flushed, and releases
 * it, also after a failure of a later command; false if its own command
 * failed. */
bool anser_queue_await(struct anser_queue *q, cl_event done);

/* Hands what is queued to the device without waiting. */
void anser_queue_flush(struct anser_queue *q);

/* Waits; returns the sticky status and clears it.  On failure the text of the
 * first one is what anser_error tells. */
enum anser_status anser_queue_finish(struct anser_queue *q);

/* The sticky status without waiting, not cleared. */
enum anser_status anser_queue_status(const struct anser_queue *q);

/* Records a failure found elsewhere; the text has been set by anser_fail.  A
 * later one changes nothing. */
void anser_queue_poison(struct anser_queue *q, enum anser_status status);

#endif
