/* SPDX-License-Identifier: MIT */
/*
 * Devices: list them all, choose one, know what it can do.
 *
 * Nothing here is assumed from a name: the class only orders the variants of
 * an operation, and a variant is used after it has passed its self-test.
 */
#ifndef ANSER_RT_DEVICE_H
#define ANSER_RT_DEVICE_H

#include "base/ctx.h"
#include "rt/cl.h"
#include "rt/settings.h"

#include <stdbool.h>

enum anser_class {
    ANSER_CLASS_CPU, ANSER_CLASS_NVIDIA, ANSER_CLASS_AMD, ANSER_CLASS_INTEL,
    ANSER_CLASS_APPLE, ANSER_CLASS_ADRENO, ANSER_CLASS_MALI, ANSER_CLASS_OTHER
};

struct anser_caps {
    char platform[128], platform_vendor[128], platform_version[128];
    char name[128], vendor[128], driver[128], version[128], c_version[128];
    char *extensions;            /* owned                                   */
    enum anser_class class;
    cl_device_type type;
    cl_uint vendor_id, units, address_bits;
    size_t max_group;            /* CL_DEVICE_MAX_WORK_GROUP_SIZE           */
    size_t max_item[3];
    cl_ulong memory, max_alloc;  /* max_alloc after quirks (Apple: < 2 GiB) */
    cl_ulong local_memory;
    bool local_is_real;          /* CL_LOCAL: staging through it can pay    */
    bool unified, fp16, subgroups;
    bool cacheable;              /* its program binaries are worth keeping  */
    bool usable;                 /* else why_not tells                      */
    char why_not[160];
};

struct anser_queue;
struct anser_programs;
struct anser_pool;
struct anser_cache;

struct anser_device {
    anser_ctx *ctx;              /* borrowed                                */
    struct anser_caps caps;
    struct anser_settings settings;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;          /* owned; a caller's one is retained       */
    struct anser_queue *queue;   /* owned: all compute, in order            */
    struct anser_programs *programs; /* owned: built so far                 */
    struct anser_pool *pool;     /* owned: buffers                          */
    struct anser_cache *cache;   /* owned: programs on disk, NULL: off      */
    void *ops;                   /* owned: op/variant.c's plans, or NULL    */
    void (*ops_free)(void *);
    uint64_t mem_epoch;          /* + 1 whenever a cl_mem is released       */
    bool borrowed;               /* attached to a caller's context          */
    unsigned children;           /* models that live                        */
};

/* The caller's own context, device and in-order queue (anser_cl.h); context
 * and queue are retained until anser_device_close. */
enum anser_status anser_device_attach(anser_ctx *ctx, cl_context context,
                                      cl_device_id id, cl_command_queue queue,
                                      anser_device **device);

/* Compiles and runs a tiny kernel with a known answer: a driver may list its
 * devices and yet not compile (RobotLocomotion/drake#15006). */
enum anser_status anser_device_probe(anser_device *device);

/* Fills caps by asking the device; frees what it owns.  A query that fails
 * leaves usable false and the reason in why_not. */
enum anser_status anser_caps_init(struct anser_caps *caps,
                                  cl_platform_id platform, cl_device_id id);
void anser_caps_free(struct anser_caps *caps);

/* "cpu", "gpu", "igpu", "accelerator". */
const char *anser_caps_kind(const struct anser_caps *caps);

/* The family of kernels that comes first on such a device, "cpu" or "gpu",
 * and why; an unusable device gives "none" and the reason. */
const char *anser_caps_tier(const struct anser_caps *caps, const char **why);

/* Whether the space-separated list of extensions has this one. */
bool anser_caps_has(const struct anser_caps *caps, const char *extension);

#endif
