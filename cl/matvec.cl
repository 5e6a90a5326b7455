/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for few tokens, weights as in the file, float
 * activations.
 *
 * matvec_item: one row a work-item, TOKENS tokens at once, vectors, no
 *   barrier: the shape for CPUs, and the plain variant that fits everything.
 * matvec_group: WG work-items share ROWS rows; the partial sums of a row meet
 *   in local memory.  The shape for GPUs, no sub-groups needed.
 */

#ifdef TOKENS
__kernel void matvec_item(const struct matmul_args a, __global const uchar *W,
                          __global const float *x, __global float *y)
{
    const uint row = get_global_id(0);
    const uint t0 = get_global_id(1) * TOKENS;
    if (row >= a.rows)
        return;
    bytes w = row_at(W, a.w_at, row, a.row_bytes);
    __global const float *xt[TOKENS];
    float16 acc[TOKENS];
    float tail[TOKENS];
    for (uint t = 0; t < TOKENS; t++) {       /* past the last: repeat it */
        xt[t] = x + a.x_at + (ulong)min(t0 + t, a.T - 1) * a.cols;
        acc[t] = (float16)(0.0f);
        tail[t] = 0.0f;
    }
    const uint whole = a.cols & ~31u;
    for (uint i = 0; i < whole; i += 32) {
        float16 lo, hi;
        unpack32(w, i, &lo, &hi);
        for (uint t = 0; t < TOKENS; t++) {
            acc[t] += lo * vload16(0, xt[t] + i);
            acc[t] += hi * vload16(1, xt[t] + i);
        }
    }
#if ONE_BY_ONE
    for (uint i = whole; i < a.cols; i++) {
        const float one = unpack1(w, i);
        for (uint t = 0; t < TOKENS; t++)
            tail[t] = mad(one, xt[t][i], tail[t]);
    }
#endif
    for (uint t = 0; t < TOKENS && t0 + t < a.T; t++) {
        __global float *out = y + a.y_at + (ulong)(t0 + t) * a.y_stride + row;
        const float sum = sum16(acc[t]) + tail[t];
        *out = a.act == SH_ACT_ADD ? *out + sum : activate(sum, a.act);
    }
}
#endif

#ifdef WG
#define LANES (WG / ROWS)        /* work-items of a row */

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void matvec_group(const struct matmul_args a, __global const uchar *W,
                  __global const float *x, __global float *y)
{
    __local float part[WG];
    const uint id = get_local_id(0), lane = id % LANES;
    const uint row = get_group_id(0) * ROWS + id / LANES;
    const uint t = get_group_id(1);
    bytes w = row_at(W, a.w_at, min(row, a.rows - 1), a.row_bytes);
    __global const float *xt = x + a.x_at + (ulong)t * a.cols;
    float16 acc = (float16)(0.0f);
    for (uint i = lane * 32; i + 32 <= a.cols; i += LANES * 32) {
        float16 lo, hi;
        unpack32(w, i, &lo, &hi);
        acc = mad(lo, vload16(0, xt + i), acc);
        acc = mad(hi, vload16(1, xt + i), acc);
    }
    float sum = sum16(acc);
#if ONE_BY_ONE
    for (uint i = (a.cols & ~31u) + lane; i < a.cols; i += LANES)
        sum = mad(unpack1(w, i), xt[i], sum);
#endif
    part[id] = sum;
    for (uint step = LANES / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (lane < step)
            part[id] += part[id + step];
    }
    if (lane == 0 && row < a.rows) {
        __global float *out = y + a.y_at + (ulong)t * a.y_stride + row;
        sum = part[id];
        *out = a.act == SH_ACT_ADD ? *out + sum : activate(sum, a.act);
    }
}
#endif
