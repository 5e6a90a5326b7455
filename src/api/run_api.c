/* SPDX-License-Identifier: MIT */
/* Feeding tokens: chunks of ids through model/v7.c; and their logits. */
#include "model/model.h"

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

/* Enqueues one token; nothing waits for it here. */
static void feed_one(anser_state *state, const uint32_t *id)
{
    anser_queue_write(state->model->device->queue,
                      state->model->work.ids.mem, 0, id, sizeof *id);
    anser_v7_token(state);
    anser_queue_flush(state->model->device->queue);
}

enum anser_status anser_feed(anser_state *state, const uint32_t *ids, size_t n)
{
    if (state == NULL)
        return ANSER_BAD_ARG;
    TRY(check_ids(state, ids, n));
    struct anser_queue *q = state->model->device->queue;
    bool redone;
    state->has_logits = false;
    for (size_t at = 0; at < n;) {
        const uint32_t T = next_chunk(state, n - at);
        at += T;
        if (T == 1 && at == n) {
            feed_one(state, ids + n - 1);
            break;
        }
        pass(state, ids + at - T, T);
        if (at == n)
            anser_v7_head(state, T - 1, 1, state->logits.mem);
        anser_queue_flush(q);
    }
    TRY(anser_v7_settle(state, &redone));
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

enum anser_status anser_logits(anser_state *state, float *logits)
{
    if (state == NULL || logits == NULL)
        return ANSER_BAD_ARG;
    if (!state->has_logits)
        return anser_fail(state->model->ctx, ANSER_BAD_ARG,
                          "no logits yet: feed at least one token first");
    struct anser_queue *q = state->model->device->queue;
    anser_queue_read(q, state->logits.mem, 0, logits,
                     state->model->shape.V * sizeof *logits);
    return anser_queue_finish(q);
}
