/* SPDX-License-Identifier: MIT */
/*
 * The in-order queue.  Every call checks the sticky status first and records
 * the first failure with the name of what failed; nothing else is needed on
 * the lines of the graph.
 */
#include "rt/queue.h"

#include "rt/program.h"
#include "rt/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum anser_status anser_queue_new(anser_device *device, cl_command_queue own,
                                  struct anser_queue **queue)
{
    cl_int code;
    struct anser_queue *q = calloc(1, sizeof *q);
    if (q == NULL)
        return anser_fail_memory(device->ctx, sizeof *q);
    q->device = device;
    enum anser_status status = anser_waiter_new(device->ctx,
                                                device->settings.wait,
                                                &q->waiter);
    if (status != ANSER_OK)
        goto fail;
    if (own != NULL) {
        code = clRetainCommandQueue(own);
        q->cl = code == CL_SUCCESS ? own : NULL;
    } else {
        q->cl = clCreateCommandQueue(device->context, device->id, 0, &code);
    }
    if (q->cl == NULL || code != CL_SUCCESS) {
        status = anser_fail_cl(device->ctx, code, "%s: no command queue",
                               device->caps.name);
        goto fail;
    }
    *queue = q;
    return ANSER_OK;
fail:
    anser_queue_free(q);
    return status;
}

void anser_queue_free(struct anser_queue *q)
{
    if (q == NULL)
        return;
    if (q->cl != NULL) {
        clFinish(q->cl);
        clReleaseCommandQueue(q->cl);
    }
    anser_waiter_free(q->waiter);
    free(q);
}

void anser_queue_poison(struct anser_queue *q, enum anser_status status)
{
    if (q->status != ANSER_OK || status == ANSER_OK)
        return;
    q->status = status;
    snprintf(q->text, sizeof q->text, "%s", anser_error(q->device->ctx));
}

enum anser_status anser_queue_status(const struct anser_queue *q)
{
    return q->status;
}

/* Records a code, with what was being done to what. */
static void note(struct anser_queue *q, cl_int code, const char *what,
                 const char *name)
{
    if (code != CL_SUCCESS && q->status == ANSER_OK)
        anser_queue_poison(q, anser_fail_cl(q->device->ctx, code,
                                            "%s: %s %s",
                                            q->device->caps.name, what, name));
}

/* Sets argument 0 unless it is equal to what it was. */
static void set_struct(struct anser_queue *q, struct anser_kernel *kernel,
                       const struct anser_call *call)
{
    if (call->bytes == kernel->args_bytes
        && memcmp(kernel->args, call->args, call->bytes) == 0)
        return;
    kernel->args_bytes = 0;
    cl_int code = clSetKernelArg(kernel->cl, 0, call->bytes, call->args);
    note(q, code, "argument 0 of kernel", kernel->name);
    if (code == CL_SUCCESS && call->bytes <= sizeof kernel->args) {
        memcpy(kernel->args, call->args, call->bytes);
        kernel->args_bytes = call->bytes;
    }
}

static void set_mems(struct anser_queue *q, struct anser_kernel *kernel,
                     const struct anser_call *call)
{
    const anser_device *device = q->device;
    unsigned first = call->bytes > 0 ? 1 : 0;
    bool keep = !device->borrowed && kernel->epoch == device->mem_epoch;
    for (unsigned i = 0; i < call->n; i++) {
        if (keep && i < kernel->n_mems && kernel->mems[i] == call->mems[i])
            continue;
        cl_int code = clSetKernelArg(kernel->cl, first + i, sizeof(cl_mem),
                                     &call->mems[i]);
        if (code != CL_SUCCESS) {
            kernel->n_mems = 0;
            note(q, code, "a buffer argument of kernel", kernel->name);
            return;
        }
        kernel->mems[i] = call->mems[i];
    }
    kernel->n_mems = call->n;
    kernel->epoch = device->mem_epoch;
}

/* The number of dimensions used, with 0 made 1; or 0 if x is empty. */
static cl_uint fill_grid(struct anser_grid *grid)
{
    cl_uint dims = 1;
    for (cl_uint i = 1; i < 3; i++) {
        if (grid->global[i] == 0)
            grid->global[i] = 1;
        if (grid->local[i] == 0)
            grid->local[i] = 1;
        if (grid->global[i] > 1)
            dims = i + 1;
    }
    return grid->global[0] == 0 ? 0 : dims;
}

