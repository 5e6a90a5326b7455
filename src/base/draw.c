/* SPDX-License-Identifier: MIT */
/*
 * Logits to a token, in RWKV's order [V7:sample]:
 *     logit[n] -= presence + count[n] * frequency   for every n drawn before
 *     p = softmax(logit)
 *     top-p: walk down from the largest p until the sum reaches top_p; the p
 *         where it does is the cutoff, and p < cutoff drops out
 *     top-k: of what is left, the k largest, ties by lowest id
 *     p^(1 / temperature), renormalised, one draw; temperature 0: the largest
 * Source: PIPELINE.sample_logits of the rwkv package.
 *
 * The same bits on every device: p is kept as an integer, weight(d) =
 * 2^39 exp(-d) with d = largest logit - logit, so sums do not depend on their
 * order; p^(1 / temperature) is weight(d / temperature).  The draw walks the
 * survivors by ascending id and takes the first whose running sum exceeds
 * floor(u * total), u = Philox(seed, position) / 2^32.  Floats see only single
 * correctly rounded operations: subtract, multiply, fma.
 */
#include "base/draw.h"

#include "philox.h"
#include "weight.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

bool anser_draw_init(struct anser_draw *d, uint32_t n)
{
    *d = (struct anser_draw){
        .logit = calloc(n, sizeof *d->logit),
        .weight = calloc(n, sizeof *d->weight),
        .shared = calloc(n, sizeof *d->shared),
    };
    if (d->logit != NULL && d->weight != NULL && d->shared != NULL)
        return true;
    anser_draw_free(d);
    return false;
}

void anser_draw_free(struct anser_draw *d)
{
    free(d->logit);
    free(d->weight);
    free(d->shared);
    *d = (struct anser_draw){ .logit = NULL };
}

/* Penalised logits, -inf for what may not be drawn; the lowest id of the
 * largest, or n if there is none. */
static uint32_t penalise(struct anser_draw *d, const struct sample_args *a,
                         const float *logits, const float *counts)
{
    uint32_t best = a->n;
    float most = -INFINITY;
    for (uint32_t id = 0; id < a->n; id++) {
        float x = isfinite(logits[id]) && counts[id] != SH_BANNED
                  ? logits[id] : -INFINITY;
        if (counts[id] >= 0)
            x -= fmaf(counts[id], a->frequency, a->presence);
        d->logit[id] = x;
        if (x > most) {
            most = x;
            best = id;
        }
    }
    return best;
}

/* Weights at temperature 1 and their sum. */
static uint64_t weigh(struct anser_draw *d, uint32_t n, float largest)
{
    uint64_t total = 0;
    for (uint32_t id = 0; id < n; id++) {
        d->weight[id] = anser_weight(largest - d->logit[id]);
        total += d->weight[id];
    }
    return total;
}

/* The largest weight c for which those >= c reach need, as a sum, or as a
 * number if by_count; what they reach without c itself goes to *above.  Five
 * digits of 8 bits, the highest first, each among the weights that share the
 * digits before; need is from 1 to the whole. */
static uint64_t cutoff(struct anser_draw *d, uint32_t n, uint64_t need,
                       bool by_count, uint64_t *above)
{
    const uint64_t *from = d->weight;
    uint64_t c = 0, sum = 0;
    for (int shift = 32; shift >= 0; shift -= 8) {
        uint64_t parts[256] = { 0 };
        for (uint32_t i = 0; i < n; i++)
            parts[from[i] >> shift & 255] += by_count ? from[i] > 0 : from[i];
        unsigned digit = 255;
        while (digit > 0 && sum + parts[digit] < need)
            sum += parts[digit--];
        c |= (uint64_t)digit << shift;
        uint32_t left = 0;
        for (uint32_t i = 0; i < n; i++) {
            d->shared[left] = from[i];
            left += (from[i] >> shift & 255) == digit;
        }
        from = d->shared;
        n = left;
    }
    *above = sum;
    return c;
}

/* What top-p and top-k leave: weights > least, and of those equal to it the
 * first `ties` by id. */
struct survivors {
    uint64_t least;
    uint64_t ties;
};

static struct survivors cut(struct anser_draw *d, const struct sample_args *a,
                            uint64_t total)
{
    struct survivors kept = { 1, UINT64_MAX };
    uint64_t above;
    if (a->top_p < SH_ONE_P) {
        /* floor(total * top_p), in 64 bits */
        const uint64_t p = a->top_p;
        const uint64_t need = (total >> 24) * p
                              + ((total & 0xffffff) * p >> 24);
        kept.least = cutoff(d, a->n, need > 0 ? need : 1, false, &above);
    }
    if (a->top_k == 0)
        return kept;
    uint64_t left = 0;
    for (uint32_t id = 0; id < a->n; id++)
        left += d->weight[id] >= kept.least;
    if (left > a->top_k) {
        kept.least = cutoff(d, a->n, a->top_k, true, &above);
        kept.ties = a->top_k - above;
    }
    return kept;
}

/* Leaves the survivors' weights at the sampler's temperature, 0 elsewhere;
 * returns their sum. */
static uint64_t cool(struct anser_draw *d, const struct sample_args *a,
                     float largest, struct survivors kept)
{
    uint64_t total = 0;
    for (uint32_t id = 0; id < a->n; id++) {
        uint64_t w = d->weight[id];
        bool stays = w > kept.least;
        if (w == kept.least && kept.ties > 0) {
            stays = true;
            kept.ties--;
        }
        if (stays && a->cooling != 1.0f)
            w = anser_weight((largest - d->logit[id]) * a->cooling);
        d->weight[id] = stays ? w : 0;
        total += d->weight[id];
    }
    return total;
}

static uint32_t pick(const struct anser_draw *d, const struct sample_args *a,
                     uint64_t total)
{
    const uint64_t u = anser_philox_at(a->seed_lo, a->seed_hi, a->position_lo,
                                       a->position_hi);
    /* floor(total * u / 2^32), below total */
    uint64_t target = (total >> 32) * u + ((total & 0xffffffff) * u >> 32);
    uint32_t id = 0;
    while (target >= d->weight[id])
        target -= d->weight[id++];
    return id;
}

uint32_t anser_draw(struct anser_draw *d, const struct sample_args *a,
                    const float *logits, const float *counts)
{
    const uint32_t best = penalise(d, a, logits, counts);
    if (best == a->n || a->cooling == 0)
        return best;
    const float largest = d->logit[best];
    const struct survivors kept = cut(d, a, weigh(d, a->n, largest));
    return pick(d, a, cool(d, a, largest, kept));
}
