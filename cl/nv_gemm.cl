/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y(T, rows) = act(W x), up to four products a launch, for many
 * tokens and W in Q4_K, on tensor cores (nv_tile.h).  WM x WN x WK warps, each
 * with 16 MT rows by 8 NT tokens; two steps of 64 columns wait in local
 * memory.  With WK 2 a warp does every other 32 columns.
 * OUT: floats (0), halves (1), halves and their means (2).
 */
#define TOKENS (8 * NT * WN)
#define X_WORDS (TOKENS * 8)              /* uint4 of a step of 64 columns    */
#define W_WORDS (ROWS * 2)
#define STEP_WORDS (X_WORDS + W_WORDS)
#define SCALES (ROWS * 14)                /* floats of 256 columns            */
#define MEANS (TOKENS * 2)                /* uint4 of 256 columns             */
#define POOL (2 * STEP_WORDS + 2 * (SCALES / 4) + MEANS)
#define X_TURNS (X_WORDS / WG)
#define W_TURNS ((W_WORDS + WG - 1) / WG)

/* What a work-item copies: from where in x and W, in 16 bytes. */
struct copies {
    uint x[X_TURNS], w[W_TURNS];
};

/* A warp's place in the tile. */
struct warp {
    uint m, n, k;                         /* of WM, WN, WK                    */
    uint g, t;                            /* a lane's                         */
};

INLINE struct warp warp_of(void)
{
    const uint lane = get_local_id(0) % 32, i = get_local_id(0) / 32;
    const struct warp w = { i / WN % WM, i % WN, i / WN / WM, lane / 4, lane % 4 };
    return w;
}

INLINE uint file_row(const struct place *p, uint r)
{
    return p->job.w_at * (SH_UNIT / 16) + min(p->row0 + r, p->job.rows - 1) * (p->job.cols / 256 * 9);
}

INLINE struct copies copies_of(const struct place *p)
{
    const uint id = get_local_id(0);
    struct copies c;
    #pragma unroll
    for (uint j = 0; j < X_TURNS; j++)
        c.x[j] = p->job.x_at + min(p->t0 + (j * WG + id) / 8, p->T - 1) * (p->job.cols / 8) + id % 8;
    #pragma unroll
    for (uint j = 0; j < W_TURNS; j++)
        c.w[j] = file_row(p, (j * WG + id) / 2) + 1 + id % 2;
    return c;
}

/* Local memory: two steps of x and W, two sets of scales, means.  A token's 8
 * times 16 bytes are swapped by fours in every other token, for the banks. */
INLINE void step_load(__local uint4 *to, const struct copies *c, __global const uint4 *W,
                      __global const uint4 *x, uint i)
{
    const uint id = get_local_id(0), w_step = i / 4 * 9 + i % 4 * 2;
    #pragma unroll
    for (uint j = 0; j < X_TURNS; j++)
        copy16(to + j * WG + (id ^ (id / 8 & 1) * 4), x + c->x[j] + 8 * i);
    #pragma unroll
    for (uint j = 0; j < W_TURNS; j++)
        if ((j + 1) * WG <= W_WORDS || j * WG + id < W_WORDS)
            copy16(to + X_WORDS + j * WG + id, W + c->w[j] + w_step);
}

INLINE void means_load(__local uint4 *to, const struct place *p, __global const uint4 *x,
                       uint block)
{
    const uint cols = p->job.cols;
    for (uint i = get_local_id(0); i < MEANS; i += WG)
        copy16(to + i, x + p->job.x_at + p->T * (cols / 8)
                       + min(p->t0 + i / 2, p->T - 1) * (cols / 128) + block * 2 + i % 2);
}

/* scales(8, ROWS), the factor of the minima (ROWS), those (4, ROWS). */
INLINE void scales_put(__local float *to, uint4 head)
{
    const uint r = get_local_id(0);
    if (r >= ROWS)
        return;
    #pragma unroll
    for (uint j = 0; j < 4; j++) {
        const struct pair p = pair_of(head, j);
        to[2 * j * ROWS + r] = p.low;
        to[(2 * j + 1) * ROWS + r] = p.high;
        to[8 * ROWS + r] = p.off;
        to[(9 + j) * ROWS + r] = as_float(p.least);
    }
}

/* A warp's part of a step.  The products of a turn are added up during the
 * next one. */
