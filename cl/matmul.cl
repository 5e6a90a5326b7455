/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for many tokens: a tile of 64 rows and 32 tokens a
 * group of 128 work-items, 32 columns at a time through local memory (12 KiB).
 * Each work-item keeps 4 x 4 sums.  cols is a multiple of 32.
 */
#define TILE_M 64                /* rows                        */
#define TILE_N 32                /* tokens                      */
#define TILE_K 32                /* columns, one run of blocks  */

/* Work-items 0..63 unpack one row each, column-major so that neighbours write
 * neighbours; 64..127 bring half a token each. */
static inline void load_tile(const struct matmul_args a, __global const uchar *W,
                             __global const float *x, uint i,
                             __local float *wt, __local float *xt)
{
    const uint id = get_local_id(0);
    if (id < TILE_M) {
        const uint row = min((uint)get_group_id(0) * TILE_M + id, a.rows - 1);
        float16 lo, hi;
        unpack32(row_at(W, a.w_at, row, a.row_bytes), i, &lo, &hi);
        float part[TILE_K];
        vstore16(lo, 0, part);
        vstore16(hi, 1, part);
        for (uint k = 0; k < TILE_K; k++)
            wt[k * TILE_M + id] = part[k];
    } else {
        const uint n = (id - TILE_M) % TILE_N, side = (id - TILE_M) / TILE_N;
        const uint t = min((uint)get_group_id(1) * TILE_N + n, a.T - 1);
        float part[16];
        vstore16(vload16(side, x + a.x_at + (ulong)t * a.cols + i), 0, part);
        for (uint k = 0; k < 16; k++)
            xt[(side * 16 + k) * TILE_N + n] = part[k];
    }
}

__kernel __attribute__((reqd_work_group_size(128, 1, 1)))
void matmul_tile(const struct matmul_args a, __global const uchar *W,
                 __global const float *x, __global float *y)
{
    __local float wt[TILE_K * TILE_M], xt[TILE_K * TILE_N];
    const uint m = get_local_id(0) % 16, n = get_local_id(0) / 16;
    float4 acc[4];
    for (uint t = 0; t < 4; t++)
        acc[t] = (float4)(0.0f);
    for (uint i = 0; i < a.cols; i += TILE_K) {
        load_tile(a, W, x, i, wt, xt);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (uint k = 0; k < TILE_K; k++) {
            const float4 w = vload4(m, wt + k * TILE_M);
            const float4 v = vload4(n, xt + k * TILE_N);
            acc[0] = mad(w, v.x, acc[0]);
            acc[1] = mad(w, v.y, acc[1]);
            acc[2] = mad(w, v.z, acc[2]);
            acc[3] = mad(w, v.w, acc[3]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (uint t = 0; t < 4; t++) {
        const uint token = get_group_id(1) * TILE_N + 4 * n + t;
        const uint row = get_group_id(0) * TILE_M + 4 * m;
        float sums[4];
        vstore4(acc[t], 0, sums);
        for (uint j = 0; j < 4 && token < a.T && row + j < a.rows; j++) {
            __global float *out = y + a.y_at + (ulong)token * a.y_stride + row + j;
            *out = a.act == SH_ACT_ADD ? *out + sums[j] : activate(sums[j], a.act);
        }
    }
}
