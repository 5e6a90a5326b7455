/* SPDX-License-Identifier: MIT */
/*
 * A vector in 16 bits, as two planes of int8 with a scale per 32, and rows of
 * Q4_K or Q6_K, as they are in the file, times it.
 *
 * Of Q4_K a lane takes 16 bytes of nibbles and its block's 16-byte head at a
 * time; LANES lanes share a run of C columns.
 */
#define COLUMN4 ((COLS / 4 + WG - 1) / WG)   /* fours of columns a work-item  */
#define PIECES (COLS / 32)                   /* of 32 weights, in a run       */
#define MINE (PIECES / LANES)             /* of them a lane's                 */
#define SLOTS (WG / LANES)                /* runs at once                     */
#define RUNS (HIDDEN / COLS)              /* in a row of ffn.value            */

/* ------------------------------------------------- activations in int8 */

#define TOP 32512.0f                      /* 127 * 256                        */

/* A vector in the order in which lanes read it, each number in two bytes of
 * weight 256 and 1, with a scale per 32.  Piece p holds the 16 columns
 * 256 (p / 8) + 64 (p / 2 % 4) + 16 (p % 2) on in lo, and those 32 further in
 * hi, as one piece of a Q4_K block has them in its low and high nibbles; lo1,
 * hi1: the lower bytes; sc: scale and sum of lo's values, then of hi's. */
struct vec8 {
    __local uint4 *lo, *hi, *lo1, *hi1;
    __local float4 *sc;
};
#define VEC8 5                            /* uint4 a piece                    */

INLINE struct vec8 vec8_in(__local uint4 *pool, uint pieces)
{
    struct vec8 v = { pool, pool + pieces, pool + 2 * pieces, pool + 3 * pieces,
                      (__local float4 *)(pool + 4 * pieces) };
    return v;
}

/* Four numbers of a run of 32 columns in eight lanes, to 16 bits. */
INLINE int4 round16(float4 x, float *scale, __local float *s)
{
    const float4 m = fabs(x);
    float top = fmax(fmax(m.x, m.y), fmax(m.z, m.w));
    for (uint mask = 4; mask > 0; mask /= 2)
        top = fmax(top, swap_lanes(top, mask, s));
    *scale = top * (1.0f / TOP);
    return convert_int4_rte(x * (top > 0.0f ? TOP * native_recip(top) : 0.0f));
}

INLINE uint upper(int4 q)
{
    return as_uint(convert_char4((q + 128) >> 8));
}

INLINE uint lower(int4 q)
{
    return as_uint(convert_char4(q - ((q + 128) >> 8 << 8)));
}

/* Columns 4 i to 4 i + 3 of a vector of 4 n; all work-items call it. */
INLINE void quantise(float4 x, uint i, uint n, struct vec8 v, __local float *s)
{
    float scale;
    const int4 q = round16(x, &scale, s);
    const float sum = lanes_sum((float)(q.x + q.y + q.z + q.w), 4, s);
    if (i >= n)
        return;
    const uint piece = i / 64 * 8 + i / 16 % 4 * 2 + i / 4 % 2, high = i / 8 % 2;
    ((__local uint *)(high ? v.hi : v.lo))[piece * 4 + i % 4] = upper(q);
    ((__local uint *)(high ? v.hi1 : v.lo1))[piece * 4 + i % 4] = lower(q);
    if (i % 4 == 0)
        ((__local float2 *)v.sc)[2 * piece + high] = (float2)(scale, scale * sum);
}

/* ----------------------------------------------------- Q4_K times int8 */

/* A lane's share of C columns of a row. */
struct run {
    uint4 q[MINE], head[MINE];
};

/* Its piece i. */
INLINE void piece_load(struct run *r, uint i, bytes row, uint lane)
{
    const uint piece = lane + i * LANES;
    bytes block = row + piece / 8 * 144;
    r->q[i] = weights16(block + 16 + piece % 8 * 16);
    r->head[i] = weights16(block);
}

/* 16 bytes times 16 numbers of two bytes. */
INLINE int dot16(uint4 q, uint4 x, uint4 x1)
{
    const int d = dot4u(q.w, x.w, dot4u(q.z, x.z, dot4u(q.y, x.y, dot4u(q.x, x.x, 0))));
    return dot4u(q.w, x1.w, dot4u(q.z, x1.z, dot4u(q.y, x1.y, dot4u(q.x, x1.x, d * 256))));
}

/* What a piece of every row is multiplied by. */
struct x16 {
    uint4 lo, hi, lo1, hi1;
    float4 sc;
};

