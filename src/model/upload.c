/* SPDX-License-Identifier: MIT */
/* Threads that copy pieces of a file to a device; see upload.h. */
#include "model/upload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An H100's bus takes 54 GB/s and a thread copies 8 to 10. */
enum { THREADS = 8, SLOTS = 2 };
#define PIECE ((size_t)1 << 20)
/* Less than this is not worth threads. */
#define FEW_BYTES ((uint64_t)16 << 20)

struct piece {
    cl_mem mem;
    size_t at, bytes;
    const unsigned char *data;
};

struct worker {
    struct anser_upload *upload;
    cl_command_queue queue;          /* owned                               */
    cl_mem pinned;                   /* owned: SLOTS pieces, or NULL        */
    unsigned char *slots;            /* where it is mapped, or NULL         */
    cl_event busy[SLOTS];            /* owned: what reads a slot, or NULL   */
    pthread_t thread;
    bool started;
};

struct anser_upload {
    anser_device *device;            /* borrowed                            */
    bool pinned;
    struct piece *pieces;            /* owned, (n)                          */
    size_t n, room;
    uint64_t bytes;                  /* of all pieces                       */
    atomic_size_t next;              /* the piece that is begun next        */
    atomic_ullong done;              /* bytes                               */
    atomic_int code;                 /* the first failure; 1: cancelled     */
    struct worker workers[THREADS];
};

enum anser_status anser_upload_new(anser_device *device, bool pinned,
                                   struct anser_upload **upload)
{
    struct anser_upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return anser_fail_memory(device->ctx, sizeof *u);
    u->device = device;
    u->pinned = pinned;
    *upload = u;
    return ANSER_OK;
}

enum anser_status anser_upload_add(struct anser_upload *u, cl_mem mem,
                                   size_t at, const unsigned char *data,
                                   size_t bytes)
{
    for (size_t from = 0; from < bytes; from += PIECE) {
        if (u->n == u->room) {
            const size_t room = u->room * 2 + 256;
            struct piece *grown = realloc(u->pieces, room * sizeof *grown);
            if (grown == NULL)
                return anser_fail_memory(u->device->ctx, room * sizeof *grown);
            u->pieces = grown;
            u->room = room;
        }
        const size_t left = bytes - from;
        u->pieces[u->n++] = (struct piece){
            mem, at + from, left < PIECE ? left : PIECE, data + from
        };
    }
    u->bytes += bytes;
    return ANSER_OK;
}

/* ------------------------------------------------------------- a worker */

