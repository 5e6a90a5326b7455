/* SPDX-License-Identifier: MIT */
/* Layers 0 and 1 of a made-up model by kernels for NVIDIA against the plain
 * rows of the phases, which are checked against ref. */
#include "op/check.h"
#include "op/nv_token.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* int8 activations and half-precision inputs of the LoRAs, twice through all
 * phases; a wrong kernel gives an error above 1. */
#define BOUND 0.25

/* VECTORS of C floats each; the lerp is six. */
enum { LAYERS = 2, VECTORS = 19, HEAD_ROWS = 1024 };

/* The buffers of the trial. */
enum { VECS, STATE, X, XN, MIXED, R, W, K, V, KK, A, G, Y, V_FIRST, V_LORA,
       LOW, HIDDEN, SPARE, LOGITS, IDS, BUFFERS };

struct world {
    struct anser_trial trial;
    struct anser_buf weights;
    unsigned char *host;             /* owned: of weights                   */
    size_t bytes, halves_at, floats_at, head_at; /* Q4_K blocks, LoRAs, Q6_K */
    struct anser_v7_shape shape;
    struct anser_layer layers[LAYERS];
    struct anser_elementary elementary;
    struct anser_work work;          /* borrows the trial's buffers         */
};

/* Halves or floats of a size that keeps the LoRAs' sums near one. */
static void fill_lora(unsigned char *to, uint32_t type, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float x;
        anser_check_fill(&x, 1, i + 7, 0.0f, 0.03f);
        const uint16_t h = anser_float_to_half(x);
        if (type == ANSER_F32)
            memcpy(to + 4 * i, &x, sizeof x);
        else
            memcpy(to + 2 * i, &h, sizeof h);
    }
}

static enum anser_status plan(struct world *w, anser_device *device,
                              struct anser_matrix *m, uint32_t type,
                              uint32_t rows, uint32_t cols)
{
    const struct anser_need need = { .type = type, .rows = rows, .cols = cols,
                                     .precise = true };
    m->block = anser_block_find(type);
    m->rows = rows;
    m->cols = cols;
    m->row_bytes = (uint32_t)anser_block_bytes(m->block, cols);
    m->n_parts = 1;
    m->parts = calloc(1, sizeof *m->parts);
    if (m->parts == NULL)
        return anser_fail_memory(device->ctx, sizeof *m->parts);
    m->parts[0] = (struct anser_part){ w->weights.mem, 0, 0, rows };
    return anser_matmul_plan(device, &need, &m->plan);
}

/* The matrices of a layer, in the order of the lists below. */
static void matrices_of(struct anser_layer *l, struct anser_matrix *big[6],
                        struct anser_matrix *lora[8])
{
    struct anser_matrix *const b[6] = { &l->receptance, &l->key, &l->value,
                                        &l->output, &l->ffn_key,
                                        &l->ffn_value };
    struct anser_matrix *const s[8] = { &l->w1, &l->w2, &l->a1, &l->a2,
                                        &l->v1, &l->v2, &l->g1, &l->g2 };
    memcpy(big, b, sizeof b);
    memcpy(lora, s, sizeof s);
}

/* Every matrix of a kind begins elsewhere in the same blocks: 288 bytes, two
 * blocks, are a whole number of units. */
static enum anser_status layer_init(struct world *w, anser_device *device,
                                    const struct anser_nv_shape *s,
                                    uint32_t index)
{
    struct anser_layer *l = &w->layers[index];
    struct anser_matrix *big[6], *lora[8];
    uint32_t *const vecs[] = { &l->ln1_w, &l->ln1_b, &l->ln2_w, &l->ln2_b,
                               &l->ffn_lerp, &l->w0, &l->a0, &l->v0, &l->k_k,
                               &l->k_a, &l->r_k, &l->ln_x_w, &l->ln_x_b,
                               &l->lerp };
    l->index = index;
    for (uint32_t i = 0; i < sizeof vecs / sizeof *vecs; i++)
        *vecs[i] = i * s->C;
    matrices_of(l, big, lora);
    for (uint32_t i = 0; i < 6; i++) {
        TRY(plan(w, device, big[i], ANSER_Q4_K, i == 4 ? s->F : s->C,
                 i == 5 ? s->F : s->C));
        big[i]->parts[0].at = (i + 6 * index) * 288 / SH_UNIT;
    }
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t rank = s->rank[i / 2], up = i % 2;
        TRY(plan(w, device, lora[i], s->type[i / 2], up ? s->C : rank,
                 up ? rank : s->C));
        lora[i]->parts[0].at = 2 * i + (uint32_t)((s->type[i / 2] == ANSER_F32
                               ? w->floats_at : w->halves_at) / SH_UNIT);
    }
    return ANSER_OK;
}

