/* SPDX-License-Identifier: MIT */
/*
 * One token at a time.  Where all of a token is one launch (op/token.h), the
 * new state goes to a spare buffer, so that a launch that gives up loses
 * nothing: what it was fed is then run by phases, from the state before it.
 */
#include "model/model.h"

enum anser_status anser_token_plan(anser_model *m)
{
    struct anser_token_parts parts = {
        .shape = &m->shape, .layers = m->layers, .head = &m->head,
        .ln0_w = m->ln0_w, .ln0_b = m->ln0_b, .ln_out_w = m->ln_out_w,
        .ln_out_b = m->ln_out_b, .bytes = m->device_bytes
    };
    const struct anser_pass pass = {
        .q = m->device->queue, .shape = &m->shape, .work = &m->work,
        .elementary = &m->elementary, .vecs = m->vecs.mem,
        .state = m->work.x.mem, .T = 1
    };
    for (uint32_t i = 0; i < m->shape.L; i++)
        for (unsigned j = 0; j < PHASE_COUNT; j++)
            parts.n_plain += m->plans[i].one[j] == &anser_phases[j].rows[0];
    return anser_token_new(m->device, &parts, &pass, &m->token);
}

bool anser_token_spares(const anser_model *m)
{
    return m->token != NULL && anser_token_is_whole(m->token);
}

static void swap(anser_state *state)
{
    const struct anser_buf now = state->spare;
    state->spare = state->floats;
    state->floats = now;
}

bool anser_v7_token(anser_state *state)
{
    anser_model *m = state->model;
    if (m->token == NULL || state->spare.mem == NULL
        || !anser_token_is_next(m->token)) {
        anser_v7_forward(state, 1);
        anser_v7_head(state, 0, 1, state->logits.mem);
        return false;
    }
    const struct anser_pass pass = anser_v7_pass(state, 1);
    anser_op_embed(pass.q, &m->embed, &m->embd, m->work.ids.mem,
                   m->work.x.mem, 1);
    const bool chosen = anser_token_run(m->token, &pass, state->spare.mem,
                                        state->logits.mem);
    swap(state);
    return chosen;
}

enum anser_status anser_v7_settle(anser_state *state, bool *redone)
{
    anser_model *m = state->model;
    struct anser_queue *q = m->device->queue;
    struct anser_token_lost lost;
    *redone = false;
    if (m->token == NULL)
        return anser_queue_finish(q);
    TRY(anser_token_settle(m->token, &lost));
    if (lost.n % 2 != 0)
        swap(state);
    for (uint32_t i = 0; i < lost.n && lost.ids[i] < m->shape.V; i++) {
        anser_queue_write(q, m->work.ids.mem, 0, &lost.ids[i],
                          sizeof lost.ids[i]);
        anser_v7_token(state);
    }
    *redone = lost.n > 0;
    return *redone ? anser_queue_finish(q) : ANSER_OK;
}
