/* SPDX-License-Identifier: MIT */
/* The plain row of each phase: a layer of RWKV-7 as a composition of
 * elementary operations.  Spec: one token's pass in base/ref.c. */
#include "op/phase.h"

#include "op/nv_prefill.h"
#include "op/select.h"

uint32_t anser_layer_state(const struct anser_v7_shape *shape, uint32_t layer)
{
    return (uint32_t)(layer * V7_STATE_FLOATS(shape));
}

/* y(T, rows) = act(W x). */
static void project(const struct anser_pass *p, const struct anser_matrix *W,
                    struct anser_view x, struct anser_view y, uint32_t act)
{
    const struct anser_matmul_call call = { y, x, p->T, act, W->rows };
    anser_op_matmul(p->q, W, &call);
}

static struct anser_view whole(const struct anser_buf *buf)
{
    return (struct anser_view){ buf->mem, 0 };
}

/* The blends of one of the six coefficients, (T, C). */
static struct anser_view blend(const struct anser_pass *p, enum anser_mix mix)
{
    return (struct anser_view){ p->work->mixed.mem,
                                (uint32_t)mix * p->T * p->shape->C };
}

/* The inner vectors of the four LoRAs, one after the other. */
struct lows {
    struct anser_view w, a, v, g;
};

static struct lows lows(const struct anser_pass *p)
{
    const struct anser_v7_shape *s = p->shape;
    const cl_mem mem = p->work->low.mem;
    const uint32_t T = p->T;
    return (struct lows){
        { mem, 0 }, { mem, T * s->Dw }, { mem, T * (s->Dw + s->Da) },
        { mem, T * (s->Dw + s->Da + s->Dv) }
    };
}

/* [V7:layernorm] and [V7:shift] with n blends; the state then holds the last
 * token's normalised vector. */
static void norm_and_shift(const struct anser_pass *p, uint32_t weight,
                           uint32_t bias, struct shift_args shift)
{
    const struct anser_work *w = p->work;
    const uint32_t C = p->shape->C;
    const struct norm_args norm = { .C = C, .T = p->T, .weight_at = weight,
                                    .bias_at = bias,
                                    .eps = p->shape->ln_eps };
    anser_op_norm(p->q, &p->elementary->norm, &norm, p->vecs, w->x.mem,
                  w->xn.mem);
    shift.C = C;
    shift.T = p->T;
    anser_op_shift(p->q, &p->elementary->shift, &shift, p->vecs, p->state,
                   w->xn.mem, w->mixed.mem);
    anser_queue_copy(p->q, w->xn.mem, (size_t)(p->T - 1) * C * sizeof(float),
                     p->state, (size_t)shift.prev_at * sizeof(float),
                     C * sizeof(float));
}

static void time_in(const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct lows low = lows(p);
    norm_and_shift(p, l->ln1_w, l->ln1_b, (struct shift_args){
        .n = MIX_COUNT, .lerp_at = l->lerp,
        .prev_at = anser_layer_state(p->shape, l->index)
                   + (uint32_t)V7_STATE_ATT(p->shape) });
    project(p, &l->receptance, blend(p, MIX_R), whole(&w->r), SH_ACT_NONE);
    project(p, &l->key, blend(p, MIX_K), whole(&w->k), SH_ACT_NONE);
    project(p, &l->value, blend(p, MIX_V), whole(&w->v), SH_ACT_NONE);
    project(p, &l->w1, blend(p, MIX_W), low.w, SH_ACT_TANH);
    project(p, &l->a1, blend(p, MIX_A), low.a, SH_ACT_NONE);
    if (l->index > 0)
        project(p, &l->v1, blend(p, MIX_V), low.v, SH_ACT_NONE);
    project(p, &l->g1, blend(p, MIX_G), low.g, SH_ACT_SIGMOID);
}

