/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for many tokens on tensor cores: mma.sync
 * m16n8k16, halves in and float sums, for W in Q4_K, F16 or F32.
 *
 * A group of 8 warps makes a tile of TOKENS tokens by ROWS rows, 64 columns a
 * step: both sides become halves in local memory while the next step's bytes
 * are on their way.  A warp keeps WT_TOKENS tokens by 32 rows in registers.
 * x beyond the range of a half is cut to it.
 */
#define TOKENS 128
#define STEP 64                           /* columns                          */
#define STRIDE 36                         /* words a row: no bank twice       */
#define ROW_WARPS (ROWS / 32)
#define WT_TOKENS (TOKENS * ROW_WARPS / 8)
#define TILES (WT_TOKENS / 16)
#define W_LOADS (TYPE == SH_Q4_K ? 2 : TYPE == SH_F16 ? ROWS / 32 : ROWS / 16)

#ifdef PTX
INLINE void matrix4(uint *r, __local const uint *p)
{
    __asm__ volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"((uint)(ulong)p));
}

INLINE void mma(float *c, const uint *a, const uint *b)
{
    __asm__ volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                     "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* (n - 1024) scale - least for two halves n. */
INLINE uint affine(uint n, uint scale, uint least)
{
    uint y;
    __asm__("{ .reg .b32 t; sub.f16x2 t, %1, %4; fma.rn.f16x2 %0, t, %2, %3; }"
            : "=r"(y) : "r"(n), "r"(scale), "r"(least), "r"(0x64006400));
    return y;
}
#else                                     /* declared for cl/LINT only        */
void matrix4(uint *r, __local const uint *p);
void mma(float *c, const uint *a, const uint *b);
uint affine(uint n, uint scale, uint least);
#endif

/* What a work-item brings for a step.  Of x, and of W in numbers, neighbours
 * take neighbouring 16 bytes; of Q4_K two take half a row each. */
struct step {
    uint4 w[W_LOADS];
    float4 x[8];
};

INLINE void load_x(struct step *s, const struct matmul_args a, floats x, uint i)
{
    const uint column = i + get_local_id(0) % 16 * 4;
    #pragma unroll
    for (uint j = 0; j < 8; j++) {
        const uint t = get_group_id(1) * TOKENS + get_local_id(0) / 16 + 16 * j;
        floats from = x + a.x_at + (ulong)min(t, a.T - 1) * a.cols;
        s->x[j] = column < a.cols ? *(__global const float4 *)(from + column) : (float4)(0.0f);
    }
}

INLINE void store_x(const struct step *s, __local uint *x)
{
    const uint id = get_local_id(0);
    #pragma unroll
    for (uint j = 0; j < 8; j++) {
        const float4 v = clamp(s->x[j], -65504.0f, 65504.0f);
        __local uint2 *to = (__local uint2 *)(x + (id / 16 + 16 * j) * STRIDE + id % 16 * 2);
        *to = (uint2)(to_halves(v.x, v.y), to_halves(v.z, v.w));
    }
}

INLINE bytes tile_row(const struct matmul_args a, bytes W, uint row)
{
    row = min((uint)get_group_id(0) * ROWS + row, a.rows - 1);
    return W + (ulong)a.w_at * SH_UNIT + (ulong)row * a.row_bytes;
}

#if TYPE == SH_Q4_K
/* 4 nibbles to 2 words of halves. */
INLINE uint2 nibbles(uint q, uint scale, uint least)
{
    const uint even = (q & 0x000f000f) | 0x64006400;
    const uint odd = (q >> 8 & 0x000f000f) | 0x64006400;
    return (uint2)(affine((even & 0xffff) | odd << 16, scale, least),
                   affine(even >> 16 | (odd & 0xffff0000), scale, least));
}

INLINE void store16(__local uint *to, uint4 q, float scale, float least)
{
    const uint s = to_halves(scale, scale), m = to_halves(-least, -least);
    const uint2 a = nibbles(q.x, s, m), b = nibbles(q.y, s, m);
    const uint2 c = nibbles(q.z, s, m), d = nibbles(q.w, s, m);
    ((__local uint4 *)to)[0] = (uint4)(a, b);
    ((__local uint4 *)to)[1] = (uint4)(c, d);
}

INLINE void load_w(struct step *s, const struct matmul_args a, bytes W, uint i)
{
    const uint id = get_local_id(0);
    if (id >= 2 * ROWS)
        return;
    bytes block = tile_row(a, W, id / 2) + i / 256 * 144;
    s->w[0] = weights16(block);
    s->w[1] = weights16(block + 16 + i / 64 % 4 * 32 + 16 * (id % 2));
}

/* Columns 16 half_ of the first 32 and of the second; the 6-bit scales as in
 * nv_prelude.h. */
INLINE void store_w(const struct step *s, uint i, __local uint *w)
{
    const uint id = get_local_id(0), half_ = id % 2;
    if (id >= 2 * ROWS)
        return;
    __local uint *row = w + id / 2 * STRIDE;
    const uint4 head = s->w[0], q = s->w[1];
    const uint j = i / 64 % 4, shift = 16 * (j & 1);
    const uint a = head.y >> shift, b = head.z >> shift, c = head.w >> shift;
    const uint scale = j < 2 ? a & 0x3f3f : (c & 0x0f0f) | (a & 0xc0c0) >> 2;
    const uint least = j < 2 ? b & 0x3f3f : (c >> 4 & 0x0f0f) | (b & 0xc0c0) >> 2;
    const float2 d = halves(head.x);
    store16(row + 8 * half_, q & (uint4)(0x0f0f0f0f), d.x * (float)(scale & 255),
            d.y * (float)(least & 255));
    store16(row + 16 + 8 * half_, q >> 4 & (uint4)(0x0f0f0f0f), d.x * (float)(scale >> 8),
            d.y * (float)(least >> 8));
}
#else
#define EACH (TYPE == SH_F16 ? 8 : 4)     /* numbers in 16 bytes              */

INLINE void load_w(struct step *s, const struct matmul_args a, bytes W, uint i)
{
    #pragma unroll
    for (uint j = 0; j < W_LOADS; j++) {
        const uint at = get_local_id(0) + j * 256, column = i + at % (STEP / EACH) * EACH;
        bytes row = tile_row(a, W, at / (STEP / EACH));
        s->w[j] = column < a.cols ? weights16(row + column * (16 / EACH)) : (uint4)(0);
    }
}

INLINE void store_w(const struct step *s, uint i, __local uint *w)
{
    (void)i;
    #pragma unroll
    for (uint j = 0; j < W_LOADS; j++) {
        const uint at = get_local_id(0) + j * 256;
        __local uint *to = w + at / (STEP / EACH) * STRIDE + at % (STEP / EACH) * EACH / 2;
#if TYPE == SH_F16
        *(__local uint4 *)to = s->w[j];
#else
        const float4 v = as_float4(s->w[j]);
        *(__local uint2 *)to = (uint2)(to_halves(v.x, v.y), to_halves(v.z, v.w));
#endif
    }
}
#endif

/* A warp's part of a step. */
INLINE void step_sum(float c[TILES][4][4], __local const uint *w, __local const uint *x)
{
    const uint lane = get_local_id(0) % 32;
    const uint a_at = lane % 16 * STRIDE + lane / 16 * 4;
    const uint b_at = (lane / 16 * 8 + lane % 8) * STRIDE + lane / 8 % 2 * 4;
    #pragma unroll
    for (uint k = 0; k < STEP / 2; k += 8) {
        uint a[4], b[8];
        matrix4(b, w + b_at + k);
        matrix4(b + 4, w + 16 * STRIDE + b_at + k);
        #pragma unroll
        for (uint m = 0; m < TILES; m++) {
            matrix4(a, x + 16 * m * STRIDE + a_at + k);
            #pragma unroll
            for (uint n = 0; n < 4; n++)
                mma(c[m][n], a, b + 2 * n);
        }
    }
}

INLINE void put(const struct matmul_args a, __global float *y, uint t, uint row, float sum)
{
    if (t >= a.T || row >= a.rows)
        return;
    __global float *out = y + a.y_at + (ulong)t * a.y_stride + row;
    *out = a.act == SH_ACT_ADD ? *out + sum : activate(sum, a.act);
}

__kernel __attribute__((reqd_work_group_size(256, 1, 1)))
void nv_matmul(const struct matmul_args a, bytes W, floats x, __global float *y)
{
    __local uint wl[ROWS * STRIDE] __attribute__((aligned(16)));
    __local uint xl[TOKENS * STRIDE] __attribute__((aligned(16)));
    const uint lane = get_local_id(0) % 32, warp = get_local_id(0) / 32;
    const uint r0 = warp % ROW_WARPS * 32, t0 = warp / ROW_WARPS * WT_TOKENS;
    float c[TILES][4][4];
    #pragma unroll
    for (uint m = 0; m < TILES; m++)
        #pragma unroll
        for (uint n = 0; n < 4; n++)
            c[m][n][0] = c[m][n][1] = c[m][n][2] = c[m][n][3] = 0.0f;
    struct step step;
    load_w(&step, a, W, 0);
    load_x(&step, a, x, 0);
    for (uint i = 0; i < a.cols; i += STEP) {
        barrier(CLK_LOCAL_MEM_FENCE);
        store_w(&step, i, wl);
        store_x(&step, xl);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (i + STEP < a.cols) {
            load_w(&step, a, W, i + STEP);
            load_x(&step, a, x, i + STEP);
        }
        step_sum(c, wl + r0 * STRIDE, xl + t0 * STRIDE);
    }
    #pragma unroll
    for (uint m = 0; m < TILES; m++)
        #pragma unroll
        for (uint n = 0; n < 4; n++)
            #pragma unroll
            for (uint j = 0; j < 4; j++)
                put(a, y, get_group_id(1) * TOKENS + t0 + 16 * m + lane / 4 + j / 2 * 8,
                    get_group_id(0) * ROWS + r0 + 8 * n + lane % 4 * 2 + j % 2, c[m][n][j]);
}
