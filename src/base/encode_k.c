/* SPDX-License-Identifier: MIT */
/*
 * Encoding the block types of 256 elements: Q2_K Q3_K Q4_K Q5_K Q6_K; layouts
 * in block_k.c.
 *
 * Sub-blocks are fitted one by one (encode_fit.c).  Then, in turn: whole
 * numbers for the sub-blocks' scales and minima, chosen with the q that go
 * with them, and d and dmin by least squares over the block,
 *     x = d (scale q) - dmin min.
 */
#include "base/encode.h"

#include "base/encode_fit.h"

#include <float.h>
#include <string.h>

enum { LENGTH = 256, MOST_TILES = 2 };
#define EACH(l) for (unsigned l = 0; l < FIT_LANES; l++)

/* What a type is made of. */
struct shape {
    struct anser_fit_range range;    /* of q                                */
    unsigned n;                      /* values in a sub-block               */
    float low, high;                 /* whole numbers for scales            */
    float top;                       /* and for minima 0..top, 0: none      */
    unsigned turns;
};

struct block {
    const struct shape *shape;
    unsigned tiles;
    struct anser_fit_tile tile[MOST_TILES];
    float d, dmin;                   /* as halves hold them                 */
    float scale[MOST_TILES][FIT_LANES], min[MOST_TILES][FIT_LANES];
};

static float as_half(float value)
{
    return anser_half_to_float(anser_float_to_half(value));
}

static float inverse(float d)
{
    return d > FLT_MIN || d < -FLT_MIN ? 1 / d : 0;
}

static float clamp_round(float x, float low, float high)
{
    x = x < high ? x : high;
    x = x > low ? x : low;
    return (float)(int)(x < 0 ? x - 0.5f : x + 0.5f);
}

/* What sub-blocks become by given whole numbers. */
static void fit_of(const struct block *b, const float *scale,
                   const float *min, struct anser_fit *fit)
{
    EACH(l) fit->s[l] = b->d * scale[l];
    EACH(l) fit->m[l] = -(b->dmin * min[l]);
}

/* ------------------------------------------------------------- scales */

/* Takes those lanes where `scale` (with the best minima that go with its q)
 * leaves less error. */
static void try_scales(struct block *b, unsigned t, const float *scale,
                       float *best, float *best_scale, float *best_min)
{
    const struct anser_fit_tile *tile = &b->tile[t];
    struct anser_fit fit;
    struct anser_fit_sums sums;
    float error[FIT_LANES], min[FIT_LANES], n = (float)tile->n;
    float factor = inverse(b->dmin);
    fit_of(b, scale, b->min[t], &fit);
    anser_fit_measure(tile, &b->shape->range, &fit, &sums);
    EACH(l) {
        float x = tile->sum[l] + n * tile->centre[l];
        min[l] = clamp_round((fit.s[l] * sums.q[l] - x) / n * factor, 0,
                             b->shape->top);
    }
    fit_of(b, scale, min, &fit);
    anser_fit_error(tile, &fit, &sums, error);
    EACH(l) {
        int better = error[l] < best[l];
        best[l] = better ? error[l] : best[l];
        best_scale[l] = better ? scale[l] : best_scale[l];
        best_min[l] = better ? min[l] : best_min[l];
    }
}

/* Each scale as it is, or one more, or one less. */
static void choose_scales(struct block *b, unsigned t)
{
    static const float steps[] = { 0, -1, 1 };
    float best[FIT_LANES], scale[FIT_LANES], min[FIT_LANES], next[FIT_LANES];
    EACH(l) best[l] = FLT_MAX;
    memcpy(scale, b->scale[t], sizeof scale);
    memcpy(min, b->min[t], sizeof min);
    for (unsigned k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        EACH(l) next[l] = clamp_round(b->scale[t][l] + steps[k],
                                      b->shape->low, b->shape->high);
        try_scales(b, t, next, best, scale, min);
    }
    memcpy(b->scale[t], scale, sizeof scale);
    memcpy(b->min[t], min, sizeof min);
}

/* d and dmin for the q and the whole numbers as they are: with a = scale q,
 *     d sum(a a) - dmin sum(a min) = sum(x a)
 *     d sum(a min) - dmin sum(min min) = sum(x min). */
static void solve(struct block *b)
{
    double aa = 0, am = 0, mm = 0, xa = 0, xm = 0;
    for (unsigned t = 0; t < b->tiles; t++) {
        const struct anser_fit_tile *tile = &b->tile[t];
        const float *scale = b->scale[t], *min = b->min[t];
        struct anser_fit fit;
        struct anser_fit_sums sums;
        fit_of(b, scale, min, &fit);
        anser_fit_measure(tile, &b->shape->range, &fit, &sums);
        EACH(l) {
            double n = tile->n, x = tile->sum[l] + n * tile->centre[l];
            aa += (double)scale[l] * scale[l] * sums.qq[l];
            am += (double)scale[l] * min[l] * sums.q[l];
            mm += (double)min[l] * min[l] * n;
            xa += (double)scale[l] * sums.xq[l];
            xm += (double)min[l] * x;
        }
    }
    double deep = aa * mm - am * am;
    if (mm > 0 && deep > 0) {
        double d = (xa * mm - xm * am) / deep, dmin = (am * d - xm) / mm;
        b->d = d > 0 ? as_half((float)d) : b->d;
        b->dmin = dmin > 0 ? as_half((float)dmin) : b->dmin;
    } else if (aa > 0) {
        b->d = as_half((float)(xa / aa));
    }
}

