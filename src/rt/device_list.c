/* SPDX-License-Identifier: MIT */
/*
 * Every device of every platform, and the choice of one.
 *
 * A platform without devices answers clGetDeviceIDs with -1, or with -30
 * (Apple's on hosted arm64 runners, actions/runner-images#13223), and the
 * loader answers -1001 where there is no platform: all of it means "none
 * here", is logged, and never hides the next one.
 */
#include "rt/device_list.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What to do where no device is. */
#define ADVICE \
    "install the OpenCL driver of your GPU, or PoCL for the CPU " \
    "(Debian, Ubuntu: pocl-opencl-icd; Homebrew: pocl)"

static void free_list(void *devices)
{
    struct anser_device_list *list = devices;
    for (uint32_t i = 0; i < list->n; i++)
        anser_caps_free(&list->entries[i].caps);
    free(list->entries);
    free(list);
}

static enum anser_status add_device(anser_ctx *ctx,
                                    struct anser_device_list *list,
                                    cl_platform_id platform, cl_device_id id)
{
    size_t bytes = (list->n + 1) * sizeof *list->entries;
    struct anser_device_entry *grown = realloc(list->entries, bytes);
    if (grown == NULL)
        return anser_fail_memory(ctx, bytes);
    list->entries = grown;
    struct anser_device_entry *entry = &grown[list->n];
    entry->platform = platform;
    entry->id = id;
    if (anser_caps_init(&entry->caps, platform, id) != ANSER_OK)
        return anser_fail_memory(ctx, sizeof *entry);
    if (!entry->caps.usable)
        anser_log(ctx, 1, "device %u (%s) is not used: %s",
                  (unsigned)list->n, entry->caps.name, entry->caps.why_not);
    list->n++;
    return ANSER_OK;
}

static enum anser_status add_platform(anser_ctx *ctx,
                                      struct anser_device_list *list,
                                      cl_platform_id platform)
{
    char name[128] = "?";
    cl_uint n = 0;
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL);
    cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &n);
    if (code != CL_SUCCESS || n == 0) {
        anser_log(ctx, 2, "platform %s has no devices: %s (%d)", name,
                  anser_cl_name(code), (int)code);
        return ANSER_OK;
    }
    cl_device_id *ids = calloc(n, sizeof(cl_device_id));
    if (ids == NULL)
        return anser_fail_memory(ctx, n * sizeof(cl_device_id));
    enum anser_status status = ANSER_OK;
    code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n, ids, NULL);
    if (code != CL_SUCCESS)
        anser_log(ctx, 1, "platform %s is skipped: clGetDeviceIDs: %s (%d)",
                  name, anser_cl_name(code), (int)code);
    for (cl_uint i = 0; i < n && code == CL_SUCCESS && status == ANSER_OK; i++)
        status = add_device(ctx, list, platform, ids[i]);
    free(ids);
    return status;
}

static enum anser_status fill_list(anser_ctx *ctx,
                                   struct anser_device_list *list)
{
    cl_uint n = 0;
    cl_int code = clGetPlatformIDs(0, NULL, &n);
    if (code != CL_SUCCESS || n == 0) {
        anser_log(ctx, 2, "no OpenCL platform: %s (%d)", anser_cl_name(code),
                  (int)code);
        return ANSER_OK;
    }
    cl_platform_id *ids = calloc(n, sizeof(cl_platform_id));
    if (ids == NULL)
        return anser_fail_memory(ctx, n * sizeof(cl_platform_id));
    enum anser_status status = ANSER_OK;
    code = clGetPlatformIDs(n, ids, NULL);
    if (code != CL_SUCCESS)
        anser_log(ctx, 1, "clGetPlatformIDs: %s (%d)", anser_cl_name(code),
                  (int)code);
    for (cl_uint i = 0; i < n && code == CL_SUCCESS && status == ANSER_OK; i++)
        status = add_platform(ctx, list, ids[i]);
    free(ids);
    return status;
}

enum anser_status anser_device_list(anser_ctx *ctx,
                                    const struct anser_device_list **list)
{
    if (ctx->devices == NULL) {
        struct anser_device_list *made = calloc(1, sizeof *made);
        if (made == NULL)
            return anser_fail_memory(ctx, sizeof *made);
        const double from = anser_clock_ms();
        enum anser_status status = fill_list(ctx, made);
        anser_log_time(ctx, "platforms and devices", from);
        if (status != ANSER_OK) {
            free_list(made);
            return status;
        }
        ctx->devices = made;
        ctx->devices_free = free_list;
    }
    *list = ctx->devices;
    return ANSER_OK;
}

