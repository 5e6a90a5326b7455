/* SPDX-License-Identifier: MIT */
/* Compiles and runs cl/probe.cl: a driver that can't shows it here and not in
 * the middle of a model. */
#include "rt/buffer.h"
#include "rt/program.h"

#define N 64

enum anser_status anser_device_probe(anser_device *device)
{
    static const struct anser_kernel_key key = {
        "probe.cl", NULL, "probe"
    };
    struct anser_queue *q = device->queue;
    struct anser_kernel *kernel;
    struct anser_buf buf;
    uint32_t data[N];
    const cl_uint add = 7;
    struct anser_grid grid = { .global = { N }, .local = { 1 } };
    TRY(anser_kernel_get(device, &key, &kernel));
    TRY(anser_buf_new(device, sizeof data, &buf));
    for (uint32_t i = 0; i < N; i++)
        data[i] = i;
    anser_queue_write(q, buf.mem, 0, data, sizeof data);
    ANSER_RUN(q, kernel, grid, add, buf.mem);
    anser_queue_read(q, buf.mem, 0, data, sizeof data);
    enum anser_status status = anser_queue_finish(q);
    anser_buf_free(device, &buf);
    for (uint32_t i = 0; i < N && status == ANSER_OK; i++)
        if (data[i] != 3 * i + add)
            status = anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                "%s: a tiny kernel computes %u where %u is right; its driver "
                "can't be used", device->caps.name, (unsigned)data[i],
                (unsigned)(3 * i + add));
    return status;
}