INLINE struct x16 x16_at(struct vec8 v, uint at)
{
    struct x16 x = { v.lo[at], v.hi[at], v.lo1[at], v.hi1[at], v.sc[at] };
    return x;
}

/* Nibbles of a piece times x; d, dmin and the 6-bit scales and minima of its
 * two sub-blocks from the block's head (base/block_k.c).  No sum of integers
 * leaves 31 bits. */
INLINE float piece_dot(uint4 q, uint4 head, uint j, struct x16 x)
{
    const uint shift = 16 * (j & 1);
    const uint a = head.y >> shift, b = head.z >> shift, c = head.w >> shift;
    const uint scale = j < 2 ? a & 0x3f3f : (c & 0x0f0f) | (a & 0xc0c0) >> 2;
    const uint least = j < 2 ? b & 0x3f3f : (c >> 4 & 0x0f0f) | (b & 0xc0c0) >> 2;
    const int dot0 = dot16(q & 0x0f0f0f0f, x.lo, x.lo1);
    const int dot1 = dot16(q & 0xf0f0f0f0, x.hi, x.hi1) >> 4;
    const float2 d = halves(head.x);
    const float sum = x.sc.x * (float)((int)(scale & 255) * dot0)
                      + x.sc.z * (float)((int)(scale >> 8) * dot1);
    const float off = (float)(least & 255) * x.sc.y + (float)(least >> 8) * x.sc.w;
    return d.x * sum - d.y * off;
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

/* Nothing: ends the life of what was there before, and frees its registers. */
INLINE void run_clear(struct run *r)
{
    #pragma unroll
    for (uint i = 0; i < MINE; i++)
        r->q[i] = r->head[i] = (uint4)(0);
}

/* The first run of a slot: asked for before what it is multiplied by is made. */
INLINE void rows_begin(struct run *r, struct rows m)
{
    const uint id = item(), slot = id / LANES, lane = id % LANES;
    if (slot >= m.n * m.runs)
        return;
    #pragma unroll
    for (uint i = 0; i < MINE; i++)
        piece_load(r, i, run_at(m, slot), lane);
}

/* The run `unit` times x; its registers take the slot's next one. */
INLINE float rows_dot(struct run *r, struct rows m, struct vec8 x, uint unit)
{
    const uint lane = item() % LANES;
    const uint first = unit % m.runs * PIECES;
    float sum = 0.0f;
    #pragma unroll
    for (uint i = 0; i < MINE; i++) {
        const uint piece = lane + i * LANES;
        sum += piece_dot(r->q[i], r->head[i], piece / 2 % 4, x16_at(x, first + piece));
        if (unit + SLOTS < m.n * m.runs)
            piece_load(r, i, run_at(m, unit + SLOTS), lane);
    }
    return sum;
}

/* Where products go. */
struct to {
    __global float *y;
    uint act, count;
    const struct told *told;
};

INLINE void put_row(const struct to *to, uint row, float sum, float was)
{
    tell(to->y + row, to->act == SH_ACT_ADD ? was + sum : activate(sum, to->act), to->count,
         to->told);
}

/* What a row's product is added to. */
INLINE float row_was(const struct to *to, uint row, bool mine)
{
    __global float *y = to->y + row;
    return to->act == SH_ACT_ADD && mine ? heard(look(y), y, to->count - 1, to->told) : 0.0f;
}

/* to(rows) from x; r holds what rows_begin loaded.  part(n runs) where a row
 * has several runs. */
INLINE void rows_end(struct run *r, struct rows m, struct vec8 x, struct to to,
                     __local float *part, __local float *s)
{
    const uint id = item(), lane = id % LANES, units = m.n * m.runs;
    const bool whole = m.runs == 1;
    const float first = row_was(&to, m.first + id, !whole && id < m.n);
    for (uint base = 0; base < units; base += SLOTS) {
        const uint unit = base + id / LANES;
        const bool mine = lane == 0 && unit < units;
        if (WARP_ALONE && base + id / 32 * (32 / LANES) >= units)
            break;                        /* nothing is left for this warp    */
        const float was = row_was(&to, m.first + unit, whole && mine);
        const float sum = lanes_sum(rows_dot(r, m, x, unit), LANES, s);
        if (mine && whole)
            put_row(&to, m.first + unit, sum, was);
        if (mine && !whole)
            part[unit] = sum;
    }
    if (whole)
        return;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = id; i < m.n; i += WG) {
        float sum = 0.0f;
        for (uint j = 0; j < m.runs; j++)
            sum += part[i * m.runs + j];
        put_row(&to, m.first + i, sum, i == id ? first : row_was(&to, m.first + i, true));
    }
}

