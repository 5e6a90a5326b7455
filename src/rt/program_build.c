/* SPDX-License-Identifier: MIT */
/*
 * clBuildProgram and its log.  Only clBuildProgram: clCompileProgram and
 * clLinkProgram are broken on Apple (hashcat src/backend.c), and there more
 * than one space before an option fails (cogciprocate/ocl#31).
 */
#include "rt/program_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD "-cl-std=CL1.2"

static const char *find_text(const char *name)
{
    for (const struct anser_cl_text *t = anser_cl_text; t->name != NULL; t++)
        if (strcmp(t->name, name) == 0)
            return t->text;
    return NULL;
}

/* What stands in front of files, by how their names begin. */
static const struct {
    const char *begin, *text;
} fronts[] = {
    { "", "shared.h" },        { "", "philox.h" },
    { "", "prelude.cl" },      { "", "blocks.cl" },
    { "nv_", "nv_prelude.h" }, { "nv_", "nv_tile.h" },
    { "nv_decode", "nv_rows.h" }, { "nv_decode", "nv_norm.h" },
    { "nv_decode", "nv_phase.h" }, { "nv_decode", "nv_jobs.h" },
    { "nv_token", "nv_rows.h" },   { "nv_token", "nv_norm.h" },
    { "nv_token", "nv_phase.h" },  { "nv_token", "nv_jobs.h" },
    { "nv_token", "nv_choice.h" },
    { "sample", "weight.h" },  { "sample", "sample.h" },
    { "cpu_token", "norm.cl" }, { "cpu_token", "prepare.cl" },
    { "cpu_token", "wkv7.cl" }, { "cpu_token", "finish.cl" },
    { "cpu_token", "strip.h" },  { "cpu_token", "strip.cl" },
    { "cpu_token", "columns.h" }, { "cpu_token", "cpu_launch.h" },
    { "strip.cl", "strip.h" },   { "strip_pack", "pack.h" },
    { "columns.cl", "strip.h" }, { "columns.cl", "strip.cl" },
    { "columns.cl", "columns.h" }, { "columns_pack", "pack.h" },
};
enum { FRONTS = sizeof fronts / sizeof *fronts };
_Static_assert(FRONTS + 1 == ANSER_SOURCE_PARTS, "and the file itself");

enum anser_status anser_source_find(anser_ctx *ctx,
                                    const struct anser_kernel_key *key,
                                    struct anser_source *source)
{
    const char *files[ANSER_SOURCE_PARTS] = { [FRONTS] = key->file };
    for (int i = 0; i < FRONTS; i++)
        if (strncmp(key->file, fronts[i].begin, strlen(fronts[i].begin)) == 0)
            files[i] = fronts[i].text;
    struct anser_source found = {
        .file = key->file,
        .options = key->options == NULL ? "" : key->options
    };
    for (int i = 0; i < ANSER_SOURCE_PARTS; i++) {
        found.parts[i] = files[i] == NULL ? "" : find_text(files[i]);
        if (found.parts[i] == NULL)
            return anser_fail(ctx, ANSER_UNSUPPORTED,
                              "this build of Anser has no kernel file %s",
                              files[i]);
    }
    *source = found;
    return ANSER_OK;
}

static cl_int build(cl_program program, anser_device *device,
                    const struct anser_source *source)
{
    char options[512];
    const char *own = source->options;
    int n = snprintf(options, sizeof options, STANDARD "%s%s",
                     *own == '\0' ? "" : " ", own);
    if (n < 0 || (size_t)n >= sizeof options)
        return CL_INVALID_BUILD_OPTIONS;
    return clBuildProgram(program, 1, &device->id, options, NULL, NULL);
}

/* Allocated; NULL if there is none. */
static char *build_log(cl_program program, anser_device *device)
{
    size_t n = 0;
    if (clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0,
                              NULL, &n) != CL_SUCCESS)
        return NULL;
    char *log = calloc(1, n + 1);
    if (log != NULL && clGetProgramBuildInfo(program, device->id,
            CL_PROGRAM_BUILD_LOG, n, log, NULL) == CL_SUCCESS)
        return log;
    free(log);
    return NULL;
}

/* The whole log, a line each; cuts it into lines. */
static void log_lines(anser_ctx *ctx, int level, char *log)
{
    char *next;
    for (char *line = log; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (*line != '\0')
            anser_log(ctx, level, "%s", line);
    }
}

/* The first error of a log, with what follows, in one line of out(cap). */
static void first_error(const char *log, char *out, size_t cap)
{
    const char *at = strstr(log, "error");
    while (at != NULL && at > log && at[-1] != '\n')
        at--;
    snprintf(out, cap, "%s", at == NULL ? log : at);
    for (char *c = out; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t')
            *c = ' ';
}

static enum anser_status fail_build(anser_device *device,
                                    const struct anser_source *source,
                                    cl_int code, char *log)
{
    char text[360];
    first_error(log == NULL ? "the driver gave no log" : log, text,
                sizeof text);
    anser_log(device->ctx, 1, "build log of %s with options '%s':",
              source->file, source->options);
    log_lines(device->ctx, 1, log);
    return anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                      "%s: %s with options '%s' does not build, %s (%d): %s",
                      device->caps.name, source->file, source->options,
                      anser_cl_name(code), (int)code, text);
}

enum anser_status anser_program_build(anser_device *device,
                                      const struct anser_source *source,
                                      cl_program *program)
{
    cl_int code;
    const char *parts[ANSER_SOURCE_PARTS];
    memcpy(parts, source->parts, sizeof parts);
    cl_program made = clCreateProgramWithSource(device->context,
        ANSER_SOURCE_PARTS, parts, NULL, &code);
    if (made == NULL || code != CL_SUCCESS)
        return anser_fail_cl(device->ctx, code, "%s: %s",
                             device->caps.name, source->file);
    code = build(made, device, source);
    char *log = build_log(made, device);
    enum anser_status status = ANSER_OK;
    if (code == CL_SUCCESS) {
        log_lines(device->ctx, 2, log);
        *program = made;
    } else {
        status = fail_build(device, source, code, log);
        clReleaseProgram(made);
    }
    free(log);
    return status;
}

bool anser_program_load(anser_device *device,
                        const struct anser_source *source,
                        const unsigned char *binary, size_t bytes,
                        cl_program *program)
{
    cl_int code, status = CL_SUCCESS;
    if (bytes == 0)
        return false;
    cl_program made = clCreateProgramWithBinary(device->context, 1,
        &device->id, &bytes, &binary, &status, &code);
    if (made != NULL && code == CL_SUCCESS && status == CL_SUCCESS)
        code = build(made, device, source);
    else if (code == CL_SUCCESS)
        code = CL_INVALID_BINARY;
    if (code == CL_SUCCESS) {
        *program = made;
        return true;
    }
    anser_log(device->ctx, 2, "%s: the cached program is refused: %s (%d)",
              source->file, anser_cl_name(code), (int)code);
    if (made != NULL)
        clReleaseProgram(made);
    return false;
}

bool anser_program_binary(cl_program program, unsigned char **binary,
                          size_t *bytes)
{
    size_t n = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof n, &n, NULL)
            != CL_SUCCESS || n == 0)
        return false;
    unsigned char *made = malloc(n);
    if (made == NULL)
        return false;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof made, &made,
                         NULL) != CL_SUCCESS) {
        free(made);
        return false;
    }
    *binary = made;
    *bytes = n;
    return true;
}
