/* SPDX-License-Identifier: MIT */
/*
 * The only place where the file's bits are unpacked: 32 weights of a row, from
 * element i (a multiple of 32) on, as two vectors.  One function a type,
 * chosen by -D TYPE; layouts and order of arithmetic as in base/block.c
 * [GGML:blocks].  Rows of many types are aligned to 2 bytes only: bytes are
 * loaded as bytes, but blocks of Q4_K and Q5_K lie at multiples of 16.
 */
#ifdef TYPE

typedef __global const uchar *bytes;

static inline float half_at(bytes p)
{
    return vload_half(0, (__global const half *)p);
}

/* -D ALIGNED: rows begin at multiples of 32 bytes where cols is one of 32. */
#ifdef ALIGNED
#define LOAD_HALF16 vloada_half16
#else
#define LOAD_HALF16 vload_half16
#endif

static inline uchar16 aligned16(bytes p)
{
    return *(__global const uchar16 *)p;
}

static inline float16 low_nibbles(uchar16 q)
{
    return convert_float16(q & (uchar)15);
}

static inline float16 high_nibbles(uchar16 q)
{
    return convert_float16(q >> (uchar)4);
}

#if TYPE == SH_F32
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    __global const float *p = (__global const float *)row + i;
    *lo = vload16(0, p);
    *hi = vload16(1, p);
}

static inline float unpack1(bytes row, uint i)
{
    return ((__global const float *)row)[i];
}

#elif TYPE == SH_F16
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    __global const half *p = (__global const half *)row + i;
    *lo = LOAD_HALF16(0, p);
    *hi = LOAD_HALF16(1, p);
}

static inline float unpack1(bytes row, uint i)
{
    return vload_half(i, (__global const half *)row);
}

#elif TYPE == SH_BF16
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    __global const ushort *p = (__global const ushort *)row + i;
    *lo = as_float16(convert_uint16(vload16(0, p)) << 16);
    *hi = as_float16(convert_uint16(vload16(1, p)) << 16);
}

static inline float unpack1(bytes row, uint i)
{
    return as_float((uint)((__global const ushort *)row)[i] << 16);
}

#elif TYPE == SH_Q8_0
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 32 * 34;
    __global const char *q = (__global const char *)(b + 2);
    const float d = half_at(b);
    *lo = d * convert_float16(vload16(0, q));
    *hi = d * convert_float16(vload16(1, q));
}

#elif TYPE == SH_Q4_0
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 32 * 18;
    const float d = half_at(b);
    const uchar16 q = vload16(0, b + 2);
    *lo = d * (low_nibbles(q) - 8.0f);
    *hi = d * (high_nibbles(q) - 8.0f);
}

#elif TYPE == SH_Q4_1
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 32 * 20;
    const float d = half_at(b);
    const float m = half_at(b + 2);
    const uchar16 q = vload16(0, b + 4);
    *lo = d * low_nibbles(q) + m;
    *hi = d * high_nibbles(q) + m;
}

#elif TYPE == SH_Q5_0 || TYPE == SH_Q5_1
/* 16 where bit e of the four bytes at p is set, e = first..first+15. */
static inline float16 fifth_bits(bytes p, uint first)
{
    const uint word = (uint)p[0] | (uint)p[1] << 8 | (uint)p[2] << 16
                      | (uint)p[3] << 24;
    const uint16 e = (uint16)(0, 1, 2, 3, 4, 5, 6, 7,
                              8, 9, 10, 11, 12, 13, 14, 15) + first;
    return convert_float16((((uint16)(word)) >> e & 1u) << 4);
}

#if TYPE == SH_Q5_0
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 32 * 22;
    const float d = half_at(b);
    const uchar16 q = vload16(0, b + 6);
    *lo = d * (low_nibbles(q) + fifth_bits(b + 2, 0) - 16.0f);
    *hi = d * (high_nibbles(q) + fifth_bits(b + 2, 16) - 16.0f);
}
#else
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 32 * 24;
    const float d = half_at(b);
    const float m = half_at(b + 2);
    const uchar16 q = vload16(0, b + 8);
    *lo = d * (low_nibbles(q) + fifth_bits(b + 4, 0)) + m;
    *hi = d * (high_nibbles(q) + fifth_bits(b + 4, 16)) + m;
}
#endif

#elif TYPE == SH_Q2_K
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 256 * 84;
    const uint n = i >> 7 & 1, j = i >> 5 & 3;
    bytes scales = b + 8 * n + 2 * j;
    const float d = half_at(b + 80), dmin = half_at(b + 82);
    const uchar16 q0 = vload16(0, b + 16 + 32 * n) >> (uchar)(2 * j);
    const uchar16 q1 = vload16(1, b + 16 + 32 * n) >> (uchar)(2 * j);
    *lo = d * (scales[0] & 15) * convert_float16(q0 & (uchar)3)
          - dmin * (scales[0] >> 4);
    *hi = d * (scales[1] & 15) * convert_float16(q1 & (uchar)3)
          - dmin * (scales[1] >> 4);
}