INLINE void step_sum(float c[MT][NT][4], __local const uint4 *from, __local const float *scales,
                     struct warp at, __local uint *s)
{
    __local const uint4 *x = from + (at.n * 8 * NT + at.g) * 8;
    __local const uint2 *w = (__local const uint2 *)(from + X_WORDS)
                             + (at.m * 16 * MT + at.g) * 4 + at.t;
    const uint k0 = WK == 1 ? 0 : at.k;
    float d[2][NT][4], s0[2], s1[2], zero[4] = { 0.0f, 0.0f, 0.0f, 0.0f };
    #pragma unroll
    for (uint k = 0; k < 2 / WK; k++) {
        uint4 b[NT];
        #pragma unroll
        for (uint n = 0; n < NT; n++)
            b[n] = x[64 * n + ((4 * (k0 + k) + at.t) ^ (at.g & 1) * 4)];
        #pragma unroll
        for (uint m = 0; m <= MT; m++) {
            const uint now = m % 2, old = 1 - now;
            if (m < MT) {
                const uint mask = 0x000f000fu << 4 * (k0 + k);
                const uint2 q0 = w[64 * m] , q1 = w[64 * m + 32];
                __local const float *sc = scales + (k0 + k) * ROWS + at.m * 16 * MT + 16 * m + at.g;
                s0[now] = sc[0];
                s1[now] = sc[8];
                const uint4 lo = (uint4)(q0.x & mask, q1.x & mask, q0.x >> 8 & mask, q1.x >> 8 & mask);
                const uint4 hi = (uint4)(q0.y & mask, q1.y & mask, q0.y >> 8 & mask, q1.y >> 8 & mask);
                #pragma unroll
                for (uint n = 0; n < NT; n++)
                    mma(d[now][n], lo, b[n].lo, zero, s);
                #pragma unroll
                for (uint n = 0; n < NT; n++)
                    mma(d[now][n], hi, b[n].hi, d[now][n], s);
            }
            #pragma unroll
            for (uint n = 0; n < NT && m > 0; n++)
                scaled_add(c[m - 1][n], s0[old], s1[old], d[old][n]);
        }
    }
}

/* The minima of 256 columns, where they are this warp's. */
INLINE void block_minima(float c[MT][NT][4], __local const uint4 *means,
                         __local const float *scales, struct warp at, bool mine, __local uint *s)
{
    __local const uint *from = (__local const uint *)means + (at.n * 8 * NT + at.g) * 8 + at.t;
    uint2 b[NT];
    if (ALONE && !mine)
        return;
    #pragma unroll
    for (uint n = 0; n < NT; n++)
        b[n] = (uint2)(from[64 * n], from[64 * n + 4]);
    #pragma unroll
    for (uint m = 0; m < MT; m++) {
        __local const float *sc = scales + at.m * 16 * MT + 16 * m + at.g;
        const uint a0 = as_uint(sc[(9 + at.t) * ROWS]), a1 = as_uint(sc[(9 + at.t) * ROWS + 8]);
        const float s0 = mine ? sc[8 * ROWS] : 0.0f, s1 = mine ? sc[8 * ROWS + 8] : 0.0f;
        #pragma unroll
        for (uint n = 0; n < NT; n++) {
            float zero[4] = { 0.0f, 0.0f, 0.0f, 0.0f }, d[4];
            mma(d, (uint4)(a0, a1, a0, a1), b[n], zero, s);
            scaled_add(c[m][n], s0, s1, d);
        }
    }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_gemm(const struct gemm_args a, __global const uint4 *W, __global const uint4 *x,
             __global float *y0, __global float *y1, __global float *y2, __global float *y3)
{
    __local uint4 pool[POOL];
    __local float *scales = (__local float *)(pool + 2 * STEP_WORDS);
    __local uint4 *means = pool + 2 * STEP_WORDS + SCALES / 2;
    __local float *tile = (__local float *)pool;
#ifdef PTX
    __local uint *s = 0;
#else
    __local uint s[6 * WG];
#endif
    const struct place p = place_of(&a, TOKENS);
    const struct warp at = warp_of();
    const struct copies copies = copies_of(&p);
    const uint steps = p.job.cols / 64, head_at = file_row(&p, get_local_id(0));
    float c[MT][NT][4];
    #pragma unroll
    for (uint i = 0; i < MT * NT * 4; i++)
        c[i / 4 / NT][i / 4 % NT][i % 4] = 0.0f;
    uint4 head = W[head_at];
    step_load(pool, &copies, W, x, 0);
    scales_put(scales, head);
    for (uint i = 0; i < steps; i++) {
        const uint block = i / 4;
        __local const float *now = scales + block % 2 * SCALES;
        copies_end();
        barrier(CLK_LOCAL_MEM_FENCE);
        if (i + 1 < steps)
            step_load(pool + (i + 1) % 2 * STEP_WORDS, &copies, W, x, i + 1);
        if (i % 4 == 0)
            means_load(means, &p, x, block);
        if (i % 4 == 0 && i + 4 < steps)
            head = W[head_at + (block + 1) * 9];
        if (i % 4 == 2)
            scales_put(scales + (block + 1) % 2 * SCALES, head);
        step_sum(c, pool + i % 2 * STEP_WORDS, now + i % 4 * 2 * ROWS, at, s);
        if (i % 4 == 3)
            block_minima(c, means, now, at, block % WK == at.k, s);
    }
    for (uint k = 0; k < WK; k++) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (at.k == k)
            tile_put(tile + at.n * 8 * NT * PITCH + at.m * 16 * MT, c, k);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    tile_out(&p, tile, TOKENS, p.index == 0 ? y0 : p.index == 1 ? y1 : p.index == 2 ? y2 : y3);
}
