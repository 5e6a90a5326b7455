/* SPDX-License-Identifier: MIT */
/*
 * [V7:layernorm] y = (x - mean) / sqrt(var + eps) * weight + bias over C, one
 * token a work-item (norm_item) or a work-group of WG (norm_group).  The
 * variance is taken around the mean, in a second pass.  C is a multiple of 16.
 */

static inline void norm_row(const struct norm_args a, __global const float *vecs,
                            __global const float *x, __global float *y)
{
    const uint n = a.C / 16;
    float16 acc = (float16)(0.0f);
    for (uint i = 0; i < n; i++)
        acc += vload16(i, x);
    const float mean = sum16(acc) / a.C;
    acc = (float16)(0.0f);
    for (uint i = 0; i < n; i++) {
        const float16 d = vload16(i, x) - mean;
        acc = mad(d, d, acc);
    }
    const float scale = 1.0f / sqrt(sum16(acc) / a.C + a.eps);
    for (uint i = 0; i < n; i++) {
        const float16 w = vload16(i, vecs + a.weight_at);
        const float16 b = vload16(i, vecs + a.bias_at);
        vstore16((vload16(i, x) - mean) * scale * w + b, i, y);
    }
}

__kernel void norm_item(const struct norm_args a, __global const float *vecs,
                        __global const float *x, __global float *y)
{
    const uint t = get_global_id(0);
    if (t < a.T)
        norm_row(a, vecs, x + a.x_at + (ulong)t * a.C, y + (ulong)t * a.C);
}

#ifdef WG
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void norm_group(const struct norm_args a, __global const float *vecs,
                __global const float *x, __global float *y)
{
    __local float scratch[WG];
    const uint t = get_group_id(0), lane = get_local_id(0);
    __global const float *xt = x + a.x_at + (ulong)t * a.C;
    float acc = 0.0f;
    for (uint i = lane; i < a.C; i += WG)
        acc += xt[i];
    const float mean = group_sum(acc, scratch) / a.C;
    acc = 0.0f;
    for (uint i = lane; i < a.C; i += WG) {
        const float d = xt[i] - mean;
        acc = mad(d, d, acc);
    }
    const float scale = 1.0f / sqrt(group_sum(acc, scratch) / a.C + a.eps);
    for (uint i = lane; i < a.C; i += WG)
        y[(ulong)t * a.C + i] = (xt[i] - mean) * scale * vecs[a.weight_at + i]
                                + vecs[a.bias_at + i];
}
#endif
