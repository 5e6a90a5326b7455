/* SPDX-License-Identifier: MIT */
/*
 * [V7:wkv] T steps of the recurrence, state S(H, N, N), i the value index
 * (row), j the key index (column, contiguous):
 *
 *   sa[i]   = sum_j S[i][j] (-kk[j])
 *   S[i][j] = S[i][j] w[j] + sa[i] kk[j] a[j] + v[i] k[j]
 *   y[i]    = sum_j S[i][j] r[j]
 *
 * Rows are independent, so wkv7_item gives one row to a work-item (four
 * vectors), wkv7_group one head to a group of 64 whose work-items keep a row
 * each in registers and share the token's vectors through local memory.
 */


__kernel void wkv7_item(const struct wkv_args p, __global const float *r,
                        __global const float *w, __global const float *k,
                        __global const float *v, __global const float *kk,
                        __global const float *a, __global float *y,
                        __global float *state)
{
    const uint c = get_global_id(0);           /* h N + i */
    if (c >= p.C)
        return;
    __global float *row = state + p.s_at + (ulong)c * SH_HEAD;
    const uint head = c / SH_HEAD * SH_HEAD;
    float16 S[4];
    for (uint i = 0; i < 4; i++)
        S[i] = vload16(i, row);
    for (uint t = 0; t < p.T; t++) {
        const ulong at = (ulong)t * p.C + head;
        const float vi = v[(ulong)t * p.C + c];
        float16 acc = (float16)(0.0f);
        for (uint i = 0; i < 4; i++)
            acc += S[i] * vload16(i, kk + at);
        const float sa = -sum16(acc);
        acc = (float16)(0.0f);
        for (uint i = 0; i < 4; i++) {
            const float16 b = vload16(i, kk + at) * vload16(i, a + at);
            S[i] = S[i] * vload16(i, w + at) + sa * b + vi * vload16(i, k + at);
            acc += S[i] * vload16(i, r + at);
        }
        y[(ulong)t * p.C + c] = sum16(acc);
    }
    for (uint i = 0; i < 4; i++)
        vstore16(S[i], i, row);
}

#ifdef ROWS
/* Vectors stay in registers only where loops are written out. */
#define UNROLL _Pragma("unroll")

/* wkv7_item for ROWS (4) rows of a head at once, from channel c on, which share
 * what is loaded; their state is read from `old` and written to `now`. */
static inline void wkv7_steps(const struct wkv_args p, uint c, __global const float *r,
                              __global const float *w, __global const float *k,
                              __global const float *v, __global const float *kk,
                              __global const float *a, __global float *y,
                              __global const float *old, __global float *now)
{
    const uint head = c / SH_HEAD * SH_HEAD;
    const ulong rows = p.s_at + (ulong)c * SH_HEAD;
    float16 S[ROWS][4];
    UNROLL
    for (uint i = 0; i < 4 * ROWS; i++)
        S[i / 4][i % 4] = vload16(i, old + rows);
    for (uint t = 0; t < p.T; t++) {
        const ulong at = (ulong)t * p.C + head, out = (ulong)t * p.C + c;
        float16 acc[ROWS];
        float sa[ROWS], vi[ROWS];
        UNROLL
        for (uint j = 0; j < ROWS; j++)
            acc[j] = (float16)(0.0f);
        UNROLL
        for (uint i = 0; i < 4; i++) {
            const float16 kki = load16(kk + at + 16 * i);
            UNROLL
            for (uint j = 0; j < ROWS; j++)
                acc[j] += S[j][i] * kki;
        }
        vstore4(-sum16_of4(acc[0], acc[1], acc[2], acc[3]), 0, sa);
        UNROLL
        for (uint j = 0; j < ROWS; j++) {
            vi[j] = v[out + j];
            acc[j] = (float16)(0.0f);
        }
        UNROLL
        for (uint i = 0; i < 4; i++) {
            const float16 b = load16(kk + at + 16 * i) * load16(a + at + 16 * i);
            const float16 wi = load16(w + at + 16 * i), ki = load16(k + at + 16 * i);
            const float16 ri = load16(r + at + 16 * i);
            UNROLL
            for (uint j = 0; j < ROWS; j++) {
                S[j][i] = S[j][i] * wi + sa[j] * b + vi[j] * ki;
                acc[j] += S[j][i] * ri;
            }
        }
        vstore4(sum16_of4(acc[0], acc[1], acc[2], acc[3]), 0, y + out);
    }
    UNROLL
    for (uint i = 0; i < 4 * ROWS; i++)
        vstore16(S[i / 4][i % 4], i, now + rows);
}

__kernel void wkv7_rows(const struct wkv_args p, __global const float *r,
                        __global const float *w, __global const float *k,
                        __global const float *v, __global const float *kk,
                        __global const float *a, __global float *y,
                        __global float *state)
{
    const uint c = get_global_id(0) * ROWS;
    if (c < p.C)
        wkv7_steps(p, c, r, w, k, v, kk, a, y, state, state);
}
#endif

#ifdef WG
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void wkv7_group(const struct wkv_args p, __global const float *r,
                __global const float *w, __global const float *k,
                __global const float *v, __global const float *kk,
                __global const float *a, __global float *y,
                __global float *state)
{
    __local float lr[WG], lw[WG], lk[WG], lkk[WG], lb[WG];
    const uint i = get_local_id(0), c = get_group_id(0) * SH_HEAD + i;
    __global float *row = state + p.s_at + (ulong)c * SH_HEAD;
    float S[SH_HEAD];
    for (uint j = 0; j < SH_HEAD; j++)
        S[j] = row[j];
    for (uint t = 0; t < p.T; t++) {
        const ulong at = (ulong)t * p.C + c;
        const float vi = v[at];
        barrier(CLK_LOCAL_MEM_FENCE);
        lr[i] = r[at];
        lw[i] = w[at];
        lk[i] = k[at];
        lkk[i] = kk[at];
        lb[i] = kk[at] * a[at];
        barrier(CLK_LOCAL_MEM_FENCE);
        float sa = 0.0f, out = 0.0f;
        for (uint j = 0; j < SH_HEAD; j++)
            sa = mad(S[j], -lkk[j], sa);
        for (uint j = 0; j < SH_HEAD; j++) {
            S[j] = S[j] * lw[j] + sa * lb[j] + vi * lk[j];
            out = mad(S[j], lr[j], out);
        }
        y[at] = out;
    }
    for (uint j = 0; j < SH_HEAD; j++)
        row[j] = S[j];
}
#endif
