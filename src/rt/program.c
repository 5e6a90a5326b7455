/* SPDX-License-Identifier: MIT */
/*
 * The programs and kernels of a device, each made once.
 *
 * A program comes from the cache on disk or from source.  A kernel that a
 * cached program can't give (stale binaries show so late, OpenCL's -45 or
 * -48) makes it be rejected and built from source.
 */
#include "rt/program.h"

#include "rt/cache.h"
#include "rt/program_build.h"

#include <stdlib.h>
#include <string.h>

struct program {
    struct program *next;
    char *file, *options;        /* owned                                   */
    struct anser_kernel **kernels;   /* owned (n_kernels), owned each       */
    unsigned n_kernels;
    cl_program cl;               /* NULL if it did not build                */
    enum anser_status status;    /* of the build                            */
    char *failure;               /* its text, owned                         */
    struct anser_cache_key key;
    bool from_cache, saved;
};

struct anser_programs {
    struct program *first;
    struct anser_program_stats stats;
};

enum anser_status anser_programs_new(anser_device *device,
                                     struct anser_programs **programs)
{
    struct anser_programs *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    *programs = made;
    return ANSER_OK;
}

static void free_program(struct program *p)
{
    for (unsigned i = 0; i < p->n_kernels; i++) {
        clReleaseKernel(p->kernels[i]->cl);
        free(p->kernels[i]);
    }
    free(p->kernels);
    if (p->cl != NULL)
        clReleaseProgram(p->cl);
    free(p->file);
    free(p->options);
    free(p->failure);
    free(p);
}

void anser_programs_free(struct anser_programs *programs)
{
    if (programs == NULL)
        return;
    for (struct program *next, *p = programs->first; p != NULL; p = next) {
        next = p->next;
        free_program(p);
    }
    free(programs);
}

void anser_programs_stats(const anser_device *device,
                          struct anser_program_stats *stats)
{
    *stats = device->programs->stats;
}

/* ---------------------------------------------------------- making one */

/* Tries the cache; a file that the driver refuses is removed. */
static bool load(anser_device *device, const struct anser_source *source,
                 struct program *p)
{
    unsigned char *binary;
    size_t bytes;
    if (!anser_cache_load(device, &p->key, &binary, &bytes))
        return false;
    p->from_cache = anser_program_load(device, source, binary, bytes, &p->cl);
    free(binary);
    if (p->from_cache) {
        device->programs->stats.from_cache++;
    } else {
        device->programs->stats.rejected++;
        anser_cache_reject(device, &p->key);
    }
    return p->from_cache;
}

static enum anser_status build(anser_device *device,
                               const struct anser_source *source,
                               struct program *p)
{
    p->from_cache = false;
    TRY(anser_program_build(device, source, &p->cl));
    device->programs->stats.from_source++;
    anser_log(device->ctx, 2, "built from source: %s %s", p->file,
              p->options);
    return ANSER_OK;
}

/* A program that did not build is kept as well, so that asking again is
 * cheap. */
static enum anser_status new_program(anser_device *device,
                                     const struct anser_source *source,
                                     struct program **program)
{
    struct program *p = calloc(1, sizeof *p);
    if (p == NULL)
        return anser_fail_memory(device->ctx, sizeof *p);
    p->file = strdup(source->file);
    p->options = strdup(source->options);
    if (p->file == NULL || p->options == NULL) {
        free_program(p);
        return anser_fail_memory(device->ctx, sizeof *p);
    }
    p->key = (struct anser_cache_key){
        .kind = "program", .name = p->file, .options = p->options
    };
    anser_cache_digest(source->parts, ANSER_SOURCE_PARTS, p->key.source);
    if (!load(device, source, p))
        p->status = build(device, source, p);
    if (p->status != ANSER_OK)
        p->failure = strdup(anser_error(device->ctx));
    p->next = device->programs->first;
    device->programs->first = p;
    *program = p;
    return ANSER_OK;
}

static enum anser_status get_program(anser_device *device,
                                     const struct anser_source *source,
                                     struct program **program)
{
    struct program *p = device->programs->first;
    while (p != NULL && (strcmp(p->file, source->file) != 0
                         || strcmp(p->options, source->options) != 0))
        p = p->next;
    if (p == NULL)
        TRY(new_program(device, source, &p));
    if (p->status != ANSER_OK)
        return anser_fail(device->ctx, p->status, "%s",
                          p->failure == NULL ? p->file : p->failure);
    *program = p;
    return ANSER_OK;
}

/* ------------------------------------------------------------- kernels */

static struct anser_kernel *find_kernel(const struct program *p,
                                        const char *name)
{
    for (unsigned i = 0; i < p->n_kernels; i++)
        if (strcmp(p->kernels[i]->name, name) == 0)
            return p->kernels[i];
    return NULL;
}

