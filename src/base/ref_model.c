/* SPDX-License-Identifier: MIT */
/*
 * One token through a whole RWKV-7 model in plain C: spec 4.2 from top to
 * bottom.  The sizes are those of the file, N = C / H; all memory is taken in
 * _open.
 */
#include "base/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum lerp_row { LERP_R, LERP_W, LERP_K, LERP_V, LERP_A, LERP_G, N_LERP };

struct anser_ref_model {
    struct anser_v7_file v7;
    float *memory;                   /* owned: all below point into it      */
    float *x;                        /* (C) the residual stream             */
    float *xn;                       /* (C) normalised                      */
    float *mix;                      /* (6, C) shifted: r w k v a g         */
    float *r, *w, *k, *v, *a, *g, *kk, *y;  /* (C) each                     */
    float *v_first;                  /* (C) layer 0's v                     */
    float *inner;                    /* (max rank) between LoRA matrices    */
    float *lora;                     /* (C) behind them                     */
    float *h;                        /* (F)                                 */
    float *vec1, *vec2;              /* (6 C) decoded vectors               */
};

/* W x for a bound matrix. */
static void matvec(float *y, anser_v7_ref W, const float *x)
{
    anser_ref_matvec(y, W->block, W->data, W->ne[1], W->ne[0], x);
}

/* The elements of a vector, decoded to buf(6 C). */
static const float *vec(anser_v7_ref t, float *buf)
{
    size_t n = (size_t)(t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]);
    t->block->decode(t->data, buf, n);
    return buf;
}

static void layer_norm(struct anser_ref_model *m, float *y, anser_v7_ref w,
                       anser_v7_ref b)
{
    anser_ref_layer_norm(y, m->x, vec(w, m->vec1), vec(b, m->vec2),
                         m->v7.shape.C, m->v7.shape.ln_eps);
}

static void add_to_x(struct anser_ref_model *m, const float *y)
{
    for (uint32_t i = 0; i < m->v7.shape.C; i++)
        m->x[i] += y[i];
}

/* Steps 1 and 2: the six shifted inputs; prev becomes this token's. */
static void shift(struct anser_ref_model *m, const struct anser_v7_layer *l,
                  float *prev)
{
    uint32_t C = m->v7.shape.C;
    layer_norm(m, m->xn, l->ln1_w, l->ln1_b);
    const float *lerp = vec(l->lerp, m->vec1);
    for (size_t row = 0; row < N_LERP; row++)
        anser_ref_lerp(m->mix + row * C, m->xn, prev, lerp + row * C, C);
    memcpy(prev, m->xn, C * sizeof *prev);
}

static const float *mixed(const struct anser_ref_model *m, enum lerp_row row)
{
    return m->mix + (size_t)row * m->v7.shape.C;
}

/* Steps 4 to 6: decay, in-context learning rate, gate. */
static void loras(struct anser_ref_model *m, const struct anser_v7_layer *l)
{
    const struct anser_v7_shape *s = &m->v7.shape;
    matvec(m->inner, l->w1, mixed(m, LERP_W));
    for (uint32_t i = 0; i < s->Dw; i++)
        m->inner[i] = tanhf(m->inner[i]);
    matvec(m->lora, l->w2, m->inner);
    anser_ref_decay(m->w, vec(l->w0, m->vec1), m->lora, s->C);

    matvec(m->inner, l->a1, mixed(m, LERP_A));
    matvec(m->lora, l->a2, m->inner);
    anser_ref_iclr(m->a, vec(l->a0, m->vec1), m->lora, s->C);

    matvec(m->inner, l->g1, mixed(m, LERP_G));
    for (uint32_t i = 0; i < s->Dg; i++)
        m->inner[i] = 1.0f / (1.0f + expf(-m->inner[i]));
    matvec(m->g, l->g2, m->inner);
}

/* Step 7.  The first layer's v is what the others are drawn to. */
static void value_residual(struct anser_ref_model *m,
                           const struct anser_v7_layer *l, int first)
{
    uint32_t C = m->v7.shape.C;
    if (first) {
        memcpy(m->v_first, m->v, C * sizeof *m->v);
        return;
    }
    matvec(m->inner, l->v1, mixed(m, LERP_V));
    matvec(m->lora, l->v2, m->inner);
    anser_ref_value_mix(m->v, m->v_first, vec(l->v0, m->vec1), m->lora, C);
}

