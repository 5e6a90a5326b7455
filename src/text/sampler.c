/* SPDX-License-Identifier: MIT */
/*
 * Logits to a token, in RWKV's order [V7:sample]:
 *     logit[n] -= presence + count[n] * frequency   for every n drawn before
 *     p = softmax(logit)
 *     top-p: walk down from the largest p until the sum reaches top_p; the p
 *         where it does is the cutoff, and p < cutoff drops out
 *     top-k: of what is left, the k largest, ties by lowest id
 *     p^(1 / temperature), renormalised, one draw; temperature 0: the largest
 *     count *= decay, then count[drawn] += 1
 * Source: PIPELINE.sample_logits and generate of the rwkv package.  Its special
 * case, not counting tokens made of digits, tabs and spaces, is not applied.
 *
 * The same bits on every device: p is kept as an integer, weight(d) =
 * 2^39 exp(-d) with d = largest logit - logit, so sums do not depend on their
 * order; p^(1 / temperature) is weight(d / temperature).  The draw walks the
 * survivors by ascending id and takes the first whose running sum exceeds
 * floor(u * total), u = Philox(seed, position) / 2^32.  Floats see only single
 * correctly rounded operations: subtract, multiply, fma.
 */
#include "text/sampler.h"

#include "base/ctx.h"

#include "philox.h"
#include "weight.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VOCAB (1u << 24)         /* 2^24 weights of 2^39 fit 63 bits    */
#define ONE_P 16777216.0f            /* top_p in units of 2^-24             */

struct anser_sampler {
    anser_ctx *ctx;                  /* borrowed                            */
    struct anser_sampler_options options;
    uint32_t V;
    float cooling;                   /* 1 / temperature                     */
    uint64_t position;               /* tokens drawn since the reset        */
    float *logit;                    /* owned (V): penalised, -inf if never */
    uint64_t *weight;                /* owned (V)                           */
    uint64_t *shared;                /* owned (V): of cutoff()              */
    float *count;                    /* owned (V): decayed occurrences      */
    uint32_t *seen;                  /* owned (V): ids drawn, in any order  */
    uint32_t n_seen;
    bool *was_seen;                  /* owned (V)                           */
    bool *banned;                    /* owned (V)                           */
    bool bans;                       /* any of them set                     */
};

void anser_sampler_defaults(struct anser_sampler_options *options)
{
    if (options == NULL)
        return;
    *options = (struct anser_sampler_options) {
        .size = sizeof *options, .temperature = 1.0f, .top_p = 0.85f,
        .presence = 0.2f, .frequency = 0.2f, .penalty_decay = 0.996f,
    };
}

static enum anser_status check_options(anser_ctx *ctx,
                                       const struct anser_sampler_options *o)
{
    const struct {
        const char *name;
        float value, least, most;
    } ranges[] = {
        { "temperature",   o->temperature,   0.0f,     1000.0f },
        { "top_p",         o->top_p,         0.0f,     1.0f    },
        { "presence",      o->presence,      -1000.0f, 1000.0f },
        { "frequency",     o->frequency,     -1000.0f, 1000.0f },
        { "penalty_decay", o->penalty_decay, 0.0f,     1.0f    },
    };
    if (o->size != sizeof *o)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "sampler options: size is %zu, not %zu; set it to "
                          "sizeof(struct anser_sampler_options)", o->size,
                          sizeof *o);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].least
              && ranges[i].value <= ranges[i].most))
            return anser_fail(ctx, ANSER_BAD_ARG,
                              "sampler option %s is %g; it must be from %g to "
                              "%g", ranges[i].name, (double)ranges[i].value,
                              (double)ranges[i].least,
                              (double)ranges[i].most);
    return ANSER_OK;
}

