/* SPDX-License-Identifier: MIT */
/* Elementary operations on made-up buffers: a table, one row an operation. */
#include "op/small.h"

#include "base/v7.h"
#include "op/tables.h"

/* n buffers of (T, C). */
static void add_tokens(struct anser_trial *t,
                       const struct anser_small_shape *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        anser_trial_add(t, (size_t)s->T * s->C, 0, 0.1f);
}

static cl_mem mem(const struct anser_small *small, unsigned i)
{
    return small->trial.buf[i].mem;
}

static double tokens(const struct anser_small_shape *s)
{
    return 4.0 * s->T * s->C;
}

/* ------------------------------------------------------- norm and shift */

static double fill_norm(struct anser_trial *t,
                        const struct anser_small_shape *s)
{
    anser_trial_add(t, 2 * (size_t)s->C, 0.5f, 1);
    add_tokens(t, s, 2);
    return 2 * tokens(s) + 8.0 * s->C;
}

static void run_norm(const struct anser_small *m,
                     const struct anser_chosen *chosen)
{
    const struct norm_args args = { .C = m->shape.C, .T = m->shape.T,
                                    .bias_at = m->shape.C, .eps = V7_LN_EPS };
    anser_op_norm(m->trial.device->queue, chosen, &args, mem(m, 0), mem(m, 1),
                  mem(m, 2));
}

enum { MIXES = 6 };

static double fill_shift(struct anser_trial *t,
                         const struct anser_small_shape *s)
{
    anser_trial_add(t, MIXES * (size_t)s->C, 0.5f, 0.5f);
    anser_trial_add(t, s->C, 0, 1);
    add_tokens(t, s, 1);
    anser_trial_add(t, MIXES * (size_t)s->T * s->C, 0, 1);
    return (1 + MIXES) * tokens(s) + 4.0 * (MIXES + 1) * s->C;
}

static void run_shift(const struct anser_small *m,
                      const struct anser_chosen *chosen)
{
    const struct shift_args args = { .C = m->shape.C, .T = m->shape.T,
                                     .n = MIXES };
    anser_op_shift(m->trial.device->queue, chosen, &args, mem(m, 0),
                   mem(m, 1), mem(m, 2), mem(m, 3));
}

/* --------------------------------------------------------------- heads */

/* The heads' buffers are the trial's from 1 on, in this order. */
enum { HR = 1, HW, HK, HV, HKK, HA, HG, HV_LORA, HV_FIRST, HY, HEADS_END };

static struct anser_heads heads_of(const struct anser_small *m)
{
    return (struct anser_heads){
        .r = mem(m, HR), .w = mem(m, HW), .k = mem(m, HK), .v = mem(m, HV),
        .kk = mem(m, HKK), .a = mem(m, HA), .g = mem(m, HG),
        .v_lora = mem(m, HV_LORA), .v_first = mem(m, HV_FIRST), .y = mem(m, HY)
    };
}

/* Vectors (n, C) of `mean` and `spread`, then the heads. */
static void add_heads(struct anser_trial *t, const struct anser_small_shape *s,
                      size_t first, float mean, float spread)
{
    anser_trial_add(t, first, mean, spread);
    for (unsigned i = HR; i < HEADS_END; i++)
        anser_trial_add(t, (size_t)s->T * s->C, i == HW ? 0.75f : 0, 0.1f);
}

/* Vectors of zeros: in place, the key then stays as it is. */
static double fill_prepare(struct anser_trial *t,
                           const struct anser_small_shape *s)
{
    add_heads(t, s, s->C, 0, 0);
    return 11 * tokens(s) + 20.0 * s->C;
}

static void run_prepare(const struct anser_small *m,
                        const struct anser_chosen *chosen)
{
    const struct prepare_args args = { .C = m->shape.C, .T = m->shape.T };
    const struct anser_heads heads = heads_of(m);
    anser_op_prepare(m->trial.device->queue, chosen, &args, mem(m, 0), &heads);
}

static double fill_wkv7(struct anser_trial *t,
                        const struct anser_small_shape *s)
{
    add_heads(t, s, (size_t)s->C * SH_HEAD, 0, 1);
    return 7 * tokens(s) + 8.0 * s->C * SH_HEAD;
}

static void run_wkv7(const struct anser_small *m,
                     const struct anser_chosen *chosen)
{
    const struct wkv_args args = { .C = m->shape.C, .T = m->shape.T };
    const struct anser_heads heads = heads_of(m);
    anser_op_wkv7(m->trial.device->queue, chosen, &args, mem(m, 0), &heads);
}