/* Steps 1 to 13. */
static void time_mix(struct anser_ref_model *m, const struct anser_v7_layer *l,
                     float *st, int first)
{
    const struct anser_v7_shape *s = &m->v7.shape;
    shift(m, l, st + V7_STATE_ATT(s));
    matvec(m->r, l->receptance, mixed(m, LERP_R));
    matvec(m->k, l->key, mixed(m, LERP_K));
    matvec(m->v, l->value, mixed(m, LERP_V));
    loras(m, l);
    value_residual(m, l, first);
    anser_ref_kk(m->kk, m->k, vec(l->k_k, m->vec1), s->H, s->N);
    anser_ref_key_mix(m->k, m->a, vec(l->k_a, m->vec1), s->C);
    struct anser_ref_wkv in = { m->r, m->w, m->k, m->v, m->kk, m->a, s->H,
                                s->N };
    anser_ref_wkv(m->y, st + V7_STATE_S(s), &in);
    anser_ref_group_norm(m->y, vec(l->ln_x_w, m->vec1),
                         vec(l->ln_x_b, m->vec2), s->H, s->N);
    anser_ref_bonus(m->y, m->r, m->k, m->v, vec(l->r_k, m->vec1), s->H, s->N);
    for (uint32_t i = 0; i < s->C; i++)      /* [V7:gate]                   */
        m->y[i] *= m->g[i];
    matvec(m->lora, l->output, m->y);
    add_to_x(m, m->lora);
}

/* Step 14. */
static void channel_mix(struct anser_ref_model *m,
                        const struct anser_v7_layer *l, float *st)
{
    const struct anser_v7_shape *s = &m->v7.shape;
    float *prev = st + V7_STATE_FFN(s);
    layer_norm(m, m->xn, l->ln2_w, l->ln2_b);
    anser_ref_lerp(m->y, m->xn, prev, vec(l->ffn_lerp, m->vec1), s->C);
    memcpy(prev, m->xn, s->C * sizeof *prev);
    matvec(m->h, l->ffn_key, m->y);
    anser_ref_relu2(m->h, s->F);
    matvec(m->y, l->ffn_value, m->h);
    add_to_x(m, m->y);
}

void anser_ref_token(struct anser_ref_model *m, float *state, uint32_t id,
                     float *logits)
{
    const struct anser_v7_shape *s = &m->v7.shape;
    anser_v7_ref embd = m->v7.embd;
    embd->block->decode(embd->data + id * anser_block_bytes(embd->block, s->C),
                        m->x, s->C);
    layer_norm(m, m->x, m->v7.ln0_w, m->v7.ln0_b);
    for (uint32_t i = 0; i < s->L; i++) {
        float *st = state + i * V7_STATE_FLOATS(s);
        time_mix(m, &m->v7.layers[i], st, i == 0);
        channel_mix(m, &m->v7.layers[i], st);
    }
    if (logits == NULL)
        return;
    layer_norm(m, m->xn, m->v7.ln_out_w, m->v7.ln_out_b);
    matvec(logits, m->v7.head, m->xn);
}

/* Hands out n floats of the model's memory, or only counts them. */
static float *take(float *memory, size_t *used, size_t n)
{
    float *at = memory == NULL ? NULL : memory + *used;
    *used += n;
    return at;
}

/* Sets all pointers into memory; returns the floats needed.  With memory NULL
 * nothing can be used yet. */
static size_t lay_out(struct anser_ref_model *m, float *memory)
{
    const struct anser_v7_shape *s = &m->v7.shape;
    size_t C = s->C, used = 0, rank = s->Dw;
    rank = s->Da > rank ? s->Da : rank;
    rank = s->Dv > rank ? s->Dv : rank;
    rank = s->Dg > rank ? s->Dg : rank;
    float **of_c[] = { &m->x, &m->xn, &m->r, &m->w, &m->k, &m->v, &m->a,
                       &m->g, &m->kk, &m->y, &m->v_first, &m->lora };
    for (size_t i = 0; i < sizeof of_c / sizeof of_c[0]; i++)
        *of_c[i] = take(memory, &used, C);
    m->mix = take(memory, &used, N_LERP * C);
    m->vec1 = take(memory, &used, N_LERP * C);
    m->vec2 = take(memory, &used, N_LERP * C);
    m->inner = take(memory, &used, rank);
    m->h = take(memory, &used, s->F);
    return used;
}

enum anser_status anser_ref_open(const anser_file *file,
                                 struct anser_ref_model **model)
{
    enum anser_status status;
    struct anser_ref_model *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(file->ctx, sizeof *made);
    TRY_OR_FAIL(anser_v7_bind(file, &made->v7));
    size_t floats = lay_out(made, NULL);
    made->memory = calloc(floats, sizeof *made->memory);
    if (made->memory == NULL) {
        status = anser_fail_memory(file->ctx, floats * sizeof *made->memory);
        goto fail;
    }
    lay_out(made, made->memory);
    *model = made;
    return ANSER_OK;
fail:
    anser_ref_close(made);
    return status;
}

void anser_ref_close(struct anser_ref_model *model)
{
    if (model == NULL)
        return;
    anser_v7_unbind(&model->v7);
    free(model->memory);
    free(model);
}

const struct anser_v7_shape *anser_ref_shape(const struct anser_ref_model *m)
{
    return &m->v7.shape;
}
