/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for a prompt on a CPU: weights as in the file,
 * float activations.  ROWS (4) rows by TOKENS tokens at a time, so that what is
 * loaded serves several products; each sum is made in matvec_item's order.
 */

/* Vectors stay in registers only where loops are written out. */
#define UNROLL _Pragma("unroll")

/* Four rows of a token, of which n are there. */
static inline void store4(__global float *out, float4 sum, uint n, uint act)
{
    float one[4];
    if (n >= 4 && (act == SH_ACT_NONE || act == SH_ACT_ADD)) {
        vstore4(act == SH_ACT_ADD ? vload4(0, out) + sum : sum, 0, out);
        return;
    }
    vstore4(sum, 0, one);
    for (uint r = 0; r < min(n, 4u); r++)
        out[r] = act == SH_ACT_ADD ? out[r] + one[r] : activate(one[r], act);
}

/* 4 rows by TOKENS tokens from t0 on; those beyond the last repeat it. */
static inline void block(const struct matmul_args a, const bytes *w, uint row0,
                         __global const float *x, uint t0, __global float *y)
{
    __global const float *xt[TOKENS];
    float16 acc[ROWS][TOKENS];
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
    for (uint t = 0; t < TOKENS; t++)
        if (t0 + t < a.T)
            store4(y + a.y_at + (ulong)(t0 + t) * a.y_stride + row0,
                   sum16_of4(acc[0][t], acc[1][t], acc[2][t], acc[3][t]), a.rows - row0, a.act);
}

/* Work-items of the second dimension take blocks of tokens in turns; rows
 * beyond the last repeat it. */
__kernel void matvec_block(const struct matmul_args a, __global const uchar *W,
                           __global const float *x, __global float *y)
{
    const uint row0 = get_global_id(0) * ROWS;
    bytes w[ROWS];
    if (row0 >= a.rows)
        return;
    UNROLL
    for (uint r = 0; r < ROWS; r++)
        w[r] = row_at(W, a.w_at, min(row0 + r, a.rows - 1), a.row_bytes);
    for (uint t = get_global_id(1) * TOKENS; t < a.T; t += get_global_size(1) * TOKENS)
        block(a, w, row0, x, t, y);
}