/* ------------------------------------------------------ Q6_K times int8 */

#define LANES6 16
#define SLOTS6 (WG / LANES6)
#define BLOCKS6 (COLS / 256)

/* A vector, its lower bytes, and a scale for each 32.  Of 128 columns, the four
 * words that a lane multiplies lie together: 4 l on of each 32. */
struct vec6 {
    __local uint *x, *x1;
    __local float *sc;
};

INLINE struct vec6 vec6_in(__local uint4 *pool)
{
    __local uint *p = (__local uint *)pool;
    struct vec6 v = { p, p + COLS / 4, (__local float *)(p + COLS / 2) };
    return v;
}

/* 4 bytes from an even address. */
INLINE uint word(bytes p)
{
    __global const ushort *h = (__global const ushort *)p;
    return h[0] | (uint)h[1] << 16;
}

/* A lane's 16 weights of a block: columns 128 n + 32 j + l on, 4 for each j of
 * 4; a scale is of 16 columns, those of j = 0 to 3 are two bytes apart. */
struct six {
    uint q0, q1, h, sc01, sc23;
    ushort d;
};

/* Blocks are 210 bytes: every other one begins at a multiple of 4 if the first
 * of the row does. */
INLINE uint word_at(bytes p, bool whole)
{
    return whole ? *(__global const uint *)p : word(p);
}

INLINE struct six six_load(bytes b, uint n, uint l, bool whole)
{
    struct six w;
    w.q0 = word_at(b + 64 * n + l, whole);
    w.q1 = word_at(b + 64 * n + l + 32, whole);
    w.h = word_at(b + 128 + 32 * n + l, whole);
    w.sc01 = word_at(b + 192 + 8 * n, whole) >> (l / 16 * 8);
    w.sc23 = word_at(b + 196 + 8 * n, whole) >> (l / 16 * 8);
    w.d = *(__global const ushort *)(b + 208);
    return w;
}

/* No product of integers leaves 31 bits. */
INLINE float six_dot(struct six w, uint block, uint n, uint l, struct vec6 v)
{
    const uint low = 0x0f0f0f0f, top = 0x30303030;
    const uint q[4] = { (w.q0 & low) | (w.h << 4 & top), (w.q1 & low) | (w.h << 2 & top),
                        (w.q0 >> 4 & low) | (w.h & top), (w.q1 >> 4 & low) | (w.h >> 2 & top) };
    const uint4 x = ((__local const uint4 *)v.x)[16 * block + 8 * n + l / 4];
    const uint4 x1 = ((__local const uint4 *)v.x1)[16 * block + 8 * n + l / 4];
    const uint all[4] = { x.x, x.y, x.z, x.w }, all1[4] = { x1.x, x1.y, x1.z, x1.w };
    const float4 by = ((__local const float4 *)v.sc)[2 * block + n];
    const float scale[4] = { by.x, by.y, by.z, by.w };
    const char sc[4] = { as_char((uchar)w.sc01), as_char((uchar)(w.sc01 >> 16)),
                         as_char((uchar)w.sc23), as_char((uchar)(w.sc23 >> 16)) };
    float sum = 0.0f;
    #pragma unroll
    for (uint j = 0; j < 4; j++) {
        const uint less32 = (q[j] + 0x60606060) ^ 0x80808080;
        const int dot = dot4(less32, all1[j], dot4(less32, all[j], 0) * 256);
        sum += scale[j] * (float)(sc[j] * dot);
    }
    return sum * halves(w.d).x;
}

/* y(rows) = W x for rows rows.x .. rows.y. */
INLINE void rows6(bytes W, uint2 rows, struct vec6 v, __global float *y, __local float *s)
{
    const uint lane = get_local_id(0) % LANES6, n = lane / 8, l = lane % 8 * 4;
    for (uint base = rows.x; base < rows.y; base += SLOTS6) {
        const uint row = base + get_local_id(0) / LANES6;
        bytes w = W + (ulong)min(row, rows.y - 1) * (BLOCKS6 * 210);
        struct six all[BLOCKS6];
        float sum = 0.0f;
        #pragma unroll
        for (uint b = 0; b < BLOCKS6; b++)
            all[b] = six_load(w + b * 210, n, l, BLOCKS6 % 2 == 0 && b % 2 == 0);
        #pragma unroll
        for (uint b = 0; b < BLOCKS6; b++)
            sum += six_dot(all[b], b, n, l, v);
        sum = lanes_sum(sum, LANES6, s);
        if (lane == 0 && row < rows.y)
            y[row] = sum;
    }
}
