/* SPDX-License-Identifier: MIT */
/*
 * Weights from the file to the device: which tensor goes where, one table.
 *
 * Matrices keep their blocks' values, laid out as the plan's kernels read them
 * (op/layout.h), and lie in few large buffers; one that is larger than a
 * single allocation may be is split by rows (placement.c).
 * Vectors become float32 in one buffer.
 */
#include "model/model.h"
#include "model/placement.h"
#include "model/stage.h"

#include <stdlib.h>
#include <string.h>

struct to_device {
    size_t from;                     /* in struct anser_v7_layer            */
    size_t to;                       /* in struct anser_layer               */
    bool matrix;                     /* else a vector                       */
};

#define FROM(field) offsetof(struct anser_v7_layer, field)
#define TO(field) offsetof(struct anser_layer, field)

/* clang-format off */
static const struct to_device layer_table[] = {
    { FROM(ln1_w), TO(ln1_w), false },   { FROM(ln1_b), TO(ln1_b), false },
    { FROM(ln2_w), TO(ln2_w), false },   { FROM(ln2_b), TO(ln2_b), false },
    { FROM(lerp), TO(lerp), false },
    { FROM(ffn_lerp), TO(ffn_lerp), false },
    { FROM(w0), TO(w0), false },         { FROM(a0), TO(a0), false },
    { FROM(v0), TO(v0), false },         { FROM(k_k), TO(k_k), false },
    { FROM(k_a), TO(k_a), false },       { FROM(r_k), TO(r_k), false },
    { FROM(ln_x_w), TO(ln_x_w), false }, { FROM(ln_x_b), TO(ln_x_b), false },
    { FROM(receptance), TO(receptance), true },
    { FROM(key), TO(key), true },        { FROM(value), TO(value), true },
    { FROM(w1), TO(w1), true },          { FROM(a1), TO(a1), true },
    { FROM(v1), TO(v1), true },          { FROM(g1), TO(g1), true },
    { FROM(w2), TO(w2), true },          { FROM(a2), TO(a2), true },
    { FROM(v2), TO(v2), true },          { FROM(g2), TO(g2), true },
    { FROM(output), TO(output), true },
    { FROM(ffn_key), TO(ffn_key), true },
    { FROM(ffn_value), TO(ffn_value), true },
};
/* clang-format on */
enum { LAYER_ROWS = sizeof layer_table / sizeof *layer_table };

/* One tensor on its way: the reference in the file and where it goes. */
struct item {
    anser_v7_ref tensor;
    bool matrix;
    bool embedding;                  /* a matrix that nothing multiplies by */
    void *to;                        /* struct anser_matrix, or uint32_t    */
};

typedef enum anser_status visit_fn(void *user, const struct item *item);

/* Layer 0 has no v0, v1, v2 of its own: what stands there is never read. */
static bool unread(const struct to_device *row, uint32_t layer)
{
    return layer == 0
           && (row->from == FROM(v0) || row->from == FROM(v1)
               || row->from == FROM(v2));
}

static enum anser_status visit_layer(anser_model *m, uint32_t i,
                                     const struct anser_v7_layer *from,
                                     visit_fn *fn, void *user)
{
    m->layers[i].index = i;
    for (int j = 0; j < LAYER_ROWS; j++) {
        const struct to_device *row = &layer_table[j];
        if (unread(row, i))
            continue;
        anser_v7_ref tensor;
        memcpy(&tensor, (const char *)from + row->from, sizeof tensor);
        const struct item item = { tensor, row->matrix, false,
                                   (char *)&m->layers[i] + row->to };
        TRY(fn(user, &item));
    }
    return ANSER_OK;
}

/* All tensors in the order in which a token reads them. */
static enum anser_status visit(anser_model *m, const struct anser_v7_file *v7,
                               visit_fn *fn, void *user)
{
    const struct item first[] = {
        { v7->embd, true, true, &m->embd },
        { v7->ln0_w, false, false, &m->ln0_w },
        { v7->ln0_b, false, false, &m->ln0_b },
    };
    const struct item last[] = {
        { v7->ln_out_w, false, false, &m->ln_out_w },
        { v7->ln_out_b, false, false, &m->ln_out_b },
        { v7->head, true, false, &m->head },
    };
    for (int i = 0; i < 3; i++)
        TRY(fn(user, &first[i]));
    for (uint32_t i = 0; i < m->shape.L; i++)
        TRY(visit_layer(m, i, &v7->layers[i], fn, user));
    for (int i = 0; i < 3; i++)
        TRY(fn(user, &last[i]));
    return ANSER_OK;
}

/* ------------------------------------------------------------- placing */

struct placing {
    anser_model *model;
    struct anser_placement *placement;
    uint32_t vec_floats;
};

static uint64_t elements(anser_v7_ref t)
{
    return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
}

static enum anser_status place_matrix(struct placing *p,
                                      const struct item *item)
{
    struct anser_matrix *W = item->to;
    const struct anser_gguf_tensor *t = item->tensor;
    W->block = t->block;
    W->cols = (uint32_t)t->ne[0];
    W->rows = (uint32_t)(elements(t) / t->ne[0]);
    W->row_bytes = (uint32_t)anser_block_bytes(t->block, W->cols);
    W->layout = ANSER_LAYOUT_FILE;
    if (!item->embedding) {
        const struct anser_need need = { .type = t->block->type,
                                         .rows = W->rows, .cols = W->cols,
                                         .precise = p->model->precise };
        TRY(anser_matmul_plan(p->model->device, &need, &W->plan));
        W->layout = W->plan->layout;
    }
    return anser_placement_add(p->placement, W);
}

