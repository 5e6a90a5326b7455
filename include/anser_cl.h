/* SPDX-License-Identifier: MIT */
/*
 * anser_cl.h - Anser's kernels on the caller's own OpenCL objects.
 *
 * Attach a context to your cl_context, device and in-order queue, and enqueue
 * operations on your cl_mem.  Nothing waits: an operation is done when your
 * queue is.  Kernels are built, and checked against plain C, at their first
 * use on a device; that first call takes longer.
 *
 * Matrices are in GGUF's blocks as in the file, W(rows, cols) row by row; all
 * other numbers are float32, (T, n) with n contiguous.  Offsets count floats,
 * those of matrices bytes (a multiple of 32).
 *
 * Errors, threads and lifetime are as in anser.h.
 */
#ifndef ANSER_CL_H
#define ANSER_CL_H

#include <anser.h>

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A device on the caller's objects, which are retained until _detach.
 * BAD_ARG: they don't belong together, or the queue is not in order. */
ANSER_CHECKED enum anser_status
anser_cl_attach(anser_ctx *ctx, cl_context context, cl_device_id id,
                cl_command_queue queue, anser_device **device);
ANSER_API void anser_cl_detach(anser_device *device);

/* Elements and bytes of a block of a type's name ("Q4_K").  BAD_ARG: no such
 * type. */
ANSER_CHECKED enum anser_status
anser_cl_block_info(anser_ctx *ctx, const char *type, uint32_t *length,
                    uint32_t *bytes);

/* W(rows, cols) in blocks of a type, from byte `at` of mem on.  cols is a
 * multiple of the block's length. */
struct anser_cl_matrix {
    size_t size;              /* set to sizeof(struct)                      */
    const char *type;
    cl_mem mem;
    uint64_t at;
    uint32_t rows, cols;
};

/* Floats from element `at` of mem on. */
struct anser_cl_view {
    cl_mem mem;
    uint32_t at;
};

/* [V7:matmul] y(T, rows) = x(T, cols) W^T; with add, y += that. */
ANSER_CHECKED enum anser_status
anser_cl_matmul(anser_device *device, const struct anser_cl_matrix *W,
                struct anser_cl_view x, struct anser_cl_view y, uint32_t T,
                int add);

/* [V7:layernorm] y(T, C) = norm of x(T, C): weight(C) and bias(C) stand in
 * vecs at the given places.  C is a multiple of 16; y starts its buffer and
 * may be x where x.at is 0. */
struct anser_cl_norm_args {
    size_t size;              /* set to sizeof(struct)                      */
    uint32_t C, T;
    cl_mem vecs;
    uint32_t weight_at, bias_at;
    float eps;
};
ANSER_CHECKED enum anser_status
anser_cl_norm(anser_device *device, const struct anser_cl_norm_args *args,
              struct anser_cl_view x, cl_mem y);

/* [V7:wkv] T steps of RWKV-7's recurrence: r w k v kk a and y are (T, C), each
 * from the start of its buffer, C a multiple of 64; S(C / 64, 64, 64) at `at`
 * of the state is read and written. */
struct anser_cl_wkv_args {
    size_t size;              /* set to sizeof(struct)                      */
    uint32_t C, T;
    cl_mem r, w, k, v, kk, a;
    struct anser_cl_view state;
};
ANSER_CHECKED enum anser_status
anser_cl_wkv7(anser_device *device, const struct anser_cl_wkv_args *args,
              cl_mem y);

#ifdef __cplusplus
}
#endif

#endif
