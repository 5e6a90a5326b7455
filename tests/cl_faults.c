/* SPDX-License-Identifier: MIT */
/* OpenCL calls that a test can count and make fail: definitions that come
 * before the loader's. */
#include "cl_faults.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

struct cl_fault fault_buffer, fault_kernel, fault_binary, fault_source,
    fault_sizes, fault_devices, fault_run;

void fault_reset(void)
{
    const struct cl_fault none = { 0, 0, 0, CL_SUCCESS };
    fault_buffer = fault_kernel = fault_binary = none;
    fault_source = fault_sizes = fault_devices = fault_run = none;
}

void fault_next(struct cl_fault *fault, unsigned times, cl_int code)
{
    fault->fail_at = fault->calls + 1;
    fault->times = times;
    fault->code = code;
}

/* Counts a call; whether it has to fail. */
static bool fails(struct cl_fault *fault)
{
    unsigned n = ++fault->calls;
    return fault->fail_at > 0 && n >= fault->fail_at
           && n - fault->fail_at < fault->times;
}

/* The loader's function, as a pointer to function at *fn. */
static void find_next(const char *name, void *fn)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(fn, &found, sizeof found);
}

cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags,
                                  size_t size, void *host, cl_int *code)
{
    cl_mem (CL_API_CALL *next)(cl_context, cl_mem_flags, size_t, void *,
                               cl_int *);
    if (fails(&fault_buffer)) {
        *code = fault_buffer.code;
        return NULL;
    }
    find_next("clCreateBuffer", &next);
    return next(context, flags, size, host, code);
}

cl_kernel CL_API_CALL clCreateKernel(cl_program program, const char *name,
                                     cl_int *code)
{
    cl_kernel (CL_API_CALL *next)(cl_program, const char *, cl_int *);
    if (fails(&fault_kernel)) {
        *code = fault_kernel.code;
        return NULL;
    }
    find_next("clCreateKernel", &next);
    return next(program, name, code);
}

cl_program CL_API_CALL
clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts,
                          const size_t *sizes, cl_int *code)
{
    cl_program (CL_API_CALL *next)(cl_context, cl_uint, const char **,
                                   const size_t *, cl_int *);
    if (fails(&fault_source)) {
        *code = fault_source.code;
        return NULL;
    }
    find_next("clCreateProgramWithSource", &next);
    return next(context, n, texts, sizes, code);
}

cl_program CL_API_CALL
clCreateProgramWithBinary(cl_context context, cl_uint n,
                          const cl_device_id *devices, const size_t *sizes,
                          const unsigned char **binaries, cl_int *states,
                          cl_int *code)
{
    cl_program (CL_API_CALL *next)(cl_context, cl_uint, const cl_device_id *,
                                   const size_t *, const unsigned char **,
                                   cl_int *, cl_int *);
    if (fails(&fault_binary)) {
        *code = fault_binary.code;
        return NULL;
    }
    find_next("clCreateProgramWithBinary", &next);
    return next(context, n, devices, sizes, binaries, states, code);
}

/* The fault of this one is a binary of 0 bytes. */
cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info what,
                                    size_t size, void *value, size_t *filled)
{
    cl_int (CL_API_CALL *next)(cl_program, cl_program_info, size_t, void *,
                               size_t *);
    find_next("clGetProgramInfo", &next);
    if (what != CL_PROGRAM_BINARY_SIZES || !fails(&fault_sizes))
        return next(program, what, size, value, filled);
    memset(value, 0, size);
    return fault_sizes.code;
}

cl_int CL_API_CALL clGetDeviceIDs(cl_platform_id platform, cl_device_type type,
                                  cl_uint n, cl_device_id *ids, cl_uint *count)
{
    cl_int (CL_API_CALL *next)(cl_platform_id, cl_device_type, cl_uint,
                               cl_device_id *, cl_uint *);
    if (fails(&fault_devices))
        return fault_devices.code;
    find_next("clGetDeviceIDs", &next);
    return next(platform, type, n, ids, count);
}

cl_int CL_API_CALL
clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                       const size_t *offset, const size_t *global,
                       const size_t *local, cl_uint n, const cl_event *wait,
                       cl_event *event)
{
    cl_int (CL_API_CALL *next)(cl_command_queue, cl_kernel, cl_uint,
                               const size_t *, const size_t *, const size_t *,
                               cl_uint, const cl_event *, cl_event *);
    if (fails(&fault_run))
        return fault_run.code;
    find_next("clEnqueueNDRangeKernel", &next);
    return next(queue, kernel, dims, offset, global, local, n, wait, event);
}
