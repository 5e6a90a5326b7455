/* SPDX-License-Identifier: MIT */
/*
 * The buffer pool.  Most drivers commit memory only at the first use, so a
 * new buffer is migrated to its device at once: an allocation fails here and
 * not in the middle of a token (pyopencl's ImmediateAllocator does the same).
 */
#include "rt/buffer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CLASS_MIN 256
/* What is held may be this part of the device's memory. */
#define HELD_PART 8

struct anser_pool {
    anser_device *device;        /* borrowed                                */
    struct anser_buf *held;      /* owned (entries), the oldest first       */
    size_t entries;              /* how many may be held                    */
    cl_ulong held_max;           /* bytes that may be held                  */
    struct anser_pool_stats stats;
};

size_t anser_pool_class(size_t bytes, cl_ulong max_alloc)
{
    if (bytes <= CLASS_MIN)
        return CLASS_MIN;
    size_t step = 1;
    while (bytes / step >= 16)
        step *= 2;
    size_t rounded = (bytes + step - 1) / step * step;
    return bytes <= max_alloc && rounded > max_alloc ? (size_t)max_alloc
                                                     : rounded;
}

enum anser_status anser_pool_new(anser_device *device,
                                 struct anser_pool **pool)
{
    size_t entries = device->settings.pool_entries;
    struct anser_pool *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    made->device = device;
    made->entries = entries;
    made->held_max = device->caps.memory / HELD_PART;
    made->held = calloc(entries + 1, sizeof *made->held);
    if (made->held == NULL) {
        free(made);
        return anser_fail_memory(device->ctx, entries * sizeof *made->held);
    }
    *pool = made;
    return ANSER_OK;
}

void anser_pool_free(struct anser_pool *pool)
{
    if (pool == NULL)
        return;
    anser_pool_trim(pool);
    free(pool->held);
    free(pool);
}

void anser_pool_stats(const struct anser_pool *pool,
                      struct anser_pool_stats *stats)
{
    *stats = pool->stats;
}

static void release(struct anser_pool *pool, cl_mem mem)
{
    clReleaseMemObject(mem);
    pool->device->mem_epoch++;
}

/* Takes entry i out of the list of held buffers. */
static struct anser_buf take(struct anser_pool *pool, size_t i)
{
    struct anser_buf buf = pool->held[i];
    pool->stats.held--;
    pool->stats.held_bytes -= buf.bytes;
    memmove(&pool->held[i], &pool->held[i + 1],
            (pool->stats.held - i) * sizeof buf);
    return buf;
}

void anser_pool_trim(struct anser_pool *pool)
{
    while (pool->stats.held > 0)
        release(pool, take(pool, pool->stats.held - 1).mem);
}

/* Drops held buffers, the largest first, until `bytes` are freed or none is
 * left, and waits so that the device has them back. */
static void make_room(struct anser_pool *pool, size_t bytes)
{
    size_t freed = 0;
    while (pool->stats.held > 0 && freed < bytes) {
        size_t largest = 0;
        for (size_t i = 1; i < pool->stats.held; i++)
            if (pool->held[i].bytes > pool->held[largest].bytes)
                largest = i;
        struct anser_buf buf = take(pool, largest);
        freed += buf.bytes;
        release(pool, buf.mem);
    }
    clFinish(pool->device->queue->cl);
}

/* Creates and commits; CL_INVALID_OPERATION from the migration only means
 * that the driver has none, and a write of 4 bytes does it then. */
static cl_int create(struct anser_pool *pool, size_t bytes, cl_mem *mem)
{
    static const cl_uint zero = 0;
    cl_int code;
    cl_command_queue queue = pool->device->queue->cl;
    cl_mem made = clCreateBuffer(pool->device->context, CL_MEM_READ_WRITE,
                                 bytes, NULL, &code);
    pool->stats.created++;
    if (made == NULL || code != CL_SUCCESS)
        return code == CL_SUCCESS ? CL_MEM_OBJECT_ALLOCATION_FAILURE : code;
    code = clEnqueueMigrateMemObjects(queue, 1, &made,
        CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0, NULL, NULL);
    if (code == CL_INVALID_OPERATION)
        code = clEnqueueWriteBuffer(queue, made, CL_TRUE, 0, sizeof zero,
                                    &zero, 0, NULL, NULL);
    if (code != CL_SUCCESS) {
        clReleaseMemObject(made);
        return code;
    }
    *mem = made;
    return CL_SUCCESS;
}

static bool is_memory_failure(cl_int code)
{
    return code == CL_MEM_OBJECT_ALLOCATION_FAILURE
           || code == CL_OUT_OF_RESOURCES || code == CL_OUT_OF_HOST_MEMORY
           || code == CL_INVALID_BUFFER_SIZE;
}

/* MiB, rounded up, for messages. */
static unsigned long long mib(cl_ulong bytes)
{
    return (unsigned long long)((bytes + 1048575) >> 20);
}