static void time_mix(const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct anser_elementary *e = p->elementary;
    const struct lows low = lows(p);
    const uint32_t C = p->shape->C, T = p->T;
    const struct anser_heads heads = {
        .r = w->r.mem, .w = w->w.mem, .k = w->k.mem, .v = w->v.mem,
        .kk = w->kk.mem, .a = w->a.mem, .g = w->g.mem, .y = w->y.mem,
        .v_lora = w->v_lora.mem, .v_first = w->v_first.mem
    };
    project(p, &l->w2, low.w, whole(&w->w), SH_ACT_NONE);
    project(p, &l->a2, low.a, whole(&w->a), SH_ACT_NONE);
    if (l->index > 0)
        project(p, &l->v2, low.v, whole(&w->v_lora), SH_ACT_NONE);
    project(p, &l->g2, low.g, whole(&w->g), SH_ACT_NONE);
    const struct prepare_args prepare = {
        .C = C, .T = T, .w0_at = l->w0, .a0_at = l->a0, .v0_at = l->v0,
        .k_k_at = l->k_k, .k_a_at = l->k_a, .first = l->index == 0
    };
    anser_op_prepare(p->q, &e->prepare, &prepare, p->vecs, &heads);
    const struct wkv_args wkv = {
        .C = C, .T = T, .s_at = anser_layer_state(p->shape, l->index)
                                + (uint32_t)V7_STATE_S(p->shape)
    };
    anser_op_wkv7(p->q, &e->wkv7, &wkv, p->state, &heads);
    const struct finish_args finish = {
        .C = C, .T = T, .weight_at = l->ln_x_w, .bias_at = l->ln_x_b,
        .r_k_at = l->r_k, .eps = V7_GN_EPS
    };
    anser_op_finish(p->q, &e->finish, &finish, p->vecs, &heads);
}

static void time_out(const struct anser_pass *p, const struct anser_layer *l)
{
    project(p, &l->output, whole(&p->work->y), whole(&p->work->x),
            SH_ACT_ADD);
}

static void channel_in(const struct anser_pass *p, const struct anser_layer *l)
{
    norm_and_shift(p, l->ln2_w, l->ln2_b, (struct shift_args){
        .n = 1, .lerp_at = l->ffn_lerp,
        .prev_at = anser_layer_state(p->shape, l->index)
                   + (uint32_t)V7_STATE_FFN(p->shape) });
    project(p, &l->ffn_key, whole(&p->work->mixed), whole(&p->work->h),
            SH_ACT_RELU2);
}

static void channel_out(const struct anser_pass *p,
                        const struct anser_layer *l)
{
    project(p, &l->ffn_value, whole(&p->work->h), whole(&p->work->x),
            SH_ACT_ADD);
}

static bool fits_any(anser_device *device, const struct anser_v7_shape *shape,
                     const struct anser_layer *l, uint32_t T)
{
    (void)device;
    (void)shape;
    (void)l;
    (void)T;
    return true;
}

/* clang-format off */
static const struct anser_phase rows_a[] = {
    { "plain", time_in, fits_any }, { "nv-int8", anser_nv_time_in, anser_nv_fits },
    { "nv-mma", anser_nv_prefill_time_in, anser_nv_prefill_fits },
};
static const struct anser_phase rows_b[] = {
    { "plain", time_mix, fits_any }, { "nv", anser_nv_time_mix, anser_nv_fits },
    { "nv-mma", anser_nv_prefill_time_mix, anser_nv_prefill_fits },
};
static const struct anser_phase rows_c[] = {
    { "plain", time_out, fits_any }, { "nv-int8", anser_nv_time_out, anser_nv_fits },
    { "nv-mma", anser_nv_prefill_time_out, anser_nv_prefill_fits },
};
static const struct anser_phase rows_d[] = {
    { "plain", channel_in, fits_any }, { "nv-int8", anser_nv_channel_in, anser_nv_fits },
    { "nv-mma", anser_nv_prefill_channel_in, anser_nv_prefill_fits },
};
static const struct anser_phase rows_e[] = {
    { "plain", channel_out, fits_any }, { "nv-int8", anser_nv_channel_out, anser_nv_fits },
    { "nv-mma", anser_nv_prefill_channel_out, anser_nv_prefill_fits },
};
/* clang-format on */
#define ROWS(rows) rows, sizeof rows / sizeof *rows

const struct anser_phase_table anser_phases[PHASE_COUNT] = {
    { "time-in", ROWS(rows_a) },    { "time-mix", ROWS(rows_b) },
    { "time-out", ROWS(rows_c) },   { "channel-in", ROWS(rows_d) },
    { "channel-out", ROWS(rows_e) },
};

const struct anser_phase *anser_phase_choose(
    unsigned phase, anser_device *device, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T)
{
    const struct anser_phase_table *table = &anser_phases[phase];
    const struct anser_phase *wish = anser_select_phase(device, phase, shape,
                                                        l, T);
    uint32_t i = table->n - 1;
    if (wish != NULL && wish->fits(device, shape, l, T))
        return wish;
    while (i > 0 && !table->rows[i].fits(device, shape, l, T))
        i--;
    return &table->rows[i];
}
