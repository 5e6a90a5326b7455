/* SPDX-License-Identifier: MIT */
/* The only door to OpenCL: version 1.2, the codes by name, and failing with
 * one. */
#ifndef ANSER_RT_CL_H
#define ANSER_RT_CL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#define CL_SILENCE_DEPRECATION
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

#include "base/ctx.h"

/* "CL_OUT_OF_RESOURCES"; "unknown code" for what OpenCL 1.2 does not have. */
const char *anser_cl_name(cl_int code);

/* NO_MEMORY for the codes that say so, else DEVICE_FAILED. */
enum anser_status anser_cl_status(cl_int code);

/* Fails with the text, ": ", the code's name and its number. */
enum anser_status anser_fail_cl(anser_ctx *ctx, cl_int code,
                                const char *fmt, ...) ANSER_PRINTF(3, 4);

#endif