/* Made-up blocks have weights near one; a 16th keeps y within halves. */
static void fill_blocks(unsigned char *to, const struct anser_block *block,
                        uint64_t n)
{
    anser_check_blocks(block, to, n, 1);
    for (uint64_t i = 0; i < 2 * n; i++) {   /* Q4_K: scale and minimum     */
        unsigned char *at = to + i / 2 * block->bytes + i % 2 * 2;
        uint16_t h;
        memcpy(&h, at, sizeof h);
        h = anser_float_to_half(anser_half_to_float(h) / 16.0f);
        memcpy(at, &h, sizeof h);
    }
}

/* Blocks for the largest matrix; halves and floats for the largest LoRA. */
static enum anser_status weights_init(struct world *w, anser_device *device,
                                      const struct anser_nv_shape *s)
{
    const struct anser_block *block = anser_block_find(ANSER_Q4_K);
    const struct anser_block *six = anser_block_find(ANSER_Q6_K);
    const uint64_t n = (uint64_t)s->C * s->F / 256 + 2 * 6 * LAYERS;
    uint32_t rank = 0;
    for (int i = 0; i < NV_LORAS; i++)
        rank = s->rank[i] > rank ? s->rank[i] : rank;
    const size_t numbers = (size_t)rank * s->C + 256;
    w->halves_at = (n * block->bytes + 255) / 256 * 256;
    w->floats_at = w->halves_at + (numbers * 2 + 255) / 256 * 256;
    w->head_at = w->floats_at + (numbers * 4 + 255) / 256 * 256;
    w->bytes = w->head_at + anser_block_bytes(six, HEAD_ROWS * s->C);
    w->host = calloc(1, w->bytes);
    if (w->host == NULL)
        return anser_fail_memory(device->ctx, w->bytes);
    fill_blocks(w->host, block, n);
    anser_check_blocks(six, w->host + w->head_at,
                       (uint64_t)HEAD_ROWS * s->C / 256, 2);
    fill_lora(w->host + w->halves_at, ANSER_F16, numbers);
    fill_lora(w->host + w->floats_at, ANSER_F32, numbers);
    TRY(anser_buf_new(device, w->bytes, &w->weights));
    anser_queue_write(device->queue, w->weights.mem, 0, w->host, w->bytes);
    return ANSER_OK;
}

static void buffers_init(struct world *w, anser_device *device,
                         const struct anser_nv_trial *trial)
{
    const struct anser_nv_shape *s = trial->shape;
    const size_t C = s->C, n = trial->T * C;
    const size_t whole = (trial->T + ANSER_TOKEN_STEP - 1) / ANSER_TOKEN_STEP
                         * ANSER_TOKEN_STEP * C;
    const size_t low = s->rank[0] + s->rank[1] + s->rank[2] + s->rank[3];
    const size_t floats[BUFFERS] = {
        VECTORS * C, LAYERS * (C * SH_HEAD + 2 * C), n, n, MIX_COUNT * whole, n, n,
        n, n, n, n, n, n, n, n, trial->T * low, (size_t)trial->T * s->F,
        LAYERS * (C * SH_HEAD + 2 * C), HEAD_ROWS, 1
    };
    struct anser_work *k = &w->work;
    struct anser_buf *const to[BUFFERS] = {
        NULL, NULL, &k->x, &k->xn, &k->mixed, &k->r, &k->w, &k->k, &k->v,
        &k->kk, &k->a, &k->g, &k->y, &k->v_first, &k->v_lora, &k->low, &k->h,
        NULL, NULL, &k->ids
    };
    anser_trial_init(&w->trial, device);
    for (unsigned i = 0; i < BUFFERS; i++) {
        anser_trial_add(&w->trial, floats[i], 0, 1);
        if (to[i] != NULL)
            *to[i] = w->trial.buf[i];
    }
}

static enum anser_status world_init(struct world *w, anser_device *device,
                                    const struct anser_nv_trial *trial)
{
    const struct anser_nv_shape *s = trial->shape;
    memset(w, 0, sizeof *w);
    w->shape = (struct anser_v7_shape){
        .C = s->C, .H = s->C / SH_HEAD, .N = SH_HEAD, .F = s->F, .L = LAYERS,
        .Dw = s->rank[NV_W], .Da = s->rank[NV_A], .Dv = s->rank[NV_V],
        .Dg = s->rank[NV_G], .ln_eps = V7_LN_EPS
    };
    buffers_init(w, device, trial);
    TRY(w->trial.status);
    TRY(weights_init(w, device, s));
    TRY(anser_elementary(device, s->C, &w->elementary));
    for (uint32_t i = 0; i < LAYERS; i++)
        TRY(layer_init(w, device, s, i));
    return ANSER_OK;
}

