/* SPDX-License-Identifier: MIT */
/* Made-up data for checking a variant against ref. */
#include "op/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014): one step. */
static uint64_t split_mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void anser_check_fill(float *x, size_t n, uint64_t seed, float mean,
                      float spread)
{
    for (size_t i = 0; i < n; i++) {
        const float u = (float)(split_mix(&seed) >> 40) / (float)(1 << 24);
        x[i] = mean + spread * (2.0f * u - 1.0f);
    }
}

/* Where a block keeps its half-precision scale and minimum. */
static const struct halves {
    enum anser_type type;
    int scale, minimum;              /* byte offsets, -1: none              */
    float size;                      /* of the scale for unit weights       */
} halves[] = {
    { ANSER_Q4_0, 0, -1, 0.2f },     { ANSER_Q4_1, 0, 2, 0.2f },
    { ANSER_Q5_0, 0, -1, 0.1f },     { ANSER_Q5_1, 0, 2, 0.1f },
    { ANSER_Q8_0, 0, -1, 0.012f },   { ANSER_Q2_K, 80, 82, 0.05f },
    { ANSER_Q3_K, 108, -1, 0.01f },  { ANSER_Q4_K, 0, 2, 0.003f },
    { ANSER_Q5_K, 0, 2, 0.0015f },   { ANSER_Q6_K, 208, -1, 0.0005f },
};

static void put_half(unsigned char *at, float value)
{
    const uint16_t h = anser_float_to_half(value);
    memcpy(at, &h, sizeof h);
}

static void sane_halves(const struct anser_block *block, unsigned char *data,
                        uint64_t n_blocks)
{
    const size_t n = sizeof halves / sizeof *halves;
    for (size_t i = 0; i < n; i++) {
        const struct halves *h = &halves[i];
        for (uint64_t j = 0; h->type == block->type && j < n_blocks; j++) {
            unsigned char *b = data + j * block->bytes;
            const float vary = 1.0f + 0.25f * (float)(j % 5);
            put_half(b + h->scale, h->size * vary);
            if (h->minimum >= 0)
                put_half(b + h->minimum, 0.7f * h->size * vary);
        }
    }
}

static void plain_floats(const struct anser_block *block, unsigned char *data,
                         uint64_t n, uint64_t seed)
{
    for (uint64_t i = 0; i < n; i++) {
        float x;
        anser_check_fill(&x, 1, seed + i, 0.0f, 1.0f);
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        if (block->type == ANSER_F16)
            put_half(data + 2 * i, x);
        else if (block->type == ANSER_BF16)
            memcpy(data + 2 * i, &(uint16_t){ (uint16_t)(bits >> 16) }, 2);
        else
            memcpy(data + 4 * i, &x, sizeof x);
    }
}

void anser_check_blocks(const struct anser_block *block, unsigned char *data,
                        uint64_t n_blocks, uint64_t seed)
{
    if (block->length == 1) {
        plain_floats(block, data, n_blocks, seed);
        return;
    }
    for (uint64_t i = 0; i < n_blocks * block->bytes; i++)
        data[i] = (unsigned char)(split_mix(&seed) >> 32);
    sane_halves(block, data, n_blocks);
}

double anser_check_error(const float *y, const float *ref, size_t n)
{
    double most = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)y[i] - (double)ref[i]);
        if (isnan(d))
            return d;
        most = d > most ? d : most;
        square += (double)ref[i] * (double)ref[i];
    }
    return most / (sqrt(square / (double)n) + 1e-30);
}

void anser_trial_init(struct anser_trial *b, anser_device *device)
{
    memset(b, 0, sizeof *b);
    b->device = device;
}

static unsigned add(struct anser_trial *b, float *host, const void *data,
                    size_t bytes)
{
    const unsigned i = b->n++;
    b->host[i] = host;
    b->count[i] = bytes / sizeof(float);
    if (b->status == ANSER_OK)
        b->status = anser_buf_new(b->device, bytes, &b->buf[i]);
    if (b->status == ANSER_OK)
        anser_queue_write(b->device->queue, b->buf[i].mem, 0, data, bytes);
    return i;
}

unsigned anser_trial_add(struct anser_trial *b, size_t count, float mean,
                         float spread)
{
    float *host = malloc(count * sizeof *host);
    if (host == NULL)
        b->status = anser_fail_memory(b->device->ctx, count * sizeof *host);
    else
        anser_check_fill(host, count, b->n + 1, mean, spread);
    return add(b, host, host, count * sizeof *host);
}

unsigned anser_trial_bytes(struct anser_trial *b, const void *data,
                           size_t bytes)
{
    return add(b, NULL, data, bytes);
}

float *anser_trial_read(struct anser_trial *b, unsigned i)
{
    float *y = b->status == ANSER_OK ? malloc(b->count[i] * sizeof *y) : NULL;
    if (y == NULL) {
        if (b->status == ANSER_OK)
            b->status = anser_fail_memory(b->device->ctx, b->count[i] * 4);
        return NULL;
    }
    anser_queue_read(b->device->queue, b->buf[i].mem, 0, y,
                     b->count[i] * sizeof *y);
    b->status = anser_queue_finish(b->device->queue);
    if (b->status == ANSER_OK)
        return y;
    free(y);
    return NULL;
}

enum anser_status anser_trial_free(struct anser_trial *b)
{
    const enum anser_status left = anser_queue_finish(b->device->queue);
    for (unsigned i = 0; i < b->n; i++) {
        free(b->host[i]);
        anser_buf_free(b->device, &b->buf[i]);
    }
    return b->status != ANSER_OK ? b->status : left;
}
