/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y(T, rows) = act(W x), up to four products a launch, on tensor
 * cores (nv_tile.h).  The WARPS_K warps of a group share the columns of a tile
 * of 16 MT rows by 8 NT tokens and read all straight from memory: for few
 * tokens, where W is what costs, and for the short matrices of LoRA.
 * TYPE: Q4_K, or F32 for floats and halves alike.
 * OUT: floats (0), halves (1), halves and their means (2).
 */
#if TYPE == SH_Q4_K
#define UNIT 64                           /* columns of a warp's turn         */
struct unit {
    uint4 head[MT][2], x[NT][2];
    uint2 q[MT][2];
    uint sums[NT];
};
#else
#define UNIT 32
struct unit {
    uint4 w[MT][2][2], x[NT];             /* of halves w[..][..][0] alone     */
};
#endif

INLINE bytes job_row(const struct place *p, bytes W, uint row)
{
    const uint bytes_ = TYPE == SH_Q4_K    ? p->job.cols / 256 * 144
                        : p->job.in_halves ? p->job.cols * 2
                                           : p->job.cols * 4;
    return W + (ulong)p->job.w_at * SH_UNIT
           + (ulong)min(p->row0 + row, p->job.rows - 1) * bytes_;
}

INLINE void unit_load(struct unit *u, const struct place *p, bytes W,
                      __global const uint4 *x, uint i)
{
    const uint g = get_local_id(0) % 32 / 4, t = get_local_id(0) % 4;
    #pragma unroll
    for (uint m = 0; m < 2 * MT; m++) {
        bytes row = job_row(p, W, 8 * m + g);
#if TYPE == SH_Q4_K
        bytes block = row + i / 4 * 144;
        u->head[m / 2][m % 2] = *(__global const uint4 *)block;
        u->q[m / 2][m % 2] = *(__global const uint2 *)(block + 16 + i % 4 * 32 + 8 * t);
#else
        __global const uint4 *w = (__global const uint4 *)row;
        if (p->job.in_halves) {
            u->w[m / 2][m % 2][0] = w[4 * i + t];
        } else {
            u->w[m / 2][m % 2][0] = w[8 * i + 2 * t];
            u->w[m / 2][m % 2][1] = w[8 * i + 2 * t + 1];
        }
#endif
    }
    #pragma unroll
    for (uint n = 0; n < NT; n++) {
        const uint token = min(p->t0 + 8 * n + g, p->T - 1);
        __global const uint4 *from = x + p->job.x_at + (ulong)token * (p->job.cols / 8);
#if TYPE == SH_Q4_K
        u->x[n][0] = from[8 * i + t];
        u->x[n][1] = from[8 * i + 4 + t];
        __global const uint *sums = (__global const uint *)
            (x + p->job.x_at + (ulong)p->T * (p->job.cols / 8)) + token * (p->job.cols / 32);
        u->sums[n] = t < 2 ? sums[i / 4 * 8 + i % 4 + 4 * t] : 0;
#else
        u->x[n] = from[4 * i + t];
#endif
    }
}

#if TYPE == SH_Q4_K
INLINE void unit_sum(float c[MT][NT][4], const struct unit *u,
                     const struct gemm_job *job, uint i, uint on, __local uint *s)
{
    (void)job;
    #pragma unroll
    for (uint m = 0; m < MT; m++) {
        const struct pair a = pair_of(u->head[m][0], i % 4), b = pair_of(u->head[m][1], i % 4);
        const float low0 = on ? a.low : 0.0f, low1 = on ? b.low : 0.0f;
        const float high0 = on ? a.high : 0.0f, high1 = on ? b.high : 0.0f;
        const float off0 = on ? a.off : 0.0f, off1 = on ? b.off : 0.0f;
        #pragma unroll
        for (uint n = 0; n < NT; n++) {
            float zero[4] = { 0.0f, 0.0f, 0.0f, 0.0f }, d[4];
            block_mma(c[m][n], u->q[m][0], u->q[m][1], 0x000f000f, u->x[n][0], low0, low1, s);
            block_mma(c[m][n], u->q[m][0], u->q[m][1], 0x00f000f0, u->x[n][1], high0, high1, s);
            mma(d, (uint4)(a.least, b.least, 0, 0), (uint2)(u->sums[n], 0), zero, s);
            scaled_add(c[m][n], off0, off1, d);
        }
    }
}
#else
/* 8 numbers of a row in the order of x. */
INLINE uint4 in_order(const uint4 *w, uint in_halves)
{
    const uint4 v = w[0];
    const float4 a = as_float4(w[0]), b = as_float4(w[1]);
    if (in_halves)
        return (uint4)((v.x & 0xffff) | v.y << 16, v.x >> 16 | (v.y & 0xffff0000),
                       (v.z & 0xffff) | v.w << 16, v.z >> 16 | (v.w & 0xffff0000));
    return (uint4)(to_halves(a.x, a.z), to_halves(a.y, a.w), to_halves(b.x, b.z),
                   to_halves(b.y, b.w));
}

