/* SPDX-License-Identifier: MIT */
/*
 * Sub-runs of strips (strip.cl) times rounded activations.
 *
 * FORM says how bytes are multiplied: 0 plain vectors, which LLVM maps to what
 * the CPU has; 1 the widest of the x86 builtins that the compiler's macros
 * offer; 2 the dot instruction of AVX512-VNNI, which PoCL's LLVM 15 can
 * assemble but not select.  1 and 2 are tried in another process first.
 */

/* Columns of a run, of a scale of x; ints of a rounded run of x: 8 of bytes,
 * the scale, scale times sum, the sums of either half. */
#define RUN 256
#define SUB 32
#define X_INTS 12

/* Tokens whose sub-runs lie side by side. */
#ifndef SIDE
#define SIDE TOKENS
#endif

#if FORM == 2 || (FORM == 1 && defined(__AVX512BW__))
#define LANES 16
#elif FORM == 1 && defined(__AVX2__)
#define LANES 8
#else
#define LANES 4
#endif

#define GLUE_(a, b) a##b
#define GLUE(a, b) GLUE_(a, b)
#define V(type) GLUE(type, LANES)
#define VLOAD GLUE(vload, LANES)
#define VSTORE GLUE(vstore, LANES)
#define CONVERT(type) GLUE(convert_##type, LANES)
#define AS(type) GLUE(as_##type, LANES)
#define PIECES (16 / LANES)      /* of a strip                              */

/* Vectors stay in registers only where loops are written out. */
#define UNROLL _Pragma("unroll")

typedef V(int) vi;
typedef V(float) vf;

/* ------------------------------------------------------- dots of bytes */

/* q: 8 vectors of unsigned bytes below 2^BITS, x: 8 words of signed ones.
 * dot4(q, x) sums the products of the first four into each lane. */
#if FORM == 2
/* The word of x is broadcast as it is read: a load of its own would take a
 * turn of the units that multiply. */
static inline vi dot_step(vi sum, vi q, __global const int *x)
{
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(q), "m"(*x));
    return sum;
}

#define DOT4(q, x, bits) \
    dot_step(dot_step(dot_step(dot_step((vi)(0), (q)[0], (x)), (q)[1], (x) + 1), \
                      (q)[2], (x) + 2), (q)[3], (x) + 3)
#define DOT8(q, x, bits) \
    dot_step(dot_step(dot_step(dot_step(DOT4(q, x, bits), (q)[4], (x) + 4), (q)[5], (x) + 5), \
                      (q)[6], (x) + 6), (q)[7], (x) + 7)

#elif FORM == 1 && defined(__SSSE3__)
typedef char native_bytes __attribute__((__vector_size__(4 * LANES)));
typedef short native_shorts __attribute__((__vector_size__(4 * LANES)));

#if LANES == 16
#define MADDUBS __builtin_ia32_pmaddubsw512
#define MADD __builtin_ia32_pmaddwd512
#elif LANES == 8
#define MADDUBS __builtin_ia32_pmaddubsw256
#define MADD __builtin_ia32_pmaddwd256
#else
#define MADDUBS __builtin_ia32_pmaddubsw128
#define MADD __builtin_ia32_pmaddwd128
#endif

/* Sums of two products in 16 bits: at most 2 * (2^bits - 1) * 127. */
static inline native_shorts pairs(vi q, int x)
{
    return MADDUBS(__builtin_astype(q, native_bytes),
                   __builtin_astype((vi)(x), native_bytes));
}

static inline vi widen(native_shorts sum)
{
    const native_shorts ones = __builtin_astype((vi)(0x00010001), native_shorts);
    return __builtin_astype(MADD(sum, ones), vi);
}

/* 8 pairs of 4 bits, 4 of 5 bits and 2 of 6 bits fit in 16. */
static inline vi dot4_narrow(const vi *q, __global const int *x)
{
    return widen((pairs(q[0], x[0]) + pairs(q[1], x[1]))
                 + (pairs(q[2], x[2]) + pairs(q[3], x[3])));
}

static inline vi dot4_wide(const vi *q, __global const int *x)
{
    return widen(pairs(q[0], x[0]) + pairs(q[1], x[1]))
           + widen(pairs(q[2], x[2]) + pairs(q[3], x[3]));
}

