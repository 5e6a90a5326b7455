/* SPDX-License-Identifier: MIT */
/*
 * The graph of RWKV-7, from token ids to logits; one layer is five phases
 * (op/phase.h).  The same equations in plain C: base/ref.c.
 */
#include "model/model.h"

#include <stdlib.h>

static const struct anser_phase *const *rows_for(
    const struct anser_layer_plan *plan, uint32_t T)
{
    return T == 1 ? plan->one : plan->many;
}

enum anser_status anser_model_plan(anser_model *m)
{
    const struct anser_need need = { .type = m->embd.block->type,
                                     .rows = m->embd.rows,
                                     .cols = m->embd.cols,
                                     .precise = m->precise };
    TRY(anser_elementary(m->device, m->shape.C, &m->elementary));
    TRY(anser_embed_kernel(m->device, &need, &m->embed));
    m->plans = calloc(m->shape.L, sizeof *m->plans);
    if (m->plans == NULL)
        return anser_fail_memory(m->ctx, m->shape.L * sizeof *m->plans);
    for (uint32_t i = 0; i < m->shape.L; i++)
        for (unsigned j = 0; j < PHASE_COUNT; j++) {
            m->plans[i].one[j] = anser_phase_choose(
                j, m->device, &m->shape, &m->layers[i], 1);
            m->plans[i].many[j] = anser_phase_choose(
                j, m->device, &m->shape, &m->layers[i], m->work.chunk);
        }
    return anser_token_plan(m);
}

/* [V7:layernorm] of the residual stream, which may be the result too. */
static void norm(anser_model *m, struct norm_args args, cl_mem to)
{
    args.C = m->shape.C;
    args.eps = m->shape.ln_eps;
    anser_op_norm(m->device->queue, &m->elementary.norm, &args, m->vecs.mem,
                  m->work.x.mem, to);
}

static bool has_ends(const anser_model *m)
{
    return m->token != NULL && anser_token_has_ends(m->token);
}

struct anser_pass anser_v7_pass(const anser_state *state, uint32_t T)
{
    const anser_model *m = state->model;
    return (struct anser_pass){
        .q = m->device->queue, .shape = &m->shape,
        .elementary = &m->elementary, .work = &m->work,
        .vecs = m->vecs.mem, .state = state->floats.mem, .T = T
    };
}

void anser_v7_begin(anser_state *state, const struct anser_pass *pass)
{
    anser_model *m = state->model;
    const struct anser_work *w = &m->work;
    anser_op_embed(pass->q, &m->embed, &m->embd, w->ids.mem, w->x.mem,
                   pass->T);
    if (pass->T == 1 && has_ends(m))
        anser_token_begin(m->token, pass);
    else
        norm(m, (struct norm_args){ .T = pass->T, .weight_at = m->ln0_w,
                                    .bias_at = m->ln0_b }, w->x.mem);
}

void anser_v7_forward(anser_state *state, uint32_t T)
{
    anser_model *m = state->model;
    const struct anser_pass pass = anser_v7_pass(state, T);
    anser_v7_begin(state, &pass);
    for (uint32_t i = 0; i < m->shape.L; i++) {
        const struct anser_phase *const *rows = rows_for(&m->plans[i], T);
        for (unsigned j = 0; j < PHASE_COUNT; j++)
            rows[j]->run(&pass, &m->layers[i]);
    }
}

void anser_v7_head(anser_state *state, uint32_t first, uint32_t n,
                   cl_mem logits)
{
    anser_model *m = state->model;
    if (n == 1 && first == 0 && has_ends(m)) {
        const struct anser_pass pass = anser_v7_pass(state, 1);
        anser_token_end(m->token, &pass, logits);
        return;
    }
    norm(m, (struct norm_args){ .T = n, .x_at = first * m->shape.C,
                                .weight_at = m->ln_out_w,
                                .bias_at = m->ln_out_b }, m->work.xn.mem);
    const struct anser_matmul_call call = {
        .y = { logits, 0 }, .x = { m->work.xn.mem, 0 }, .T = n,
        .act = SH_ACT_NONE, .y_stride = m->shape.V
    };
    anser_op_matmul(m->device->queue, &m->head, &call);
}
