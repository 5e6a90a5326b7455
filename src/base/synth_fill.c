/* SPDX-License-Identifier: MIT */
/*
 * Random blocks at the speed of a disk: nothing is quantised, the bits of a
 * block are drawn as they are, with scales such that the decoded values have
 * the wanted deviation and mean 0.  Every value is a function of seed, tensor
 * name and position; sums are in whole numbers or exact, so that every
 * platform writes the same bytes.
 */
#include "base/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE 4096                   /* values that a plain type draws from */
#define SCALES 16                    /* scales that a block draws from      */

struct anser_synth_fill {
    const struct anser_block *block;
    void (*draw_blocks)(struct anser_synth_fill *f, unsigned char *out,
                        uint64_t n);
    uint64_t counter;
    uint16_t d[SCALES], dmin[SCALES];   /* halves                           */
    union {
        float f32[TABLE];
        uint16_t u16[TABLE];         /* F16 or BF16                         */
    } table;
};

/* Number `counter` of a stream: Steele, Lea and Flood's splitmix64. */
static inline uint64_t draw(struct anser_synth_fill *f)
{
    uint64_t z = f->counter += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* n bytes, a multiple of 8. */
static inline unsigned char *put_random(struct anser_synth_fill *f,
                                        unsigned char *out, size_t n)
{
    for (size_t i = 0; i < n; i += 8) {
        uint64_t bits = draw(f);
        memcpy(out + i, &bits, 8);
    }
    return out + n;
}

static inline unsigned char *put_half(unsigned char *out, uint16_t half)
{
    memcpy(out, &half, 2);
    return out + 2;
}

/* ------------------------------------------------------------- plain */

static void draw_f32(struct anser_synth_fill *f, unsigned char *out,
                     uint64_t n)
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < n; i++, bits >>= 16) {
        if (i % 4 == 0)
            bits = draw(f);
        memcpy(out + 4 * i, &f->table.f32[bits % TABLE], 4);
    }
}

static void draw_u16(struct anser_synth_fill *f, unsigned char *out,
                     uint64_t n)
{
    uint64_t bits = 0;
    for (uint64_t i = 0; i < n; i++, bits >>= 16) {
        if (i % 4 == 0)
            bits = draw(f);
        put_half(out + 2 * i, f->table.u16[bits % TABLE]);
    }
}

static uint16_t float_to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* Entry i of the table.  A bell is the sum of four 16-bit numbers, which
 * deviates by 2^16 / sqrt(3); every second entry mirrors the one before, so
 * that the mean is exact.  44 binary places; no sum is rounded. */
static float table_value(struct anser_synth_fill *f,
                         const struct anser_synth_tensor *t, unsigned i,
                         int64_t *bell)
{
    const double one = 17592186044416.0;         /* 2^44                    */
    if (t->shape == SYNTH_UNIFORM)
        return ((float)i + 0.5f) / TABLE;
    if (i % 2 == 0) {
        uint64_t bits = draw(f);
        *bell = (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff)
                          + (bits >> 32 & 0xffff) + (bits >> 48)) - 131070;
    } else {
        *bell = -*bell;
    }
    int64_t mean = (int64_t)(t->mean * one);
    int64_t step = (int64_t)(t->deviation * sqrt(3.0) / 65536 * one);
    return (float)((double)(mean + *bell * step) / one);
}

static void make_table(struct anser_synth_fill *f,
                       const struct anser_synth_tensor *t)
{
    int64_t bell = 0;
    for (unsigned i = 0; i < TABLE; i++) {
        float value = table_value(f, t, i, &bell);
        switch (t->block->type) {
        case ANSER_F32:
            f->table.f32[i] = value;
            break;
        case ANSER_F16:
            f->table.u16[i] = anser_float_to_half(value);
            break;
        default:
            f->table.u16[i] = float_to_bf16(value);
        }
    }
}

/* ------------------------------------------------------------- blocks */

/* Scales 0.75 .. 1.22 times the one that gives the deviation where the rest of
 * a block has the root mean square `rms`; dmin = middle * d. */
static void make_scales(struct anser_synth_fill *f, double deviation,
                        double rms, double middle)
{
    /* mean square of 0.75 + i / 32, i = 0..15 */
    const double factor = sqrt(0.9897460937500);
    for (int i = 0; i < SCALES; i++) {
        double d = deviation / (rms * factor) * (0.75 + i / 32.0);
        f->d[i] = anser_float_to_half((float)d);
        float exact = anser_half_to_float(f->d[i]);
        f->dmin[i] = anser_float_to_half((float)(exact * middle));
    }
}