static enum anser_status place(void *user, const struct item *item)
{
    struct placing *p = user;
    if (item->matrix)
        return place_matrix(p, item);
    const uint32_t at = p->vec_floats;
    memcpy(item->to, &at, sizeof at);
    p->vec_floats += (uint32_t)((elements(item->tensor) + 15) / 16 * 16);
    return ANSER_OK;
}

/* ----------------------------------------------------------- uploading */

struct uploading {
    anser_model *model;
    struct anser_queue *q;           /* a second one, beside the compute    */
    struct anser_stage stage;
    const anser_file *file;
    const struct anser_model_options *options;
    float *vecs;                     /* on the host, (vec_floats)           */
    uint64_t done, all, waiting;     /* bytes                               */
};

enum { IN_FLIGHT = 64 << 20 };       /* bytes between two looks at the queue */

static enum anser_status report(struct uploading *u, uint64_t bytes)
{
    u->done += bytes;
    u->waiting += bytes;
    if (u->waiting >= IN_FLIGHT) {
        TRY(anser_queue_finish(u->q));
        anser_stage_forget(u->file->map, u->file->bytes);
        u->waiting = 0;
    }
    const struct anser_model_options *o = u->options;
    if (o->progress != NULL
        && o->progress(o->progress_user, (double)u->done / (double)u->all))
        return anser_fail(u->model->ctx, ANSER_CANCELLED,
                          "loading was cancelled");
    return ANSER_OK;
}

static enum anser_status upload_matrix(struct uploading *u,
                                       const struct item *item)
{
    TRY(anser_stage_matrix(&u->stage, item->to, item->tensor->data));
    return report(u, item->tensor->bytes);
}

static enum anser_status upload(void *user, const struct item *item)
{
    struct uploading *u = user;
    if (item->matrix)
        return upload_matrix(u, item);
    uint32_t at;
    memcpy(&at, item->to, sizeof at);
    item->tensor->block->decode(item->tensor->data, u->vecs + at,
                                elements(item->tensor));
    return report(u, item->tensor->bytes);
}

static enum anser_status upload_all(anser_model *m, struct uploading *u,
                                    const struct anser_v7_file *v7,
                                    uint32_t vec_floats)
{
    enum anser_status status = visit(m, v7, upload, u);
    if (status == ANSER_OK)
        anser_queue_write(u->q, m->vecs.mem, 0, u->vecs,
                          vec_floats * sizeof(float));
    /* The mapped file must stay until the device has read it. */
    const enum anser_status left = anser_queue_finish(u->q);
    return status != ANSER_OK ? status : left;
}

static enum anser_status upload_weights(anser_model *m,
                                        const struct anser_v7_file *v7,
                                        const struct anser_model_options *o,
                                        uint32_t vec_floats)
{
    struct uploading u = { .model = m, .options = o, .file = v7->file,
                           .all = v7->file->bytes };
    enum anser_status status = ANSER_OK;
    u.vecs = calloc(vec_floats, sizeof *u.vecs);
    if (u.vecs == NULL)
        return anser_fail_memory(m->ctx, vec_floats * sizeof *u.vecs);
    TRY_OR_FAIL(anser_queue_new(m->device, NULL, &u.q));
    u.stage = (struct anser_stage){ .device = m->device, .q = u.q };
    status = upload_all(m, &u, v7, vec_floats);
fail:
    if (u.q != NULL)
        anser_stage_free(&u.stage);
    anser_queue_free(u.q);
    free(u.vecs);
    return status;
}

enum anser_status anser_weights_load(anser_model *m,
                                     const struct anser_v7_file *v7,
                                     const struct anser_model_options *o)
{
    struct anser_placement placement;
    struct placing p = { .model = m, .placement = &placement };
    enum anser_status status = ANSER_OK;
    m->layers = calloc(m->shape.L, sizeof *m->layers);
    if (m->layers == NULL)
        return anser_fail_memory(m->ctx, m->shape.L * sizeof *m->layers);
    anser_placement_init(&placement, m->ctx, m->device->caps.max_alloc);
    TRY_OR_FAIL(visit(m, v7, place, &p));
    TRY_OR_FAIL(anser_placement_buffers(&placement, m->device, &m->weights,
                                        &m->n_weights));
    TRY_OR_FAIL(anser_buf_new_exact(m->device, p.vec_floats * sizeof(float),
                                    &m->vecs));
    TRY_OR_FAIL(upload_weights(m, v7, o, p.vec_floats));
    m->device_bytes = placement.bytes + p.vec_floats * sizeof(float);
fail:
    anser_placement_free(&placement);
    return status;
}

/* Of matrices only the lists of parts are owned. */
static void free_layer(struct anser_layer *layer)
{
    for (int j = 0; j < LAYER_ROWS; j++)
        if (layer_table[j].matrix) {
            struct anser_matrix *W
                = (void *)((char *)layer + layer_table[j].to);
            free(W->parts);
        }
}

void anser_weights_free(anser_model *m)
{
    for (uint32_t i = 0; m->layers != NULL && i < m->shape.L; i++)
        free_layer(&m->layers[i]);
    free(m->layers);
    free(m->embd.parts);
    free(m->head.parts);
    anser_buf_free_exact(m->device, &m->vecs);
    for (uint32_t i = 0; i < m->n_weights; i++)
        anser_buf_free_exact(m->device, &m->weights[i]);
    free(m->weights);
}
