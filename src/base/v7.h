/* SPDX-License-Identifier: MIT */
/*
 * An RWKV-7 model as its file holds it: sizes, and every tensor bound to its
 * place.  One table of rows (anser_v7_rows) drives checking here, uploading in
 * model/weights.c, and the writing of synthetic files.
 */
#ifndef ANSER_BASE_V7_H
#define ANSER_BASE_V7_H

#include "base/gguf.h"

#define V7_HEAD_SIZE 64              /* the only N that exists              */
#define V7_LN_EPS 1e-5f              /* where a file names none             */
#define V7_GN_EPS 64e-5f             /* [V7:groupnorm] 1e-5 * 8^2           */
#define V7_L2_EPS 1e-12f             /* [V7:kk] a floor, not added          */
#define V7_DECAY 0.606531f           /* [V7:decay] the sources' e^-1/2      */

struct anser_v7_shape {              /* HACKING's glossary                  */
    uint32_t C, H, N, L, F, V;
    uint32_t Dw, Da, Dv, Dg;         /* LoRA ranks: decay, iclr, value, gate */
    float ln_eps;
};

/* A dimension of a tensor, by name. */
enum anser_v7_dim {
    V7_1, V7_C, V7_F, V7_V, V7_6, V7_DW, V7_DA, V7_DV, V7_DG
};

enum anser_v7_need {
    V7_MUST,
    V7_NOT_IN_LAYER_0                /* optional there, and never read      */
};

/* ne = [cols, rows]: y(rows) = W(rows, cols) x(cols).  A vector has V7_1
 * rows.  The fused lerp is (6, C). */
struct anser_v7_row {
    const char *name;                /* "time_mix_w1.weight"                */
    size_t offset;                   /* in anser_v7_layer or anser_v7_file  */
    enum anser_v7_dim cols, rows;
    enum anser_v7_need need;
};

/* Tables end with a row whose name is NULL.  Layer names stand behind
 * "blk.<i>.". */
extern const struct anser_v7_row anser_v7_layer_rows[];
extern const struct anser_v7_row anser_v7_file_rows[];

typedef const struct anser_gguf_tensor *anser_v7_ref;

struct anser_v7_layer {
    anser_v7_ref ln1_w, ln1_b, ln2_w, ln2_b;
    anser_v7_ref lerp;               /* (6, C) rows r w k v a g             */
    anser_v7_ref w0, w1, w2, a0, a1, a2, v0, v1, v2, g1, g2;
    anser_v7_ref k_k, k_a, r_k;
    anser_v7_ref receptance, key, value, output;
    anser_v7_ref ln_x_w, ln_x_b;
    anser_v7_ref ffn_lerp, ffn_key, ffn_value;
};

struct anser_v7_file {
    const anser_file *file;          /* borrowed                            */
    struct anser_v7_shape shape;
    anser_v7_ref embd, ln0_w, ln0_b, ln_out_w, ln_out_b, head;
    struct anser_v7_layer *layers;   /* owned, (L)                          */
};

/* Binds and checks all tensors.  UNSUPPORTED or BAD_FILE name the key or
 * tensor, what was found and what was expected. */
enum anser_status anser_v7_bind(const anser_file *file,
                                struct anser_v7_file *v7);
void anser_v7_unbind(struct anser_v7_file *v7);

/* Elements along a dimension. */
uint64_t anser_v7_size(const struct anser_v7_shape *shape,
                       enum anser_v7_dim dim);

/* The bound tensor of a row in layer or file struct `base`. */
anser_v7_ref anser_v7_at(const void *base, const struct anser_v7_row *row);

/* Bytes of weights that one token reads; bytes of one float32 state. */
uint64_t anser_v7_token_bytes(const struct anser_v7_file *v7);
uint64_t anser_v7_state_bytes(const struct anser_v7_shape *shape);

/* Floats in one layer of a state, and where its parts begin:
 * att_shift(C), ffn_shift(C), S(H, N, N) with j (key) contiguous. */
#define V7_STATE_FLOATS(s) ((uint64_t)(s)->C * (s)->N + 2 * (uint64_t)(s)->C)
#define V7_STATE_ATT(s) ((uint64_t)0)
#define V7_STATE_FFN(s) ((uint64_t)(s)->C)
#define V7_STATE_S(s) (2 * (uint64_t)(s)->C)

#endif
