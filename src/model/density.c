/* SPDX-License-Identifier: MIT */
/* How sparse [V7:relu2] leaves what ffn.value is multiplied by. */
#include "model/model.h"

#include <stdlib.h>

static bool is_plain(const anser_model *m)
{
    for (uint32_t i = 0; i < m->shape.L; i++)
        for (unsigned j = 0; j < PHASE_COUNT; j++)
            if (m->plans[i].one[j] != &anser_phases[j].rows[0])
                return false;
    return true;
}

/* Adds the results of a layer that are not zero; h has room for them. */
static enum anser_status count(const anser_model *m, float *h, uint64_t *n)
{
    struct anser_queue *q = m->device->queue;
    const uint32_t F = m->shape.F;
    anser_queue_read(q, m->work.h.mem, 0, h, F * sizeof *h);
    TRY(anser_queue_finish(q));
    for (uint32_t i = 0; i < F; i++)
        *n += h[i] != 0;
    return ANSER_OK;
}

static enum anser_status run_layers(anser_state *state, float *h, uint64_t *n)
{
    const anser_model *m = state->model;
    const struct anser_pass pass = anser_v7_pass(state, 1);
    anser_v7_begin(state, &pass);
    for (uint32_t i = 0; i < m->shape.L; i++)
        for (unsigned j = 0; j < PHASE_COUNT; j++) {
            m->plans[i].one[j]->run(&pass, &m->layers[i]);
            if (j == PHASE_D)
                TRY(count(m, h, n));
        }
    return ANSER_OK;
}

/* The likeliest id after the last pass. */
static enum anser_status likeliest(anser_state *state, float *logits,
                                   uint32_t *id)
{
    const anser_model *m = state->model;
    const uint32_t V = m->shape.V;
    anser_v7_head(state, 0, 1, state->logits.mem);
    anser_queue_read(m->device->queue, state->logits.mem, 0, logits,
                     V * sizeof *logits);
    TRY(anser_queue_finish(m->device->queue));
    *id = 0;
    for (uint32_t i = 1; i < V; i++)
        if (logits[i] > logits[*id])
            *id = i;
    return ANSER_OK;
}

enum anser_status anser_v7_density(anser_state *state, uint32_t n,
                                   double *density)
{
    anser_model *m = state->model;
    const uint32_t F = m->shape.F, V = m->shape.V;
    enum anser_status status = ANSER_OK;
    uint64_t found = 0;
    uint32_t id = 0;
    *density = 1;
    if (!is_plain(m))
        return ANSER_OK;
    float *buf = malloc((F > V ? F : V) * sizeof *buf);
    if (buf == NULL)
        return anser_fail_memory(m->ctx, (F > V ? F : V) * sizeof *buf);
    for (uint32_t t = 0; t < n; t++) {
        anser_queue_write(m->device->queue, m->work.ids.mem, 0, &id,
                          sizeof id);
        TRY_OR_FAIL(run_layers(state, buf, &found));
        TRY_OR_FAIL(likeliest(state, buf, &id));
    }
    *density = (double)found / ((double)n * m->shape.L * F);
fail:
    free(buf);
    return status;
}
