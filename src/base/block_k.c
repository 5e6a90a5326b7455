/* SPDX-License-Identifier: MIT */
/*
 * Decoding the block types of 256 elements: Q2_K Q3_K Q4_K Q5_K Q6_K.
 * Layouts and bit positions: spec 5.1.
 *
 * value = (d * scale) * q - (dmin * min).  d has 11 significant bits, a scale
 * at most 8 and q at most 6 with no type above 24 in all, so both products are
 * exact in float: only the subtraction rounds, and fusing it changes nothing.
 */
#include "base/block_decode.h"

enum { LENGTH = 256 };

/* Q2_K, 84 bytes: scales[16], qs[64], d, dmin.  Sub-blocks of 16; the low
 * nibble of scales[s] is the scale, the high one the min.  Element
 * 128 n + 32 j + l is bits 2j of qs[32 n + l]. */
void anser_block_decode_q2_k(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 84) {
        const unsigned char *qs = p + 16;
        float d = block_half(p + 80), dmin = block_half(p + 82);
        for (unsigned e = 0; e < LENGTH; e++) {
            unsigned shift = e / 32 % 4 * 2, s = p[e / 16];
            unsigned q = qs[e / 128 * 32 + e % 32] >> shift & 3u;
            dst[i + e] = d * (float)(s & 15u) * (float)q
                         - dmin * (float)(s >> 4);
        }
    }
}

/* The 6-bit scale of sub-block s (0..15) of Q3_K, stored + 32: low nibbles in
 * b[0..7], the two high bits in b[8..11]. */
static int scale_q3_k(const unsigned char *b, unsigned s)
{
    unsigned low = s < 8 ? b[s] & 15u : b[s - 8] >> 4;
    unsigned high = b[8 + s % 4] >> (s / 4 * 2) & 3u;
    return (int)(low | high << 4) - 32;
}

/* Q3_K, 110 bytes: hmask[32], qs[64], scales[12], d.  Low bits as in Q2_K; a
 * clear bit e / 32 of hmask[e % 32] takes 4 away. */
void anser_block_decode_q3_k(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 110) {
        const unsigned char *qs = p + 32;
        float d = block_half(p + 108);
        for (unsigned e = 0; e < LENGTH; e++) {
            unsigned shift = e / 32 % 4 * 2;
            int q = qs[e / 128 * 32 + e % 32] >> shift & 3;
            if (!(p[e % 32] >> (e / 32) & 1))
                q -= 4;
            dst[i + e] = d * (float)scale_q3_k(p + 96, e / 16) * (float)q;
        }
    }
}

/* The 6-bit scale and min of sub-block s (0..7) of Q4_K and Q5_K, packed in
 * b[12]. */
static void scale_min(const unsigned char *b, unsigned s, float *scale,
                      float *min)
{
    if (s < 4) {
        *scale = (float)(b[s] & 63);
        *min = (float)(b[s + 4] & 63);
    } else {
        *scale = (float)((b[s + 4] & 15) | b[s - 4] >> 6 << 4);
        *min = (float)(b[s + 4] >> 4 | b[s] >> 6 << 4);
    }
}

/* Q4_K, 144 bytes: d, dmin, scales[12], qs[128].  Sub-blocks of 32; number s
 * is the low (s even) or high nibbles of the s/2-th 32 bytes of qs. */
void anser_block_decode_q4_k(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 144) {
        float d = block_half(p), dmin = block_half(p + 2);
        for (unsigned s = 0; s < 8; s++) {
            float scale, min;
            scale_min(p + 4, s, &scale, &min);
            for (unsigned l = 0; l < 32; l++) {
                unsigned q = p[16 + s / 2 * 32 + l] >> s % 2 * 4 & 15u;
                dst[i + 32 * s + l] = d * scale * (float)q - dmin * min;
            }
        }
    }
}

/* Q5_K, 176 bytes: d, dmin, scales[12], qh[32], qs[128].  As Q4_K, with bit s
 * of qh[l] the fifth bit of element l of sub-block s. */
void anser_block_decode_q5_k(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 176) {
        float d = block_half(p), dmin = block_half(p + 2);
        for (unsigned s = 0; s < 8; s++) {
            float scale, min;
            scale_min(p + 4, s, &scale, &min);
            for (unsigned l = 0; l < 32; l++) {
                unsigned q = (p[48 + s / 2 * 32 + l] >> s % 2 * 4 & 15u)
                             | (p[16 + l] >> s & 1u) << 4;
                dst[i + 32 * s + l] = d * scale * (float)q - dmin * min;
            }
        }
    }
}

/* Q6_K, 210 bytes: ql[128], qh[64], scales[16] signed, d.  Of the half n of
 * 128 elements, quarter j of 32 takes its low nibbles from ql[64 n + 32 (j%2)
 * + l], high for j > 1, and bits 2j of qh[32 n + l]; q is stored + 32. */
void anser_block_decode_q6_k(const void *src, float *dst, size_t n)
{
    const unsigned char *p = src;
    for (size_t i = 0; i < n; i += LENGTH, p += 210) {
        const unsigned char *qh = p + 128, *scales = p + 192;
        float d = block_half(p + 208);
        for (unsigned e = 0; e < LENGTH; e++) {
            unsigned half = e / 128, j = e / 32 % 4, l = e % 32;
            unsigned low = p[half * 64 + j % 2 * 32 + l] >> j / 2 * 4 & 15u;
            unsigned high = qh[half * 32 + l] >> j * 2 & 3u;
            int q = (int)(low | high << 4) - 32;
            dst[i + e] = d * (float)(signed char)scales[e / 16] * (float)q;
        }
    }
}
