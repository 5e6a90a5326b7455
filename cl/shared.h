/* SPDX-License-Identifier: MIT */
/*
 * What C and OpenCL C must agree on: the numbers of the block types, the
 * activations of a matrix product, and the argument structs of the kernels.
 * Fields are 4 bytes wide, so that no compiler pads them differently.
 *
 * Offsets `*_at` count floats from the start of a buffer; `w_at` counts units
 * of SH_UNIT bytes, so that 32 bits reach every weight.
 */
#ifndef ANSER_SHARED_H
#define ANSER_SHARED_H

#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)
#define SH_DEVICE 1
typedef uint sh_u32;
typedef float sh_f32;
#define SH_ASSERT(condition, text)
#else
#include <stdint.h>
typedef uint32_t sh_u32;
typedef float sh_f32;
#define SH_ASSERT(condition, text) _Static_assert(condition, text)
#endif

#define SH_HEAD 64              /* N: the head size of every RWKV-7         */
#define SH_UNIT 32              /* bytes; GGUF aligns tensors to it         */

/* Block types, ggml's numbers (-D TYPE=...). */
#define SH_F32 0
#define SH_F16 1
#define SH_Q4_0 2
#define SH_Q4_1 3
#define SH_Q5_0 6
#define SH_Q5_1 7
#define SH_Q8_0 8
#define SH_Q2_K 10
#define SH_Q3_K 11
#define SH_Q4_K 12
#define SH_Q5_K 13
#define SH_Q6_K 14
#define SH_BF16 30

/* What a matrix product does to each sum before it stores it. */
#define SH_ACT_NONE 0
#define SH_ACT_TANH 1
#define SH_ACT_SIGMOID 2
#define SH_ACT_RELU2 3
#define SH_ACT_ADD 4            /* y += sum: the residual stream            */

/* [V7:matmul] y(T, rows) = act(x(T, cols) W(rows, cols)^T). */
struct matmul_args {
    sh_u32 w_at;                /* in units of SH_UNIT bytes                */
    sh_u32 row_bytes;
    sh_u32 rows, cols, T;
    sh_u32 x_at, y_at;
    sh_u32 y_stride;            /* floats from one token to the next        */
    sh_u32 act;                 /* SH_ACT_...                               */
};
SH_ASSERT(sizeof(struct matmul_args) == 36, "no padding");

/* The same in parts: group z of the third number sums columns z span on
 * (cl/matmul_wide.cl). */
struct matmul_wide_args {
    struct matmul_args of;
    sh_u32 span;                /* a multiple of 32                         */
};
SH_ASSERT(sizeof(struct matmul_wide_args) == 40, "no padding");

/* Up to four products in one launch (cl/nv_gemm.cl): of each a matrix, where
 * its halves and its result begin, and the first group along its rows.  x_at
 * counts 8 halves; so does y_at where the result is halves. */
struct gemm_job {
    sh_u32 w_at;                /* in units of SH_UNIT bytes                */
    sh_u32 x_at, y_at;
    sh_u32 rows, cols;
    sh_u32 act;                 /* SH_ACT_...                               */
    sh_u32 group0;
    sh_u32 in_halves;           /* 1: W is F16, where it could be F32       */
};
struct gemm_args {
    sh_u32 T, n;
    struct gemm_job job[4];
};
SH_ASSERT(sizeof(struct gemm_args) == 136, "no padding");

/* Matrix products on a CPU (cl/strip.cl, cl/columns.cl): tokens that are rounded
 * at once, parts of the columns of which one token's sums are made. */
#define SH_STRIP_TOKENS 128
#define SH_COLUMN_PARTS 8

/* A part of a matrix, from blocks as in the file to another layout. */
struct pack_args {
    sh_u32 from_at, to_at;      /* in units of SH_UNIT bytes                */
    sh_u32 rows, cols;
    sh_u32 row_bytes;           /* in the file                              */
};
SH_ASSERT(sizeof(struct pack_args) == 20, "no padding");

/* x(T, C) = rows ids(T) of the matrix part [row0, row0 + rows). */
struct embed_args {
    sh_u32 w_at, row_bytes;
    sh_u32 row0, rows;
    sh_u32 C, T;
};
SH_ASSERT(sizeof(struct embed_args) == 24, "no padding");

/* [V7:layernorm] y(T, C) from x(T, C) at x_at. */
struct norm_args {
    sh_u32 C, T;
    sh_u32 x_at;
    sh_u32 weight_at, bias_at;  /* in the vector buffer                     */
    sh_f32 eps;
};
SH_ASSERT(sizeof(struct norm_args) == 24, "no padding");

/* [V7:shift] mixed(n, T, C) = xn + (previous - xn) * lerp(n, C). */
struct shift_args {
    sh_u32 C, T, n;
    sh_u32 lerp_at;             /* in the vector buffer                     */
    sh_u32 prev_at;             /* in the state                             */
};
SH_ASSERT(sizeof(struct shift_args) == 20, "no padding");

/* Both of these at once, blends in halves (cl/nv_prefill.cl). */
struct nv_shift_args {
    sh_u32 C, T, n;
    sh_u32 lerp_at, weight_at, bias_at;
    sh_u32 prev_at;             /* in the state                             */
    sh_f32 eps;
};
SH_ASSERT(sizeof(struct nv_shift_args) == 32, "no padding");

/* Words of what cl/nv_chunk.cl keeps of a head's SH_NV_CHUNK steps. */
#define SH_NV_CHUNK 16
#define SH_NV_RECORD 4672