/* clCreateKernel is where some drivers compile: it counts as building. */
static cl_int create_kernel(anser_device *device, const struct program *p,
                            struct anser_kernel *kernel)
{
    size_t group[3] = { 0, 0, 0 };
    cl_int code;
    kernel->cl = clCreateKernel(p->cl, kernel->name, &code);
    if (code != CL_SUCCESS)
        return code;
    code = clGetKernelWorkGroupInfo(kernel->cl, device->id,
        CL_KERNEL_WORK_GROUP_SIZE, sizeof kernel->max_group,
        &kernel->max_group, NULL);
    if (code == CL_SUCCESS)
        code = clGetKernelWorkGroupInfo(kernel->cl, device->id,
            CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof group, group, NULL);
    kernel->compiled_group = group[0] * group[1] * group[2];
    if (code != CL_SUCCESS)
        clReleaseKernel(kernel->cl);
    return code;
}

static enum anser_status keep_kernel(anser_device *device, struct program *p,
                                     struct anser_kernel *kernel)
{
    size_t bytes = (p->n_kernels + 1) * sizeof *p->kernels;
    struct anser_kernel **grown = realloc(p->kernels, bytes);
    if (grown == NULL)
        return anser_fail_memory(device->ctx, bytes);
    p->kernels = grown;
    p->kernels[p->n_kernels++] = kernel;
    return ANSER_OK;
}

/* The kernels made so far stay valid: each retains its program. */
static enum anser_status rebuild(anser_device *device,
                                 const struct anser_source *source,
                                 struct program *p)
{
    cl_program refused = p->cl;
    struct anser_program_stats *stats = &device->programs->stats;
    stats->rejected++;
    stats->from_cache--;
    anser_cache_reject(device, &p->key);
    TRY(build(device, source, p));
    clReleaseProgram(refused);
    return ANSER_OK;
}

static enum anser_status new_kernel(anser_device *device,
                                    const struct anser_source *source,
                                    struct program *p, const char *name,
                                    struct anser_kernel **kernel)
{
    struct anser_kernel *made = calloc(1, sizeof *made + strlen(name) + 1);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    made->name = strcpy((char *)(made + 1), name);
    enum anser_status status = ANSER_OK;
    cl_int code = create_kernel(device, p, made);
    if (code != CL_SUCCESS && p->from_cache) {
        TRY_OR_FAIL(rebuild(device, source, p));
        code = create_kernel(device, p, made);
    }
    if (code != CL_SUCCESS) {
        status = anser_fail_cl(device->ctx, code, "%s: kernel %s of %s",
                               device->caps.name, name, p->file);
        goto fail;
    }
    status = keep_kernel(device, p, made);
    if (status == ANSER_OK) {
        *kernel = made;
        return ANSER_OK;
    }
    clReleaseKernel(made->cl);
fail:
    free(made);
    return status;
}

enum anser_status anser_kernel_get(anser_device *device,
                                   const struct anser_kernel_key *key,
                                   struct anser_kernel **kernel)
{
    struct anser_source source;
    struct program *p = NULL;
    TRY(anser_source_find(device->ctx, key, &source));
    TRY(get_program(device, &source, &p));
    struct anser_kernel *found = find_kernel(p, key->kernel);
    if (found == NULL)
        TRY(new_kernel(device, &source, p, key->kernel, &found));
    *kernel = found;
    return ANSER_OK;
}

/* ----------------------------------------------------------------- save */

/* PoCL's binary is complete only after a kernel has run, so a program that
 * never ran is not kept. */
static bool worth_saving(const struct program *p)
{
    if (p->cl == NULL || p->from_cache || p->saved)
        return false;
    for (unsigned i = 0; i < p->n_kernels; i++)
        if (p->kernels[i]->ran)
            return true;
    return false;
}

static unsigned save_programs(anser_device *device)
{
    unsigned n = 0;
    for (struct program *p = device->programs->first; p != NULL; p = p->next) {
        unsigned char *binary;
        size_t bytes;
        if (!worth_saving(p))
            continue;
        p->saved = true;
        if (!anser_program_binary(p->cl, &binary, &bytes))
            continue;
        n += anser_cache_save(device, &p->key, binary, bytes);
        free(binary);
    }
    return n;
}

void anser_programs_save(anser_device *device)
{
    unsigned n = 0;
    if (device->programs == NULL)
        return;
    if (device->cache != NULL) {
        n = save_programs(device);
        anser_cache_keep(device);
        if (n > 0)
            anser_cache_evict(device);
    }
    const struct anser_program_stats *s = &device->programs->stats;
    anser_log(device->ctx, 2, "programs: %u built from source, %u from the "
              "cache, %u of it refused by the driver, %u saved",
              s->from_source, s->from_cache, s->rejected, n);
}
