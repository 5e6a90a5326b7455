/* SPDX-License-Identifier: MIT */
/*
 * RWKV-7 in plain C: the first thing to read, and the oracle of the tests and
 * of the self-test on a user's card.  Float32 throughout, weights decoded as
 * they are used, sums in double so that the order of terms hardly matters.
 *
 * Every function is one tagged equation; anser_ref_token strings them
 * together.  Shapes: x(C), W(rows, cols).
 */
#ifndef ANSER_BASE_REF_H
#define ANSER_BASE_REF_H

#include "base/v7.h"

/* [V7:layernorm] y = (x - mean) / sqrt(var + eps) * w + b, biased var. */
void anser_ref_layer_norm(float *y, const float *x, const float *w,
                          const float *b, uint32_t C, float eps);

/* [V7:matmul] y(rows) = W(rows, cols) x(cols), W in blocks at data. */
void anser_ref_matvec(float *y, const struct anser_block *block,
                      const void *data, uint64_t rows, uint64_t cols,
                      const float *x);

/* [V7:shift] y = xn + (prev - xn) * lerp. */
void anser_ref_lerp(float *y, const float *xn, const float *prev,
                    const float *lerp, uint32_t C);

/* [V7:decay] w = exp(-0.606531 sigmoid(w0 + lora)). */
void anser_ref_decay(float *w, const float *w0, const float *lora, uint32_t C);

/* [V7:iclr] a = sigmoid(a0 + lora). */
void anser_ref_iclr(float *a, const float *a0, const float *lora, uint32_t C);

/* [V7:vfirst] v += (v_first - v) sigmoid(v0 + lora). */
void anser_ref_value_mix(float *v, const float *v_first, const float *v0,
                         const float *lora, uint32_t C);

/* [V7:kk] kk = k * k_k, then each head divided by max(|kk|, 1e-12). */
void anser_ref_kk(float *kk, const float *k, const float *k_k, uint32_t H,
                  uint32_t N);

/* [V7:kmix] k *= 1 + (a - 1) k_a. */
void anser_ref_key_mix(float *k, const float *a, const float *k_a, uint32_t C);

/* [V7:wkv] the state update of one token and y = S r.  S(H, N, N). */
struct anser_ref_wkv {
    const float *r, *w, *k, *v, *kk, *a;     /* (C) each                    */
    uint32_t H, N;
};
void anser_ref_wkv(float *y, float *S, const struct anser_ref_wkv *in);

/* [V7:groupnorm] per head, eps 64e-5, then * w + b. */
void anser_ref_group_norm(float *y, const float *w, const float *b,
                          uint32_t H, uint32_t N);

/* [V7:bonus] y += v (r . (k r_k)) per head. */
void anser_ref_bonus(float *y, const float *r, const float *k, const float *v,
                     const float *r_k, uint32_t H, uint32_t N);

/* [V7:relu2] y = max(x, 0)^2. */
void anser_ref_relu2(float *y, uint64_t n);

/* A whole model; makes no use of a device. */
struct anser_ref_model;
enum anser_status anser_ref_open(const anser_file *file,
                                 struct anser_ref_model **model);
void anser_ref_close(struct anser_ref_model *model);
const struct anser_v7_shape *anser_ref_shape(const struct anser_ref_model *m);

/* One token: state(L, V7_STATE_FLOATS) is read and written; logits(V), or NULL
 * to leave out the head. */
void anser_ref_token(struct anser_ref_model *model, float *state,
                     uint32_t id, float *logits);

#endif
