/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) on a CPU where most of x is zero, as relu^2 leaves
 * it: weights in columns (columns_pack.cl).  One token reads those columns
 * that it needs (columns.h); many tokens need all, and of these columns strips
 * are made for them as they come, a block of 64 rows at a time.
 */

/* One token.  scratch: sums (SH_COLUMN_PARTS, rows), then x for each work-item. */
__kernel void columns(const struct matmul_args a, __global const uchar *W,
                      __global const float *x, __global int *scratch)
{
    const uint items = get_global_size(0), me = get_global_id(0);
    const uint ints = a.cols / SUB * P_INTS, n = a.rows / SLICE * SH_COLUMN_PARTS;
    const ulong slice = (ulong)(a.cols / RUN) * SLICE_BYTES(TYPE);
    __global float *parts = (__global float *)scratch;
    __global int *own = scratch + SH_COLUMN_PARTS * a.rows + (ulong)me * ints;
    bytes w = W + (ulong)a.w_at * SH_UNIT;
    round_and_list(TYPE, x + a.x_at, a.cols, own);
    for (uint i = n * me / items; i < n * (me + 1) / items; i++) {
        const uint s = i / SH_COLUMN_PARTS, part = i % SH_COLUMN_PARTS;
        slice_part(TYPE, w + s * slice, a.cols, part, own, parts + part * a.rows + s * SLICE);
    }
}

/* A slice a work-item: y from the sums of its parts. */
__kernel void columns_sum(const struct matmul_args a, __global const float *scratch,
                          __global float *y)
{
    sum_parts(scratch, a.rows, get_global_id(0), a.act, y + a.y_at);
}

#if TOKENS > 1
/* -------------------------------------------------------------- to strips */

static inline void copy16(bytes from, __global uchar *to)
{
    vstore4(vload4(0, (__global const uint *)from), 0, (__global uint *)to);
}

/* Vector i of sub-run s of a strip is q(i): strip_pack.cl tells where. */
static inline void put_vectors(const uint type, const vi *q, uint s, uint u, __global uchar *to)
{
    UNROLL
    for (uint i = 0; i < 4; i++)
        *(__global vi *)(to + 320 + 256 * s + 64 * i + 4 * LANES * u)
            = (q[2 * i] & 0x0f0f0f0f) | (q[2 * i + 1] & 0x0f0f0f0f) << 4;
    if (type != SH_Q6_K)
        return;
    UNROLL
    for (uint half_ = 0; half_ < 2; half_++) {
        vi top = (vi)(0);
        UNROLL
        for (int i = 0; i < 4; i++)
            top |= (q[4 * half_ + i] >> 4 & 0x03030303) << 2 * i;
        *(__global vi *)(to + 2368 + 64 * (2 * s + half_) + 4 * LANES * u) = top;
    }
}

/* A group of block b, sub-run s of the run at `to` of four strips. */
static inline void group_to_strips(const uint type, bytes g, uint b, uint s, __global uchar *to,
                                   ulong strip)
{
    for (uint j = 0; j < 4; j++) {
        __global uchar *at = to + j * strip + 64;
        const uint apart = type == SH_Q6_K ? 16 : 128, step = type == SH_Q6_K ? 32 : 16;
        copy16(g + BLOCK * b + 16 * j, at + step * s);
        copy16(g + SLICE + BLOCK * b + 16 * j, at + apart + step * s);
    }
    for (uint u = 0; u < PIECES; u++) {
        vi q[4][8];
        UNROLL
        for (uint i = 0; i < 8; i++) {
            vi four[4];
            columns_of(type, g, b, u, 0x03020100u + 0x04040404u * i, four);
            UNROLL
            for (uint j = 0; j < 4; j++)
                q[j][i] = four[j];
        }
        UNROLL
        for (uint j = 0; j < 4; j++)
            put_vectors(type, q[j], s, u, to + j * strip);
    }
}

/* Block b of the run at `from`. */
static inline void run_to_strips(const uint type, bytes from, uint b, __global uchar *to,
                                 ulong strip)
{
    for (uint j = 0; j < 4; j++) {
        bytes d = from + 2 * (BLOCK * b + 16 * j);
        for (uint i = 0; i < 2; i++) {
            copy16(d + 16 * i, to + j * strip + 16 * i);
            if (type != SH_Q6_K)
                copy16(d + 2 * SLICE + 16 * i, to + j * strip + 32 + 16 * i);
        }
    }
    for (uint s = 0; s < RUN / SUB; s++)
        group_to_strips(type, from + HEAD_BYTES(type) + s * GROUP_BYTES(type), b, s, to, strip);
}

/* Many tokens.  scratch: these, rounded by strip_round, then four strips for
 * each work-item. */
__kernel void columns_many(const struct matmul_args a, __global const uchar *W,
                           __global float *y, __global int *scratch)
{
    const uint n = a.rows / BLOCK, items = get_global_size(0), me = get_global_id(0);
    const uint runs = a.cols / RUN, stride = a.cols / SUB * X_INTS;
    const ulong strip = (ulong)runs * RUN_BYTES(TYPE);
    __global uchar *own = (__global uchar *)(scratch + SH_STRIP_TOKENS * stride)
                          + 4 * strip * me;
    bytes w = W + (ulong)a.w_at * SH_UNIT;
    for (uint i = n * me / items; i < n * (me + 1) / items; i++) {
        bytes slice = w + (ulong)(i / 4) * runs * SLICE_BYTES(TYPE);
        for (uint run = 0; run < runs; run++)
            run_to_strips(TYPE, slice + (ulong)run * SLICE_BYTES(TYPE), i % 4,
                          own + (ulong)run * RUN_BYTES(TYPE), strip);
        for (uint j = 0; j < 4; j++)
            for (uint t = 0; t < a.T; t += TOKENS)
                strip_product(TYPE, a, own + j * strip, scratch + (ulong)t * stride, X_INTS, t,
                              i * BLOCK + 16 * j, y);
    }
}
#endif