/* Order of automatic choice; 0: never. */
static int rank(const struct anser_caps *caps)
{
    if (!caps->usable)
        return 0;
    if (caps->type & CL_DEVICE_TYPE_CPU)
        return 1;
    if (!(caps->type & CL_DEVICE_TYPE_GPU))
        return 2;
    return caps->unified ? 3 : 4;
}

/* Whether part occurs in text, the case of ASCII letters ignored. */
static bool contains(const char *text, const char *part)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (part[i] != '\0' && tolower((unsigned char)text[i])
                                      == tolower((unsigned char)part[i]))
            i++;
        if (part[i] == '\0')
            return true;
    }
    return false;
}

/* The best usable device whose name, or else platform, has `part`. */
static const struct anser_device_entry *
best(const struct anser_device_list *list, const char *part, bool of_platform)
{
    const struct anser_device_entry *found = NULL;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct anser_device_entry *e = &list->entries[i];
        const char *name = of_platform ? e->caps.platform : e->caps.name;
        if (part != NULL && !contains(name, part))
            continue;
        if (rank(&e->caps) > (found == NULL ? 0 : rank(&found->caps)))
            found = e;
    }
    return found;
}

/* "0 NAME, 1 NAME (not usable: it is big-endian)". */
static void print_list(const struct anser_device_list *list, char *out,
                       size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < list->n && at < cap; i++) {
        const struct anser_caps *caps = &list->entries[i].caps;
        int n = snprintf(out + at, cap - at, "%s%u %s%s%s%s",
                         i == 0 ? "" : ", ", (unsigned)i, caps->name,
                         caps->usable ? "" : " (not usable: ",
                         caps->why_not, caps->usable ? "" : ")");
        at += n < 0 ? 0 : (size_t)n;
    }
}

static enum anser_status fail_choice(anser_ctx *ctx, const char *choice,
                                     const struct anser_device_list *list)
{
    char text[640];
    if (list->n == 0)
        return anser_fail(ctx, ANSER_NO_DEVICE,
                          "no OpenCL device was found; " ADVICE);
    print_list(list, text, sizeof text);
    if (choice == NULL)
        return anser_fail(ctx, ANSER_NO_DEVICE,
                          "no OpenCL device can be used; there are: %s", text);
    return anser_fail(ctx, ANSER_NO_DEVICE,
                      "no usable device is '%s'; there are: %s", choice, text);
}

/* The entry of that number, unless choice is none or too large. */
static const struct anser_device_entry *
numbered(const struct anser_device_list *list, const char *choice)
{
    if (choice[strspn(choice, "0123456789")] != '\0')
        return NULL;
    unsigned long i = strtoul(choice, NULL, 10);
    return i < list->n ? &list->entries[i] : NULL;
}

/* A number beyond the list may be a name: "3090". */
static const struct anser_device_entry *
named(const struct anser_device_list *list, const char *choice)
{
    const struct anser_device_entry *found = best(list, choice, false);
    return found != NULL ? found : best(list, choice, true);
}

enum anser_status
anser_device_choose(anser_ctx *ctx, const char *choice,
                    const struct anser_device_entry **entry)
{
    const struct anser_device_list *list;
    const struct anser_device_entry *found;
    TRY(anser_device_list(ctx, &list));
    if (choice != NULL && *choice == '\0')
        choice = NULL;
    if (choice == NULL) {
        found = best(list, NULL, false);
    } else {
        found = numbered(list, choice);
        if (found == NULL)
            found = named(list, choice);
    }
    if (found != NULL && !found->caps.usable)
        found = NULL;
    if (found == NULL)
        return fail_choice(ctx, choice, list);
    anser_log(ctx, 2, "device %u: %s (%s, %s)",
              (unsigned)(found - list->entries), found->caps.name,
              found->caps.platform, anser_caps_kind(&found->caps));
    *entry = found;
    return ANSER_OK;
}

enum anser_status anser_device_count(anser_ctx *ctx, uint32_t *n)
{
    const struct anser_device_list *list;
    if (ctx == NULL || n == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_device_count: NULL");
    TRY(anser_device_list(ctx, &list));
    if (list->n == 0)
        return fail_choice(ctx, NULL, list);
    *n = list->n;
    return ANSER_OK;
}

enum anser_status anser_device_info(anser_ctx *ctx, uint32_t i,
                                    struct anser_device_info *info)
{
    const struct anser_device_list *list;
    if (ctx == NULL || info == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_device_info: NULL");
    TRY(anser_device_list(ctx, &list));
    if (i >= list->n)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_device_info: device %u of %u", (unsigned)i,
                          (unsigned)list->n);
    if (anser_caps_info(&list->entries[i].caps, info) != ANSER_OK)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_device_info: info->size is not set");
    return ANSER_OK;
}