/* ------------------------------------------------------------- beginning */

/* The scale of the largest size, with its sign, and the lowest m. */
static void extremes(const struct block *b, const struct anser_fit *fits,
                     float *scale, float *m)
{
    float size = 0;
    *scale = *m = 0;
    for (unsigned t = 0; t < b->tiles; t++)
        EACH(l) {
            float s = fits[t].s[l], this_size = s < 0 ? -s : s;
            *scale = this_size > size ? s : *scale;
            size = this_size > size ? this_size : size;
            *m = fits[t].m[l] < *m ? fits[t].m[l] : *m;
        }
}

/* d and dmin such that the largest scale and min get the largest numbers; a
 * signed one the lowest, since there is one more below zero. */
static void begin(struct block *b, const struct anser_fit *fits)
{
    const struct shape *shape = b->shape;
    float scale, m;
    extremes(b, fits, &scale, &m);
    b->d = as_half(scale / (shape->low < 0 ? shape->low : shape->high));
    b->dmin = shape->top > 0 ? as_half(-m / shape->top) : 0;
    for (unsigned t = 0; t < b->tiles; t++)
        EACH(l) {
            b->scale[t][l] = clamp_round(fits[t].s[l] * inverse(b->d),
                                         shape->low, shape->high);
            b->min[t][l] = clamp_round(-fits[t].m[l] * inverse(b->dmin), 0,
                                       shape->top);
        }
}

/* Finds the scales of src(256), and q(256) that go with them, less the lowest
 * one. */
static void fit_block(struct block *b, const struct shape *shape,
                      const float *src, unsigned char *q)
{
    struct anser_fit fits[MOST_TILES];
    unsigned size = shape->n * FIT_LANES;
    b->shape = shape;
    b->tiles = LENGTH / size;
    for (unsigned t = 0; t < b->tiles; t++) {
        anser_fit_load(&b->tile[t], src + t * size, shape->n, FIT_LANES,
                       shape->top > 0);
        if (shape->top > 0)
            anser_fit_affine(&b->tile[t], &shape->range, 1, &fits[t]);
        else
            anser_fit_signed(&b->tile[t], &shape->range, &fits[t]);
    }
    begin(b, fits);
    for (unsigned k = 0; k < shape->turns; k++) {
        for (unsigned t = 0; t < b->tiles; t++)
            choose_scales(b, t);
        solve(b);
    }
    for (unsigned t = 0; t < b->tiles; t++) {
        fit_of(b, b->scale[t], b->min[t], &fits[t]);
        anser_fit_round(&b->tile[t], &shape->range, &fits[t], FIT_LANES,
                        q + t * size);
    }
}

/* ------------------------------------------------------------- packing */

static void put_half(unsigned char *p, float value)
{
    uint16_t half = anser_float_to_half(value);
    memcpy(p, &half, sizeof half);
}

/* Two bits of each q as Q2_K and Q3_K have them, to p(64). */
static void put_pairs(unsigned char *p, const unsigned char *q)
{
    memset(p, 0, 64);
    for (unsigned e = 0; e < LENGTH; e++)
        p[e / 128 * 32 + e % 32] |=
            (unsigned char)((q[e] & 3) << (e / 32 % 4 * 2));
}

/* Nibbles as Q4_K and Q5_K have them, to p(128). */
static void put_nibbles(unsigned char *p, const unsigned char *q)
{
    for (unsigned e = 0; e < LENGTH / 2; e++) {
        const unsigned char *pair = q + e / 32 * 64 + e % 32;
        p[e] = (unsigned char)((pair[0] & 15) | (pair[32] & 15) << 4);
    }
}

/* The eight scales and minima of Q4_K and Q5_K, to p(12). */
static void put_scales(unsigned char *p, const struct block *b)
{
    for (unsigned s = 0; s < 4; s++) {
        unsigned low = (unsigned)b->scale[0][s];
        unsigned high = (unsigned)b->scale[0][s + 4];
        unsigned low_min = (unsigned)b->min[0][s];
        unsigned high_min = (unsigned)b->min[0][s + 4];
        p[s] = (unsigned char)(low | high >> 4 << 6);
        p[s + 4] = (unsigned char)(low_min | high_min >> 4 << 6);
        p[s + 8] = (unsigned char)((high & 15) | (high_min & 15) << 4);
    }
}

static void put_q2_k(unsigned char *p, const struct block *b,
                     const unsigned char *q)
{
    for (unsigned s = 0; s < 16; s++)
        p[s] = (unsigned char)((unsigned)b->scale[s / 8][s % 8]
                               | (unsigned)b->min[s / 8][s % 8] << 4);
    put_pairs(p + 16, q);
    put_half(p + 80, b->d);
    put_half(p + 82, b->dmin);
}

