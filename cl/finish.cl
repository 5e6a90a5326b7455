/* SPDX-License-Identifier: MIT */
/*
 * What follows the recurrence, per head of each token, in place on y:
 *
 *   y = (y - mean) / sqrt(var + eps) * weight + bias   [V7:groupnorm]
 *   y += v (r . (k r_k))                               [V7:bonus]
 *   y *= g                                             [V7:gate]
 */

/* One head, from channel c0 on; of its token the numbers begin at `at`. */
static inline void finish_head(const struct finish_args p, uint c0, ulong at,
                               __global const float *vecs, __global const float *r,
                               __global const float *k, __global const float *v,
                               __global const float *g, __global float *y)
{
    float16 total = (float16)(0.0f), bonus = (float16)(0.0f);
    for (uint i = 0; i < SH_HEAD; i += 16) {
        total += vload16(0, y + at + i);
        bonus = mad(vload16(0, r + at + i) * vload16(0, k + at + i),
                    vload16(0, vecs + p.r_k_at + c0 + i), bonus);
    }
    const float mean = sum16(total) / SH_HEAD, extra = sum16(bonus);
    float16 square = (float16)(0.0f);
    for (uint i = 0; i < SH_HEAD; i += 16) {
        const float16 d = vload16(0, y + at + i) - mean;
        square = mad(d, d, square);
    }
    const float scale = 1.0f / sqrt(sum16(square) / SH_HEAD + p.eps);
    for (uint i = 0; i < SH_HEAD; i += 16) {
        const float16 weight = vload16(0, vecs + p.weight_at + c0 + i);
        const float16 bias = vload16(0, vecs + p.bias_at + c0 + i);
        const float16 n = (vload16(0, y + at + i) - mean) * scale * weight + bias;
        vstore16((n + extra * vload16(0, v + at + i)) * vload16(0, g + at + i),
                 0, y + at + i);
    }
}

__kernel void finish_item(const struct finish_args p, __global const float *vecs,
                          __global const float *r, __global const float *k,
                          __global const float *v, __global const float *g,
                          __global float *y)
{
    const uint c0 = get_global_id(0) * SH_HEAD;
    if (c0 < p.C)
        finish_head(p, c0, (ulong)get_global_id(1) * p.C + c0, vecs, r, k, v, g, y);
}

#ifdef WG
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void finish_group(const struct finish_args p, __global const float *vecs,
                  __global const float *r, __global const float *k,
                  __global const float *v, __global const float *g,
                  __global float *y)
{
    __local float scratch[WG];
    const uint c = get_group_id(0) * SH_HEAD + get_local_id(0);
    const ulong j = (ulong)get_group_id(1) * p.C + c;
    const float extra = group_sum(r[j] * k[j] * vecs[p.r_k_at + c], scratch);
    const float d = y[j] - group_sum(y[j], scratch) / SH_HEAD;
    const float scale = 1.0f / sqrt(group_sum(d * d, scratch) / SH_HEAD + p.eps);
    y[j] = (d * scale * vecs[p.weight_at + c] + vecs[p.bias_at + c] + extra * v[j]) * g[j];
}
#endif