/* Without pinned memory pieces go from the file as it is mapped. */
static void pin(struct worker *w)
{
    const struct anser_upload *u = w->upload;
    cl_int code;
    w->pinned = clCreateBuffer(u->device->context,
                               CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
                               SLOTS * PIECE, NULL, &code);
    if (w->pinned == NULL || code != CL_SUCCESS) {
        w->pinned = NULL;
        return;
    }
    w->slots = clEnqueueMapBuffer(w->queue, w->pinned, CL_TRUE, CL_MAP_WRITE,
                                  0, SLOTS * PIECE, 0, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        w->slots = NULL;
}

/* Waits until the device has read a slot. */
static cl_int free_slot(struct worker *w, unsigned slot)
{
    cl_event event = w->busy[slot];
    if (event == NULL)
        return CL_SUCCESS;
    w->busy[slot] = NULL;
    const cl_int code = clWaitForEvents(1, &event);
    clReleaseEvent(event);
    return code;
}

static cl_int send(struct worker *w, unsigned slot, const struct piece *p)
{
    const unsigned char *from = p->data;
    cl_int code = free_slot(w, slot);
    if (code != CL_SUCCESS)
        return code;
    if (w->slots != NULL)
        from = memcpy(w->slots + slot * PIECE, p->data, p->bytes);
    code = clEnqueueWriteBuffer(w->queue, p->mem, CL_FALSE, p->at, p->bytes,
                                from, 0, NULL, &w->busy[slot]);
    return code == CL_SUCCESS ? clFlush(w->queue) : code;
}

static void note(struct anser_upload *u, int code)
{
    int none = CL_SUCCESS;
    if (code != CL_SUCCESS)
        atomic_compare_exchange_strong(&u->code, &none, code);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct anser_upload *u = w->upload;
    if (u->pinned)
        pin(w);
    for (unsigned slot = 0; atomic_load(&u->code) == CL_SUCCESS;
         slot = (slot + 1) % SLOTS) {
        const size_t i = atomic_fetch_add(&u->next, 1);
        if (i >= u->n)
            break;
        note(u, send(w, slot, &u->pieces[i]));
        atomic_fetch_add(&u->done, u->pieces[i].bytes);
    }
    for (unsigned slot = 0; slot < SLOTS; slot++)
        note(u, free_slot(w, slot));
    return NULL;
}

static void close_worker(struct worker *w)
{
    if (w->slots != NULL)
        clEnqueueUnmapMemObject(w->queue, w->pinned, w->slots, 0, NULL, NULL);
    if (w->queue != NULL) {
        clFinish(w->queue);
        clReleaseCommandQueue(w->queue);
    }
    if (w->pinned != NULL)
        clReleaseMemObject(w->pinned);
    *w = (struct worker){ .upload = NULL };
}

/* ------------------------------------------------------------- all of them */

/* Signals stay with the caller's threads. */
static bool begin(struct worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    w->started = pthread_create(&w->thread, NULL, work, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return w->started;
}

static bool open_worker(struct anser_upload *u, struct worker *w)
{
    cl_int code;
    *w = (struct worker){ .upload = u };
    w->queue = clCreateCommandQueue(u->device->context, u->device->id, 0,
                                    &code);
    if (code != CL_SUCCESS)
        w->queue = NULL;
    return w->queue != NULL;
}

static long threads(const struct anser_upload *u)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (u->bytes < FEW_BYTES)
        return 0;
    return cores < 1 ? 1 : cores > THREADS ? THREADS : cores;
}

void anser_upload_start(struct anser_upload *u)
{
    long running = 0;
    for (long i = 0; i < threads(u); i++)
        if (open_worker(u, &u->workers[i]) && begin(&u->workers[i]))
            running++;
    if (running > 0)
        return;
    close_worker(&u->workers[0]);
    if (open_worker(u, &u->workers[0]))
        work(&u->workers[0]);
    else
        note(u, CL_OUT_OF_RESOURCES);
}

uint64_t anser_upload_done(const struct anser_upload *u)
{
    return atomic_load(&u->done);
}

bool anser_upload_ended(const struct anser_upload *u)
{
    return atomic_load(&u->done) >= u->bytes
           || atomic_load(&u->code) != CL_SUCCESS;
}

void anser_upload_cancel(struct anser_upload *u)
{
    note(u, 1);
}

static void end_workers(struct anser_upload *u)
{
    for (int i = 0; i < THREADS; i++) {
        struct worker *w = &u->workers[i];
        if (w->started)
            pthread_join(w->thread, NULL);
        if (w->upload != NULL)
            close_worker(w);
    }
}

enum anser_status anser_upload_finish(struct anser_upload *u)
{
    end_workers(u);
    const int code = atomic_load(&u->code);
    if (code == CL_SUCCESS)
        return ANSER_OK;
    if (code > 0)
        return anser_fail(u->device->ctx, ANSER_CANCELLED,
                          "loading was cancelled");
    return anser_fail_cl(u->device->ctx, code, "%s: uploading the weights",
                         u->device->caps.name);
}

void anser_upload_free(struct anser_upload *u)
{
    if (u == NULL)
        return;
    anser_upload_cancel(u);
    end_workers(u);
    free(u->pieces);
    free(u);
}
