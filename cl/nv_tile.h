/* SPDX-License-Identifier: MIT */
/*
 * Activations in halves, and the parts of a matrix product on tensor cores
 * that nv_few.cl and nv_gemm.cl share: W's rows are the 16-side of mma.sync
 * m16n8k16, tokens the 8-side.
 *
 * x(T, n) is in halves, of each 4 columns 0 2 1 3, so that they meet nibbles
 * as these lie in a word.  Behind all tokens stand the means of x over 32
 * columns: of each 256 columns 8 halves, and 8 halves of what those lack.
 *
 * W is read as in the file.  A nibble q of Q4_K becomes the half with bits q,
 * which is q 2^-24 (or q 2^-20, from the high nibble) and exact; scales
 * multiply the float sums of 32 columns.  The minima are such halves too, and
 * multiply the means.
 */
#define HALF_TOP 65504.0f

/* 4 columns; their sum, as they are rounded, is added to *sum. */
INLINE uint2 pack4(float4 v, float *sum)
{
    v = clamp(v, -HALF_TOP, HALF_TOP);
    const uint2 h = (uint2)(to_halves(v.x, v.z), to_halves(v.y, v.w));
    const float2 a = halves(h.x), b = halves(h.y);
    *sum += (a.x + a.y) + (b.x + b.y);
    return h;
}

/* Of 32 columns of a token, the `block`th of its row of n columns. */
INLINE void put_sum(__global uint *x, uint T, uint n, uint token, uint block, float sum)
{
    __global half *to = (__global half *)x + (ulong)T * n + ((ulong)token * (n / 32)
                        + block / 8 * 8) * 2 + block % 8;
    const float mean = sum / 32.0f;
    const float rest = mean - halves(to_halves(mean, 0.0f)).x;
    vstore_half(mean, 0, to);
    vstore_half(rest, 8, to);
}

/* 16 bytes to local memory, while work goes on.  copies_end() waits for a work-
 * item's own; copies_but(n) for all but its last n batches. */
#ifdef PTX
INLINE void copy16(__local uint4 *to, __global const uint4 *from)
{
    __asm__ volatile("cp.async.cg.shared.global [%0], [%1], 16;"
                     :: "r"((uint)(ulong)to), "l"(from) : "memory");
}

INLINE void copies_end(void)
{
    __asm__ volatile("cp.async.wait_all;" ::: "memory");
}

INLINE void batch_end(void)
{
    __asm__ volatile("cp.async.commit_group;" ::: "memory");
}

#define copies_but(n) __asm__ volatile("cp.async.wait_group " #n ";" ::: "memory")
#else
INLINE void copy16(__local uint4 *to, __global const uint4 *from)
{
    *to = *from;
}

INLINE void copies_end(void)
{
}

INLINE void batch_end(void)
{
}

#define copies_but(n) ((void)(n))
#endif

#ifdef MT                                 /* tiles of WM times 16 MT rows     */
#define ROWS (16 * MT * WM)

#ifdef PTX
#define ALONE 1                           /* a warp may work while others don't */

/* d = a b + c; b of 8 tokens. */
INLINE void mma(float *d, uint4 a, uint2 b, float *c, __local uint *s)
{
    __asm__("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
            : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
            : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b.x), "r"(b.y),
              "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
}
#else
#define ALONE 0

/* The same by way of s(6 WG): all work-items call it. */
INLINE void mma(float *d, uint4 a, uint2 b, float *c, __local uint *s)
{
    const uint id = get_local_id(0), g = id % 32 / 4, t = id % 4;
    __local uint *mine = s + 6 * id, *warp = s + 6 * (id / 32 * 32);
    barrier(CLK_LOCAL_MEM_FENCE);
    vstore4(a, 0, mine);
    vstore2(b, 0, mine + 4);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = 0; i < 4; i++) {
        float sum = c[i];
        for (uint u = 0; u < 4; u++) {
            __local const uint *A = warp + 6 * (4 * g + u) + i / 2;
            __local const uint *B = warp + 6 * (4 * (2 * t + i % 2) + u) + 4;
            for (uint k = 0; k < 2; k++) {
                const float2 p = halves(A[2 * k]) * halves(B[k]);
                sum += p.x + p.y;
            }
        }
        d[i] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}
#endif

/* Which product a group works at, and where. */
struct place {
    struct gemm_job job;
    uint index, row0, t0, T;
};

INLINE struct place place_of(const struct gemm_args *a, uint tokens)
{
    struct place p;
    const uint group = get_group_id(0);
    p.index = a->n > 3 && group >= a->job[3].group0   ? 3
              : a->n > 2 && group >= a->job[2].group0 ? 2
              : a->n > 1 && group >= a->job[1].group0 ? 1
                                                      : 0;
    p.job = p.index == 3   ? a->job[3]
            : p.index == 2 ? a->job[2]
            : p.index == 1 ? a->job[1]
                           : a->job[0];
    p.row0 = (group - p.job.group0) * ROWS;
    p.t0 = get_group_id(1) * tokens;
    p.T = a->T;
    return p;
}

/* ---------------------------------------------------------------- result */