static inline vi dot8_narrow(const vi *q, __global const int *x)
{
    return widen(((pairs(q[0], x[0]) + pairs(q[1], x[1]))
                  + (pairs(q[2], x[2]) + pairs(q[3], x[3])))
                 + ((pairs(q[4], x[4]) + pairs(q[5], x[5]))
                    + (pairs(q[6], x[6]) + pairs(q[7], x[7]))));
}

#define DOT4(q, x, bits) ((bits) > 5 ? dot4_wide(q, x) : dot4_narrow(q, x))
/* Bytes go in two halves: 16 bits hold no sum of whole ones. */
static inline vi dot8_bytes(const vi *q, __global const int *x)
{
    vi low[8], high[8];
    UNROLL
    for (uint i = 0; i < 8; i++) {
        low[i] = q[i] & 0x0f0f0f0f;
        high[i] = (q[i] >> 4) & 0x0f0f0f0f;
    }
    return dot8_narrow(low, x) + (dot8_narrow(high, x) << 4);
}

#define DOT8(q, x, bits) \
    ((bits) == 4 ? dot8_narrow(q, x) \
     : (bits) == 8 ? dot8_bytes(q, x) : DOT4(q, x, bits) + DOT4((q) + 4, (x) + 4, bits))

#else
static inline int8 dot_step(int8 sum, int4 q, int x)
{
    const short16 w = convert_short16(as_uchar16(q));
    const char4 one = as_char4(x);
    const short16 b = convert_short16((char16)(one, one, one, one));
    return sum + (convert_int8(w.even) * convert_int8(b.even)
                  + convert_int8(w.odd) * convert_int8(b.odd));
}

static inline int4 dot_n(const int4 *q, __global const int *x, uint n)
{
    int8 sum = (int8)(0);
    UNROLL
    for (uint i = 0; i < n; i++)
        sum = dot_step(sum, q[i], x[i]);
    return sum.even + sum.odd;
}
#define DOT4(q, x, bits) dot_n(q, x, 4)
#define DOT8(q, x, bits) dot_n(q, x, 8)
#endif

/* sum(t) = the first n (4 or 8) vectors of q times those of token t; on VNNI a
 * vector for all tokens before the next, so that no sum waits for itself. */
static inline void dots(const uint n, const uint bits, const vi *q, __global const int *x,
                        uint stride, vi *sum)
{
    (void)bits;
#if FORM == 2
    UNROLL
    for (uint t = 0; t < TOKENS; t++)
        sum[t] = (vi)(0);
    UNROLL
    for (uint i = 0; i < n; i++) {
        UNROLL
        for (uint t = 0; t < TOKENS; t++)
            sum[t] = dot_step(sum[t], q[i], x + t * stride + i);
    }
#else
    UNROLL
    for (uint t = 0; t < TOKENS; t++)
        sum[t] = n == 8 ? DOT8(q, x + t * stride, bits) : DOT4(q, x + t * stride, bits);
#endif
}

/* All vectors of a run are aligned to their size. */
static inline vi load(bytes p, uint vector)
{
    return *(__global const vi *)(p + 64 * vector);
}

/* Halves to floats without the CPU's instruction: the exponent is moved by a
 * product.  Infinities become large numbers. */
static inline vf halves(bytes p)
{
    const V(uint) h = CONVERT(uint)(*(__global const V(ushort) *)p);
    return AS(float)(((h & 0x7fffu) << 13) | ((h & 0x8000u) << 16)) * 0x1p112f;
}

static inline vf scales(bytes p)
{
    return CONVERT(float)(CONVERT(int)(*(__global const V(uchar) *)p));
}

/* The eight vectors of a sub-run: columns 4 i to 4 i + 3 in vector i. */
static inline void nibbles(bytes p, vi *q)
{
    UNROLL
    for (uint i = 0; i < 4; i++) {
        const vi both = load(p, i);
        q[2 * i] = both & 0x0f0f0f0f;
        q[2 * i + 1] = (both >> 4) & 0x0f0f0f0f;
    }
}

static inline vi shifted(vi v, int left)
{
    return left >= 0 ? v << left : v >> -left;
}

#define RUN_BYTES(type) ((type) == SH_Q4_K ? 2368 : (type) == SH_Q5_K ? 2880 \
                         : (type) == SH_Q6_K ? 3392 : 4352)

/* acc(t) += the products of sub-run `sub` of a run of 256 at p, piece by
 * piece; x: the first token's rounded sub-run, tokens `stride` ints apart.
 * `five`: Q5_K, a constant where this is called. */
