/* SPDX-License-Identifier: MIT */
/*
 * The sampler: its options, and the counts of what it drew.  How a token is
 * drawn is told in base/draw.c.  After each token all counts *= decay, then
 * that of the token += 1 (generate of the rwkv package); its special case, not
 * counting tokens made of digits, tabs and spaces, is not applied.
 */
#include "text/sampler.h"

#include "base/ctx.h"
#include "base/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VOCAB (1u << 24)         /* 2^24 weights of 2^39 fit 63 bits    */

struct anser_sampler {
    anser_ctx *ctx;                  /* borrowed                            */
    struct anser_sampler_options options;
    uint32_t V;
    uint64_t position;               /* tokens drawn since the reset        */
    struct anser_draw draw;          /* owned                               */
    float *count;                    /* owned (V): decayed occurrences, or
                                        SH_NEVER, SH_BANNED                 */
    uint32_t *seen;                  /* owned (V): ids drawn, in any order  */
    uint32_t n_seen;
    bool bans;                       /* any id is banned                    */
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

static bool allocate(struct anser_sampler *s, uint32_t V)
{
    s->count = calloc(V, sizeof *s->count);
    s->seen = calloc(V, sizeof *s->seen);
    return anser_draw_init(&s->draw, V) && s->count != NULL
           && s->seen != NULL;
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
        return anser_fail_memory(ctx, sizeof *made + (size_t)n_vocab * 28);
    }
    made->ctx = ctx;
    made->options = *options;
    made->V = n_vocab;
    anser_sampler_reset(made);
    *sampler = made;
    return ANSER_OK;
}

void anser_sampler_free(anser_sampler *s)
{
    if (s == NULL)
        return;
    anser_draw_free(&s->draw);
    free(s->count);
    free(s->seen);
    free(s);
}

void anser_sampler_reset(anser_sampler *s)
{
    if (s == NULL)
        return;
    for (uint32_t id = 0; id < s->V; id++)
        if (s->count[id] != SH_BANNED)
            s->count[id] = SH_NEVER;
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
    s->count[id] = SH_BANNED;
    s->bans = true;
    return ANSER_OK;
}

void anser_sampler_count(anser_sampler *s, uint32_t drawn)
{
    for (uint32_t i = 0; i < s->n_seen; i++)
        if (s->count[s->seen[i]] != SH_BANNED)
            s->count[s->seen[i]] *= s->options.penalty_decay;
    if (s->count[drawn] < 0) {
        s->count[drawn] = 0;
        s->seen[s->n_seen++] = drawn;
    }
    s->count[drawn] += 1.0f;
    s->position++;
}

void anser_sampler_args(const anser_sampler *s, struct sample_args *args)
{
    const struct anser_sampler_options *o = &s->options;
    *args = (struct sample_args){
        .n = s->V, .presence = o->presence, .frequency = o->frequency,
        .decay = o->penalty_decay, .top_k = o->top_k,
        .top_p = (uint32_t)(o->top_p * SH_ONE_P),
        .seed_lo = (uint32_t)o->seed, .seed_hi = (uint32_t)(o->seed >> 32),
        .position_lo = (uint32_t)s->position,
        .position_hi = (uint32_t)(s->position >> 32), .first = 1
    };
    /* A weight of 2^39 means d < 2^-24: with a cooling of at most 2^24 the
     * largest survivor keeps a weight. */
    if (o->temperature > 0)
        args->cooling = fminf(1.0f / o->temperature, SH_ONE_P);
}

const float *anser_sampler_counts(const anser_sampler *s)
{
    return s->count;
}

enum anser_status anser_sample(anser_sampler *s, const float *logits,
                               uint32_t *id)
{
    struct sample_args args;
    if (s == NULL)
        return ANSER_BAD_ARG;
    if (logits == NULL || id == NULL)
        return anser_fail(s->ctx, ANSER_BAD_ARG,
                          "anser_sample: logits or id is NULL");
    anser_sampler_args(s, &args);
    const uint32_t drawn = anser_draw(&s->draw, &args, logits, s->count);
    if (drawn == s->V)
        return anser_sampler_refuse(s);
    anser_sampler_count(s, drawn);
    *id = drawn;
    return ANSER_OK;
}

enum anser_status anser_sampler_refuse(const anser_sampler *s)
{
    return anser_fail(s->ctx, ANSER_DEVICE_FAILED,
                      "no token can be drawn: none of the %u logits is finite "
                      "and not banned; run `anser selftest` on this device",
                      (unsigned)s->V);
}

uint32_t anser_sampler_size(const anser_sampler *s)
{
    return s->V;
}

bool anser_sampler_is_greedy(const anser_sampler *s)
{
    const struct anser_sampler_options *o = &s->options;
    return o->temperature == 0 && o->presence == 0 && o->frequency == 0
           && !s->bans;
}