static enum anser_status fail_create(const struct anser_pool *pool,
                                     size_t bytes, cl_int code)
{
    const struct anser_caps *caps = &pool->device->caps;
    if (!is_memory_failure(code))
        return anser_fail_cl(pool->device->ctx, code,
                             "%s: a buffer of %zu bytes", caps->name, bytes);
    return anser_fail(pool->device->ctx, ANSER_NO_MEMORY,
        "%s: no memory for a buffer of %llu MiB (%s); the device has %llu MiB,"
        " %llu MiB of them in use here", caps->name, mib(bytes),
        anser_cl_name(code), mib(caps->memory), mib(pool->stats.used_bytes));
}

static void lend(struct anser_pool *pool, size_t bytes)
{
    struct anser_pool_stats *s = &pool->stats;
    s->used_bytes += bytes;
    if (s->used_bytes + s->held_bytes > s->peak_bytes)
        s->peak_bytes = s->used_bytes + s->held_bytes;
}

/* Creates, and once more after dropping what is held. */
static enum anser_status make(struct anser_pool *pool, size_t bytes,
                              struct anser_buf *buf)
{
    const struct anser_caps *caps = &pool->device->caps;
    if (bytes > caps->max_alloc)
        return anser_fail(pool->device->ctx, ANSER_NO_MEMORY,
            "%s: a buffer of %llu MiB is over the device's limit of %llu MiB",
            caps->name, mib(bytes), mib(caps->max_alloc));
    struct anser_buf made = { .mem = NULL, .bytes = bytes };
    cl_int code = create(pool, bytes, &made.mem);
    if (is_memory_failure(code) && pool->stats.held > 0) {
        anser_log(pool->device->ctx, 2, "no memory for %zu bytes (%s): "
                  "dropping held buffers", bytes, anser_cl_name(code));
        make_room(pool, bytes);
        code = create(pool, bytes, &made.mem);
    }
    if (code != CL_SUCCESS)
        return fail_create(pool, bytes, code);
    lend(pool, bytes);
    *buf = made;
    return ANSER_OK;
}

enum anser_status anser_buf_new(anser_device *device, size_t bytes,
                                struct anser_buf *buf)
{
    struct anser_pool *pool = device->pool;
    size_t class = anser_pool_class(bytes, device->caps.max_alloc);
    for (size_t i = pool->stats.held; i-- > 0; )
        if (pool->held[i].bytes == class) {
            *buf = take(pool, i);
            pool->stats.hits++;
            lend(pool, class);
            return ANSER_OK;
        }
    pool->stats.misses++;
    return make(pool, class, buf);
}

void anser_buf_free(anser_device *device, struct anser_buf *buf)
{
    struct anser_pool *pool = device->pool;
    if (buf == NULL || buf->mem == NULL)
        return;
    pool->stats.used_bytes -= buf->bytes;
    pool->held[pool->stats.held++] = *buf;
    pool->stats.held_bytes += buf->bytes;
    *buf = (struct anser_buf){ .mem = NULL };
    while (pool->stats.held > pool->entries
           || pool->stats.held_bytes > pool->held_max)
        release(pool, take(pool, 0).mem);
}

/* Asks for huge pages under a buffer that is the host's own memory: fewer
 * faults while it is filled, fewer misses while it is read.  Only advice. */
static void ask_huge(anser_device *device, const struct anser_buf *buf)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 2 << 20;
    const cl_command_queue queue = device->queue->cl;
    cl_int code;
    void *at = clEnqueueMapBuffer(queue, buf->mem, CL_TRUE, CL_MAP_WRITE, 0,
                                  buf->bytes, 0, NULL, NULL, &code);
    if (at == NULL || code != CL_SUCCESS)
        return;
    const uintptr_t from = ((uintptr_t)at + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)at + buf->bytes) / page * page;
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    clEnqueueUnmapMemObject(queue, buf->mem, at, 0, NULL, NULL);
#else
    (void)device;
    (void)buf;
#endif
}

enum anser_status anser_buf_new_exact(anser_device *device, size_t bytes,
                                      struct anser_buf *buf)
{
    TRY(make(device->pool, bytes > 0 ? bytes : 1, buf));
    if ((device->caps.type & CL_DEVICE_TYPE_CPU) != 0)
        ask_huge(device, buf);
    return ANSER_OK;
}

void anser_buf_free_exact(anser_device *device, struct anser_buf *buf)
{
    if (buf == NULL || buf->mem == NULL)
        return;
    device->pool->stats.used_bytes -= buf->bytes;
    release(device->pool, buf->mem);
    *buf = (struct anser_buf){ .mem = NULL };
}

enum anser_status anser_buf_over(anser_device *device, const void *data,
                                 size_t bytes, struct anser_buf *buf)
{
    cl_int code;
    /* OpenCL has no const here; CL_MEM_READ_ONLY is the promise. */
    cl_mem made = clCreateBuffer(device->context,
                                 CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR,
                                 bytes, (void *)(uintptr_t)data, &code);
    if (made == NULL || code != CL_SUCCESS)
        return fail_create(device->pool, bytes, code);
    *buf = (struct anser_buf){ made, bytes };
    return ANSER_OK;
}

void anser_buf_free_over(anser_device *device, struct anser_buf *buf)
{
    release(device->pool, buf->mem);
    *buf = (struct anser_buf){ .mem = NULL };
}
