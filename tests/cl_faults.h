/* SPDX-License-Identifier: MIT */
/*
 * OpenCL calls that a test can count and make fail.  The suite defines the
 * functions themselves and passes them on to the loader's, so that nothing in
 * the library knows about it.
 */
#ifndef ANSER_CL_FAULTS_H
#define ANSER_CL_FAULTS_H

#include "rt/cl.h"

/* One function: calls so far; the call number (from 1) from which on `times`
 * calls fail with `code`.  fail_at 0: none does. */
struct cl_fault {
    unsigned calls;
    unsigned fail_at, times;
    cl_int code;
};

extern struct cl_fault fault_buffer;         /* clCreateBuffer              */
extern struct cl_fault fault_kernel;         /* clCreateKernel              */
extern struct cl_fault fault_binary;         /* clCreateProgramWithBinary   */
extern struct cl_fault fault_source;         /* clCreateProgramWithSource   */
extern struct cl_fault fault_sizes;          /* clGetProgramInfo: no binary */
extern struct cl_fault fault_devices;        /* clGetDeviceIDs              */
extern struct cl_fault fault_run;            /* clEnqueueNDRangeKernel      */

/* Forgets all counts and faults. */
void fault_reset(void);

/* The next `times` calls fail with code. */
void fault_next(struct cl_fault *fault, unsigned times, cl_int code);

#endif