#elif TYPE == SH_Q3_K
/* Signed 6-bit scale s of 16. */
static inline int scale6(bytes p, uint s)
{
    const uint low = s < 8 ? p[s] & 15 : p[s - 8] >> 4;
    const uint high = p[8 + (s & 3)] >> 2 * (s >> 2) & 3;
    return (int)(low | high << 4) - 32;
}

/* Two bits, less 4 where the mask bit is clear. */
static inline float16 three_bits(uchar16 q, uchar16 mask, uint j, uint bit)
{
    const char16 low = as_char16((q >> (uchar)(2 * j)) & (uchar)3);
    const char16 top = as_char16(((mask >> (uchar)bit) & (uchar)1) << (uchar)2);
    return convert_float16(low + top - (char)4);
}

static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 256 * 110;
    const uint n = i >> 7 & 1, j = i >> 5 & 3, bit = 4 * n + j;
    bytes qs = b + 32 + 32 * n;
    const float d = half_at(b + 108);
    *lo = d * scale6(b + 96, 2 * bit)
          * three_bits(vload16(0, qs), vload16(0, b), j, bit);
    *hi = d * scale6(b + 96, 2 * bit + 1)
          * three_bits(vload16(1, qs), vload16(1, b), j, bit);
}

#elif TYPE == SH_Q4_K || TYPE == SH_Q5_K
/* Scale (x) and minimum (y), 6 bits each, of sub-block s of 8. */
static inline float2 scale_min(bytes p, uint s)
{
    const uint sc = s < 4 ? p[s] & 63 : (p[s + 4] & 15) | p[s - 4] >> 6 << 4;
    const uint mn = s < 4 ? p[s + 4] & 63 : p[s + 4] >> 4 | p[s] >> 6 << 4;
    return (float2)((float)sc, (float)mn);
}

#if TYPE == SH_Q4_K
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 256 * 144;
    const uint s = i >> 5 & 7;
    const float2 k = vload_half2(0, (__global const half *)b)
                     * scale_min(b + 4, s);
    bytes qs = b + 16 + 32 * (s >> 1);
    const uchar shift = (uchar)(4 * (s & 1));
    *lo = k.x * low_nibbles(aligned16(qs) >> shift) - k.y;
    *hi = k.x * low_nibbles(aligned16(qs + 16) >> shift) - k.y;
}
#else
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 256 * 176;
    const uint s = i >> 5 & 7;
    const float2 k = vload_half2(0, (__global const half *)b)
                     * scale_min(b + 4, s);
    bytes qs = b + 48 + 32 * (s >> 1);
    const uchar shift = (uchar)(4 * (s & 1));
    const uchar16 top0 = (aligned16(b + 16) >> (uchar)s & (uchar)1) << (uchar)4;
    const uchar16 top1 = (aligned16(b + 32) >> (uchar)s & (uchar)1) << (uchar)4;
    const uchar16 q0 = (aligned16(qs) >> shift & (uchar)15) | top0;
    const uchar16 q1 = (aligned16(qs + 16) >> shift & (uchar)15) | top1;
    *lo = k.x * convert_float16(q0) - k.y;
    *hi = k.x * convert_float16(q1) - k.y;
}
#endif

#elif TYPE == SH_Q6_K
static inline void unpack32(bytes row, uint i, float16 *lo, float16 *hi)
{
    bytes b = row + i / 256 * 210;
    const uint n = i >> 7 & 1, j = i >> 5 & 3;
    bytes ql = b + 64 * n + 32 * (j & 1);
    bytes qh = b + 128 + 32 * n;
    __global const char *scales = (__global const char *)(b + 192 + 8 * n + 2 * j);
    const uchar low = (uchar)(4 * (j >> 1)), high = (uchar)(2 * j);
    const uchar16 q0 = (vload16(0, ql) >> low & (uchar)15)
                       | (vload16(0, qh) >> high & (uchar)3) << (uchar)4;
    const uchar16 q1 = (vload16(1, ql) >> low & (uchar)15)
                       | (vload16(1, qh) >> high & (uchar)3) << (uchar)4;
    const float d = half_at(b + 208);
    *lo = d * scales[0] * (convert_float16(q0) - 32.0f);
    *hi = d * scales[1] * (convert_float16(q1) - 32.0f);
}

#else
#error "TYPE is not a block type of shared.h"
#endif

/* Types whose rows may end inside a run of 32. */
#define ONE_BY_ONE (TYPE == SH_F32 || TYPE == SH_F16 || TYPE == SH_BF16)

/* The first weight of a row of a matrix at w_at units. */
static inline bytes row_at(bytes W, uint w_at, uint row, uint row_bytes)
{
    return W + (ulong)w_at * SH_UNIT + (ulong)row * row_bytes;
}

#endif