#define PITCH (ROWS + 4)                  /* floats a token: no bank twice    */

/* A warp's sums to its place in tile(tokens, PITCH). */
INLINE void tile_put(__local float *tile, float c[MT][NT][4], uint add)
{
    const uint g = get_local_id(0) % 32 / 4, t = get_local_id(0) % 4;
    #pragma unroll
    for (uint m = 0; m < MT; m++)
        #pragma unroll
        for (uint n = 0; n < NT; n++)
            #pragma unroll
            for (uint i = 0; i < 4; i++) {
                __local float *to = tile + (8 * n + 2 * t + i % 2) * PITCH
                                    + 16 * m + 8 * (i / 2) + g;
                *to = add ? *to + c[m][n][i] : c[m][n][i];
            }
}

#if OUT == 0
INLINE void tile_out(const struct place *p, __local const float *tile, uint tokens,
                     __global float *y)
{
    for (uint i = get_local_id(0); i < tokens * (ROWS / 4); i += WG) {
        const uint t = i / (ROWS / 4), row = p->row0 + i % (ROWS / 4) * 4;
        if (p->t0 + t >= p->T || row >= p->job.rows)
            continue;
        const float4 v = vload4(0, tile + t * PITCH + i % (ROWS / 4) * 4);
        __global float4 *to = (__global float4 *)(y + p->job.y_at
                              + (ulong)(p->t0 + t) * p->job.rows + row);
        const uint act = p->job.act;
        if (act == SH_ACT_ADD)
            *to += v;
        else
            *to = act == SH_ACT_NONE ? v
                  : (float4)(activate(v.x, act), activate(v.y, act),
                             activate(v.z, act), activate(v.w, act));
    }
}
#else
/* 32 rows of a token a work-item; rows is a multiple of 32. */
INLINE void tile_out(const struct place *p, __local const float *tile, uint tokens,
                     __global float *y)
{
    for (uint i = get_local_id(0); i < tokens * (ROWS / 32); i += WG) {
        const uint t = p->t0 + i / (ROWS / 32), row = p->row0 + i % (ROWS / 32) * 32;
        if (t >= p->T || row >= p->job.rows)
            continue;
        __local const float *from = tile + i / (ROWS / 32) * PITCH + i % (ROWS / 32) * 32;
        __global uint2 *to = (__global uint2 *)y
                             + 2 * (p->job.y_at + ((ulong)t * p->job.rows + row) / 8);
        float sum = 0.0f;
        #pragma unroll
        for (uint j = 0; j < 8; j++) {
            const float4 v = vload4(j, from);
            const uint act = p->job.act;
            const uint2 h = pack4((float4)(activate(v.x, act), activate(v.y, act),
                                           activate(v.z, act), activate(v.w, act)), &sum);
            to[j] = h;
        }
#if OUT == 2
        put_sum((__global uint *)y + 4 * p->job.y_at, p->T, p->job.rows, t, row / 32, sum);
#endif
    }
}
#endif

/* ------------------------------------------------------- Q4_K times halves */

#if TYPE == SH_Q4_K
/* 6-bit scales and minima of the sub-blocks 2j and 2j + 1 (nv_prelude.h). */
struct pair {
    float low, high, off;                 /* times 2^24, 2^20, 2^29            */
    uint least;
};

INLINE struct pair pair_of(uint4 head, uint j)
{
    const uint shift = 16 * (j & 1);
    const uint a = head.y >> shift, b = head.z >> shift, c = head.w >> shift;
    const uint scale = j < 2 ? a & 0x3f3f : (c & 0x0f0f) | (a & 0xc0c0) >> 2;
    const uint least = j < 2 ? b & 0x3f3f : (c >> 4 & 0x0f0f) | (b & 0xc0c0) >> 2;
    const float2 d = halves(head.x);
    struct pair p;
    p.low = d.x * 16777216.0f * (float)(scale & 255);
    p.high = d.x * 1048576.0f * (float)(scale >> 8 & 255);
    p.off = d.y * -16777216.0f * 32.0f;
    p.least = (least & 255) | (least & 0xff00) << 8;
    return p;
}

INLINE void scaled_add(float *c, float s0, float s1, const float *d)
{
    c[0] = mad(s0, d[0], c[0]);
    c[1] = mad(s0, d[1], c[1]);
    c[2] = mad(s1, d[2], c[2]);
    c[3] = mad(s1, d[3], c[3]);
}

/* 32 columns of 16 rows: q0 and q1 are a lane's 8 bytes of rows g and g + 8. */
INLINE void block_mma(float *c, uint2 q0, uint2 q1, uint mask, uint4 x, float s0, float s1,
                      __local uint *s)
{
    float zero[4] = { 0.0f, 0.0f, 0.0f, 0.0f }, d[4];
    mma(d, (uint4)(q0.x & mask, q1.x & mask, q0.x >> 8 & mask, q1.x >> 8 & mask), x.lo, zero, s);
    mma(d, (uint4)(q0.y & mask, q1.y & mask, q0.y >> 8 & mask, q1.y >> 8 & mask), x.hi, d, s);
    scaled_add(c, s0, s1, d);
}

#endif
#endif