/* [V7:decay] [V7:iclr] [V7:vfirst] [V7:kk] [V7:kmix]: from the projections to
 * what the recurrence reads; all (T, C). */
struct prepare_args {
    sh_u32 C, T;
    sh_u32 w0_at, a0_at, v0_at, k_k_at, k_a_at;
    sh_u32 first;               /* 1 in layer 0: v_first = v                */
};
SH_ASSERT(sizeof(struct prepare_args) == 32, "no padding");

/* [V7:wkv] T steps of the recurrence on S(H, N, N) at s_at in the state. */
struct wkv_args {
    sh_u32 C, T;
    sh_u32 s_at;
};
SH_ASSERT(sizeof(struct wkv_args) == 12, "no padding");

/* [V7:groupnorm] [V7:bonus] [V7:gate]: y(T, C) in place. */
struct finish_args {
    sh_u32 C, T;
    sh_u32 weight_at, bias_at, r_k_at;
    sh_f32 eps;
};
SH_ASSERT(sizeof(struct finish_args) == 24, "no padding");

/* Where a layer's weights are, for kernels that do a whole phase: matrices
 * from `receptance` on in units of SH_UNIT, vectors from `ln1_w` on in floats. */
struct layer_args {
    sh_u32 receptance, key, value, output, ffn_key, ffn_value;
    sh_u32 w1, w2, a1, a2, v1, v2, g1, g2;
    sh_u32 ln1_w, ln1_b, ln2_w, ln2_b, lerp, ffn_lerp;
    sh_u32 w0, a0, v0, k_k, k_a, r_k, ln_x_w, ln_x_b;
    sh_u32 state_at;            /* the layer's part of the state            */
    sh_u32 first;               /* 1 in layer 0                             */
    sh_f32 eps, head_eps;
};
SH_ASSERT(sizeof(struct layer_args) == 128, "no padding");

/* What a token begins and ends with. */
struct ends_args {
    sh_u32 head;                /* in units of SH_UNIT                      */
    sh_u32 ln0_w, ln0_b, ln_out_w, ln_out_b;
    sh_u32 L, V;
    sh_f32 eps;
};
SH_ASSERT(sizeof(struct ends_args) == 32, "no padding");

/* What the groups of a launch that does a whole token tell each other and the
 * host, in words. */
#define SH_SYNC_COUNT 0         /* arrivals at barriers                     */
#define SH_SYNC_FAILED 1        /* the first launch that gave up, or 0      */
#define SH_SYNC_SEEN 2          /* groups that were there at once           */
#define SH_SYNC_IDS 3           /* what launch n was fed: word IDS + n % RING */
#define SH_SYNC_RING 64
#define SH_SYNC_WAITED (SH_SYNC_IDS + SH_SYNC_RING)    /* looks, see below    */
#define SH_SYNC_LINE 32         /* words between counters that many write   */
#define SH_SYNC_WORK (3 * SH_SYNC_LINE)    /* what is taken of a phase (CPU) */
#define SH_SYNC_DONE (SH_SYNC_WORK + 3 * SH_SYNC_LINE)  /* parts of slices (CPU) */
#define SH_SYNC_SLICES 64
#define SH_SYNC_WORDS (SH_SYNC_DONE + SH_SYNC_SLICES)

struct token_args {
    struct ends_args ends;
    sh_u32 base;                /* arrivals before this launch              */
    sh_u32 limit;               /* looks of one wait before giving up       */
    sh_u32 patient;             /* phases with a limit; 0 looks in others   */
    sh_u32 serial;              /* of this launch; 0: counts groups         */
};
SH_ASSERT(sizeof(struct token_args) == 48, "no padding");

/* The same on a CPU (cl/cpu_token.cl): matrices of these types, and LoRAs in the
 * order of layer_args. */
struct cpu_layer_args {
    struct layer_args at;
    sh_u32 type[6], lora[8];    /* SH_Q4_K ..., SH_F32 or SH_F16            */
    sh_u32 columns;             /* 1: ffn_value is no strips but columns    */
};
SH_ASSERT(sizeof(struct cpu_layer_args) == 188, "no padding");

struct cpu_token_args {
    struct token_args token;
    sh_u32 C, F, Dw, Da, Dv, Dg;
    sh_u32 head_type;
    sh_u32 slot;                /* floats of a work-item's own              */
    sh_u32 waits;               /* looks of a work-item that a token is worth */
};
SH_ASSERT(sizeof(struct cpu_token_args) == 84, "no padding");

/* The lowest index of the largest of x(n), in two steps. */
struct argmax_args {
    sh_u32 n;
    sh_u32 parts;               /* of the first step                        */
};
SH_ASSERT(sizeof(struct argmax_args) == 8, "no padding");

/* [V7:sample] an id from logits(n), and the counts(n) of ids drawn before. */
#define SH_NEVER -1.0f          /* the count of an id never drawn           */
#define SH_BANNED -2.0f         /* of one that may not be drawn             */
#define SH_ONE_P 16777216       /* top_p counts units of 2^-24              */
struct sample_args {
    sh_u32 n;
    sh_f32 presence, frequency;
    sh_f32 decay;               /* of counts, before the last id's is added */
    sh_f32 cooling;             /* 1 / temperature, at most 2^24; 0: greedy */
    sh_u32 top_p;               /* SH_ONE_P keeps all                       */
    sh_u32 top_k;               /* 0 keeps all                              */
    sh_u32 seed_lo, seed_hi;
    sh_u32 position_lo, position_hi;
    sh_u32 first;               /* 1: the counts have the last id in them   */
};
SH_ASSERT(sizeof(struct sample_args) == 48, "no padding");

#endif
