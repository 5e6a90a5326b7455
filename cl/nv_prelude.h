/* SPDX-License-Identifier: MIT */
/*
 * What nv_decode.cl is built on: lanes that exchange values, a vector in int8
 * (a scale per 32), and rows of Q4_K, as they are in the file, times it.
 *
 * A lane takes 16 bytes of nibbles and its block's 16-byte head at a time;
 * LANES lanes share a run of C columns.  Each sum has one fixed order, for any
 * number of groups.  -D PTX says that inline PTX works (NVIDIA); without it
 * the same sums are done through local memory.
 */
#ifdef COLS                               /* what it is compiled for          */
#define COLUMN4 ((COLS / 4 + WG - 1) / WG)   /* fours of columns a work-item  */
#define PIECES (COLS / 32)                   /* of 32 weights, in a run       */
#define MINE (PIECES / LANES)             /* of them a lane's                 */
#define SLOTS (WG / LANES)                /* runs at once                     */
#define RUNS (HIDDEN / COLS)              /* in a row of ffn.value            */
#endif
#define WARPS (WG / 32)

/* Arrays of a function stay in registers only when it is expanded. */
#define INLINE static inline __attribute__((always_inline))

typedef __global const float *floats;
#ifndef TYPE                              /* else blocks.cl has it            */
typedef __global const uchar *bytes;
#endif

#ifdef PTX
INLINE int dot4(uint a, uint b, int c)
{
    int d;
    __asm__("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
    return d;
}

INLINE float swap_lanes(float x, uint mask, __local float *s)
{
    float y;
    __asm__ volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;"
                 : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

INLINE uint4 weights16(bytes p)
{
    uint4 w;
    __asm__ volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(w.x), "=r"(w.y), "=r"(w.z), "=r"(w.w) : "l"(p));
    return w;
}

/* What another group may have written in this launch: from L2. */
INLINE float4 fresh4(floats p)
{
    float4 x;
    __asm__ volatile("ld.global.cg.v4.f32 {%0,%1,%2,%3}, [%4];"
                 : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w) : "l"(p));
    return x;
}

INLINE float fresh(floats p)
{
    float x;
    __asm__ volatile("ld.global.cg.f32 %0, [%1];" : "=f"(x) : "l"(p));
    return x;
}

INLINE float2 halves(uint u)
{
    float2 x;
    __asm__("{ .reg .b16 l, h; mov.b32 {l, h}, %2; cvt.f32.f16 %0, l; cvt.f32.f16 %1, h; }"
        : "=f"(x.x), "=f"(x.y) : "r"(u));
    return x;
}

INLINE uint to_halves(float a, float b)
{
    uint u;
    __asm__("{ .reg .b16 l, h; cvt.rn.f16.f32 l, %1; cvt.rn.f16.f32 h, %2; mov.b32 %0, {l, h}; }"
            : "=r"(u) : "f"(a), "f"(b));
    return u;
}
#else
INLINE int dot4(uint a, uint b, int c)
{
    const int4 p = convert_int4(as_char4(a)) * convert_int4(as_char4(b));
    return c + p.x + p.y + p.z + p.w;
}

/* Through s(WG): all work-items call it. */
INLINE float swap_lanes(float x, uint mask, __local float *s)
{
    const uint id = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    s[id] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    const float y = s[id ^ mask];
    barrier(CLK_LOCAL_MEM_FENCE);
    return y;
}

INLINE uint4 weights16(bytes p)
{
    return vload4(0, (__global const uint *)p);
}

INLINE float4 fresh4(floats p)
{
    return vload4(0, p);
}

INLINE float fresh(floats p)
{
    return *p;
}

INLINE float2 halves(uint u)
{
    return vload_half2(0, (const half *)&u);
}

INLINE uint to_halves(float a, float b)
{
    uint u;
    vstore_half2((float2)(a, b), 0, (half *)&u);
    return u;
}
#endif

/* The sum over runs of n lanes (a power of two), in all of them. */
INLINE float lanes_sum(float x, uint n, __local float *s)
{
    for (uint mask = n / 2; mask > 0; mask /= 2)
        x += swap_lanes(x, mask, s);
    return x;
}