static bool allocate(struct anser_sampler *s, size_t V)
{
    s->logit = calloc(V, sizeof *s->logit);
    s->weight = calloc(V, sizeof *s->weight);
    s->shared = calloc(V, sizeof *s->shared);
    s->count = calloc(V, sizeof *s->count);
    s->seen = calloc(V, sizeof *s->seen);
    s->was_seen = calloc(V, sizeof *s->was_seen);
    s->banned = calloc(V, sizeof *s->banned);
    return s->logit != NULL && s->weight != NULL && s->shared != NULL
        && s->count != NULL && s->seen != NULL && s->was_seen != NULL
        && s->banned != NULL;
}

enum anser_status anser_sampler_new(anser_ctx *ctx, uint32_t n_vocab,
                                    const struct anser_sampler_options *options,
                                    anser_sampler **sampler)
{
    if (ctx == NULL || options == NULL || sampler == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_sampler_new: ctx, options or sampler is "
                          "NULL");
    if (n_vocab == 0 || n_vocab > MAX_VOCAB)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_sampler_new: n_vocab is %u; it must be from "
                          "1 to %u", (unsigned)n_vocab, MAX_VOCAB);
    TRY(check_options(ctx, options));
    struct anser_sampler *made = calloc(1, sizeof *made);
    if (made == NULL || !allocate(made, n_vocab)) {
        anser_sampler_free(made);
        return anser_fail_memory(ctx, sizeof *made + (size_t)n_vocab * 30);
    }
    made->ctx = ctx;
    made->options = *options;
    made->V = n_vocab;
    /* A weight of 2^39 means d < 2^-24: with a cooling of at most 2^24 the
     * largest survivor keeps a weight. */
    if (options->temperature > 0)
        made->cooling = fminf(1.0f / options->temperature, ONE_P);
    *sampler = made;
    return ANSER_OK;
}

void anser_sampler_free(anser_sampler *s)
{
    if (s == NULL)
        return;
    free(s->logit);
    free(s->weight);
    free(s->shared);
    free(s->count);
    free(s->seen);
    free(s->was_seen);
    free(s->banned);
    free(s);
}

void anser_sampler_reset(anser_sampler *s)
{
    if (s == NULL)
        return;
    memset(s->count, 0, s->V * sizeof *s->count);
    memset(s->was_seen, 0, s->V * sizeof *s->was_seen);
    s->n_seen = 0;
    s->position = 0;
}

enum anser_status anser_sampler_ban(anser_sampler *s, uint32_t id)
{
    if (s == NULL)
        return ANSER_BAD_ARG;
    if (id >= s->V)
        return anser_fail(s->ctx, ANSER_BAD_ARG,
                          "anser_sampler_ban: id %u is out of range; there "
                          "are %u ids", (unsigned)id, (unsigned)s->V);
    s->banned[id] = true;
    s->bans = true;
    return ANSER_OK;
}

/* Penalised logits, -inf for what may not be drawn; the id of the largest,
 * or V if there is none. */
static uint32_t penalise(struct anser_sampler *s, const float *logits)
{
    for (uint32_t id = 0; id < s->V; id++)
        s->logit[id] = isfinite(logits[id]) && !s->banned[id] ? logits[id]
                                                              : -INFINITY;
    for (uint32_t i = 0; i < s->n_seen; i++) {
        uint32_t id = s->seen[i];
        s->logit[id] -= fmaf(s->count[id], s->options.frequency,
                             s->options.presence);
    }
    uint32_t best = s->V;
    float most = -INFINITY;
    for (uint32_t id = 0; id < s->V; id++)
        if (s->logit[id] > most) {
            most = s->logit[id];
            best = id;
        }
    return best;
}

/* Weights at temperature 1 and their sum. */
static uint64_t weigh(struct anser_sampler *s, float largest)
{
    uint64_t total = 0;
    for (uint32_t id = 0; id < s->V; id++) {
        s->weight[id] = anser_weight(largest - s->logit[id]);
        total += s->weight[id];
    }
    return total;
}

/* The largest weight c for which those >= c reach need, as a sum, or as a
 * number if by_count; what they reach without c itself goes to *above.  Five
 * digits of 8 bits, the highest first, each among the weights that share the
 * digits before; need is from 1 to the whole. */
