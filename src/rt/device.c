/* SPDX-License-Identifier: MIT */
/*
 * A device with its context and queue: opened by choice, or attached to what
 * the caller has.  One context a device: a context over several GPUs
 * serialises them and allocates on each (KataGo, OpenCL-Wrapper).
 */
#include "rt/device.h"

#include "rt/buffer.h"
#include "rt/cache.h"
#include "rt/device_list.h"
#include "rt/program.h"
#include "rt/queue.h"

#include <stdlib.h>
#include <string.h>

enum anser_status anser_caps_info(const struct anser_caps *caps,
                                  struct anser_device_info *info)
{
    const char *why;
    if (info->size == 0)
        return ANSER_BAD_ARG;
    struct anser_device_info made = {
        .size = info->size,
        .platform = caps->platform, .name = caps->name,
        .vendor = caps->vendor, .driver = caps->driver,
        .version = caps->version, .c_version = caps->c_version,
        .kind = anser_caps_kind(caps), .tier = anser_caps_tier(caps, &why),
        .memory = caps->memory, .max_alloc = caps->max_alloc,
        .local_memory = caps->local_memory, .units = caps->units,
        .max_group = (uint32_t)caps->max_group, .fp16 = caps->fp16,
        .subgroups = caps->subgroups, .unified = caps->unified,
        .usable = caps->usable
    };
    made.why = why;
    memcpy(info, &made, info->size < sizeof made ? info->size : sizeof made);
    return ANSER_OK;
}

void anser_device_close(anser_device *device)
{
    if (device == NULL)
        return;
    anser_programs_save(device);
    if (device->ops != NULL)
        device->ops_free(device->ops);
    anser_programs_free(device->programs);
    anser_pool_free(device->pool);
    anser_queue_free(device->queue);
    anser_cache_close(device->cache);
    if (device->context != NULL)
        clReleaseContext(device->context);
    anser_caps_free(&device->caps);
    free(device);
}

/* A device with caps and settings, and nothing of OpenCL yet. */
static enum anser_status new_device(anser_ctx *ctx, cl_platform_id platform,
                                    cl_device_id id, anser_device **device)
{
    enum anser_status status;
    anser_device *d = calloc(1, sizeof *d);
    if (d == NULL)
        return anser_fail_memory(ctx, sizeof *d);
    d->ctx = ctx;
    d->platform = platform;
    d->id = id;
    TRY_OR_FAIL(anser_settings_read(ctx, &d->settings));
    status = anser_caps_init(&d->caps, platform, id);
    if (status == ANSER_OK) {
        *device = d;
        return ANSER_OK;
    }
    anser_fail_memory(ctx, sizeof *d);
fail:
    free(d);
    return status;
}

/* The parts that stand on a context and, if it is borrowed, a queue. */
static enum anser_status add_parts(anser_device *d, cl_command_queue queue)
{
    TRY(anser_queue_new(d, queue, &d->queue));
    TRY(anser_pool_new(d, &d->pool));
    TRY(anser_programs_new(d, &d->programs));
    return anser_cache_open(d, &d->cache);
}

enum anser_status anser_device_open(anser_ctx *ctx, const char *choice,
                                    anser_device **device)
{
    const struct anser_device_entry *entry;
    anser_device *d;
    enum anser_status status;
    if (ctx == NULL || device == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_device_open: NULL");
    TRY(anser_device_choose(ctx, choice, &entry));
    TRY(new_device(ctx, entry->platform, entry->id, &d));

    cl_context_properties properties[] = {
        CL_CONTEXT_PLATFORM, (cl_context_properties)entry->platform, 0
    };
    cl_int code;
    const double from = anser_clock_ms();
    d->context = clCreateContext(properties, 1, &d->id, NULL, NULL, &code);
    anser_log_time(ctx, "context", from);
    if (d->context == NULL || code != CL_SUCCESS) {
        status = anser_fail_cl(ctx, code, "%s: clCreateContext",
                               d->caps.name);
        goto fail;
    }
    TRY_OR_FAIL(add_parts(d, NULL));
    *device = d;
    return ANSER_OK;
fail:
    anser_device_close(d);
    return status;
}

/* That context, device and queue belong together and the queue is in order. */
static enum anser_status check_attach(anser_ctx *ctx, cl_context context,
                                      cl_device_id id, cl_command_queue queue)
{
    cl_context of_context = NULL;
    cl_device_id of_id = NULL;
    cl_command_queue_properties properties = 0;
    cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT,
                                        sizeof of_context, &of_context, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof of_id,
                                     &of_id, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES,
                                     sizeof properties, &properties, NULL);
    if (code != CL_SUCCESS)
        return anser_fail_cl(ctx, code, "the caller's queue");
    if (of_context != context || of_id != id)
        return anser_fail(ctx, ANSER_BAD_ARG, "the caller's queue belongs to "
                          "another context or device than those given");
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "the caller's queue must be in order");
    return ANSER_OK;
}

enum anser_status anser_device_attach(anser_ctx *ctx, cl_context context,
                                      cl_device_id id, cl_command_queue queue,
                                      anser_device **device)
{
    cl_platform_id platform;
    anser_device *d;
    enum anser_status status;
    if (ctx == NULL || context == NULL || id == NULL || queue == NULL
        || device == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_device_attach: NULL");
    TRY(check_attach(ctx, context, id, queue));
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform,
                                  &platform, NULL);
    if (code != CL_SUCCESS)
        return anser_fail_cl(ctx, code, "the caller's device");
    TRY(new_device(ctx, platform, id, &d));
    if (!d->caps.usable) {
        status = anser_fail(ctx, ANSER_NO_DEVICE, "%s can't be used: %s",
                            d->caps.name, d->caps.why_not);
        goto fail;
    }
    code = clRetainContext(context);
    if (code != CL_SUCCESS) {
        status = anser_fail_cl(ctx, code, "clRetainContext");
        goto fail;
    }
    d->context = context;
    d->borrowed = true;
    TRY_OR_FAIL(add_parts(d, queue));
    *device = d;
    return ANSER_OK;
fail:
    anser_device_close(d);
    return status;
}

enum anser_status anser_device_describe(const anser_device *device,
                                        struct anser_device_info *info)
{
    if (device == NULL || info == NULL)
        return ANSER_BAD_ARG;
    if (anser_caps_info(&device->caps, info) != ANSER_OK)
        return anser_fail(device->ctx, ANSER_BAD_ARG,
                          "anser_device_describe: info->size is not set");
    return ANSER_OK;
}
