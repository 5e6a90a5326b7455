/* SPDX-License-Identifier: MIT */
/*
 * Decoding the block types of 32 elements: Q4_0 Q4_1 Q5_0 Q5_1 Q8_0.
 *
 * Fields in order (spec 5.1): d half, [m half], [qh 4 bytes], qs.  Element
 * e < 16 is the low nibble of qs[e], e >= 16 the high one of qs[e - 16]; bit e
 * of qh, little-endian, is its fifth bit.
 *
 * d has 11 significant bits and q at most 8, so every product below is exact
 * in float: only an addition rounds, and fusing it changes nothing.
 */
#include "base/block_decode.h"

#include <string.h>

enum { LENGTH = 32 };

/* The low four bits of element e. */
static unsigned nibble(const unsigned char *qs, unsigned e)
{
    return e < 16 ? qs[e] & 15u : qs[e - 16] >> 4;
}

/* All five bits of element e. */
static unsigned five(const unsigned char *qs, uint32_t qh, unsigned e)
{
    return nibble(qs, e) | (qh >> e & 1u) << 4;
}

static uint32_t read_u32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* d, qs[16]: d (q - 8). */
void anser_block_decode_q4_0(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 18) {
        float d = block_half(p);
        for (unsigned e = 0; e < LENGTH; e++)
            dst[i + e] = d * (float)((int)nibble(p + 2, e) - 8);
    }
}

/* d, m, qs[16]: d q + m. */
void anser_block_decode_q4_1(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 20) {
        float d = block_half(p), m = block_half(p + 2);
        for (unsigned e = 0; e < LENGTH; e++)
            dst[i + e] = d * (float)nibble(p + 4, e) + m;
    }
}

/* d, qh[4], qs[16]: d (q - 16). */
void anser_block_decode_q5_0(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 22) {
        float d = block_half(p);
        uint32_t qh = read_u32(p + 2);
        for (unsigned e = 0; e < LENGTH; e++)
            dst[i + e] = d * (float)((int)five(p + 6, qh, e) - 16);
    }
}

/* d, m, qh[4], qs[16]: d q + m. */
void anser_block_decode_q5_1(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 24) {
        float d = block_half(p), m = block_half(p + 2);
        uint32_t qh = read_u32(p + 4);
        for (unsigned e = 0; e < LENGTH; e++)
            dst[i + e] = d * (float)five(p + 8, qh, e) + m;
    }
}

/* d, qs[32] signed: d q. */
void anser_block_decode_q8_0(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 34) {
        float d = block_half(p);
        for (unsigned e = 0; e < LENGTH; e++)
            dst[i + e] = d * (float)(signed char)p[2 + e];
    }
}
