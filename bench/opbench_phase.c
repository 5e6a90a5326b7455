/* SPDX-License-Identifier: MIT */
/* opbench: each row of the phase tables on made-up layers of a model's sizes,
 * Q4_K as in a Q4_K_M file.  Sets of rows are compared with the plain ones
 * first (op/phase_set.h); all matrices lie in one buffer, as after loading. */
#include "model/model.h"
#include "op/phase_set.h"
#include "opbench.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 6, VECTORS = 19 };   /* C floats each; the lerp is six      */

struct made {
    struct opbench *b;
    struct anser_v7_shape shape;
    struct anser_layer layers[LAYERS];
    struct anser_part parts[LAYERS][14];
    struct anser_elementary elementary;
    struct anser_work work;          /* owned, as are the buffers           */
    struct anser_buf weights, vecs, state;
    uint64_t layer_bytes;
};

#define AT(member) offsetof(struct anser_layer, member)

/* The matrices of a layer, and the phase that reads each. */
static const struct row {
    size_t at;
    enum anser_type type;
    enum anser_v7_dim rows, cols;
    unsigned phase;
} matrices[14] = {
    { AT(receptance), ANSER_Q4_K, V7_C, V7_C, PHASE_A },
    { AT(key), ANSER_Q4_K, V7_C, V7_C, PHASE_A },
    { AT(value), ANSER_Q4_K, V7_C, V7_C, PHASE_A },
    { AT(w1), ANSER_F32, V7_DW, V7_C, PHASE_A },
    { AT(a1), ANSER_F16, V7_DA, V7_C, PHASE_A },
    { AT(v1), ANSER_F16, V7_DV, V7_C, PHASE_A },
    { AT(g1), ANSER_F16, V7_DG, V7_C, PHASE_A },
    { AT(w2), ANSER_F32, V7_C, V7_DW, PHASE_B },
    { AT(a2), ANSER_F16, V7_C, V7_DA, PHASE_B },
    { AT(v2), ANSER_F16, V7_C, V7_DV, PHASE_B },
    { AT(g2), ANSER_F16, V7_C, V7_DG, PHASE_B },
    { AT(output), ANSER_Q4_K, V7_C, V7_C, PHASE_C },
    { AT(ffn_key), ANSER_Q4_K, V7_F, V7_C, PHASE_D },
    { AT(ffn_value), ANSER_Q4_K, V7_C, V7_F, PHASE_E },
};

static struct anser_need need_of(const struct made *m, const struct row *r)
{
    return (struct anser_need){
        .type = r->type, .rows = (uint32_t)anser_v7_size(&m->shape, r->rows),
        .cols = (uint32_t)anser_v7_size(&m->shape, r->cols)
    };
}

static struct anser_matrix *matrix_of(struct anser_layer *l,
                                      const struct row *r)
{
    return (void *)((char *)l + r->at);
}

/* ------------------------------------------------------------- the layers */

/* Plans all matrices of all layers and gives each its place. */
static enum anser_status place(struct made *m)
{
    uint64_t at = 0;
    for (unsigned i = 0; i < LAYERS; i++)
        for (unsigned j = 0; j < 14; j++) {
            const struct anser_need need = need_of(m, &matrices[j]);
            struct anser_matrix *W = matrix_of(&m->layers[i], &matrices[j]);
            const struct anser_block *block = anser_block_find(need.type);
            *W = (struct anser_matrix){
                .block = block, .rows = need.rows, .cols = need.cols,
                .row_bytes = (uint32_t)anser_block_bytes(block, need.cols),
                .n_parts = 1, .parts = &m->parts[i][j]
            };
            TRY(anser_matmul_plan(m->b->device, &need, &W->plan));
            W->layout = W->plan->layout;
            m->parts[i][j] = (struct anser_part){
                .at = (uint32_t)(at / SH_UNIT), .rows = need.rows };
            at += (anser_layouts[W->layout].bytes(block, need.rows, need.cols)
                   + 255) / 256 * 256;
            if (i == 0)
                m->layer_bytes = at;
        }
    return anser_buf_new_exact(m->b->device, at, &m->weights);
}

/* Blocks as in the file, of about the size that keeps sums near one. */
static void made_up(const struct anser_matrix *W, unsigned char *data)
{
    const uint64_t n = (uint64_t)W->rows * W->cols;
    if (W->block->length > 1) {
        anser_check_blocks(W->block, data, n / W->block->length, 1);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        float x;
        anser_check_fill(&x, 1, i + 7, 0.0f, 0.03f);
        const uint16_t half = anser_float_to_half(x);
        if (W->block->type == ANSER_F32)
            memcpy(data + 4 * i, &x, sizeof x);
        else
            memcpy(data + 2 * i, &half, sizeof half);
    }
}

