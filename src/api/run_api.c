/* SPDX-License-Identifier: MIT */
/*
 * Feeding tokens and generating them: chunks of ids through model/v7.c, and
 * the loop of choosing and feeding.
 */
#include "model/model.h"
#include "text/sampler.h"

#include <stdlib.h>

/* Logits of this many tokens at once in anser_feed_all. */
enum { HEADS = 16 };

static enum anser_status check_ids(const anser_state *state,
                                   const uint32_t *ids, size_t n)
{
    const anser_model *m = state->model;
    if (n == 0 || ids == NULL)
        return anser_fail(m->ctx, ANSER_BAD_ARG, "no tokens to feed");
    for (size_t i = 0; i < n; i++)
        if (ids[i] >= m->shape.V)
            return anser_fail(m->ctx, ANSER_BAD_ARG, "token %u is not in the "
                              "vocabulary of %u", (unsigned)ids[i],
                              (unsigned)m->shape.V);
    return ANSER_OK;
}

/* Enqueues one pass over T ids; logits are those of the last one. */
static void pass(anser_state *state, const uint32_t *ids, uint32_t T)
{
    const anser_model *m = state->model;
    anser_queue_write(m->device->queue, m->work.ids.mem, 0, ids,
                      T * sizeof *ids);
    anser_v7_forward(state, T);
}

/* The tokens of the next chunk out of what is left. */
static uint32_t next_chunk(const anser_state *state, size_t left)
{
    const uint32_t chunk = state->model->work.chunk;
    return left < chunk ? (uint32_t)left : chunk;
}

enum anser_status anser_feed(anser_state *state, const uint32_t *ids, size_t n)
{
    if (state == NULL)
        return ANSER_BAD_ARG;
    TRY(check_ids(state, ids, n));
    struct anser_queue *q = state->model->device->queue;
    state->has_logits = false;
    for (size_t at = 0; at < n;) {
        const uint32_t T = next_chunk(state, n - at);
        pass(state, ids + at, T);
        at += T;
        if (at == n)
            anser_v7_head(state, T - 1, 1, state->logits.mem);
        anser_queue_flush(q);
    }
    TRY(anser_queue_finish(q));
    state->has_logits = true;
    return ANSER_OK;
}

/* The logits of the T tokens of a pass, through a small buffer. */
static void read_heads(anser_state *state, uint32_t T, cl_mem heads,
                       float *logits)
{
    const size_t V = state->model->shape.V;
    for (uint32_t i = 0; i < T; i += HEADS) {
        const uint32_t n = T - i < HEADS ? T - i : HEADS;
        anser_v7_head(state, i, n, heads);
        anser_queue_read(state->model->device->queue, heads, 0,
                         logits + i * V, n * V * sizeof *logits);
    }
}

enum anser_status anser_feed_all(anser_state *state, const uint32_t *ids,
                                 size_t n, float *logits)
{
    if (state == NULL || logits == NULL)
        return ANSER_BAD_ARG;
    TRY(check_ids(state, ids, n));
    anser_device *device = state->model->device;
    const size_t V = state->model->shape.V;
    struct anser_buf heads;
    TRY(anser_buf_new(device, HEADS * V * sizeof(float), &heads));
    state->has_logits = false;
    for (size_t at = 0; at < n;) {
        const uint32_t T = next_chunk(state, n - at);
        pass(state, ids + at, T);
        read_heads(state, T, heads.mem, logits + at * V);
        at += T;
        if (at == n)
            anser_v7_head(state, T - 1, 1, state->logits.mem);
    }
    const enum anser_status status = anser_queue_finish(device->queue);
    anser_buf_free(device, &heads);
    state->has_logits = status == ANSER_OK;
    return status;
}

static enum anser_status check_logits(const anser_state *state)
{
    if (state->has_logits)
        return ANSER_OK;
    return anser_fail(state->model->ctx, ANSER_BAD_ARG,
                      "no logits yet: feed at least one token first");
}

enum anser_status anser_logits(anser_state *state, float *logits)
{
    if (state == NULL || logits == NULL)
        return ANSER_BAD_ARG;
    TRY(check_logits(state));
    struct anser_queue *q = state->model->device->queue;
    anser_queue_read(q, state->logits.mem, 0, logits,
                     state->model->shape.V * sizeof *logits);
    return anser_queue_finish(q);
}

/* ------------------------------------------------------------- generate */

struct loop {
    anser_state *state;
    anser_sampler *sampler;
    float *logits;                   /* owned (V); NULL: the device chooses */
};

/* The device's own choice: only an id crosses the bus. */
static enum anser_status choose_greedy(struct loop *l, uint32_t *id)
{
    anser_model *m = l->state->model;
    struct anser_queue *q = m->device->queue;
    cl_mem scratch[2] = { m->work.argmax[0].mem, m->work.argmax[1].mem };
    uint32_t chosen;
    anser_op_argmax(q, &m->elementary, l->state->logits.mem, m->shape.V,
                    scratch, m->work.id.mem);
    anser_queue_read(q, m->work.id.mem, 0, &chosen, sizeof chosen);
    TRY(anser_queue_finish(q));
    if (chosen >= m->shape.V)
        return anser_fail(m->ctx, ANSER_DEVICE_FAILED,
                          "no finite logit; run anser selftest");
    anser_sampler_count(l->sampler, chosen);
    *id = chosen;
    return ANSER_OK;
}

static enum anser_status choose(struct loop *l, uint32_t *id)
{
    if (l->logits == NULL)
        return choose_greedy(l, id);
    TRY(anser_logits(l->state, l->logits));
    return anser_sample(l->sampler, l->logits, id);
}

/* Enqueues one token; nothing waits for it here. */
static void feed_one(anser_state *state, const uint32_t *id)
{
    pass(state, id, 1);
    anser_v7_head(state, 0, 1, state->logits.mem);
    anser_queue_flush(state->model->device->queue);
}

static enum anser_status generate(struct loop *l, uint64_t max,
                                  anser_token_fn *fn, void *user)
{
    uint32_t id[2];                  /* the last one may still be in use    */
    for (uint64_t i = 0; i < max; i++) {
        TRY(choose(l, &id[i % 2]));
        if (fn(user, id[i % 2]))
            break;
        feed_one(l->state, &id[i % 2]);
    }
    return anser_queue_finish(l->state->model->device->queue);
}

enum anser_status anser_generate(anser_state *state, anser_sampler *sampler,
                                 uint64_t max, anser_token_fn *fn, void *user)
{
    if (state == NULL || sampler == NULL || fn == NULL)
        return ANSER_BAD_ARG;
    TRY(check_logits(state));
    anser_model *m = state->model;
    struct loop loop = { .state = state, .sampler = sampler };
    if (!anser_sampler_is_greedy(sampler)) {
        loop.logits = malloc(m->shape.V * sizeof(float));
        if (loop.logits == NULL)
            return anser_fail_memory(m->ctx, m->shape.V * sizeof(float));
    }
    const enum anser_status status = generate(&loop, max, fn, user);
    free(loop.logits);
    return status;
}