static double fill_finish(struct anser_trial *t,
                          const struct anser_small_shape *s)
{
    add_heads(t, s, 3 * (size_t)s->C, 0.3f, 1);
    return 6 * tokens(s) + 12.0 * s->C;
}

static void run_finish(const struct anser_small *m,
                       const struct anser_chosen *chosen)
{
    const uint32_t C = m->shape.C;
    const struct finish_args args = { .C = C, .T = m->shape.T, .bias_at = C,
                                      .r_k_at = 2 * C, .eps = V7_GN_EPS };
    const struct anser_heads heads = heads_of(m);
    anser_op_finish(m->trial.device->queue, chosen, &args, mem(m, 0), &heads);
}

/* ---------------------------------------------------- embedding and argmax */

/* All ids are 0: one row of the table stands for all. */
static double fill_embed(struct anser_trial *t,
                         const struct anser_small_shape *s)
{
    const uint64_t row = anser_block_bytes(anser_block_find(s->type), s->C);
    anser_trial_add(t, row / sizeof(float), 0, 1);
    anser_trial_add(t, s->T, 0, 0);
    add_tokens(t, s, 1);
    return tokens(s) + (double)row * s->T;
}

static void run_embed(const struct anser_small *m,
                      const struct anser_chosen *chosen)
{
    const struct anser_block *block = anser_block_find(m->shape.type);
    struct anser_part part = { .mem = mem(m, 0), .rows = 1 };
    const struct anser_matrix W = {
        .block = block, .rows = 1, .cols = m->shape.C,
        .row_bytes = (uint32_t)anser_block_bytes(block, m->shape.C),
        .n_parts = 1, .parts = &part
    };
    anser_op_embed(m->trial.device->queue, chosen, &W, mem(m, 1), mem(m, 2),
                   m->shape.T);
}

static double fill_argmax(struct anser_trial *t,
                          const struct anser_small_shape *s)
{
    anser_trial_add(t, s->V, 0, 1);
    for (int i = 0; i < 3; i++)
        anser_trial_add(t, ANSER_ARGMAX_PARTS, 0, 1);
    return 4.0 * s->V;
}

/* Both steps, one of them by the row that is chosen anyway: the time holds
 * for the pair. */
static void run_argmax(const struct anser_small *m,
                       const struct anser_chosen *chosen)
{
    struct anser_elementary e = m->others;
    cl_mem scratch[2] = { mem(m, 1), mem(m, 2) };
    if (m->kind->op == &anser_op_argmax_parts)
        e.argmax_parts = *chosen;
    else
        e.argmax_last = *chosen;
    anser_op_argmax(m->trial.device->queue, &e, mem(m, 0), m->shape.V, scratch,
                    mem(m, 3));
}

/* ---------------------------------------------------------------- table */

const struct anser_small_kind anser_small_kinds[] = {
    { &anser_op_embedding, false, fill_embed, run_embed },
    { &anser_op_layer_norm, false, fill_norm, run_norm },
    { &anser_op_token_shift, false, fill_shift, run_shift },
    { &anser_op_head_prepare, false, fill_prepare, run_prepare },
    { &anser_op_recurrence, false, fill_wkv7, run_wkv7 },
    { &anser_op_head_finish, false, fill_finish, run_finish },
    { &anser_op_argmax_parts, true, fill_argmax, run_argmax },
    { &anser_op_argmax_last, true, fill_argmax, run_argmax },
    { .op = NULL }
};

struct anser_need anser_small_need(const struct anser_small_kind *kind,
                                   const struct anser_small_shape *s)
{
    return (struct anser_need){
        .type = kind->op->typed ? s->type : 0,
        .rows = kind->op->typed ? s->V : 0, .cols = s->C
    };
}

enum anser_status anser_small_new(anser_device *device,
                                  const struct anser_small_kind *kind,
                                  const struct anser_small_shape *shape,
                                  struct anser_small *small)
{
    struct anser_small made = { .kind = kind, .shape = *shape };
    TRY(anser_elementary(device, shape->C, &made.others));
    anser_trial_init(&made.trial, device);
    made.bytes = kind->fill(&made.trial, &made.shape);
    const enum anser_status status = made.trial.status == ANSER_OK
        ? anser_queue_finish(device->queue) : made.trial.status;
    if (status != ANSER_OK) {
        anser_trial_free(&made.trial);
        return status;
    }
    *small = made;
    return ANSER_OK;
}

enum anser_status anser_small_free(struct anser_small *small)
{
    return anser_trial_free(&small->trial);
}

void anser_small_run(const struct anser_small *small,
                     const struct anser_chosen *chosen)
{
    small->kind->run(small, chosen);
}