void anser_queue_run(struct anser_queue *q, struct anser_kernel *kernel,
                     struct anser_grid grid, struct anser_call call)
{
    if (q->status != ANSER_OK)
        return;
    cl_uint dims = fill_grid(&grid);
    if (dims == 0 || call.n > sizeof kernel->mems / sizeof(cl_mem)) {
        anser_queue_poison(q, anser_fail(q->device->ctx, ANSER_BAD_ARG,
            "kernel %s: %zu work-items, %u buffers", kernel->name,
            grid.global[0], call.n));
        return;
    }
    if (call.bytes > 0)
        set_struct(q, kernel, &call);
    set_mems(q, kernel, &call);
    if (q->status != ANSER_OK)
        return;
    cl_int code = clEnqueueNDRangeKernel(q->cl, kernel->cl, dims, NULL,
        grid.global, grid.local[0] == 0 ? NULL : grid.local, 0, NULL, NULL);
    note(q, code, "kernel", kernel->name);
    kernel->ran = true;
    q->launches++;
}

void anser_queue_write(struct anser_queue *q, cl_mem mem, size_t at,
                       const void *data, size_t bytes)
{
    if (q->status != ANSER_OK || bytes == 0)
        return;
    note(q, clEnqueueWriteBuffer(q->cl, mem, CL_FALSE, at, bytes, data, 0,
                                 NULL, NULL), "writing", "a buffer");
}

/* Waits for an event by the chosen way and releases it. */
static cl_int wait_for(struct anser_queue *q, cl_event event)
{
    cl_int code = clFlush(q->cl);
    if (code == CL_SUCCESS)
        code = anser_waiter_wait(q->waiter, event);
    clReleaseEvent(event);
    return code;
}

void anser_queue_read(struct anser_queue *q, cl_mem mem, size_t at,
                      void *data, size_t bytes)
{
    if (q->status != ANSER_OK || bytes == 0)
        return;
    bool block = anser_waiter_how(q->waiter) == ANSER_WAIT_BLOCK;
    cl_event event = NULL;
    cl_int code = clEnqueueReadBuffer(q->cl, mem, block ? CL_TRUE : CL_FALSE,
                                      at, bytes, data, 0, NULL,
                                      block ? NULL : &event);
    if (code == CL_SUCCESS && !block)
        code = wait_for(q, event);
    note(q, code, "reading", "a buffer");
}

void anser_queue_read_later(struct anser_queue *q, cl_mem mem, size_t at,
                            void *data, size_t bytes, cl_event *done)
{
    *done = NULL;
    if (q->status == ANSER_OK)
        note(q, clEnqueueReadBuffer(q->cl, mem, CL_FALSE, at, bytes, data, 0,
                                    NULL, done), "reading", "a buffer");
}

bool anser_queue_await(struct anser_queue *q, cl_event done)
{
    const cl_int code = anser_waiter_wait(q->waiter, done);
    clReleaseEvent(done);
    note(q, code, "reading", "a buffer");
    return code == CL_SUCCESS;
}

void anser_queue_copy(struct anser_queue *q, cl_mem from, size_t from_at,
                      cl_mem to, size_t to_at, size_t bytes)
{
    if (q->status != ANSER_OK || bytes == 0)
        return;
    note(q, clEnqueueCopyBuffer(q->cl, from, to, from_at, to_at, bytes, 0,
                                NULL, NULL), "copying", "a buffer");
}

/* A fill needs its offset and size to be multiples of the pattern's. */
void anser_queue_zero(struct anser_queue *q, cl_mem mem, size_t at,
                      size_t bytes)
{
    static const cl_uint zero = 0;
    if (q->status != ANSER_OK || bytes == 0)
        return;
    size_t pattern = (at | bytes) % sizeof zero == 0 ? sizeof zero : 1;
    note(q, clEnqueueFillBuffer(q->cl, mem, &zero, pattern, at, bytes, 0,
                                NULL, NULL), "clearing", "a buffer");
}

void anser_queue_flush(struct anser_queue *q)
{
    if (q->status == ANSER_OK)
        note(q, clFlush(q->cl), "flushing", "the queue");
}

/* A marker waited for by the chosen way.  Not clFinish: rusticl of Mesa 22.3
 * then waits for nothing if all that was enqueued has been flushed, and reads
 * what _write was given when its owner may have freed it [measured]. */
static cl_int finish(struct anser_queue *q)
{
    cl_event event = NULL;
    cl_int code = clEnqueueMarkerWithWaitList(q->cl, 0, NULL, &event);
    if (code != CL_SUCCESS)
        return code;
    if (anser_waiter_how(q->waiter) != ANSER_WAIT_BLOCK)
        return wait_for(q, event);
    code = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return code;
}

enum anser_status anser_queue_finish(struct anser_queue *q)
{
    note(q, finish(q), "finishing", "the queue");
    enum anser_status status = q->status;
    if (status == ANSER_OK)
        return ANSER_OK;
    q->status = ANSER_OK;
    return anser_fail(q->device->ctx, status, "%s", q->text);
}
