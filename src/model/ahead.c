/* SPDX-License-Identifier: MIT */
/* Kept states, and going back to one. */
#include "model/ahead.h"

#include <stdlib.h>

enum { PERIOD = 8, DEPTH = 2 };
_Static_assert(ANSER_AHEAD_MAX <= PERIOD, "two kept states suffice");
_Static_assert(PERIOD + ANSER_AHEAD_MAX < ANSER_INBOX_WORDS,
               "the ids since the older kept state are in the inbox");

uint32_t anser_ahead_depth(const anser_device *device)
{
    if (device->settings.ahead >= 0)
        return (uint32_t)device->settings.ahead;
    return device->caps.class == ANSER_CLASS_CPU ? 0 : DEPTH;
}

static enum anser_status make(anser_model *m, struct anser_ahead **ahead)
{
    struct anser_ahead *a = calloc(1, sizeof *a);
    if (a == NULL)
        return anser_fail_memory(m->ctx, sizeof *a);
    a->model = m;
    const enum anser_status status = anser_inbox_new(m->device, &a->inbox);
    if (status == ANSER_OK)
        *ahead = a;
    else
        anser_ahead_free(a);
    return status;
}

static void free_kept(struct anser_ahead *a)
{
    for (int i = 0; i < 2; i++) {
        anser_buf_free(a->model->device, &a->floats[i]);
        anser_buf_free(a->model->device, &a->logits[i]);
    }
}

static bool make_kept(struct anser_ahead *a)
{
    const anser_model *m = a->model;
    const size_t bytes = (size_t)anser_v7_state_bytes(&m->shape);
    enum anser_status status = ANSER_OK;
    if (a->logits[1].mem != NULL)
        return true;
    for (int i = 0; i < 2 && status == ANSER_OK; i++) {
        status = anser_buf_new(m->device, bytes, &a->floats[i]);
        if (status == ANSER_OK)
            status = anser_buf_new(m->device, m->shape.V * sizeof(float),
                                   &a->logits[i]);
    }
    if (status == ANSER_OK)
        return true;
    anser_log(m->ctx, 1, "tokens don't run ahead: %s", anser_error(m->ctx));
    free_kept(a);
    return false;
}

enum anser_status anser_ahead_get(anser_model *m, struct anser_ahead **ahead,
                                  uint32_t *depth)
{
    const uint32_t wanted = anser_ahead_depth(m->device);
    if (m->ahead == NULL)
        TRY(make(m, &m->ahead));
    *depth = wanted > 0 && make_kept(m->ahead) ? wanted : 0;
    *ahead = m->ahead;
    return ANSER_OK;
}

enum anser_status anser_ahead_sampling(struct anser_ahead *a,
                                       struct anser_sampling **sampling)
{
    if (a->sampling == NULL)
        TRY(anser_sampling_new(a->model->device, a->model->shape.V,
                               &a->sampling));
    *sampling = a->sampling;
    return ANSER_OK;
}

void anser_ahead_free(struct anser_ahead *a)
{
    if (a == NULL)
        return;
    free_kept(a);
    anser_sampling_free(a->sampling);
    anser_inbox_free(a->inbox);
    free(a);
}

/* Both parts of a state, from one pair of buffers to another. */
static void copy(const anser_model *m, const struct anser_buf *floats,
                 const struct anser_buf *logits,
                 const struct anser_buf *to_floats,
                 const struct anser_buf *to_logits)
{
    struct anser_queue *q = m->device->queue;
    anser_queue_copy(q, floats->mem, 0, to_floats->mem, 0,
                     (size_t)anser_v7_state_bytes(&m->shape));
    anser_queue_copy(q, logits->mem, 0, to_logits->mem, 0,
                     m->shape.V * sizeof(float));
}

void anser_ahead_keep(struct anser_ahead *a, const anser_state *state,
                      uint64_t n)
{
    const int slot = n / PERIOD % 2;
    if (n % PERIOD == 0)
        copy(a->model, &state->floats, &state->logits, &a->floats[slot],
             &a->logits[slot]);
}

void anser_ahead_rewind(struct anser_ahead *a, anser_state *state, uint64_t n)
{
    const anser_model *m = a->model;
    const int slot = n / PERIOD % 2;
    copy(m, &a->floats[slot], &a->logits[slot], &state->floats,
         &state->logits);
    for (uint64_t i = n - n % PERIOD; i < n; i++) {
        anser_queue_write(m->device->queue, m->work.ids.mem, 0,
                          anser_inbox_word(a->inbox, i), sizeof(uint32_t));
        anser_v7_token(state);
    }
}
