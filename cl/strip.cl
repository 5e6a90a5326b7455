/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) on a CPU: weights in strips of 16 rows, activations
 * rounded to 8 bits with one scale for each 32.
 *
 * A strip holds its columns in runs of 256 (strip_pack.cl tells the layout).
 * A vector of it is LANES rows by 4 columns, so that a dot product of bytes
 * leaves each row's sum in a lane of its own and nothing is ever added across
 * lanes (strip.h).  TOKENS tokens share what was loaded.  A work-item takes a
 * run of strips; nothing is shared between work-items, so there is no barrier.
 */

/* ---------------------------------------------------------- activations */

/* 16 floats times scale to the nearest integer, ties to even: adding 1.5 2^23
 * leaves it in the low bits. */
static inline int16 nearest(float16 x, float scale)
{
    return as_int16(x * scale + 12582912.0f) - 0x4b400000;
}

static inline int sum_int16(int16 v)
{
    const int8 a = v.lo + v.hi;
    const int4 b = a.lo + a.hi;
    return (b.x + b.y) + (b.z + b.w);
}

/* The largest of numbers that are not negative: their bits order them. */
static inline float max16(float16 v)
{
    const int8 a = max(as_int16(v).lo, as_int16(v).hi);
    const int4 b = max(a.lo, a.hi);
    return as_float(max(max(b.x, b.y), max(b.z, b.w)));
}

/* Stored whole: vstore16 of bytes takes them one by one. */
typedef int4 __attribute__((aligned(4))) int4_anywhere;

/* x(SUB) to X_INTS ints. */
static inline void round_sub(__global const float *x, __global int *to)
{
    const float16 lo = load16(x), hi = load16(x + 16);
    const float most = max16(as_float16(max(as_int16(fabs(lo)), as_int16(fabs(hi)))));
    const float inverse = most > 0.0f ? 127.0f / most : 0.0f;
    const float scale = most / 127.0f;
    const int16 a = nearest(lo, inverse), b = nearest(hi, inverse);
    const int s0 = sum_int16(a), s1 = sum_int16(b);
    *(__global int4_anywhere *)to = as_int4(convert_uchar16(a & 255));
    *(__global int4_anywhere *)(to + 4) = as_int4(convert_uchar16(b & 255));
    to[8] = as_int(scale);
    to[9] = as_int(scale * (float)(s0 + s1));
    to[10] = s0;
    to[11] = s1;
}

/* -------------------------------------------------------------- product */

static inline void store(__global float *y, uint piece, uint rows, vf sum, uint act)
{
    __global float *at = y + LANES * piece;
    if (rows >= LANES * (piece + 1) && act != SH_ACT_TANH && act != SH_ACT_SIGMOID) {
        if (act == SH_ACT_RELU2) {
            sum = fmax(sum, (vf)(0.0f));
            sum *= sum;
        }
        VSTORE(act == SH_ACT_ADD ? VLOAD(0, at) + sum : sum, 0, at);
        return;
    }
    float one[LANES];
    VSTORE(sum, 0, one);
    for (uint i = 0; i < LANES && LANES * piece + i < rows; i++)
        at[i] = act == SH_ACT_ADD ? at[i] + one[i] : activate(one[i], act);
}

/* TOKENS tokens from t0 on, of which those below T are there, by one strip;
 * `type` is a constant where this is called. */
static inline void strip_product(const uint type, const struct matmul_args a, bytes w,
                                 __global const int *x, uint stride, uint t0, uint row0,
                                 __global float *y)
{
    vf acc[PIECES][TOKENS];
    UNROLL
    for (uint i = 0; i < PIECES * TOKENS; i++)
        acc[i / TOKENS][i % TOKENS] = (vf)(0.0f);
    for (uint run = 0; run < a.cols / RUN; run++)
        for (uint sub = 0; sub < RUN / SUB; sub++) {
            if (TOKENS == 1)             /* else it waits for sums, not bytes */
                ask_ahead(type, w + run * RUN_BYTES(type), sub);
            UNROLL
            for (uint i = 0; i < PIECES; i++)
                sub_run(type, w + run * RUN_BYTES(type), i, sub,
                        x + (run * (RUN / SUB) + sub) * (SIDE * X_INTS), stride, acc[i]);
        }
    UNROLL
    for (uint t = 0; t < TOKENS; t++) {
        UNROLL
        for (uint i = 0; i < PIECES; i++)
            if (t0 + t < a.T)
                store(y + a.y_at + (ulong)(t0 + t) * a.y_stride + row0, i, a.rows - row0,
                      acc[i][t], a.act);
    }
}

/* One token's x into its place in scratch. */
static inline void round_token(__global const float *x, uint cols, __global int *to)
{
    for (uint i = 0; i < cols / SUB; i++)
        round_sub(x + i * SUB, to + i * (SIDE * X_INTS));
}

/* A token a work-item; those beyond the last repeat it. */
__kernel void strip_round(const struct matmul_args a, __global const float *x,
                          __global int *scratch)
{
    const uint t = get_global_id(0);
    round_token(x + a.x_at + (ulong)min(t, a.T - 1) * a.cols, a.cols,
                scratch + (ulong)(t - t % SIDE) * (a.cols / SUB * X_INTS)
                + t % SIDE * X_INTS);
}

/* A token at a time (TOKENS 1) each work-item rounds it for itself, which is
 * cheaper than a launch; else strip_round has done it. */
__kernel void strip(const struct matmul_args a, __global const uchar *W,
                    __global const float *x, __global float *y, __global int *scratch)
{
    const uint n = (a.rows + 15) / 16, items = get_global_size(0), me = get_global_id(0);
    const uint from = (uint)((ulong)n * me / items), to = (uint)((ulong)n * (me + 1) / items);
    const uint stride = a.cols / SUB * X_INTS;
    const ulong strip = (ulong)(a.cols / RUN) * RUN_BYTES(TYPE);
    bytes w = W + (ulong)a.w_at * SH_UNIT;
#if TOKENS == 1
    __global int *slot = scratch + (ulong)me * stride;
    for (uint t = 0; t < a.T; t++) {
        round_token(x + a.x_at + (ulong)t * a.cols, a.cols, slot);
        for (uint s = from; s < to; s++)
            strip_product(TYPE, a, w + s * strip, slot, X_INTS, t, s * 16, y);
    }
#else
    (void)x;
    for (uint s = from; s < to; s++)
        for (uint t = 0; t < a.T; t += TOKENS)
            strip_product(TYPE, a, w + s * strip, scratch + (ulong)t * stride, X_INTS, t,
                          s * 16, y);
#endif
}