static void put_q3_k(unsigned char *p, const struct block *b,
                     const unsigned char *q)
{
    memset(p, 0, 110);
    for (unsigned e = 0; e < LENGTH; e++)
        p[e % 32] |= (unsigned char)(q[e] >> 2 << (e / 32));
    put_pairs(p + 32, q);
    for (unsigned s = 0; s < 16; s++) {
        unsigned scale = (unsigned)(b->scale[s / 8][s % 8] + 32);
        p[96 + s % 8] |= (unsigned char)((scale & 15) << (s / 8 * 4));
        p[104 + s % 4] |= (unsigned char)(scale >> 4 << (s / 4 * 2));
    }
    put_half(p + 108, b->d);
}

static void put_q4_k(unsigned char *p, const struct block *b,
                     const unsigned char *q)
{
    put_half(p, b->d);
    put_half(p + 2, b->dmin);
    put_scales(p + 4, b);
    put_nibbles(p + 16, q);
}

static void put_q5_k(unsigned char *p, const struct block *b,
                     const unsigned char *q)
{
    put_half(p, b->d);
    put_half(p + 2, b->dmin);
    put_scales(p + 4, b);
    memset(p + 16, 0, 32);
    for (unsigned e = 0; e < LENGTH; e++)
        p[16 + e % 32] |= (unsigned char)(q[e] >> 4 << (e / 32));
    put_nibbles(p + 48, q);
}

static void put_q6_k(unsigned char *p, const struct block *b,
                     const unsigned char *q)
{
    memset(p, 0, 192);
    for (unsigned e = 0; e < LENGTH; e++) {
        unsigned half = e / 128, j = e / 32 % 4, l = e % 32;
        p[half * 64 + j % 2 * 32 + l] |=
            (unsigned char)((q[e] & 15) << (j / 2 * 4));
        p[128 + half * 32 + l] |= (unsigned char)(q[e] >> 4 << (j * 2));
    }
    for (unsigned s = 0; s < 16; s++)
        p[192 + s] = (unsigned char)(int)b->scale[s / 8][s % 8];
    put_half(p + 208, b->d);
}

/* ------------------------------------------------------------- types */

static const struct shape q2_k = {
    { 0, 3, { 2.2f, 2.4f, 2.6f, 2.8f, 3.0f, 3.2f, 3.4f, 3.6f, 3.8f, 4.0f,
              4.2f, 4.4f }, 12 },
    16, 0, 15, 15, 3
};
static const struct shape q3_k = {
    { -4, 3, { 2.6f, 2.9f, 3.2f, 3.5f, 3.8f, 4.1f, 4.4f, 4.7f, 5.0f, 5.4f,
               -2.6f, -2.9f, -3.2f, -3.6f }, 14 },
    16, -32, 31, 0, 3
};
static const struct shape q4_k = {
    { 0, 15, { 13.4f, 13.7f, 14.0f, 14.3f, 14.6f, 14.9f, 15.2f, 15.5f, 15.8f,
               16.1f, 16.4f, 16.7f }, 12 },
    32, 0, 63, 63, 2
};
static const struct shape q5_k = {
    { 0, 31, { 30.0f, 30.3f, 30.6f, 30.9f, 31.2f, 31.5f, 31.8f, 32.1f,
               32.4f }, 9 },
    32, 0, 63, 63, 2
};
static const struct shape q6_k = {
    { -32, 31, { 30.6f, 30.9f, 31.2f, 31.5f, 31.8f, 32.1f, 32.4f, 32.7f,
                 33.0f, -30.6f, -30.9f, -31.2f, -31.5f }, 13 },
    16, -128, 127, 0, 2
};

typedef void put_fn(unsigned char *p, const struct block *b,
                    const unsigned char *q);

static void encode(const float *src, void *dst, size_t n, unsigned bytes,
                   const struct shape *shape, put_fn *put)
{
    unsigned char *p = dst;
    for (size_t i = 0; i < n; i += LENGTH, p += bytes) {
        struct block b;
        unsigned char q[LENGTH];
        fit_block(&b, shape, src + i, q);
        put(p, &b, q);
    }
}

void anser_encode_q2_k(const float *src, void *dst, size_t n)
{
    encode(src, dst, n, 84, &q2_k, put_q2_k);
}

void anser_encode_q3_k(const float *src, void *dst, size_t n)
{
    encode(src, dst, n, 110, &q3_k, put_q3_k);
}

void anser_encode_q4_k(const float *src, void *dst, size_t n)
{
    encode(src, dst, n, 144, &q4_k, put_q4_k);
}

void anser_encode_q5_k(const float *src, void *dst, size_t n)
{
    encode(src, dst, n, 176, &q5_k, put_q5_k);
}

void anser_encode_q6_k(const float *src, void *dst, size_t n)
{
    encode(src, dst, n, 210, &q6_k, put_q6_k);
}
