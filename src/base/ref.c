/* SPDX-License-Identifier: MIT */
/*
 * The elementary equations of RWKV-7, one tagged function each.  ref_model.c
 * strings them together.  Equations: spec 4.1 and 4.2.
 *
 * Values are float32; sums run in double, so that the order of their terms
 * hardly matters.
 */
#include "base/ref.h"

#include <math.h>
#include <string.h>

/* Elements decoded at a time: whole blocks of every type. */
enum { PIECE = 256 };

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

/* (x - mean) / sqrt(var + eps) over n values, var divided by n. */
static void normalise(float *y, const float *x, uint32_t n, float eps)
{
    double sum = 0.0, squares = 0.0;
    for (uint32_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / n;
    for (uint32_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    double scale = 1.0 / sqrt(squares / n + eps);
    for (uint32_t i = 0; i < n; i++)
        y[i] = (float)((x[i] - mean) * scale);
}

/* [V7:layernorm] */
void anser_ref_layer_norm(float *y, const float *x, const float *w,
                          const float *b, uint32_t C, float eps)
{
    normalise(y, x, C, eps);
    for (uint32_t i = 0; i < C; i++)
        y[i] = y[i] * w[i] + b[i];
}

/* [V7:matmul] */
void anser_ref_matvec(float *y, const struct anser_block *block,
                      const void *data, uint64_t rows, uint64_t cols,
                      const float *x)
{
    const unsigned char *at = data;
    float piece[PIECE];
    for (uint64_t row = 0; row < rows; row++) {
        double sum = 0.0;
        for (uint64_t col = 0; col < cols; col += PIECE) {
            uint64_t n = cols - col < PIECE ? cols - col : PIECE;
            block->decode(at, piece, (size_t)n);
            at += anser_block_bytes(block, n);
            for (uint64_t i = 0; i < n; i++)
                sum += (double)piece[i] * x[col + i];
        }
        y[row] = (float)sum;
    }
}

/* [V7:shift] */
void anser_ref_lerp(float *y, const float *xn, const float *prev,
                    const float *lerp, uint32_t C)
{
    for (uint32_t i = 0; i < C; i++)
        y[i] = xn[i] + (prev[i] - xn[i]) * lerp[i];
}

/* [V7:decay] */
void anser_ref_decay(float *w, const float *w0, const float *lora, uint32_t C)
{
    for (uint32_t i = 0; i < C; i++)
        w[i] = expf(-V7_DECAY * sigmoid(w0[i] + lora[i]));
}

/* [V7:iclr] */
void anser_ref_iclr(float *a, const float *a0, const float *lora, uint32_t C)
{
    for (uint32_t i = 0; i < C; i++)
        a[i] = sigmoid(a0[i] + lora[i]);
}

/* [V7:vfirst] */
void anser_ref_value_mix(float *v, const float *v_first, const float *v0,
                         const float *lora, uint32_t C)
{
    for (uint32_t i = 0; i < C; i++)
        v[i] += (v_first[i] - v[i]) * sigmoid(v0[i] + lora[i]);
}

/* [V7:kk] */
void anser_ref_kk(float *kk, const float *k, const float *k_k, uint32_t H,
                  uint32_t N)
{
    for (uint32_t h = 0; h < H; h++, kk += N, k += N, k_k += N) {
        double squares = 0.0;
        for (uint32_t j = 0; j < N; j++) {
            kk[j] = k[j] * k_k[j];
            squares += (double)kk[j] * kk[j];
        }
        double norm = sqrt(squares);
        if (norm < V7_L2_EPS)
            norm = V7_L2_EPS;
        for (uint32_t j = 0; j < N; j++)
            kk[j] = (float)(kk[j] / norm);
    }
}

/* [V7:kmix] */
void anser_ref_key_mix(float *k, const float *a, const float *k_a, uint32_t C)
{
    for (uint32_t i = 0; i < C; i++)
        k[i] *= 1.0f + (a[i] - 1.0f) * k_a[i];
}

/* One row i (a value) of one head's state, S(N) over the keys j:
 *     sa = S . (-kk)                      of the state as it was
 *     S  = S w + sa (kk a) + v k
 *     y  = S . r */
static float wkv_row(float *S, const struct anser_ref_wkv *in, size_t head,
                     float v)
{
    const float *r = in->r + head, *w = in->w + head, *k = in->k + head;
    const float *kk = in->kk + head, *a = in->a + head;
    double sa = 0.0, y = 0.0;
    for (uint32_t j = 0; j < in->N; j++)
        sa -= (double)S[j] * kk[j];
    for (uint32_t j = 0; j < in->N; j++) {
        S[j] = (float)((double)S[j] * w[j] + sa * ((double)kk[j] * a[j])
                       + (double)v * k[j]);
        y += (double)S[j] * r[j];
    }
    return (float)y;
}

/* [V7:wkv] */
void anser_ref_wkv(float *y, float *S, const struct anser_ref_wkv *in)
{
    for (uint32_t h = 0; h < in->H; h++)
        for (uint32_t i = 0; i < in->N; i++) {
            size_t head = (size_t)h * in->N;
            y[head + i] = wkv_row(S + (head + i) * in->N, in, head,
                                  in->v[head + i]);
        }
}

/* [V7:groupnorm] */
void anser_ref_group_norm(float *y, const float *w, const float *b,
                          uint32_t H, uint32_t N)
{
    for (uint32_t h = 0; h < H; h++)
        normalise(y + (size_t)h * N, y + (size_t)h * N, N, V7_GN_EPS);
    for (uint32_t i = 0; i < H * N; i++)
        y[i] = y[i] * w[i] + b[i];
}

/* [V7:bonus] */
void anser_ref_bonus(float *y, const float *r, const float *k, const float *v,
                     const float *r_k, uint32_t H, uint32_t N)
{
    for (uint32_t h = 0; h < H; h++) {
        size_t head = (size_t)h * N;
        double sum = 0.0;
        for (size_t j = head; j < head + N; j++)
            sum += (double)r[j] * k[j] * r_k[j];
        for (size_t i = head; i < head + N; i++)
            y[i] += (float)(sum * v[i]);
    }
}

/* [V7:relu2] */
void anser_ref_relu2(float *y, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        y[i] = y[i] > 0.0f ? y[i] * y[i] : 0.0f;
}
