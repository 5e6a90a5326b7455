/* SPDX-License-Identifier: MIT */
/*
 * The table of block types, the decoders of the three plain types, and half
 * precision.  Sizes and numbers: spec section 1.3 (ggml's ids).
 */
#include "base/block.h"

#include "base/block_decode.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Anser reads its files in place and needs a little-endian machine"
#endif

static void decode_f32(const void *src, float *dst, size_t n)
{
    memcpy(dst, src, n * sizeof *dst);
}

static void decode_f16(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i++)
        dst[i] = block_half(p + 2 * i);
}

/* BF16 is the upper half of a float. */
static void decode_bf16(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i++, p += 2) {
        uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 24;
        memcpy(&dst[i], &bits, sizeof bits);
    }
}

const struct anser_block anser_blocks[] = {
    { ANSER_F32,  "F32",    1,   4, decode_f32 },
    { ANSER_F16,  "F16",    1,   2, decode_f16 },
    { ANSER_BF16, "BF16",   1,   2, decode_bf16 },
    { ANSER_Q4_0, "Q4_0",  32,  18, anser_block_decode_q4_0 },
    { ANSER_Q4_1, "Q4_1",  32,  20, anser_block_decode_q4_1 },
    { ANSER_Q5_0, "Q5_0",  32,  22, anser_block_decode_q5_0 },
    { ANSER_Q5_1, "Q5_1",  32,  24, anser_block_decode_q5_1 },
    { ANSER_Q8_0, "Q8_0",  32,  34, anser_block_decode_q8_0 },
    { ANSER_Q2_K, "Q2_K", 256,  84, anser_block_decode_q2_k },
    { ANSER_Q3_K, "Q3_K", 256, 110, anser_block_decode_q3_k },
    { ANSER_Q4_K, "Q4_K", 256, 144, anser_block_decode_q4_k },
    { ANSER_Q5_K, "Q5_K", 256, 176, anser_block_decode_q5_k },
    { ANSER_Q6_K, "Q6_K", 256, 210, anser_block_decode_q6_k },
    { ANSER_F32, NULL, 0, 0, NULL }
};

const struct anser_block *anser_block_find(uint32_t type)
{
    for (const struct anser_block *b = anser_blocks; b->name != NULL; b++)
        if ((uint32_t)b->type == type)
            return b;
    return NULL;
}

/* Names hold ASCII only; the locale must not matter. */
static int upper(int c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static int same_name(const char *a, const char *b)
{
    while (*a != '\0' && upper(*a) == upper(*b)) {
        a++;
        b++;
    }
    return upper(*a) == upper(*b);
}

const struct anser_block *anser_block_named(const char *name)
{
    for (const struct anser_block *b = anser_blocks; b->name != NULL; b++)
        if (same_name(b->name, name))
            return b;
    return NULL;
}

uint64_t anser_block_bytes(const struct anser_block *block, uint64_t n)
{
    return n / block->length * block->bytes;
}

/* Half: 1 sign, 5 exponent (bias 15), 10 fraction bits; float: 1, 8 (127),
 * 23.  A subnormal half is fraction * 2^-24, a normal float. */
float anser_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
    uint32_t bits;
    float f;
    if (exponent == 0) {
        f = (float)fraction * 0x1p-24f;
        memcpy(&bits, &f, sizeof bits);
    } else if (exponent == 31) {
        bits = 0x7f800000u | fraction << 13;
    } else {
        bits = (exponent + 112) << 23 | fraction << 13;
    }
    bits |= sign;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* value >> shift, rounded to nearest, ties to even.  1 <= shift <= 31. */
static uint32_t round_shift(uint32_t value, unsigned shift)
{
    uint32_t half = 1u << (shift - 1), rest = value & (2 * half - 1);
    uint32_t q = value >> shift;
    return q + (rest > half || (rest == half && (q & 1)));
}

uint16_t anser_float_to_half(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    int exponent = (int)(bits >> 23 & 255u) - 112;
    uint32_t fraction = bits & 0x7fffffu;
    if (exponent == 143)                     /* infinity, or a quiet NaN    */
        return (uint16_t)(sign | 0x7c00u
                          | (fraction ? 0x200u | fraction >> 13 : 0));
    if (exponent >= 31)
        return (uint16_t)(sign | 0x7c00u);
    if (exponent <= 0) {                     /* subnormal, or rounds to 0   */
        if (exponent < -10)
            return sign;
        fraction |= 0x800000u;
        return (uint16_t)(sign | round_shift(fraction,
                                             (unsigned)(14 - exponent)));
    }
    /* A carry out of the fraction goes into the exponent, up to infinity. */
    return (uint16_t)(sign | round_shift((uint32_t)exponent << 23 | fraction,
                                         13));
}
