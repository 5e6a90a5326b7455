/* SPDX-License-Identifier: MIT */
/* What a device holds and has done, and how fast its memory is. */
#include "op/variant.h"
#include "rt/bandwidth.h"
#include "rt/buffer.h"
#include "rt/program.h"

enum anser_status anser_stats(const anser_device *device,
                              struct anser_stats_info *info)
{
    if (device == NULL || info == NULL)
        return ANSER_BAD_ARG;
    if (info->size != sizeof *info)
        return anser_fail(device->ctx, ANSER_BAD_ARG,
                          "anser_stats: set info->size to sizeof *info");
    const struct anser_op_memory *ops = device->ops;
    struct anser_pool_stats pool;
    struct anser_program_stats programs;
    anser_pool_stats(device->pool, &pool);
    anser_programs_stats(device, &programs);
    *info = (struct anser_stats_info){
        .size = sizeof *info, .used_bytes = pool.used_bytes,
        .held_bytes = pool.held_bytes, .peak_bytes = pool.peak_bytes,
        .pool_hits = pool.hits, .pool_misses = pool.misses,
        .launches = device->queue->launches,
        .from_source = programs.from_source,
        .from_cache = programs.from_cache, .rejected = programs.rejected,
        .wrong = ops != NULL ? ops->wrong : 0
    };
    return ANSER_OK;
}

enum anser_status anser_bandwidth(anser_device *device, double seconds,
                                  double *read, double *copy)
{
    if (device == NULL)
        return ANSER_BAD_ARG;
    if (read == NULL || copy == NULL || !(seconds >= 0 && seconds <= 60))
        return anser_fail(device->ctx, ANSER_BAD_ARG,
                          "anser_bandwidth: seconds is not from 0 to 60, or "
                          "a result is NULL");
    return anser_bandwidth_measure(device, seconds, read, copy);
}
