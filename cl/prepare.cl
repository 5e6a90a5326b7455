/* SPDX-License-Identifier: MIT */
/*
 * From the projections of a token to what its recurrence reads, per head:
 *
 *   w  = exp(-0.606531 sigmoid(w0 + w))          [V7:decay]
 *   a  = sigmoid(a0 + a)                         [V7:iclr]
 *   v += (v_first - v) sigmoid(v0 + v_lora)      [V7:vfirst], not in layer 0
 *   kk = k k_k / max(|k k_k|, 1e-12)             [V7:kk]
 *   k *= 1 + (a - 1) k_a                         [V7:kmix]
 *
 * One head of one token a work-item (prepare_item) or a group of 64
 * (prepare_group).  w, a, k, v and v_first (layer 0) are written in place.
 */
#define DECAY -0.606531f
#define L2_FLOOR 1e-12f

static inline float16 sigmoid16(float16 x)
{
    return 1.0f / (1.0f + exp(-x));
}

/* One head, from channel c0 on; of its token the numbers begin at `at`. */
static inline void prepare_head(const struct prepare_args p, uint c0, ulong at,
                                __global const float *vecs, __global float *w,
                                __global float *a, __global float *k,
                                __global float *v, __global const float *v_lora,
                                __global float *v_first, __global float *kk)
{
    float16 square = (float16)(0.0f);
    for (uint i = 0; i < SH_HEAD; i += 16) {
        const uint c = c0 + i;
        const ulong j = at + i;
        const float16 kj = vload16(0, k + j);
        const float16 kkj = kj * vload16(0, vecs + p.k_k_at + c);
        const float16 wj = vload16(0, w + j) + vload16(0, vecs + p.w0_at + c);
        const float16 aj = sigmoid16(vload16(0, a + j) + vload16(0, vecs + p.a0_at + c));
        float16 vj = vload16(0, v + j);
        if (p.first) {
            vstore16(vj, 0, v_first + j);
        } else {
            const float16 mix = vload16(0, v_lora + j) + vload16(0, vecs + p.v0_at + c);
            vj += (vload16(0, v_first + j) - vj) * sigmoid16(mix);
        }
        square = mad(kkj, kkj, square);
        vstore16(kkj, 0, kk + j);
        vstore16(exp(DECAY * sigmoid16(wj)), 0, w + j);
        vstore16(aj, 0, a + j);
        vstore16(vj, 0, v + j);
        vstore16(kj * (1.0f + (aj - 1.0f) * vload16(0, vecs + p.k_a_at + c)), 0, k + j);
    }
    const float scale = 1.0f / fmax(sqrt(sum16(square)), L2_FLOOR);
    for (uint i = 0; i < SH_HEAD; i += 16)
        vstore16(vload16(0, kk + at + i) * scale, 0, kk + at + i);
}

__kernel void prepare_item(const struct prepare_args p, __global const float *vecs,
                           __global float *w, __global float *a, __global float *k,
                           __global float *v, __global const float *v_lora,
                           __global float *v_first, __global float *kk)
{
    const uint c0 = get_global_id(0) * SH_HEAD;
    if (c0 < p.C)
        prepare_head(p, c0, (ulong)get_global_id(1) * p.C + c0, vecs, w, a, k, v, v_lora,
                     v_first, kk);
}

#ifdef WG
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void prepare_group(const struct prepare_args p, __global const float *vecs,
                   __global float *w, __global float *a, __global float *k,
                   __global float *v, __global const float *v_lora,
                   __global float *v_first, __global float *kk)
{
    __local float scratch[WG];
    const uint c = get_group_id(0) * SH_HEAD + get_local_id(0);
    const ulong j = (ulong)get_group_id(1) * p.C + c;
    const float kj = k[j], kkj = kj * vecs[p.k_k_at + c];
    const float aj = sigmoid(a[j] + vecs[p.a0_at + c]);
    const float norm = sqrt(group_sum(kkj * kkj, scratch));
    if (p.first)
        v_first[j] = v[j];
    else
        v[j] += (v_first[j] - v[j]) * sigmoid(v_lora[j] + vecs[p.v0_at + c]);
    kk[j] = kkj / fmax(norm, L2_FLOOR);
    w[j] = exp(DECAY * sigmoid(w[j] + vecs[p.w0_at + c]));
    a[j] = aj;
    k[j] = kj * (1.0f + (aj - 1.0f) * vecs[p.k_a_at + c]);
}
#endif
