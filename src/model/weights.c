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
#include "model/upload.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    bool sparse;                     /* what it multiplies is of relu^2     */
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
                                   row->to == TO(ffn_value),
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
        { v7->embd, true, true, false, &m->embd },
        { v7->ln0_w, false, false, false, &m->ln0_w },
        { v7->ln0_b, false, false, false, &m->ln0_b },
    };
    const struct item last[] = {
        { v7->ln_out_w, false, false, false, &m->ln_out_w },
        { v7->ln_out_b, false, false, false, &m->ln_out_b },
        { v7->head, true, false, false, &m->head },
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
                                         .precise = p->model->precise,
                                         .sparse = item->sparse };
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

/* ------------------------------------------------------------- loading */

struct anser_loading {
    anser_model *model;              /* borrowed                            */
    const struct anser_v7_file *v7;  /* borrowed                            */
    const struct anser_model_options *options;
    struct anser_queue *q;           /* owned: beside that of the compute   */
    struct anser_stage stage;        /* owned                               */
    struct anser_upload *upload;     /* owned: what keeps its layout        */
    float *vecs;                     /* owned: on the host, (vec_floats)    */
    uint32_t vec_floats;
    uint64_t changed;                /* bytes                               */
    const unsigned char *first;      /* in the file: changed since the last */
    uint64_t waiting;                /* look at the queue, and its bytes    */
};

enum { IN_FLIGHT = 64 << 20 };       /* bytes between two looks at the queue */

static enum anser_status progress(const struct anser_loading *l)
{
    const struct anser_model_options *o = l->options;
    const double done = (double)(l->changed + anser_upload_done(l->upload));
    if (o->progress == NULL
        || !o->progress(o->progress_user, done / (double)l->v7->file->bytes))
        return ANSER_OK;
    anser_upload_cancel(l->upload);
    return anser_fail(l->model->ctx, ANSER_CANCELLED,
                      "loading was cancelled");
}

/* Matrices that keep their layout go to the threads, vectors to the host's
 * buffer. */
static enum anser_status collect(void *user, const struct item *item)
{
    struct anser_loading *l = user;
    const struct anser_gguf_tensor *t = item->tensor;
    if (item->matrix) {
        const struct anser_matrix *W = item->to;
        if (anser_layouts[W->layout].repack != NULL)
            return ANSER_OK;
        for (uint32_t i = 0; i < W->n_parts; i++) {
            const struct anser_part *part = &W->parts[i];
            TRY(anser_upload_add(l->upload, part->mem,
                                 (size_t)part->at * SH_UNIT,
                                 t->data + (size_t)part->row0 * W->row_bytes,
                                 (size_t)part->rows * W->row_bytes));
        }
        return ANSER_OK;
    }
    uint32_t at;
    memcpy(&at, item->to, sizeof at);
    t->block->decode(t->data, l->vecs + at, elements(t));
    l->changed += t->bytes;
    return ANSER_OK;
}

/* Waits for what was enqueued and gives its pages back. */
static enum anser_status settle(struct anser_loading *l)
{
    TRY(anser_queue_finish(l->q));
    const unsigned char *from = l->v7->file->map;
    if (l->waiting > 0)              /* and what others have mapped so far  */
        anser_stage_forget(from, (size_t)(l->first - from) + l->waiting);
    l->waiting = 0;
    return progress(l);
}

/* The other matrices. */
static enum anser_status change(void *user, const struct item *item)
{
    struct anser_loading *l = user;
    const struct anser_gguf_tensor *t = item->tensor;
    const struct anser_matrix *W = item->to;
    if (!item->matrix || anser_layouts[W->layout].repack == NULL)
        return ANSER_OK;
    /* What is given back is one run of the file. */
    if (l->waiting > 0 && (t->data < l->first
                           || t->data + t->bytes > l->first + IN_FLIGHT))
        TRY(settle(l));
    if (l->waiting == 0)
        l->first = t->data;
    TRY(anser_stage_matrix(&l->stage, W, t->data));
    l->waiting = (uint64_t)(t->data + t->bytes - l->first);
    l->changed += t->bytes;
    return ANSER_OK;
}

static enum anser_status begin(struct anser_loading *l)
{
    anser_model *m = l->model;
    const bool cpu = (m->device->caps.type & CL_DEVICE_TYPE_CPU) != 0;
    l->vecs = calloc(l->vec_floats, sizeof *l->vecs);
    if (l->vecs == NULL)
        return anser_fail_memory(m->ctx, l->vec_floats * sizeof *l->vecs);
    TRY(anser_queue_new(m->device, NULL, &l->q));
    TRY(anser_upload_new(m->device, !cpu, &l->upload));
    l->stage = (struct anser_stage){ .device = m->device, .q = l->q };
    TRY(visit(m, l->v7, collect, l));
    anser_upload_start(l->upload);
    anser_queue_write(l->q, m->vecs.mem, 0, l->vecs,
                      l->vec_floats * sizeof(float));
    anser_queue_flush(l->q);
    TRY(visit(m, l->v7, change, l));
    return settle(l);
}

/* The mapped file and vecs must stay until the device has read them. */
static void free_loading(struct anser_loading *l)
{
    if (l->q != NULL) {
        (void)anser_queue_finish(l->q);
        anser_stage_free(&l->stage);
    }
    anser_queue_free(l->q);
    anser_upload_free(l->upload);
    free(l->vecs);
    free(l);
}

enum anser_status anser_weights_begin(anser_model *m,
                                      const struct anser_v7_file *v7,
                                      const struct anser_model_options *o,
                                      struct anser_loading **loading)
{
    struct anser_placement placement;
    struct placing p = { .model = m, .placement = &placement };
    enum anser_status status = ANSER_OK;
    struct anser_loading *l = calloc(1, sizeof *l);
    m->layers = calloc(m->shape.L, sizeof *m->layers);
    if (l == NULL || m->layers == NULL) {
        free(l);
        return anser_fail_memory(m->ctx, m->shape.L * sizeof *m->layers);
    }
    *l = (struct anser_loading){ .model = m, .v7 = v7, .options = o };
    anser_placement_init(&placement, m->ctx, m->device->caps.max_alloc);
    const double from = anser_clock_ms();
    TRY_OR_FAIL(visit(m, v7, place, &p));
    TRY_OR_FAIL(anser_placement_buffers(&placement, m->device, &m->weights,
                                        &m->n_weights));
    TRY_OR_FAIL(anser_buf_new_exact(m->device, p.vec_floats * sizeof(float),
                                    &m->vecs));
    anser_log_time(m->ctx, "kernels of matrices, buffers", from);
    l->vec_floats = p.vec_floats;
    m->device_bytes = placement.bytes + p.vec_floats * sizeof(float);
    TRY_OR_FAIL(begin(l));
    anser_placement_free(&placement);
    *loading = l;
    return ANSER_OK;
fail:
    anser_placement_free(&placement);
    free_loading(l);
    return status;
}

enum anser_status anser_weights_end(struct anser_loading *l)
{
    const struct timespec look = { 0, 1000000 };
    enum anser_status status = ANSER_OK;
    while (status == ANSER_OK && !anser_upload_ended(l->upload)) {
        nanosleep(&look, NULL);
        status = progress(l);
    }
    const enum anser_status uploaded = anser_upload_finish(l->upload);
    if (status == ANSER_OK)
        status = uploaded;
    anser_stage_forget(l->v7->file->map, l->v7->file->bytes);
    free_loading(l);
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