static uint64_t cutoff(struct anser_sampler *s, uint64_t need, bool by_count,
                       uint64_t *above)
{
    const uint64_t *from = s->weight;
    uint64_t c = 0, sum = 0;
    uint32_t n = s->V;
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
            s->shared[left] = from[i];
            left += (from[i] >> shift & 255) == digit;
        }
        from = s->shared;
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

static struct survivors cut(struct anser_sampler *s, uint64_t total)
{
    struct survivors kept = { 1, UINT64_MAX };
    uint64_t above;
    if (s->options.top_p < 1.0f) {
        /* floor(total * top_p), in 64 bits */
        uint64_t p = (uint64_t)(s->options.top_p * ONE_P);
        uint64_t need = (total >> 24) * p + ((total & 0xffffff) * p >> 24);
        kept.least = cutoff(s, need > 0 ? need : 1, false, &above);
    }
    if (s->options.top_k == 0)
        return kept;
    uint64_t left = 0;
    for (uint32_t id = 0; id < s->V; id++)
        left += s->weight[id] >= kept.least;
    if (left > s->options.top_k) {
        kept.least = cutoff(s, s->options.top_k, true, &above);
        kept.ties = s->options.top_k - above;
    }
    return kept;
}

/* Leaves the survivors' weights at the sampler's temperature, 0 elsewhere;
 * returns their sum. */
static uint64_t cool(struct anser_sampler *s, float largest,
                     struct survivors kept)
{
    uint64_t total = 0;
    for (uint32_t id = 0; id < s->V; id++) {
        uint64_t w = s->weight[id];
        bool stays = w > kept.least;
        if (w == kept.least && kept.ties > 0) {
            stays = true;
            kept.ties--;
        }
        if (stays && s->cooling != 1.0f)
            w = anser_weight((largest - s->logit[id]) * s->cooling);
        s->weight[id] = stays ? w : 0;
        total += s->weight[id];
    }
    return total;
}

static uint32_t draw(const struct anser_sampler *s, uint64_t total)
{
    uint64_t u = anser_philox_at((uint32_t)s->options.seed,
                                 (uint32_t)(s->options.seed >> 32),
                                 (uint32_t)s->position,
                                 (uint32_t)(s->position >> 32));
    /* floor(total * u / 2^32), below total */
    uint64_t target = (total >> 32) * u + ((total & 0xffffffff) * u >> 32);
    uint32_t id = 0;
    while (target >= s->weight[id])
        target -= s->weight[id++];
    return id;
}

static void count(struct anser_sampler *s, uint32_t drawn)
{
    for (uint32_t i = 0; i < s->n_seen; i++)
        s->count[s->seen[i]] *= s->options.penalty_decay;
    s->count[drawn] += 1.0f;
    if (!s->was_seen[drawn]) {
        s->was_seen[drawn] = true;
        s->seen[s->n_seen++] = drawn;
    }
    s->position++;
}

enum anser_status anser_sample(anser_sampler *s, const float *logits,
                               uint32_t *id)
{
    if (s == NULL)
        return ANSER_BAD_ARG;
    if (logits == NULL || id == NULL)
        return anser_fail(s->ctx, ANSER_BAD_ARG,
                          "anser_sample: logits or id is NULL");
    uint32_t drawn = penalise(s, logits);
    if (drawn == s->V)
        return anser_fail(s->ctx, ANSER_DEVICE_FAILED,
                          "no token can be drawn: none of the %u logits is "
                          "finite and not banned; run `anser selftest` on "
                          "this device", (unsigned)s->V);
    if (s->options.temperature > 0) {
        float largest = s->logit[drawn];
        struct survivors kept = cut(s, weigh(s, largest));
        drawn = draw(s, cool(s, largest, kept));
    }
    count(s, drawn);
    *id = drawn;
    return ANSER_OK;
}

bool anser_sampler_is_greedy(const anser_sampler *s)
{
    const struct anser_sampler_options *o = &s->options;
    return o->temperature == 0 && o->presence == 0 && o->frequency == 0
           && !s->bans;
}

void anser_sampler_count(anser_sampler *s, uint32_t id)
{
    count(s, id);
}
