/* SPDX-License-Identifier: MIT */
/* A whole token by cl/nv_decode.cl, or in one launch by cl/nv_token.cl. */
#include "op/nv_token.h"

#include "op/probe.h"

#include <stdlib.h>
#include <string.h>

/* A look takes about 0.7 us: a third of a second for a token that runs, and
 * some milliseconds to count groups, of which eight times what is meant may
 * try to be there. */
enum { LOOKS = 1 << 19, COUNT_LOOKS = 1 << 13, COUNT_TIMES = 8 };

/* ----------------------------------------------------------------- parts */

/* The kernels of all layers, NULL if they are not the same. */
static struct anser_nv *kernels(anser_device *device,
                                const struct anser_token_parts *p)
{
    struct anser_nv *nv = anser_nv_of(device, p->shape,
                                            &p->layers[p->shape->L - 1]);
    for (uint32_t i = 0; i < p->shape->L; i++)
        if (anser_nv_of(device, p->shape, &p->layers[i]) != nv)
            return NULL;
    return nv;
}

static bool fits(anser_device *device, const struct anser_token_parts *p,
                 const struct anser_elementary *elementary)
{
    const struct anser_matrix *head = p->head;
    (void)elementary;
    if (p->n_plain > 0 || head->block->type != ANSER_Q6_K || head->n_parts != 1
        || head->plan->layout != ANSER_LAYOUT_FILE
        || head->plan->need.precise)           /* rounded activations       */
        return false;
    for (uint32_t i = 0; i < p->shape->L; i++)
        if (!anser_nv_fits(device, p->shape, &p->layers[i], 1)
            || p->layers[i].key.parts[0].mem != head->parts[0].mem)
            return false;
    return kernels(device, p) != NULL;
}

/* The arguments of all layers. */
static enum anser_status fill(struct anser_token *t,
                              const struct anser_token_parts *p)
{
    const uint32_t L = p->shape->L;
    const struct anser_pass pass = { .shape = p->shape };
    struct layer_args *host = calloc(L, sizeof *host);
    if (host == NULL)
        return anser_fail_memory(t->device->ctx, L * sizeof *host);
    for (uint32_t i = 0; i < L; i++)
        host[i] = anser_nv_args(&pass, &p->layers[i]);
    const enum anser_status status = anser_token_fill(t, host,
                                                      L * sizeof *host);
    free(host);
    return status;
}

enum anser_status anser_nv_token_make(anser_device *device,
                                      struct anser_nv *nv,
                                      const struct anser_token_parts *p,
                                      struct anser_token *made)
{
    const struct anser_nv_shape *s = &nv->shape;
    anser_token_init(made, &anser_nv_token, device, p);
    made->nv = nv;
    made->told = 5 * s->C + s->F + s->rank[NV_W] + s->rank[NV_A]
                 + s->rank[NV_V] + s->rank[NV_G] + 2 * device->caps.units;
    return fill(made, p);
}

static enum anser_status make(anser_device *device,
                              const struct anser_token_parts *p,
                              struct anser_token *made)
{
    return anser_nv_token_make(device, kernels(device, p), p, made);
}

/* -------------------------------------------------------------- launches */

static struct anser_grid grid(const struct anser_nv *nv, uint32_t groups)
{
    return (struct anser_grid){ { (size_t)groups * nv->wg, 1, 1 },
                                { nv->wg, 1, 1 } };
}

static void begin(struct anser_token *t, const struct anser_pass *p)
{
    ANSER_RUN(p->q, t->nv->begin, grid(t->nv, 1), t->ends, p->vecs,
              p->work->x.mem);
}

static void end(struct anser_token *t, const struct anser_pass *p,
                cl_mem logits)
{
    ANSER_RUN(p->q, t->nv->end, grid(t->nv, t->nv->groups), t->ends, t->W,
              p->vecs, p->work->x.mem, logits);
}

static void launch(struct anser_token *t, const struct anser_pass *p,
                   const struct anser_token_launch *l)
{
    const struct anser_work *w = p->work;
    ANSER_RUN(p->q, t->nv->token, grid(t->nv, l->groups), l->args, t->W,
              p->vecs, t->layers.mem, w->ids.mem, p->state, l->to, w->x.mem,
              w->v_first.mem, l->logits, t->sync.mem);
}

/* Whether the other process found it right; builds the kernel then. */
static enum anser_status allow(struct anser_token *t)
{
    char shape[ANSER_NV_TEXT];
    anser_nv_shape_write(&t->nv->shape, shape);
    TRY(anser_probe(t->device, "token", "whole", shape));
    return t->nv->token != NULL ? ANSER_OK
                                : anser_nv_build_token(t->device, t->nv);
}

const struct anser_token_kind anser_nv_token = {
    .fits = fits, .make = make, .allow = allow, .launch = launch,
    .begin = begin, .end = end, .chooses = true, .looks = LOOKS,
    .count_looks = COUNT_LOOKS, .count_times = COUNT_TIMES
};