INLINE void unit_sum(float c[MT][NT][4], const struct unit *u,
                     const struct gemm_job *job, uint i, uint on, __local uint *s)
{
    (void)i;
    #pragma unroll
    for (uint m = 0; m < MT; m++) {
        const uint4 none = (uint4)(0);
        const uint4 a = on ? in_order(u->w[m][0], job->in_halves) : none;
        const uint4 b = on ? in_order(u->w[m][1], job->in_halves) : none;
        #pragma unroll
        for (uint n = 0; n < NT; n++) {
            mma(c[m][n], (uint4)(a.x, b.x, a.y, b.y), u->x[n].lo, c[m][n], s);
            mma(c[m][n], (uint4)(a.z, b.z, a.w, b.w), u->x[n].hi, c[m][n], s);
        }
    }
}
#endif

/* The sums of all warps in warp 0, in one order; part(WARPS_K / 2, ...). */
INLINE void warps_sum(float c[MT][NT][4], __local float *part)
{
    const uint lane = get_local_id(0) % 32, warp = get_local_id(0) / 32;
    for (uint half_ = WARPS_K / 2; half_ > 0; half_ /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll
        for (uint i = 0; i < MT * NT * 4; i++)
            if (warp >= half_ && warp < 2 * half_)
                part[((warp - half_) * MT * NT * 4 + i) * 32 + lane] = c[i / 4 / NT][i / 4 % NT][i % 4];
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll
        for (uint i = 0; i < MT * NT * 4; i++)
            if (warp < half_)
                c[i / 4 / NT][i / 4 % NT][i % 4] += part[(warp * MT * NT * 4 + i) * 32 + lane];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

#define FEW_TOKENS (8 * NT)               /* WM is 1                          */
#define PART (WARPS_K / 2 * ROWS * FEW_TOKENS)

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_few(const struct gemm_args a, bytes W, __global const uint4 *x, __global float *y0,
            __global float *y1, __global float *y2, __global float *y3)
{
    __local float part[PART > PITCH * FEW_TOKENS ? PART : PITCH * FEW_TOKENS];
#ifdef PTX
    __local uint *s = 0;
#else
    __local uint s[6 * WG];
#endif
    const struct place p = place_of(&a, FEW_TOKENS);
    const uint warp = get_local_id(0) / 32, units = p.job.cols / UNIT;
    float c[MT][NT][4];
    struct unit u, next;
    #pragma unroll
    for (uint i = 0; i < MT * NT * 4; i++)
        c[i / 4 / NT][i / 4 % NT][i % 4] = 0.0f;
    unit_load(&u, &p, W, x, min(warp, units - 1));
    for (uint i = 0; i < units; i += WARPS_K) {
        const uint mine = i + warp;
        if (i + WARPS_K < units)
            unit_load(&next, &p, W, x, min(mine + WARPS_K, units - 1));
        unit_sum(c, &u, &p.job, mine, mine < units, s);
        u = next;
    }
    warps_sum(c, part);
    if (warp == 0)
        tile_put(part, c, 0);
    barrier(CLK_LOCAL_MEM_FENCE);
    tile_out(&p, part, FEW_TOKENS, p.index == 0 ? y0 : p.index == 1 ? y1 : p.index == 2 ? y2 : y3);
}