/* The sum over the group; s(WG). */
INLINE float all_sum(float x, __local float *s)
{
    const uint id = get_local_id(0);
    x = lanes_sum(x, 32, s);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (id % 32 == 0)
        s[id / 32] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = 0.0f;
    for (uint i = 0; i < WARPS; i++)
        sum += s[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

#ifdef COLS
/* ------------------------------------------------- activations in int8 */

/* A vector in the order in which lanes read it.  Piece p holds the 16 columns
 * 256 (p / 8) + 64 (p / 2 % 4) + 16 (p % 2) on in lo, and those 32 further in
 * hi, as one piece of a Q4_K block has them in its low and high nibbles; sc:
 * scale and sum of lo's values, then of hi's. */
struct vec8 {
    __local uint4 *lo, *hi;
    __local float4 *sc;
};

INLINE struct vec8 vec8_in(__local uint4 *pool, uint pieces)
{
    struct vec8 v = { pool, pool + pieces, (__local float4 *)(pool + 2 * pieces) };
    return v;
}

/* Columns 4 i to 4 i + 3 of a vector of 4 n; all work-items call it. */
INLINE void quantise(float4 x, uint i, uint n, struct vec8 v, __local float *s)
{
    const float4 m = fabs(x);
    float top = fmax(fmax(m.x, m.y), fmax(m.z, m.w));
    for (uint mask = 4; mask > 0; mask /= 2)
        top = fmax(top, swap_lanes(top, mask, s));
    const int4 q = convert_int4_rte(x * (top > 0.0f ? 127.0f / top : 0.0f));
    const float sum = lanes_sum((float)(q.x + q.y + q.z + q.w), 4, s);
    if (i >= n)
        return;
    const uint piece = i / 64 * 8 + i / 16 % 4 * 2 + i / 4 % 2, high = i / 8 % 2;
    const float scale = top / 127.0f;
    __local uint4 *to = high ? v.hi : v.lo;
    ((__local uint *)to)[piece * 4 + i % 4] = as_uint(convert_char4(q));
    if (i % 4 == 0)
        ((__local float2 *)v.sc)[2 * piece + high] = (float2)(scale, scale * sum);
}

/* ----------------------------------------------------- Q4_K times int8 */

/* A lane's share of C columns of a row. */
struct run {
    uint4 q[MINE], head[MINE];
};

INLINE void run_load(struct run *r, bytes row, uint lane)
{
    #pragma unroll
    for (uint i = 0; i < MINE; i++) {
        const uint piece = lane + i * LANES;
        bytes block = row + piece / 8 * 144;
        r->head[i] = weights16(block);
        r->q[i] = weights16(block + 16 + piece % 8 * 16);
    }
}

/* Nibbles of a piece times lo and hi; d, dmin and the 6-bit scales and
 * minima of its two sub-blocks from the block's head (base/block_k.c). */
INLINE float piece_dot(uint4 q, uint4 head, uint j, uint4 lo, uint4 hi, float4 sc)
{
    const uint low = 0x0f0f0f0f, shift = 16 * (j & 1);
    const uint a = head.y >> shift, b = head.z >> shift, c = head.w >> shift;
    const uint scale = j < 2 ? a & 0x3f3f : (c & 0x0f0f) | (a & 0xc0c0) >> 2;
    const uint least = j < 2 ? b & 0x3f3f : (c >> 4 & 0x0f0f) | (b & 0xc0c0) >> 2;
    int dot0 = 0, dot1 = 0;
    dot0 = dot4(q.x & low, lo.x, dot0);
    dot0 = dot4(q.y & low, lo.y, dot0);
    dot0 = dot4(q.z & low, lo.z, dot0);
    dot0 = dot4(q.w & low, lo.w, dot0);
    dot1 = dot4(q.x >> 4 & low, hi.x, dot1);
    dot1 = dot4(q.y >> 4 & low, hi.y, dot1);
    dot1 = dot4(q.z >> 4 & low, hi.z, dot1);
    dot1 = dot4(q.w >> 4 & low, hi.w, dot1);
    const float2 d = halves(head.x);
    const float sum = (float)(scale & 255) * (sc.x * (float)dot0)
                      + (float)(scale >> 8 & 255) * (sc.z * (float)dot1);
    const float off = (float)(least & 255) * sc.y + (float)(least >> 8 & 255) * sc.w;
    return d.x * sum - d.y * off;
}

INLINE float run_dot(const struct run *r, struct vec8 x, uint first, uint lane)
{
    float sum = 0.0f;
    #pragma unroll
    for (uint i = 0; i < MINE; i++) {
        const uint piece = lane + i * LANES, at = first + piece;
        sum += piece_dot(r->q[i], r->head[i], piece / 2 % 4, x.lo[at], x.hi[at], x.sc[at]);
    }
    return sum;
}

/* Rows first .. first + n of a matrix with `runs` runs a row. */
struct rows {
    bytes W;
    uint first, n, runs;
};

INLINE bytes run_at(struct rows m, uint unit)
{
    return m.W + (ulong)(m.first * m.runs + unit) * (COLS / 256 * 144);
}

/* The first run of a slot: asked for before what it is multiplied by is made. */
INLINE void rows_begin(struct run *r, struct rows m)
{
    const uint slot = get_local_id(0) / LANES;
    if (slot < m.n * m.runs)
        run_load(r, run_at(m, slot), get_local_id(0) % LANES);
}

INLINE void put(__global float *y, uint row, float sum, uint act)
{
    y[row] = act == SH_ACT_ADD ? fresh(y + row) + sum : activate(sum, act);
}

/* y(rows) from x; r holds what rows_begin loaded.  part(n runs) where a row
 * has several runs. */
INLINE void rows_end(struct run *r, struct rows m, struct vec8 x, __global float *y,
                            uint act, __local float *part, __local float *s)
{
    const uint id = get_local_id(0), lane = id % LANES, units = m.n * m.runs;
    struct run next;
    for (uint base = 0; base < units; base += SLOTS) {
        const uint unit = base + id / LANES;
        if (unit + SLOTS < units)
            run_load(&next, run_at(m, unit + SLOTS), lane);
        const float sum = lanes_sum(run_dot(r, x, unit % m.runs * PIECES, lane), LANES, s);
        if (lane == 0 && unit < units) {
            if (m.runs == 1)
                put(y, m.first + unit, sum, act);
            else
                part[unit] = sum;
        }
        *r = next;
    }
    if (m.runs == 1)
        return;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = id; i < m.n; i += WG) {
        float sum = 0.0f;
        for (uint j = 0; j < m.runs; j++)
            sum += part[i * m.runs + j];
        put(y, m.first + i, sum, act);
    }
}
#endif
