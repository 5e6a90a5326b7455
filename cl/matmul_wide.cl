/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for many tokens, where work-items have registers
 * for many sums: a tile of 128 rows and 128 tokens a group of 256, 32 columns
 * at a time through local memory (32 KiB).  Each work-item keeps 8 x 8 sums: of
 * rows 4 m and 64 + 4 m on, and such tokens, so that neighbours read
 * neighbours.  cols is a multiple of 32.
 *
 * Where there are fewer tiles than the device has room for, groups share one: of
 * each range of `span` columns the sums go to a plane of their own, and
 * matmul_join adds these in their order.
 */
#define TILE 128
#define TILE_K 32                /* columns, one run of blocks  */
#define ITEMS 256
#define LANES 16                 /* work-items along the rows   */

/* x of four tokens at a column lies together; at columns 4 q on by an exclusive
 * or with q elsewhere, so that what eight neighbours store goes to as many
 * banks. */
#define MOVED(four, k) ((four) ^ (k) / 4)

/* Half of the work-items unpack a row each.  Of the others eight bring a
 * token's 32 numbers. */
static inline void load_step(const struct matmul_wide_args a, __global const uchar *W,
                             __global const float *x, uint i,
                             __local float *wt, __local float *xt)
{
    const uint id = get_local_id(0);
    if (id < TILE) {
        const uint row = min((uint)get_group_id(0) * TILE + id, a.of.rows - 1);
        float16 lo, hi;
        unpack32(row_at(W, a.of.w_at, row, a.of.row_bytes), i, &lo, &hi);
        float part[TILE_K];
        vstore16(lo, 0, part);
        vstore16(hi, 1, part);
        #pragma unroll
        for (uint k = 0; k < TILE_K; k++)
            wt[k * TILE + id] = part[k];
    } else {
        const uint q = id % 8;
        #pragma unroll
        for (uint j = 0; j < TILE * 8 / (ITEMS - TILE); j++) {
            const uint n = (id - TILE) / 8 + j * ((ITEMS - TILE) / 8);
            const uint t = min((uint)get_group_id(1) * TILE + n, a.of.T - 1);
            __global const float *from = x + a.of.x_at + (ulong)t * a.of.cols + i + 4 * q;
            const float4 v = a.of.x_at % 4 == 0 ? *(__global const float4 *)from
                                                : vload4(0, from);
            __local float *to = xt + 4 * q * TILE + 4 * MOVED(n / 4, 4 * q) + n % 4;
            to[0] = v.x;
            to[TILE] = v.y;
            to[2 * TILE] = v.z;
            to[3 * TILE] = v.w;
        }
    }
}

/* 4 tokens' sums of 8 rows. */
static inline void add4(float4 (*acc)[2], float4 w0, float4 w1, float4 v)
{
    acc[0][0] = mad(w0, v.x, acc[0][0]);
    acc[0][1] = mad(w1, v.x, acc[0][1]);
    acc[1][0] = mad(w0, v.y, acc[1][0]);
    acc[1][1] = mad(w1, v.y, acc[1][1]);
    acc[2][0] = mad(w0, v.z, acc[2][0]);
    acc[2][1] = mad(w1, v.z, acc[2][1]);
    acc[3][0] = mad(w0, v.w, acc[3][0]);
    acc[3][1] = mad(w1, v.w, acc[3][1]);
}

__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void matmul_wide(const struct matmul_wide_args a, __global const uchar *W,
                 __global const float *x, __global float *planes)
{
    __local float4 w4[TILE_K * TILE / 4], x4[TILE_K * TILE / 4];
    const uint m = get_local_id(0) % LANES, n = get_local_id(0) / LANES;
    const uint begin = get_group_id(2) * a.span, end = min(begin + a.span, a.of.cols);
    float4 acc[8][2];
    #pragma unroll
    for (uint t = 0; t < 8; t++)
        acc[t][0] = acc[t][1] = (float4)(0.0f);
    for (uint i = begin; i < end; i += TILE_K) {
        load_step(a, W, x, i, (__local float *)w4, (__local float *)x4);
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll
        for (uint k = 0; k < TILE_K; k++) {
            __local const float4 *wk = w4 + k * (TILE / 4), *xk = x4 + k * (TILE / 4);
            const float4 w0 = wk[m], w1 = wk[m + LANES];
            add4(acc, w0, w1, xk[MOVED(n, k)]);
            add4(acc + 4, w0, w1, xk[MOVED(n + LANES, k)]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    __global float *plane = planes + (ulong)get_group_id(2) * a.of.T * a.of.rows;
    #pragma unroll
    for (uint j = 0; j < 16; j++) {
        const uint token = get_group_id(1) * TILE + j / 8 * (TILE / 2) + 4 * n + j / 2 % 4;
        const uint row = get_group_id(0) * TILE + j % 2 * (TILE / 2) + 4 * m;
        float sums[4];
        vstore4(acc[j / 2][j % 2], 0, sums);
        for (uint s = 0; s < 4 && token < a.of.T && row + s < a.of.rows; s++)
            plane[(ulong)token * a.of.rows + row + s] = sums[s];
    }
}

/* One number a work-item: a row of a token (the second number). */
__kernel void matmul_join(const struct matmul_wide_args a, __global const float *planes,
                          __global float *y)
{
    const uint row = get_global_id(0), token = get_global_id(1);
    const ulong plane = (ulong)a.of.T * a.of.rows;
    if (row >= a.of.rows)
        return;
    __global const float *from = planes + (ulong)token * a.of.rows + row;
    float sum = 0.0f;
    for (uint i = 0; i * a.span < a.of.cols; i++)
        sum += from[i * plane];
    __global float *out = y + a.of.y_at + (ulong)token * a.of.y_stride + row;
    *out = a.of.act == SH_ACT_ADD ? *out + sum : activate(sum, a.of.act);
}