static inline void sub_run_4_5(const bool five, bytes p, uint piece, uint sub,
                               __global const int *x, uint stride, vf *acc)
{
    const vf d = halves(p + 2 * LANES * piece);
    const vf dmin = halves(p + 32 + 2 * LANES * piece);
    const vf scale = d * scales(p + 64 + 16 * sub + LANES * piece);
    const vf minimum = dmin * scales(p + 192 + 16 * sub + LANES * piece);
    vi q[8];
    nibbles(p + 320 + 256 * sub + 4 * LANES * piece, q);
    if (five) {
        const vi top = load(p + 2368 + 4 * LANES * piece, sub);
        UNROLL
        for (int i = 0; i < 8; i++)
            q[i] |= shifted(top, 4 - i) & 0x10101010;
    }
    vi sum[TOKENS];
    dots(8, five ? 5 : 4, q, x, stride, sum);
    UNROLL
    for (uint t = 0; t < TOKENS; t++) {
        __global const int *xt = x + t * stride;
        acc[t] += CONVERT(float)(sum[t]) * as_float(xt[8]) * scale;
        acc[t] -= minimum * as_float(xt[9]);
    }
}

static inline void sub_run_6(bytes p, uint piece, uint sub, __global const int *x,
                             uint stride, vf *acc)
{
    __global const V(char) *s = (__global const V(char) *)(p + 64 + 32 * sub + LANES * piece);
    const vf d = halves(p + 2 * LANES * piece);
    const vi s0 = CONVERT(int)(s[0]), s1 = CONVERT(int)(s[PIECES]);
    vi q[8];
    nibbles(p + 320 + 256 * sub + 4 * LANES * piece, q);
    UNROLL
    for (int i = 0; i < 8; i++) {
        const vi top = load(p + 2368 + 4 * LANES * piece, 2 * sub + i / 4);
        q[i] |= shifted(top, 4 - 2 * (i & 3)) & 0x30303030;
    }
    vi low[TOKENS], high[TOKENS];
    dots(4, 6, q, x, stride, low);
    dots(4, 6, q + 4, x + 4, stride, high);
    UNROLL
    for (uint t = 0; t < TOKENS; t++) {
        __global const int *xt = x + t * stride;
        const vi all = (low[t] - 32 * xt[10]) * s0 + (high[t] - 32 * xt[11]) * s1;
        acc[t] += CONVERT(float)(all) * as_float(xt[8]) * d;
    }
}

/* Bytes are biased by 128. */
static inline void sub_run_8(bytes p, uint piece, uint sub, __global const int *x,
                             uint stride, vf *acc)
{
    const vf d = halves(p + 32 * sub + 2 * LANES * piece);
    vi q[8];
    UNROLL
    for (uint i = 0; i < 8; i++)
        q[i] = load(p + 256 + 4 * LANES * piece, 8 * sub + i);
    vi sum[TOKENS];
    dots(8, 8, q, x, stride, sum);
    UNROLL
    for (uint t = 0; t < TOKENS; t++) {
        __global const int *xt = x + t * stride;
        const vi all = sum[t] - 128 * (xt[10] + xt[11]);
        acc[t] += CONVERT(float)(all) * as_float(xt[8]) * d;
    }
}

/* `type` is a constant where this is called. */
static inline void sub_run(const uint type, bytes p, uint piece, uint sub,
                           __global const int *x, uint stride, vf *acc)
{
    if (type == SH_Q6_K)
        sub_run_6(p, piece, sub, x, stride, acc);
    else if (type == SH_Q8_0)
        sub_run_8(p, piece, sub, x, stride, acc);
    else
        sub_run_4_5(type == SH_Q5_K, p, piece, sub, x, stride, acc);
}

/* Asks for what a run later is a sub-run: the three streams of a run, which
 * come round every 2 to 4 KiB, are too much for some CPUs to foresee.  Form 0
 * isn't tried first, and rusticl ends a process that builds a prefetch. */
#if FORM > 0
#define PREFETCH(p) __builtin_prefetch((const void *)(ulong)(p), 0, 3)
#else
#define PREFETCH(p) (void)(p)
#endif

static inline void ask_ahead(const uint type, bytes run, uint sub)
{
    const uint part = RUN_BYTES(type) / (RUN / SUB);
    bytes p = run + RUN_BYTES(type) + sub * part;
    UNROLL
    for (uint i = 0; i < part; i += 64)
        PREFETCH(p + i);
}