static enum anser_status upload(struct made *m, const struct anser_matrix *W,
                                unsigned char *data, struct anser_buf *file)
{
    struct anser_queue *q = m->b->device->queue;
    const struct anser_layout_info *layout = &anser_layouts[W->layout];
    const uint64_t bytes = (uint64_t)W->row_bytes * W->rows;
    made_up(W, data);
    if (layout->repack == NULL) {
        anser_queue_write(q, m->weights.mem,
                          (size_t)W->parts->at * SH_UNIT, data, bytes);
        return anser_queue_finish(q);
    }
    anser_queue_write(q, file->mem, 0, data, bytes);
    TRY(layout->repack(q, &(struct anser_repack){
        .block = W->block, .rows = W->rows, .cols = W->cols,
        .from = file->mem, .to = m->weights.mem, .to_at = W->parts->at }));
    return anser_queue_finish(q);
}

/* Layer 0; the others are copies of it. */
static enum anser_status fill(struct made *m)
{
    struct anser_queue *q = m->b->device->queue;
    const uint64_t most = (uint64_t)m->shape.C * m->shape.F * 4;
    unsigned char *data = malloc(most);
    struct anser_buf file = { .mem = NULL };
    enum anser_status status = data != NULL ? ANSER_OK
        : anser_fail_memory(m->b->device->ctx, most);
    if (status == ANSER_OK)
        status = anser_buf_new(m->b->device, most, &file);
    for (unsigned j = 0; j < 14 && status == ANSER_OK; j++)
        status = upload(m, matrix_of(&m->layers[0], &matrices[j]), data,
                        &file);
    for (unsigned i = 1; i < LAYERS && status == ANSER_OK; i++)
        anser_queue_copy(q, m->weights.mem, 0, m->weights.mem,
                         i * m->layer_bytes, m->layer_bytes);
    const enum anser_status left = anser_queue_finish(q);
    anser_buf_free(m->b->device, &file);
    free(data);
    return status != ANSER_OK ? status : left;
}

/* Vectors of a half and more; k_a is 0, so that prepare, run again and again,
 * leaves the key as it is. */
static enum anser_status fill_vectors(struct made *m)
{
    struct anser_queue *q = m->b->device->queue;
    const size_t C = m->shape.C, n = VECTORS * C;
    float *x = malloc(n * sizeof *x);
    if (x == NULL)
        return anser_fail_memory(m->b->device->ctx, n * sizeof *x);
    anser_check_fill(x, n, 3, 0.5f, 0.5f);
    memset(x + m->layers[0].k_a, 0, C * sizeof *x);
    anser_queue_write(q, m->vecs.mem, 0, x, n * sizeof *x);
    const enum anser_status status = anser_queue_finish(q);
    free(x);
    return status;
}

static void place_vectors(struct made *m)
{
    for (uint32_t i = 0; i < LAYERS; i++) {
        struct anser_layer *l = &m->layers[i];
        uint32_t *const all[] = { &l->ln1_w, &l->ln1_b, &l->ln2_w, &l->ln2_b,
            &l->ffn_lerp, &l->w0, &l->a0, &l->v0, &l->k_k, &l->k_a, &l->r_k,
            &l->ln_x_w, &l->ln_x_b, &l->lerp };
        for (uint32_t j = 0; j < sizeof all / sizeof *all; j++)
            *all[j] = j * m->shape.C;
        l->index = i;
    }
}

static enum anser_status make(struct made *m, const struct opbench_sizes *s)
{
    anser_device *device = m->b->device;
    m->shape = (struct anser_v7_shape){
        .C = s->C, .H = s->C / SH_HEAD, .N = SH_HEAD, .F = s->F, .V = s->V,
        .L = LAYERS, .Dw = s->rank[0], .Da = s->rank[1], .Dv = s->rank[2],
        .Dg = s->rank[3], .ln_eps = V7_LN_EPS
    };
    TRY(place(m));
    for (unsigned i = 0; i < LAYERS; i++)
        for (unsigned j = 0; j < 14; j++)
            m->parts[i][j].mem = m->weights.mem;
    place_vectors(m);
    TRY(anser_buf_new(device, VECTORS * (size_t)s->C * 4, &m->vecs));
    TRY(anser_buf_new(device, anser_v7_state_bytes(&m->shape), &m->state));
    TRY(anser_work_new(device, &m->shape, 128, &m->work));
    TRY(anser_elementary(device, s->C, &m->elementary));
    TRY(fill_vectors(m));
    return fill(m);
}

static void unmake(struct made *m)
{
    anser_device *device = m->b->device;
    anser_work_free(device, &m->work);
    anser_buf_free(device, &m->state);
    anser_buf_free(device, &m->vecs);
    anser_buf_free_exact(device, &m->weights);
}

