/* SPDX-License-Identifier: MIT */
/* Every device of every platform, and the choice of one.  The list is made
 * once a context and kept in ctx->devices. */
#ifndef ANSER_RT_DEVICE_LIST_H
#define ANSER_RT_DEVICE_LIST_H

#include "rt/device.h"

struct anser_device_entry {
    cl_platform_id platform;
    cl_device_id id;
    struct anser_caps caps;
};

struct anser_device_list {
    struct anser_device_entry *entries;  /* owned (n) */
    uint32_t n;
};

/* The list, made if need be; may be empty.  Borrowed from ctx. */
enum anser_status anser_device_list(anser_ctx *ctx,
                                    const struct anser_device_list **list);

/* The entry for a choice as in anser_device_open; borrowed from ctx. */
enum anser_status
anser_device_choose(anser_ctx *ctx, const char *choice,
                    const struct anser_device_entry **entry);

/* Fills the public description; its strings are borrowed from caps. */
enum anser_status anser_caps_info(const struct anser_caps *caps,
                                  struct anser_device_info *info);

#endif