/* d either way: whole numbers -128..127 have the mean -1/2. */
static void draw_q8_0(struct anser_synth_fill *f, unsigned char *out,
                      uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = draw(f);
        uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
        out = put_half(out, f->d[bits % SCALES] | sign);
        out = put_random(f, out, 32);
    }
}

/* Q4_K and Q5_K: d, dmin, and 12 bytes that pack 8 six-bit scales with their
 * minima.  Scales are 40..55; minima equal them within 3, since a mean of zero
 * is min = scale * middle with dmin = d * middle. */
static unsigned char *put_k_head(struct anser_synth_fill *f,
                                 unsigned char *out)
{
    unsigned char sc[8], mn[8];
    uint64_t bits = draw(f), which = draw(f) % SCALES;
    for (int s = 0; s < 8; s++, bits >>= 8) {
        sc[s] = (unsigned char)(40 + (bits & 15));
        mn[s] = (unsigned char)(sc[s] + (bits >> 4 & 3) - (bits >> 6 & 3));
    }
    out = put_half(out, f->d[which]);
    out = put_half(out, f->dmin[which]);
    for (int s = 0; s < 4; s++) {
        out[s] = (unsigned char)(sc[s] | (sc[s + 4] >> 4) << 6);
        out[s + 4] = (unsigned char)(mn[s] | (mn[s + 4] >> 4) << 6);
        out[s + 8] = (unsigned char)((sc[s + 4] & 15) | (mn[s + 4] & 15) << 4);
    }
    return out + 12;
}

static void draw_q4_k(struct anser_synth_fill *f, unsigned char *out,
                      uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        out = put_random(f, put_k_head(f, out), 128);
}

static void draw_q5_k(struct anser_synth_fill *f, unsigned char *out,
                      uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        out = put_random(f, put_k_head(f, out), 160);
}

/* Scales of either sign, 64..127 in size. */
static void draw_q6_k(struct anser_synth_fill *f, unsigned char *out,
                      uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        unsigned char *scales = put_random(f, out, 192);
        out = put_random(f, scales, 16);
        for (int s = 0; s < 16; s++) {
            int size = 64 + (scales[s] & 63);
            scales[s] = (unsigned char)(scales[s] & 128 ? -size : size);
        }
        out = put_half(out, f->d[draw(f) % SCALES]);
    }
}

/* ------------------------------------------------------------- choosing */

/* Root mean squares of what d multiplies, from the exact mean squares of whole
 * numbers: 0..15 about 7.5 has 21.25, 0..31 about 15.5 85.25, -32..31 341.5,
 * -128..127 5461.5; scales 40..55 have 2277.5, +-64..127 9461.5; the
 * difference of two of 0..3 has 2.5. */
static void choose_blocks(struct anser_synth_fill *f,
                          const struct anser_synth_tensor *t)
{
    switch (t->block->type) {
    case ANSER_Q8_0:
        f->draw_blocks = draw_q8_0;
        make_scales(f, t->deviation, sqrt(5461.5), 0);
        return;
    case ANSER_Q4_K:
        f->draw_blocks = draw_q4_k;
        make_scales(f, t->deviation, sqrt(2277.5 * 21.25 + 56.25 * 2.5), 7.5);
        return;
    case ANSER_Q5_K:
        f->draw_blocks = draw_q5_k;
        make_scales(f, t->deviation, sqrt(2277.5 * 85.25 + 240.25 * 2.5),
                    15.5);
        return;
    case ANSER_Q6_K:
        f->draw_blocks = draw_q6_k;
        make_scales(f, t->deviation, sqrt(9461.5 * 341.5), 0);
        return;
    default:
        f->draw_blocks = t->block->type == ANSER_F32 ? draw_f32 : draw_u16;
        make_table(f, t);
    }
}

enum anser_status anser_synth_fill_new(anser_ctx *ctx,
                                       const struct anser_synth_tensor *tensor,
                                       uint64_t seed,
                                       struct anser_synth_fill **fill)
{
    struct anser_synth_fill *f = calloc(1, sizeof *f);
    if (f == NULL)
        return anser_fail_memory(ctx, sizeof *f);
    /* A stream of its own for each name: FNV-1a, begun from the seed. */
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ seed;
    for (const char *c = tensor->name; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    f->counter = hash;
    f->counter = draw(f);
    f->block = tensor->block;
    choose_blocks(f, tensor);
    *fill = f;
    return ANSER_OK;
}

void anser_synth_fill_free(struct anser_synth_fill *fill)
{
    free(fill);
}

void anser_synth_fill_next(struct anser_synth_fill *fill, void *out,
                           uint64_t n)
{
    fill->draw_blocks(fill, out, n);
}
