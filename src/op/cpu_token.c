/* SPDX-License-Identifier: MIT */
/*
 * A token in one launch by cl/cpu_token.cl, where a model's matrices are
 * strips and its phases are composed of elementary operations.
 */
#include "op/probe.h"
#include "op/tables.h"
#include "op/token_kind.h"

#include <stdio.h>
#include <stdlib.h>

/* A look takes some 30 ns: half a second for a core that does other work. */
enum { LOOKS = 1 << 24, COUNT_LOOKS = 1 << 22, COUNT_TIMES = 1, PAUSE = 16 };

/* A token may wait as many looks as a quarter of its bytes take at 20 GB/s. */
enum { BYTES_A_LOOK = 2400 };

/* The large matrices, and those of the LoRAs, in the order of layer_args. */
enum { BIG = 6, LORA = 8 };
static void matrices_of(const struct anser_layer *l,
                        const struct anser_matrix *big[BIG],
                        const struct anser_matrix *lora[LORA])
{
    const struct anser_matrix *const b[BIG] = {
        &l->receptance, &l->key, &l->value, &l->output, &l->ffn_key,
        &l->ffn_value
    };
    const struct anser_matrix *const s[LORA] = {
        &l->w1, &l->w2, &l->a1, &l->a2, &l->v1, &l->v2, &l->g1, &l->g2
    };
    for (int i = 0; i < BIG; i++)
        big[i] = b[i];
    for (int i = 0; i < LORA; i++)
        lora[i] = s[i];
}

/* ------------------------------------------------------------------ fits */

/* Whether the kernels that it must agree with are chosen. */
static bool is_plain(const struct anser_elementary *e)
{
    return e->norm.variant == &anser_op_layer_norm.rows[0]
           && e->shift.variant == &anser_op_token_shift.rows[0]
           && e->prepare.variant == &anser_op_head_prepare.rows[0]
           && (e->wkv7.variant == &anser_op_recurrence.rows[0]
               || e->wkv7.variant == &anser_op_recurrence.rows[1])
           && e->finish.variant == &anser_op_head_finish.rows[0];
}

/* In the same buffer as the head.  All of a launch has the head's form, since
 * the bits are the same in all. */
static bool fits_big(const struct anser_matrix *m,
                     const struct anser_matrix *head)
{
    return (m->layout == ANSER_LAYOUT_STRIP
            || m->layout == ANSER_LAYOUT_COLUMNS)
           && m->n_parts == 1 && m->parts[0].mem == head->parts[0].mem;
}

static bool fits_lora(const struct anser_matrix *m,
                      const struct anser_matrix *head)
{
    return (m->block->type == ANSER_F32 || m->block->type == ANSER_F16)
           && m->layout == ANSER_LAYOUT_FILE && m->n_parts == 1
           && m->rows % 32 == 0 && m->cols % 32 == 0
           && m->parts[0].mem == head->parts[0].mem
           && m->plan->few.variant == &anser_op_matmul_few.rows[0];
}

static bool fits_layer(const struct anser_layer *l,
                       const struct anser_matrix *head)
{
    const struct anser_matrix *big[BIG], *lora[LORA];
    matrices_of(l, big, lora);
    for (int i = 0; i < BIG; i++)
        if (!fits_big(big[i], head))
            return false;
    for (int i = 0; i < LORA; i++)
        if ((l->index > 0 || (lora[i] != &l->v1 && lora[i] != &l->v2))
            && !fits_lora(lora[i], head))
            return false;
    return true;
}

/* A device that is a CPU and a GPU at once is a simulator. */
static bool fits(anser_device *device, const struct anser_token_parts *p,
                 const struct anser_elementary *elementary)
{
    const cl_device_type kinds = CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU;
    const uint32_t L = p->shape->L;
    if (p->shape->C > SH_SYNC_SLICES * 256 || (device->caps.type & kinds) != CL_DEVICE_TYPE_CPU
        || p->n_plain < L * PHASE_COUNT || !is_plain(elementary)
        || !fits_big(p->head, p->head))
        return false;
    for (uint32_t i = 0; i < L; i++)
        if (!fits_layer(&p->layers[i], p->head))
            return false;
    return true;
}

/* ------------------------------------------------------------------ make */

static uint32_t place(const struct anser_matrix *m)
{
    return m->n_parts == 0 ? 0 : m->parts[0].at;
}

