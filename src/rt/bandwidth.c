/* SPDX-License-Identifier: MIT */
/*
 * Read and copy bandwidth.  Reading is tried in the orders that suit GPUs and
 * CPUs, and the faster one counts: the figure stands for what the device can
 * do, not for one way of asking.  Does not measure the bus to the host.
 */
#include "rt/bandwidth.h"

#include "rt/buffer.h"
#include "rt/program.h"

#include <time.h>

enum { VECTOR = 16, GROUP = 64, PASSES_MIN = 3 };
#define BYTES_MAX ((size_t)1 << 30)
#define BYTES_MIN ((size_t)1 << 22)

struct probe {
    anser_device *device;
    struct anser_buf from, to;       /* to also takes the sums              */
    size_t bytes;                    /* of each                             */
    struct anser_kernel *kernel;     /* of the reading                      */
    struct anser_grid grid;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void pass_read(struct probe *p)
{
    const cl_uint n = (cl_uint)(p->bytes / VECTOR);
    ANSER_RUN(p->device->queue, p->kernel, p->grid, n, p->from.mem, p->to.mem);
}

static void pass_copy(struct probe *p)
{
    anser_queue_copy(p->device->queue, p->from.mem, 0, p->to.mem, 0,
                     p->bytes);
}

/* The best pass of those within `seconds`, the first one not counted. */
static enum anser_status best_of(struct probe *p, void (*pass)(struct probe *),
                                 double seconds, double *best)
{
    const double end = now() + seconds;
    double most = 0;
    for (unsigned i = 0; i <= PASSES_MIN || now() < end; i++) {
        const double start = now();
        pass(p);
        TRY(anser_queue_finish(p->device->queue));
        const double took = now() - start;
        if (i > 0 && took > 0 && (double)p->bytes / took > most)
            most = (double)p->bytes / took;
    }
    *best = most;
    return ANSER_OK;
}

static enum anser_status measure_read(struct probe *p, double seconds,
                                      double *read)
{
    static const struct anser_kernel_key keys[] = {
        { "bandwidth.cl", NULL, "read_strided" },
        { "bandwidth.cl", NULL, "read_runs" },
    };
    const cl_uint units = p->device->caps.units;
    /* Enough items to hide latency; few enough that a CPU's runs are long. */
    const size_t items[] = { (size_t)units * 2048, (size_t)units * GROUP };
    double most = 0;
    for (unsigned i = 0; i < 2; i++) {
        double rate;
        const size_t max = p->bytes / VECTOR / GROUP * GROUP;
        p->grid = (struct anser_grid){
            .global = { items[i] < max ? items[i] : max },
            .local = { p->device->caps.max_group >= GROUP ? GROUP : 1 }
        };
        TRY(anser_kernel_get(p->device, &keys[i], &p->kernel));
        TRY(best_of(p, pass_read, seconds / 2, &rate));
        most = rate > most ? rate : most;
    }
    *read = most;
    return ANSER_OK;
}

static size_t probe_bytes(const struct anser_caps *caps)
{
    cl_ulong bytes = caps->memory / 8;
    bytes = bytes < caps->max_alloc ? bytes : caps->max_alloc;
    bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX;
    bytes = bytes > BYTES_MIN ? bytes : BYTES_MIN;
    /* A CPU's caches are small beside this, and its memory is slow. */
    if ((caps->type & CL_DEVICE_TYPE_CPU) != 0 && bytes > BYTES_MAX / 4)
        bytes = BYTES_MAX / 4;
    return (size_t)bytes / 4096 * 4096;
}

enum anser_status anser_bandwidth_measure(anser_device *device, double seconds,
                                          double *read, double *copy)
{
    struct probe p = { .device = device };
    double rates[2];
    p.bytes = probe_bytes(&device->caps);
    TRY(anser_buf_new_exact(device, p.bytes, &p.from));
    enum anser_status status = anser_buf_new_exact(device, p.bytes, &p.to);
    if (status != ANSER_OK)
        goto fail;
    anser_queue_zero(device->queue, p.from.mem, 0, p.bytes);
    status = measure_read(&p, seconds, &rates[0]);
    if (status == ANSER_OK)
        status = best_of(&p, pass_copy, seconds, &rates[1]);
    if (status == ANSER_OK) {
        *read = rates[0];
        *copy = 2 * rates[1];
    }
    anser_buf_free_exact(device, &p.to);
fail:
    anser_buf_free_exact(device, &p.from);
    return status;
}
