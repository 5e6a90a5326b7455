/* SPDX-License-Identifier: MIT */
/*
 * The token loop.  Where the host chooses, it reads the logits of each token.
 * Where the device does, an id stays there to be fed, and the host reads it
 * while up to `depth` further tokens run (model/ahead.h).  The device always
 * takes the best token; it draws one where it runs ahead, else the host does:
 * on a CPU both are the same processor, and the host's way is shorter.
 */
#include "model/ahead.h"
#include "text/sampler.h"

#include <math.h>
#include <stdlib.h>

struct loop {
    anser_state *state;
    anser_sampler *sampler;
    float *logits;                   /* owned (V); NULL: the device chooses */
    struct anser_ahead *ahead;       /* borrowed; NULL: the host chooses    */
    struct anser_sampling *sampling; /* borrowed; NULL: the best token      */
    struct sample_args args;         /* of the first token drawn by them    */
    uint64_t origin;                 /* its number                          */
    uint32_t depth;
    uint64_t asked;                  /* tokens whose choice is enqueued     */
};

/* After a failure of the queue nobody knows what the state is. */
static enum anser_status sure(const struct loop *l, enum anser_status status)
{
    if (status != ANSER_OK)
        l->state->has_logits = false;
    return status;
}

/* Waits, and does again what a launch that gave up did not do. */
static enum anser_status settle(const struct loop *l, bool *redone)
{
    return sure(l, anser_v7_settle(l->state, redone));
}

/* ------------------------------------------------------ the host chooses */

/* A launch that gave up leaves logits that are none. */
static enum anser_status read_logits(struct loop *l)
{
    struct anser_queue *q = l->state->model->device->queue;
    const size_t bytes = l->state->model->shape.V * sizeof *l->logits;
    bool redone = false;
    anser_queue_read(q, l->state->logits.mem, 0, l->logits, bytes);
    TRY(sure(l, anser_queue_finish(q)));
    if (isnan(l->logits[0]))
        TRY(settle(l, &redone));
    if (redone)
        anser_queue_read(q, l->state->logits.mem, 0, l->logits, bytes);
    return redone ? sure(l, anser_queue_finish(q)) : ANSER_OK;
}

static enum anser_status generate_by_host(struct loop *l, uint64_t max,
                                          anser_token_fn *fn, void *user)
{
    anser_model *m = l->state->model;
    struct anser_queue *q = m->device->queue;
    uint32_t id[2];                  /* the last one may still be in use    */
    bool redone;
    for (uint64_t i = 0; i < max; i++) {
        TRY(read_logits(l));
        TRY(anser_sample(l->sampler, l->logits, &id[i % 2]));
        if (fn(user, id[i % 2]))
            return ANSER_OK;
        anser_queue_write(q, m->work.ids.mem, 0, &id[i % 2], sizeof *id);
        anser_v7_token(l->state);
        anser_queue_flush(q);
    }
    return settle(l, &redone);
}

/* ---------------------------------------------------- the device chooses */

/* True if the best next token is where it is to be read. */
static bool feed(struct loop *l, uint64_t n)
{
    if (l->depth > 0)
        anser_ahead_keep(l->ahead, l->state, n);
    return anser_v7_token(l->state);
}

/* Enqueues the choice of token n, to where the next one to be fed is read. */
static void choose(const struct loop *l, uint64_t n)
{
    anser_model *m = l->state->model;
    const cl_mem logits = l->state->logits.mem, id = m->work.ids.mem;
    if (l->sampling == NULL) {
        cl_mem scratch[2] = { m->work.argmax[0].mem, m->work.argmax[1].mem };
        anser_op_argmax(m->device->queue, &m->elementary, logits, m->shape.V,
                        scratch, id);
        return;
    }
    struct sample_args args = l->args;
    const uint64_t position = ((uint64_t)args.position_hi << 32
                               | args.position_lo) + n - l->origin;
    args.position_lo = (uint32_t)position;
    args.position_hi = (uint32_t)(position >> 32);
    args.first = n == l->origin;
    anser_op_sample(l->sampling, &args, logits, id);
}

/* Enqueues the choice of the next token, after feeding the one before. */
static void ask(struct loop *l)
{
    const bool chosen = l->asked > 0 && feed(l, l->asked - 1);
    if (!chosen || l->sampling != NULL)
        choose(l, l->asked);
    anser_inbox_ask(l->ahead->inbox, l->asked++,
                    l->state->model->work.ids.mem);
}