static enum anser_status world_free(struct world *w, anser_device *device)
{
    for (uint32_t i = 0; i < LAYERS; i++) {
        struct anser_matrix *big[6], *lora[8];
        matrices_of(&w->layers[i], big, lora);
        for (int j = 0; j < 6; j++)
            free(big[j]->parts);
        for (int j = 0; j < 8; j++)
            free(lora[j]->parts);
    }
    const enum anser_status status = anser_trial_free(&w->trial);
    anser_buf_free(device, &w->weights);
    free(w->host);
    return status;
}

/* All phases of both layers from the trial's x and state; by the kernels, or
 * by the plain rows. */
static void forward(struct world *w, const struct anser_nv_trial *trial,
                    bool plain)
{
    struct anser_trial *t = &w->trial;
    struct anser_queue *q = t->device->queue;
    const struct anser_pass pass = {
        .q = q, .shape = &w->shape, .elementary = &w->elementary,
        .work = &w->work, .vecs = t->buf[VECS].mem,
        .state = t->buf[STATE].mem, .T = trial->T
    };
    anser_queue_write(q, t->buf[X].mem, 0, t->host[X],
                      t->count[X] * sizeof(float));
    anser_queue_write(q, t->buf[STATE].mem, 0, t->host[STATE],
                      t->count[STATE] * sizeof(float));
    for (uint32_t i = 0; i < LAYERS; i++)
        for (unsigned j = 0; j < PHASE_COUNT; j++) {
            if (plain)
                anser_phases[j].rows[0].run(&pass, &w->layers[i]);
            else
                trial->run(trial->kernels, j, &pass, &w->layers[i]);
        }
}

static double compare(struct world *w, const struct anser_nv_trial *trial)
{
    struct anser_trial *t = &w->trial;
    double most = NAN;
    forward(w, trial, true);
    float *x = anser_trial_read(t, X), *state = anser_trial_read(t, STATE);
    forward(w, trial, false);
    float *x8 = anser_trial_read(t, X), *state8 = anser_trial_read(t, STATE);
    if (x8 != NULL && state8 != NULL && x != NULL && state != NULL) {
        const double a = anser_check_error(x8, x, t->count[X]);
        const double b = anser_check_error(state8, state, t->count[STATE]);
        most = a <= b ? b : a;
    }
    free(x);
    free(state);
    free(x8);
    free(state8);
    return most;
}

enum anser_status anser_nv_compare(anser_device *device,
                                   const struct anser_nv_trial *trial,
                                   struct anser_error *error)
{
    struct world w;
    const enum anser_status status = world_init(&w, device, trial);
    snprintf(error->shape, sizeof error->shape, "C %u F %u T %u, 2 layers",
             trial->shape->C, trial->shape->F, trial->T);
    error->bound = BOUND;
    error->error = status == ANSER_OK ? compare(&w, trial) : NAN;
    const enum anser_status left = world_free(&w, device);
    return status != ANSER_OK ? status : left;
}

static void run_one(const void *kernels, unsigned phase,
                    const struct anser_pass *p, const struct anser_layer *l)
{
    anser_nv_run(kernels, phase, p, l);
}

enum anser_status anser_nv_check(anser_device *device,
                                 const struct anser_nv *nv,
                                 struct anser_error *error)
{
    const struct anser_nv_trial trial = { &nv->shape, 1, run_one, nv };
    return anser_nv_compare(device, &trial, error);
}

/* ------------------------------------------------ a token in one launch */

/* Tokens by phases and in one launch: long enough for a wait that fails
 * now and then. */
enum { TRIAL_TOKENS = 64 };

/* What the trial compares; of one launch, also what it chose. */
struct outcome {
    float *state, *logits, *id;      /* owned                               */
};

static void outcome_free(struct outcome *o)
{
    free(o->state);
    free(o->logits);
    free(o->id);
}

/* Whether the word at id is the place of the largest logit. */
static bool is_best(const float *id, const float *logits)
{
    uint32_t best = 0, chosen;
    for (uint32_t i = 1; i < HEAD_ROWS; i++)
        best = logits[i] > logits[best] ? i : best;
    memcpy(&chosen, id, sizeof chosen);
    return chosen == best;
}

