/* SPDX-License-Identifier: MIT */
/*
 * The operations: the table of contents of op/.  Each is enqueued on q and
 * reports failures there (rt/queue.h); none allocates.
 *
 * Elementary operations work on T rows of floats; the phases of a layer
 * (op/phase.h) are composed of them, or done by fused kernels.
 */
#ifndef ANSER_OP_OP_H
#define ANSER_OP_OP_H

#include "op/layout.h"
#include "op/variant.h"
#include "shared.h"

/* A run of a matrix's rows in one buffer. */
struct anser_part {
    cl_mem mem;                      /* borrowed from the weights           */
    uint32_t at;                     /* in units of SH_UNIT bytes           */
    uint32_t row0, rows;
};

/* W(rows, cols) in blocks, with the kernels that multiply by it. */
struct anser_matmul_plan;
struct anser_matrix {
    const struct anser_block *block;
    uint32_t rows, cols;
    uint32_t row_bytes;              /* in the file                         */
    enum anser_layout layout;
    uint32_t n_parts;
    struct anser_part *parts;        /* owned, (n_parts)                    */
    const struct anser_matmul_plan *plan;  /* borrowed: device              */
};

/* How a type and shape of matrix is multiplied on a device. */
struct anser_matmul_plan {
    struct anser_matmul_plan *next;  /* owned                               */
    struct anser_need need;
    enum anser_layout layout;
    struct anser_chosen few, many;   /* up to `crossover` tokens, and above */
    uint32_t crossover;
    enum anser_why crossover_why;
    uint32_t generation;             /* of the tuning that it was made by   */
};

/* The plan, made at first use and kept with the device. */
enum anser_status anser_matmul_plan(anser_device *device,
                                    const struct anser_need *need,
                                    const struct anser_matmul_plan **plan);

/* One elementary kernel each of a device, chosen once. */
struct anser_elementary {
    struct anser_chosen norm, shift, prepare, wkv7, finish;
    struct anser_chosen argmax_parts, argmax_last;
};
enum anser_status anser_elementary(anser_device *device, uint32_t C,
                                   struct anser_elementary *e);

/* A vector of weights or state: floats from `at` on in mem. */
struct anser_view {
    cl_mem mem;
    uint32_t at;
};

/* [V7:matmul] y(T, rows) = act(x(T, cols) W^T); SH_ACT_ADD adds to y.  y's
 * tokens are y_stride floats apart, x's cols. */
struct anser_matmul_call {
    struct anser_view y, x;
    uint32_t T, act, y_stride;
};
void anser_op_matmul(struct anser_queue *q, const struct anser_matrix *W,
                     const struct anser_matmul_call *call);

/* [V7:embed] x(T, C) = rows ids(T) of W. */
enum anser_status anser_embed_kernel(anser_device *device,
                                     const struct anser_need *need,
                                     struct anser_chosen *chosen);
void anser_op_embed(struct anser_queue *q, const struct anser_chosen *kernel,
                    const struct anser_matrix *W, cl_mem ids, cl_mem x,
                    uint32_t T);

/* [V7:layernorm] y(T, C) = norm(x(T, C)). */
void anser_op_norm(struct anser_queue *q, const struct anser_chosen *kernel,
                   const struct norm_args *args, cl_mem vecs, cl_mem x,
                   cl_mem y);

/* [V7:shift] mixed(n, T, C); the state is read, not advanced. */
void anser_op_shift(struct anser_queue *q, const struct anser_chosen *kernel,
                    const struct shift_args *args, cl_mem vecs, cl_mem state,
                    cl_mem xn, cl_mem mixed);

/* [V7:decay] [V7:iclr] [V7:vfirst] [V7:kk] [V7:kmix], in place. */
struct anser_heads {                 /* (T, C) each                         */
    cl_mem r, w, k, v, kk, a, g, v_lora, v_first, y;
};
void anser_op_prepare(struct anser_queue *q, const struct anser_chosen *kernel,
                      const struct prepare_args *args, cl_mem vecs,
                      const struct anser_heads *heads);

/* [V7:wkv] T steps; y and the state are written. */
void anser_op_wkv7(struct anser_queue *q, const struct anser_chosen *kernel,
                   const struct wkv_args *args, cl_mem state,
                   const struct anser_heads *heads);

/* [V7:groupnorm] [V7:bonus] [V7:gate], in place on y. */
void anser_op_finish(struct anser_queue *q, const struct anser_chosen *kernel,
                     const struct finish_args *args, cl_mem vecs,
                     const struct anser_heads *heads);

/* The lowest index of the largest of x(n) to id; scratch(parts) twice. */
#define ANSER_ARGMAX_PARTS 256
void anser_op_argmax(struct anser_queue *q, const struct anser_elementary *e,
                     cl_mem x, uint32_t n, cl_mem scratch[2], cl_mem id);

#endif