/* --------------------------------------------------------------- the rows */

struct phase_run {
    const struct anser_layers *layers;
    const struct anser_phase_set *set;
    unsigned phase;
    uint32_t next;                   /* layer                               */
};

static void run_phase(struct opbench_work *w)
{
    struct phase_run *r = w->data;
    r->set->rows[r->next][r->phase]->run(&r->layers->pass,
                                         &r->layers->at[r->next]);
    r->next = (r->next + 1) % r->layers->n;
}

/* The weights of a phase, and the state where it is used. */
static void count(const struct made *m, unsigned phase,
                  struct opbench_work *w)
{
    for (unsigned j = 0; j < 14; j++) {
        const struct anser_need need = need_of(m, &matrices[j]);
        const struct anser_block *block = anser_block_find(need.type);
        if (matrices[j].phase != phase)
            continue;
        w->bytes += (double)anser_block_bytes(block, need.cols) * need.rows;
        w->operations += 2.0 * need.rows * need.cols;
    }
    if (phase == PHASE_B)
        w->bytes += 8.0 * m->shape.C * SH_HEAD;
}

/* The rows of a set that the one below it does not have. */
static enum anser_status time_set(struct made *m,
                                  const struct opbench_sizes *sizes,
                                  const struct anser_layers *layers,
                                  const struct anser_phase_set *set,
                                  const struct anser_phase_set *below)
{
    const uint32_t last = LAYERS - 1;
    for (unsigned j = 0; j < PHASE_COUNT; j++) {
        struct phase_run r = { .layers = layers, .set = set, .phase = j };
        struct opbench_work w = { .run = run_phase, .data = &r,
            .op = anser_phases[j].name, .variant = set->rows[last][j]->name };
        if ((below->rows != NULL && set->rows[last][j] == below->rows[last][j])
            || !opbench_wanted(m->b, w.op))
            continue;
        snprintf(w.shape, sizeof w.shape, "%s T %u", sizes->name,
                 (unsigned)layers->pass.T);
        count(m, j, &w);
        w.operations *= layers->pass.T;
        TRY(opbench_tell(m->b, &w));
    }
    return ANSER_OK;
}

/* Set number i, if there is one and it is right, which *set then holds. */
static enum anser_status get_set(struct made *m,
                                 const struct anser_layers *layers, uint32_t i,
                                 struct anser_phase_set *set)
{
    struct anser_error error;
    char why[160];
    TRY(anser_phase_set_new(layers, i, set));
    if (i == 0 || set->rows == NULL)
        return ANSER_OK;
    TRY(anser_phase_set_check(layers, set, &error));
    if (error.error <= error.bound)
        return ANSER_OK;
    snprintf(why, sizeof why, "%s: error %.3g, bound %.3g", error.shape,
             error.error, error.bound);
    opbench_wrong(m->b, "phases", set->name, why);
    anser_phase_set_free(set);
    return ANSER_OK;
}

static enum anser_status time_all(struct made *m,
                                  const struct opbench_sizes *sizes,
                                  uint32_t T)
{
    const struct anser_layers layers = {
        .pass = { .q = m->b->device->queue, .shape = &m->shape,
                  .elementary = &m->elementary, .work = &m->work,
                  .vecs = m->vecs.mem, .state = m->state.mem, .T = T },
        .at = m->layers, .n = LAYERS
    };
    struct anser_phase_set below = { .rows = NULL }, set;
    enum anser_status status = ANSER_OK;
    uint32_t most = 1;
    for (unsigned j = 0; j < PHASE_COUNT; j++)
        most = anser_phases[j].n > most ? anser_phases[j].n : most;
    for (uint32_t i = 0; i < most && status == ANSER_OK; i++) {
        status = get_set(m, &layers, i, &set);
        if (status != ANSER_OK || set.rows == NULL)
            continue;
        status = time_set(m, sizes, &layers, &set, &below);
        anser_phase_set_free(&below);
        below = set;
    }
    anser_phase_set_free(&below);
    return status;
}

enum anser_status opbench_phases(struct opbench *b,
                                 const struct opbench_sizes *sizes)
{
    struct made m = { .b = b };
    int wanted = 0;
    for (unsigned j = 0; j < PHASE_COUNT; j++)
        wanted = wanted || opbench_wanted(b, anser_phases[j].name);
    if (!wanted)
        return ANSER_OK;
    enum anser_status status = make(&m, sizes);
    if (status == ANSER_OK)
        status = time_all(&m, sizes, 1);
    if (status == ANSER_OK)
        status = time_all(&m, sizes, b->quick ? 32 : 128);
    unmake(&m);
    return status;
}