/* b is of one launch. */
static bool same(const struct world *w, const struct outcome *a,
                 const struct outcome *b)
{
    const size_t *n = w->trial.count;
    return a->state != NULL && a->logits != NULL
           && b->state != NULL && b->logits != NULL && b->id != NULL
           && is_best(b->id, b->logits)
           && memcmp(a->state, b->state, n[STATE] * sizeof(float)) == 0
           && memcmp(a->logits, b->logits, HEAD_ROWS * sizeof(float)) == 0;
}

/* All tokens from the same state, each from the trial's x. */
static struct outcome run_tokens(struct world *w, struct anser_token *t,
                                 bool whole)
{
    struct anser_trial *b = &w->trial;
    struct anser_queue *q = b->device->queue;
    unsigned state = STATE, other = SPARE;
    struct anser_pass pass = {
        .q = q, .shape = &w->shape, .elementary = &w->elementary,
        .work = &w->work, .vecs = b->buf[VECS].mem, .T = 1
    };
    anser_queue_write(q, b->buf[STATE].mem, 0, b->host[STATE],
                      b->count[STATE] * sizeof(float));
    for (int i = 0; i < TRIAL_TOKENS; i++) {
        anser_queue_write(q, b->buf[X].mem, 0, b->host[X],
                          b->count[X] * sizeof(float));
        pass.state = b->buf[state].mem;
        if (whole) {
            anser_token_run(t, &pass, b->buf[other].mem, b->buf[LOGITS].mem);
            const unsigned last = state;
            state = other;
            other = last;
            continue;
        }
        anser_token_begin(t, &pass);
        for (uint32_t j = 0; j < LAYERS * PHASE_COUNT; j++)
            anser_nv_run(t->nv, j % PHASE_COUNT, &pass,
                         &w->layers[j / PHASE_COUNT]);
        anser_token_end(t, &pass, b->buf[LOGITS].mem);
    }
    return (struct outcome){ anser_trial_read(b, state),
                             anser_trial_read(b, LOGITS),
                             whole ? anser_trial_read(b, IDS) : NULL };
}

/* OK if the launches of whole tokens end and give the same bits. */
static enum anser_status try_tokens(struct world *w, struct anser_token *t)
{
    struct anser_token_lost lost;
    uint32_t seen;
    const struct anser_pass pass = {
        .q = t->device->queue, .shape = &w->shape, .work = &w->work,
        .vecs = w->trial.buf[VECS].mem, .state = w->trial.buf[STATE].mem
    };
    TRY(anser_token_count(t, &pass, &seen));
    if (seen < t->device->caps.units)
        return anser_fail(t->device->ctx, ANSER_UNSUPPORTED,
                          "%u groups run at once", (unsigned)seen);
    t->groups = t->device->caps.units;
    struct outcome a = run_tokens(w, t, false), b = run_tokens(w, t, true);
    enum anser_status status = anser_token_settle(t, &lost);
    if (status == ANSER_OK && (lost.n > 0 || !same(w, &a, &b)))
        status = anser_fail(t->device->ctx, ANSER_DEVICE_FAILED,
                            "a token in one launch: %u of %d gave up, others "
                            "or the choice differ", (unsigned)lost.n, TRIAL_TOKENS);
    outcome_free(&a);
    outcome_free(&b);
    return status;
}

enum anser_status anser_nv_try_token(anser_device *device,
                                 const struct anser_nv_shape *shape)
{
    struct anser_nv nv;
    struct anser_token token = { .device = device };
    struct world w;
    TRY(anser_nv_build(device, shape, &nv));
    TRY(anser_nv_build_token(device, &nv));
    const struct anser_nv_trial trial = { .shape = shape, .T = 1 };
    enum anser_status status = world_init(&w, device, &trial);
    struct anser_part part = { w.weights.mem,
                               (uint32_t)(w.head_at / SH_UNIT), 0, HEAD_ROWS };
    const struct anser_matrix head = { .rows = HEAD_ROWS, .cols = shape->C,
                                       .n_parts = 1, .parts = &part };
    w.shape.V = HEAD_ROWS;
    const struct anser_token_parts parts = {
        .shape = &w.shape, .layers = w.layers, .head = &head,
        .ln0_w = 0, .ln0_b = shape->C, .ln_out_w = 0, .ln_out_b = shape->C
    };
    if (status == ANSER_OK)
        status = anser_nv_token_make(device, &nv, &parts, &token);
    if (status == ANSER_OK)
        status = try_tokens(&w, &token);
    anser_token_drop(&token);
    const enum anser_status left = world_free(&w, device);
    return status != ANSER_OK ? status : left;
}
