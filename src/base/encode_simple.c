/* SPDX-License-Identifier: MIT */
/*
 * The table of encoders, and those of F32, F16, BF16 and of the block types of
 * 32 elements; layouts in block_32.c.  Q8_0 maps the largest value to 127, the
 * others search (encode_fit.c).
 */
#include "base/encode.h"

#include "base/encode_fit.h"

#include <string.h>

enum { LENGTH = 32 };

/* Starts of the search: as wide as the range, a little less (the extremes are
 * cut) and a little more. */
static const struct anser_fit_range signed_4 = {
    -8, 7, { 6.6f, 6.9f, 7.2f, 7.5f, 7.8f, 8.1f, 8.4f, 8.7f, 9.0f, 9.4f,
             -6.5f, -6.9f, -7.2f, -7.6f }, 14
};
static const struct anser_fit_range signed_5 = {
    -16, 15, { 14.6f, 14.9f, 15.2f, 15.5f, 15.8f, 16.1f, 16.4f, 16.7f, 17.0f,
               17.4f, -14.6f, -15.0f, -15.4f }, 13
};
static const struct anser_fit_range affine_4 = {
    0, 15, { 14.0f, 14.3f, 14.6f, 14.9f, 15.2f, 15.5f, 15.8f, 16.1f, 16.4f,
             16.7f, 17.0f }, 11
};
static const struct anser_fit_range affine_5 = {
    0, 31, { 30.0f, 30.3f, 30.6f, 30.9f, 31.2f, 31.5f, 31.8f, 32.1f, 32.4f,
             32.7f, 33.0f }, 11
};

static unsigned char *put_half(unsigned char *p, uint16_t half)
{
    memcpy(p, &half, sizeof half);
    return p + sizeof half;
}

/* Rounds to what a half holds, which is returned. */
static uint16_t round_half(float *value)
{
    uint16_t half = anser_float_to_half(*value);
    *value = anser_half_to_float(half);
    return half;
}

/* ------------------------------------------------------------- plain */

static void encode_f32(const float *src, void *dst, size_t n)
{
    memcpy(dst, src, n * sizeof *src);
}

static void encode_f16(const float *src, void *dst, size_t n)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i++)
        p = put_half(p, anser_float_to_half(src[i]));
}

/* The upper half of a float, to nearest, ties to even. */
static void encode_bf16(const float *src, void *dst, size_t n)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &src[i], sizeof bits);
        p = put_half(p, (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
    }
}

static float largest(const float *x, size_t n)
{
    float peak = 0;
    for (size_t i = 0; i < n; i++) {
        float size = x[i] < 0 ? -x[i] : x[i];
        peak = size > peak ? size : peak;
    }
    return peak;
}

/* The nearest whole number of -127..127. */
static unsigned char round_8(float x)
{
    x = x < 127 ? x : 127;
    x = x > -127 ? x : -127;
    return (unsigned char)(int)(x < 0 ? x - 0.5f : x + 0.5f);
}

static void encode_q8_0(const float *src, void *dst, size_t n)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i += LENGTH) {
        float d = largest(src + i, LENGTH) / 127;
        p = put_half(p, round_half(&d));
        float factor = d > 0 ? 1 / d : 0;
        for (size_t e = 0; e < LENGTH; e++)
            *p++ = round_8(src[i + e] * factor);
    }
}

/* ------------------------------------------------------------- blocks */

/* q(32) as the decoders read it: the fifth bits if there are any, nibbles. */
static unsigned char *put_q(unsigned char *p, const unsigned char *q, int five)
{
    uint32_t high = 0;
    for (unsigned e = 0; e < LENGTH; e++)
        high |= (uint32_t)(q[e] >> 4 & 1) << e;
    if (five) {
        memcpy(p, &high, sizeof high);
        p += sizeof high;
    }
    for (unsigned e = 0; e < LENGTH / 2; e++)
        p[e] = (unsigned char)((q[e] & 15) | (q[e + LENGTH / 2] & 15) << 4);
    return p + LENGTH / 2;
}

/* groups blocks with d, and with m if the range begins at 0. */
static unsigned char *put_blocks(unsigned char *p, const float *src,
                                 const struct anser_fit_range *range,
                                 unsigned groups)
{
    struct anser_fit_tile tile;
    struct anser_fit fit;
    unsigned char q[FIT_LANES * LENGTH];
    uint16_t d[FIT_LANES], m[FIT_LANES];
    int affine = range->low == 0;
    anser_fit_load(&tile, src, LENGTH, groups, affine);
    if (affine)
        anser_fit_affine(&tile, range, 0, &fit);
    else
        anser_fit_signed(&tile, range, &fit);
    for (unsigned g = 0; g < groups; g++) {
        d[g] = round_half(&fit.s[g]);
        m[g] = round_half(&fit.m[g]);
    }
    anser_fit_round(&tile, range, &fit, groups, q);
    for (unsigned g = 0; g < groups; g++) {
        p = put_half(p, d[g]);
        if (affine)
            p = put_half(p, m[g]);
        p = put_q(p, q + g * LENGTH, range->high - range->low > 15);
    }
    return p;
}

static void encode_blocks(const float *src, void *dst, size_t n,
                          const struct anser_fit_range *range)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i += FIT_LANES * LENGTH) {
        size_t groups = (n - i) / LENGTH;
        groups = groups < FIT_LANES ? groups : FIT_LANES;
        p = put_blocks(p, src + i, range, (unsigned)groups);
    }
}

static void encode_q4_0(const float *src, void *dst, size_t n)
{
    encode_blocks(src, dst, n, &signed_4);
}

static void encode_q4_1(const float *src, void *dst, size_t n)
{
    encode_blocks(src, dst, n, &affine_4);
}

static void encode_q5_0(const float *src, void *dst, size_t n)
{
    encode_blocks(src, dst, n, &signed_5);
}

static void encode_q5_1(const float *src, void *dst, size_t n)
{
    encode_blocks(src, dst, n, &affine_5);
}

/* ------------------------------------------------------------- choosing */

static const struct anser_encoder encoders[] = {
    { ANSER_F32, encode_f32 },
    { ANSER_F16, encode_f16 },
    { ANSER_BF16, encode_bf16 },
    { ANSER_Q4_0, encode_q4_0 },
    { ANSER_Q4_1, encode_q4_1 },
    { ANSER_Q5_0, encode_q5_0 },
    { ANSER_Q5_1, encode_q5_1 },
    { ANSER_Q8_0, encode_q8_0 },
    { ANSER_Q2_K, anser_encode_q2_k },
    { ANSER_Q3_K, anser_encode_q3_k },
    { ANSER_Q4_K, anser_encode_q4_k },
    { ANSER_Q5_K, anser_encode_q5_k },
    { ANSER_Q6_K, anser_encode_q6_k },
};

const struct anser_encoder *anser_encoder_find(uint32_t type)
{
    for (size_t i = 0; i < sizeof encoders / sizeof encoders[0]; i++)
        if ((uint32_t)encoders[i].type == type)
            return &encoders[i];
    return NULL;
}
