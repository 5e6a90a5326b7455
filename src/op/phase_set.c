/* SPDX-License-Identifier: MIT */
/* Sets of phase rows: chosen, run, compared with the plain ones. */
#include "op/phase_set.h"

#include "op/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* int8 activations twice through all phases; a wrong kernel gives an error
 * above 1. */
#define BOUND 0.25
enum { CHECK_LAYERS = 2 };

/* The last row of the phase up to number i that fits. */
static const struct anser_phase *row_of(const struct anser_layers *layers,
                                        uint32_t layer, unsigned phase,
                                        uint32_t i)
{
    const struct anser_phase_table *t = &anser_phases[phase];
    const struct anser_pass *p = &layers->pass;
    i = i < t->n ? i : t->n - 1;
    while (i > 0 && !t->rows[i].fits(p->q->device, p->shape,
                                     &layers->at[layer], p->T))
        i--;
    return &t->rows[i];
}

enum anser_status anser_phase_set_new(const struct anser_layers *layers,
                                      uint32_t i, struct anser_phase_set *set)
{
    struct anser_phase_set made = { .n = layers->n };
    bool new = i == 0;
    made.rows = calloc(layers->n, sizeof *made.rows);
    if (made.rows == NULL)
        return anser_fail_memory(layers->pass.q->device->ctx,
                                 layers->n * sizeof *made.rows);
    for (uint32_t l = 0; l < layers->n; l++)
        for (unsigned j = 0; j < PHASE_COUNT; j++) {
            made.rows[l][j] = row_of(layers, l, j, i);
            new = new || made.rows[l][j] != row_of(layers, l, j, i - 1);
        }
    made.name = made.rows[layers->n - 1][0]->name;
    if (!new)
        anser_phase_set_free(&made);
    *set = made;
    return ANSER_OK;
}

void anser_phase_set_free(struct anser_phase_set *set)
{
    free(set->rows);
    set->rows = NULL;
}

void anser_phase_set_run(const struct anser_layers *layers,
                         const struct anser_phase_set *set, uint32_t n)
{
    for (uint32_t l = 0; l < n; l++)
        for (unsigned j = 0; j < PHASE_COUNT; j++)
            set->rows[l][j]->run(&layers->pass, &layers->at[l]);
}

/* ---------------------------------------------------------------- check */

/* x(T, C) and the state of the layers that are compared, before and after. */
struct image {
    float *data;                     /* owned                               */
    size_t x, state;                 /* floats                              */
};

static enum anser_status image_new(const struct anser_layers *layers,
                                   uint32_t n, struct image *m)
{
    m->x = (size_t)layers->pass.T * layers->pass.shape->C;
    m->state = (size_t)n * V7_STATE_FLOATS(layers->pass.shape);
    const size_t bytes = (m->x + m->state) * sizeof(float);
    m->data = malloc(bytes);
    return m->data != NULL ? ANSER_OK
        : anser_fail_memory(layers->pass.q->device->ctx, bytes);
}

/* From this start through n layers; what comes out is put in `out`. */
static enum anser_status forward(const struct anser_layers *layers,
                                 const struct anser_phase_set *set, uint32_t n,
                                 const struct image *start, struct image *out)
{
    const struct anser_pass *p = &layers->pass;
    const size_t x = start->x * sizeof(float);
    const size_t state = start->state * sizeof(float);
    anser_queue_write(p->q, p->work->x.mem, 0, start->data, x);
    anser_queue_write(p->q, p->state, 0, start->data + start->x, state);
    anser_phase_set_run(layers, set, n);
    anser_queue_read(p->q, p->work->x.mem, 0, out->data, x);
    anser_queue_read(p->q, p->state, 0, out->data + out->x, state);
    return anser_queue_finish(p->q);
}

static enum anser_status compare(const struct anser_layers *layers,
                                 const struct anser_phase_set *plain,
                                 const struct anser_phase_set *set, uint32_t n,
                                 struct image m[3], double *error)
{
    for (int i = 0; i < 3; i++)
        TRY(image_new(layers, n, &m[i]));
    anser_check_fill(m[0].data, m[0].x + m[0].state, 1, 0, 1);
    TRY(forward(layers, plain, n, &m[0], &m[1]));
    TRY(forward(layers, set, n, &m[0], &m[2]));
    const double a = anser_check_error(m[2].data, m[1].data, m[1].x);
    const double b = anser_check_error(m[2].data + m[2].x, m[1].data + m[1].x,
                                       m[1].state);
    *error = a <= b ? b : a;
    return ANSER_OK;
}

enum anser_status anser_phase_set_check(const struct anser_layers *layers,
                                        const struct anser_phase_set *set,
                                        struct anser_error *error)
{
    const struct anser_v7_shape *s = layers->pass.shape;
    const uint32_t n = layers->n < CHECK_LAYERS ? layers->n : CHECK_LAYERS;
    struct image images[3];
    struct anser_phase_set plain;
    memset(images, 0, sizeof images);
    snprintf(error->shape, sizeof error->shape, "C %u F %u T %u, %u layers",
             (unsigned)s->C, (unsigned)s->F, (unsigned)layers->pass.T,
             (unsigned)n);
    error->bound = BOUND;
    error->error = NAN;
    TRY(anser_phase_set_new(layers, 0, &plain));
    const enum anser_status status = compare(layers, &plain, set, n, images,
                                             &error->error);
    for (int i = 0; i < 3; i++)
        free(images[i].data);
    anser_phase_set_free(&plain);
    return status;
}
