/* SPDX-License-Identifier: MIT */
/* One program: from source, from a binary, and back to one. */
#ifndef ANSER_RT_PROGRAM_BUILD_H
#define ANSER_RT_PROGRAM_BUILD_H

#include "rt/program.h"

/* The texts that make up a program, in order; borrowed. */
#define ANSER_SOURCE_PARTS 32
struct anser_source {
    const char *file, *options;  /* options never NULL                      */
    const char *parts[ANSER_SOURCE_PARTS];
};

/* UNSUPPORTED if the library has no such file. */
enum anser_status anser_source_find(anser_ctx *ctx,
                                    const struct anser_kernel_key *key,
                                    struct anser_source *source);

/* Builds with "-cl-std=CL1.2" and the options.  DEVICE_FAILED with the first
 * lines of the log, which goes to anser_log whole. */
enum anser_status anser_program_build(anser_device *device,
                                      const struct anser_source *source,
                                      cl_program *program);

/* Builds from a binary that the cache has verified; false on any code. */
bool anser_program_load(anser_device *device,
                        const struct anser_source *source,
                        const unsigned char *binary, size_t bytes,
                        cl_program *program);

/* The device's binary, allocated for the caller; false if there is none. */
bool anser_program_binary(cl_program program, unsigned char **binary,
                          size_t *bytes);

#endif