/* Back to before token n, if more has been fed; whether that failed does not
 * matter then. */
static enum anser_status stop_at(struct loop *l, uint64_t n)
{
    bool redone;
    if (l->asked > n + 1 && anser_v7_settle(l->state, &redone) != ANSER_OK)
        anser_log(l->state->model->ctx, 1, "tokens after a stop: %s",
                  anser_error(l->state->model->ctx));
    if (l->asked > n + 1)
        anser_ahead_rewind(l->ahead, l->state, n);
    return settle(l, &redone);
}

static enum anser_status start_draws(struct loop *l)
{
    TRY(anser_ahead_sampling(l->ahead, &l->sampling));
    anser_sampler_args(l->sampler, &l->args);
    return anser_sampling_begin(l->sampling, anser_sampler_counts(l->sampler),
                                l->args.n);
}

/* No id n was chosen: asks again for it if the token before was only now
 * done. */
static enum anser_status ask_again(struct loop *l, uint64_t n, bool *asked)
{
    TRY(settle(l, asked));
    if (!*asked)
        return ANSER_OK;
    l->origin = n;
    if (l->sampling != NULL)
        TRY(sure(l, start_draws(l)));
    choose(l, n);
    anser_inbox_ask(l->ahead->inbox, n, l->state->model->work.ids.mem);
    l->asked = n + 1;
    return ANSER_OK;
}

/* The id that was chosen as n, or none. */
static enum anser_status take(struct loop *l, uint64_t n, uint32_t *id)
{
    bool asked = false;
    TRY(sure(l, anser_inbox_take(l->ahead->inbox, n, id)));
    if (*id >= l->state->model->shape.V)
        TRY(ask_again(l, n, &asked));
    return asked ? sure(l, anser_inbox_take(l->ahead->inbox, n, id))
                 : ANSER_OK;
}

static enum anser_status generate_by_device(struct loop *l, uint64_t max,
                                            anser_token_fn *fn, void *user)
{
    const anser_model *m = l->state->model;
    bool redone;
    uint32_t id;
    for (uint64_t n = 0; n < max; n++) {
        while (l->asked < max && l->asked <= n + l->depth)
            ask(l);
        TRY(take(l, n, &id));
        if (id >= m->shape.V) {
            TRY(stop_at(l, n));
            return anser_sampler_refuse(l->sampler);
        }
        anser_sampler_count(l->sampler, id);
        if (fn(user, id))
            return stop_at(l, n);
    }
    if (max > 0)
        feed(l, max - 1);
    return settle(l, &redone);
}

/* ----------------------------------------------------------------- entry */

static enum anser_status start(struct loop *l)
{
    anser_model *m = l->state->model;
    const bool is_greedy = anser_sampler_is_greedy(l->sampler);
    if (is_greedy || anser_ahead_depth(m->device) > 0) {
        TRY(anser_ahead_get(m, &l->ahead, &l->depth));
        if (is_greedy || start_draws(l) == ANSER_OK)
            return ANSER_OK;
        anser_log(m->ctx, 1, "the host draws: %s", anser_error(m->ctx));
        l->ahead = NULL;
    }
    l->logits = malloc(m->shape.V * sizeof(float));
    return l->logits != NULL ? ANSER_OK
           : anser_fail_memory(m->ctx, m->shape.V * sizeof(float));
}

static enum anser_status check(const anser_state *state,
                               const anser_sampler *sampler)
{
    const anser_model *m = state->model;
    if (!state->has_logits)
        return anser_fail(m->ctx, ANSER_BAD_ARG,
                          "no logits yet: feed at least one token first");
    if (anser_sampler_size(sampler) != m->shape.V)
        return anser_fail(m->ctx, ANSER_BAD_ARG,
                          "the sampler is for %u ids, the model has %u",
                          (unsigned)anser_sampler_size(sampler),
                          (unsigned)m->shape.V);
    return ANSER_OK;
}

enum anser_status anser_generate(anser_state *state, anser_sampler *sampler,
                                 uint64_t max, anser_token_fn *fn, void *user)
{
    if (state == NULL || sampler == NULL || fn == NULL)
        return ANSER_BAD_ARG;
    TRY(check(state, sampler));
    struct loop l = { .state = state, .sampler = sampler };
    TRY(start(&l));
    const enum anser_status status = l.ahead != NULL
        ? generate_by_device(&l, max, fn, user)
        : generate_by_host(&l, max, fn, user);
    free(l.logits);
    return status;
}
