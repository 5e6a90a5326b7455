/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for a prompt on a CPU: weights as in the file,
 * float activations.  ROWS rows by TOKENS tokens a work-item, so that what is
 * loaded serves several products; each sum is made in matvec_item's order.
 */

/* Vectors stay in registers only where loops are written out. */
#define UNROLL _Pragma("unroll")

/* Rows and tokens beyond the last repeat it. */
__kernel void matvec_block(const struct matmul_args a, __global const uchar *W,
                           __global const float *x, __global float *y)
{
    const uint row0 = get_global_id(0) * ROWS, t0 = get_global_id(1) * TOKENS;
    if (row0 >= a.rows)
        return;
    bytes w[ROWS];
    __global const float *xt[TOKENS];
    float16 acc[ROWS][TOKENS];
    UNROLL
    for (uint r = 0; r < ROWS; r++)
        w[r] = row_at(W, a.w_at, min(row0 + r, a.rows - 1), a.row_bytes);
    UNROLL
    for (uint t = 0; t < TOKENS; t++)
        xt[t] = x + a.x_at + (ulong)min(t0 + t, a.T - 1) * a.cols;
    UNROLL
    for (uint i = 0; i < ROWS * TOKENS; i++)
        acc[i / TOKENS][i % TOKENS] = (float16)(0.0f);
    for (uint i = 0; i < a.cols; i += 32) {
        float16 lo[ROWS], hi[ROWS];
        UNROLL
        for (uint r = 0; r < ROWS; r++)
            unpack32(w[r], i, &lo[r], &hi[r]);
        UNROLL
        for (uint t = 0; t < TOKENS; t++) {
            const float16 x0 = vload16(0, xt[t] + i), x1 = vload16(1, xt[t] + i);
            UNROLL
            for (uint r = 0; r < ROWS; r++) {
                acc[r][t] += lo[r] * x0;
                acc[r][t] += hi[r] * x1;
            }
        }
    }
    UNROLL
    for (uint i = 0; i < ROWS * TOKENS; i++) {
        const uint r = i / TOKENS, t = i % TOKENS;
        if (row0 + r >= a.rows || t0 + t >= a.T)
            continue;
        __global float *out = y + a.y_at + (ulong)(t0 + t) * a.y_stride + row0 + r;
        const float sum = sum16(acc[r][t]);
        *out = a.act == SH_ACT_ADD ? *out + sum : activate(sum, a.act);
    }
}
