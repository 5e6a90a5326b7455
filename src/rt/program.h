/* SPDX-License-Identifier: MIT */
/*
 * Programs and kernels.  A program is options + shared.h + philox.h +
 * prelude.cl + blocks.cl (and what else rt/program_build.c puts in front of
 * some) + one operation's file, built by clBuildProgram (or taken from the
 * cache on disk, rt/cache.h); each (file, options) is built once a device.
 */
#ifndef ANSER_RT_PROGRAM_H
#define ANSER_RT_PROGRAM_H

#include "rt/queue.h"

/* Made by cl/embed.awk: every file of cl/, ended by a row of NULLs. */
struct anser_cl_text {
    const char *name, *text;
};
extern const struct anser_cl_text anser_cl_text[];

struct anser_kernel {
    cl_kernel cl;                /* owned by the program list               */
    const char *name;            /* for messages                            */
    size_t max_group;            /* CL_KERNEL_WORK_GROUP_SIZE               */
    size_t compiled_group;       /* what it was compiled for, 0: any        */
    bool ran;                    /* enqueued at least once                  */
    /* What the arguments are now, so that equal ones aren't set again.  Valid
     * while no cl_mem has been released: a handle can come back with another
     * buffer behind it. */
    unsigned char args[128];
    size_t args_bytes;           /* 0: none, or too long to be kept         */
    cl_mem mems[32];
    unsigned n_mems;
    uint64_t epoch;              /* device->mem_epoch when they were set    */
};

/* What to build: a file of cl/, its -D options (NULL or "-D A=1 -D B=2", one
 * space between), and a kernel in it. */
struct anser_kernel_key {
    const char *file, *options, *kernel;
};

/* The kernel, built if need be; lives as long as the device.  DEVICE_FAILED
 * with the first lines of the build log; the log goes to anser_log whole. */
enum anser_status anser_kernel_get(anser_device *device,
                                   const struct anser_kernel_key *key,
                                   struct anser_kernel **kernel);

enum anser_status anser_programs_new(anser_device *device,
                                     struct anser_programs **programs);
void anser_programs_free(struct anser_programs *programs);

/* How many programs came from source, how many from the cache, and how many
 * of the cache the driver refused. */
struct anser_program_stats {
    unsigned from_source, from_cache, rejected;
};
void anser_programs_stats(const anser_device *device,
                          struct anser_program_stats *stats);

/* Saves what was built from source and has run since to the cache on disk.
 * Fetching a binary costs PoCL a third of a second, so anser_device_close
 * calls it, after the last token.  Never fails. */
void anser_programs_save(anser_device *device);

#endif