static struct cpu_layer_args layer_args(const struct anser_v7_shape *shape,
                                        const struct anser_layer *l)
{
    const struct anser_matrix *big[BIG], *lora[LORA];
    struct cpu_layer_args args = { .at = {
        .receptance = place(&l->receptance), .key = place(&l->key),
        .value = place(&l->value), .output = place(&l->output),
        .ffn_key = place(&l->ffn_key), .ffn_value = place(&l->ffn_value),
        .w1 = place(&l->w1), .w2 = place(&l->w2), .a1 = place(&l->a1),
        .a2 = place(&l->a2), .v1 = place(&l->v1), .v2 = place(&l->v2),
        .g1 = place(&l->g1), .g2 = place(&l->g2), .ln1_w = l->ln1_w,
        .ln1_b = l->ln1_b, .ln2_w = l->ln2_w, .ln2_b = l->ln2_b,
        .lerp = l->lerp, .ffn_lerp = l->ffn_lerp, .w0 = l->w0, .a0 = l->a0,
        .v0 = l->v0, .k_k = l->k_k, .k_a = l->k_a, .r_k = l->r_k,
        .ln_x_w = l->ln_x_w, .ln_x_b = l->ln_x_b,
        .state_at = anser_layer_state(shape, l->index),
        .first = l->index == 0, .eps = shape->ln_eps, .head_eps = V7_GN_EPS
    } };
    matrices_of(l, big, lora);
    for (int i = 0; i < BIG; i++)
        args.type[i] = big[i]->block->type;
    args.columns = l->ffn_value.layout == ANSER_LAYOUT_COLUMNS;
    for (int i = 0; i < LORA; i++)
        args.lora[i] = lora[i]->n_parts == 0 ? 0 : lora[i]->block->type;
    return args;
}

static enum anser_status fill(struct anser_token *t,
                              const struct anser_token_parts *p)
{
    const uint32_t L = p->shape->L;
    struct cpu_layer_args *host = calloc(L, sizeof *host);
    if (host == NULL)
        return anser_fail_memory(t->device->ctx, L * sizeof *host);
    t->types = 1u << p->head->block->type;
    for (uint32_t i = 0; i < L; i++) {
        host[i] = layer_args(p->shape, &p->layers[i]);
        for (int j = 0; j < BIG; j++)
            t->types |= 1u << host[i].type[j];
        if (host[i].columns != 0)
            t->columns = p->layers[i].ffn_value.plan->few.variant;
    }
    t->cpu.waits = t->device->settings.is_probe
                   ? UINT32_MAX / 4    /* slow is not wrong                   */
                   : (uint32_t)(p->bytes / BYTES_A_LOOK);
    const enum anser_status status = anser_token_fill(t, host,
                                                      L * sizeof *host);
    free(host);
    return status;
}

/* A slot: the norm and six blends of floats, three rounded vectors of C (12
 * ints for each 32, cl/strip.cl) or one of F with its list (24, cl/columns.h). */
static uint32_t slot_floats(const struct anser_v7_shape *s)
{
    const uint32_t three = 3 * s->C / 32 * 12, one = s->F / 32 * 24;
    const uint32_t line = 64 / sizeof(float);
    return (7 * s->C + (three > one ? three : one) + line - 1) / line * line;
}

static enum anser_status make(anser_device *device,
                              const struct anser_token_parts *p,
                              struct anser_token *made)
{
    const struct anser_v7_shape *s = p->shape;
    anser_token_init(made, &anser_cpu_token, device, p);
    made->strip = p->head->plan->few.variant;
    made->cpu = (struct cpu_token_args){
        .C = s->C, .F = s->F, .Dw = s->Dw, .Da = s->Da, .Dv = s->Dv,
        .Dg = s->Dg, .head_type = p->head->block->type,
        .slot = slot_floats(s)
    };
    const size_t floats = (size_t)made->cpu.slot * device->caps.units
                          + (size_t)SH_COLUMN_PARTS * s->C;
    TRY(anser_buf_new(device, floats * sizeof(float), &made->slots));
    return fill(made, p);
}

/* ---------------------------------------------------------------- launch */

/* TYPE is what the kernels of strip.cl are for, which are not run. */
static enum anser_status allow(struct anser_token *t)
{
    char options[112];
    snprintf(options, sizeof options, "-D TYPE=%d -D TYPES=%uu -D ROWS=4%s %s",
             ANSER_Q4_K, (unsigned)t->types,
             t->columns != NULL ? " -D COLUMNS=1" : "", t->strip->options);
    const struct anser_kernel_key key = { "cpu_token.cl", options,
                                          "cpu_token" };
    TRY(anser_probe(t->device, "token", "cpu", t->strip->name));
    if (t->columns != NULL)
        TRY(anser_probe(t->device, "token", "cpu", t->columns->name));
    return anser_kernel_get(t->device, &key, &t->kernel);
}

static void launch(struct anser_token *t, const struct anser_pass *p,
                   const struct anser_token_launch *l)
{
    const struct anser_work *w = p->work;
    const struct anser_grid grid = { { l->groups, 1, 1 }, { 1, 1, 1 } };
    struct cpu_token_args args = t->cpu;
    args.token = l->args;
    ANSER_RUN(p->q, t->kernel, grid, args, t->W, p->vecs, t->layers.mem,
              w->ids.mem, p->state, l->to, w->x.mem, w->r.mem, w->w.mem,
              w->k.mem, w->v.mem, w->kk.mem, w->a.mem, w->g.mem, w->low.mem,
              w->v_first.mem, w->v_lora.mem, w->y.mem, w->h.mem, l->logits,
              t->slots.mem, t->sync.mem);
}

const struct anser_token_kind anser_cpu_token = {
    .fits = fits, .make = make, .allow = allow, .launch = launch,
    .looks = LOOKS, .count_looks = COUNT_LOOKS, .count_times = COUNT_TIMES,
    .pause = PAUSE
};
