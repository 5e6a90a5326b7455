/* SPDX-License-Identifier: MIT */
/* A whole token by cl/nv_decode.cl, or in one launch by cl/nv_token.cl. */
#include "op/nv_token.h"

#include "op/probe.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(ANSER_TOKEN_RING == SH_SYNC_RING, "ids of as many launches");

/* A look takes about 0.7 us: a third of a second for a token that runs, and
 * some milliseconds to count groups. */
enum { LOOKS = 1 << 19, COUNT_LOOKS = 1 << 13 };

/* ----------------------------------------------------------------- parts */

static bool fits(anser_device *device, const struct anser_token_parts *p)
{
    const struct anser_matrix *head = p->head;
    if (head->block->type != ANSER_Q6_K || head->n_parts != 1
        || head->plan->layout != ANSER_LAYOUT_FILE
        || head->plan->need.precise)           /* rounded activations       */
        return false;
    for (uint32_t i = 0; i < p->shape->L; i++)
        if (!anser_nv_fits(device, p->shape, &p->layers[i], 1)
            || p->layers[i].key.parts[0].mem != head->parts[0].mem)
            return false;
    return true;
}

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

/* The buffers of the launch. */
static enum anser_status fill(struct anser_token *t,
                              const struct anser_token_parts *p)
{
    const uint32_t L = p->shape->L;
    const struct anser_pass pass = { .shape = p->shape };
    struct anser_queue *q = t->device->queue;
    enum anser_status status = ANSER_OK;
    struct layer_args *host = calloc(L, sizeof *host);
    if (host == NULL)
        return anser_fail_memory(t->device->ctx, L * sizeof *host);
    for (uint32_t i = 0; i < L; i++)
        host[i] = anser_nv_args(&pass, &p->layers[i]);
    TRY_OR_FAIL(anser_buf_new(t->device, L * sizeof *host, &t->layers));
    TRY_OR_FAIL(anser_buf_new(t->device, SH_SYNC_WORDS * sizeof(uint32_t),
                              &t->sync));
    anser_queue_write(q, t->layers.mem, 0, host, L * sizeof *host);
    anser_queue_zero(q, t->sync.mem, 0, SH_SYNC_WORDS * sizeof(uint32_t));
    status = anser_queue_finish(q);
fail:
    free(host);
    return status;
}

enum anser_status anser_nv_token_make(anser_device *device,
                                      const struct anser_nv *nv,
                                      const struct anser_token_parts *p,
                                      struct anser_token *made)
{
    *made = (struct anser_token){
        .device = device, .nv = nv, .W = p->head->parts[0].mem,
        .patient = UINT32_MAX,
        .ends = { .head = p->head->parts[0].at, .ln0_w = p->ln0_w,
                  .ln0_b = p->ln0_b, .ln_out_w = p->ln_out_w,
                  .ln_out_b = p->ln_out_b, .L = p->shape->L,
                  .V = p->shape->V, .eps = p->shape->ln_eps }
    };
    return fill(made, p);
}

void anser_nv_token_drop(struct anser_token *t)
{
    anser_buf_free(t->device, &t->layers);
    anser_buf_free(t->device, &t->sync);
}

/* -------------------------------------------------------------- launches */

static struct anser_grid grid(const struct anser_nv *nv, uint32_t groups)
{
    return (struct anser_grid){ { (size_t)groups * nv->wg, 1, 1 },
                                { nv->wg, 1, 1 } };
}

void anser_token_begin(struct anser_token *t, const struct anser_pass *p)
{
    ANSER_RUN(p->q, t->nv->begin, grid(t->nv, 1), t->ends, p->vecs,
              p->work->x.mem);
}

void anser_token_end(struct anser_token *t, const struct anser_pass *p,
                     cl_mem logits)
{
    ANSER_RUN(p->q, t->nv->end, grid(t->nv, t->nv->groups), t->ends, t->W,
              p->vecs, p->work->x.mem, logits);
}

static void launch(struct anser_token *t, const struct anser_pass *p,
                   const struct token_args *args, uint32_t groups, cl_mem to,
                   cl_mem logits)
{
    const struct anser_work *w = p->work;
    ANSER_RUN(p->q, t->nv->token, grid(t->nv, groups), *args, t->W, p->vecs,
              t->layers.mem, w->ids.mem, p->state, to, w->x.mem, w->xn.mem,
              w->r.mem, w->k.mem, w->v.mem, w->low.mem, w->v_first.mem,
              w->y.mem, w->h.mem, logits, t->sync.mem);
}

void anser_token_run(struct anser_token *t, const struct anser_pass *p,
                     cl_mem to, cl_mem logits)
{
    const struct token_args args = {
        .ends = t->ends, .base = t->arrived, .limit = LOOKS,
        .patient = t->patient, .serial = ++t->serial
    };
    launch(t, p, &args, t->groups, to, logits);
    t->arrived += (PHASE_COUNT * p->shape->L + 1) * t->groups;
}

bool anser_token_is_whole(const struct anser_token *t)
{
    return t->whole;
}

/* The arrivals begin at 0 again; so do the serials. */
static void restart(struct anser_token *t)
{
    anser_queue_zero(t->device->queue, t->sync.mem, 0,
                     SH_SYNC_WORDS * sizeof(uint32_t));
    t->serial = t->arrived = t->settled = 0;
}

enum anser_status anser_nv_count_groups(struct anser_token *t,
                                        const struct anser_pass *p,
                                        uint32_t *seen)
{
    const struct token_args args = { .ends = t->ends, .limit = COUNT_LOOKS };
    uint32_t words[SH_SYNC_WORDS];
    launch(t, p, &args, 4 * t->nv->groups, p->state, p->work->x.mem);
    anser_queue_read(p->q, t->sync.mem, 0, words, sizeof words);
    restart(t);
    TRY(anser_queue_finish(p->q));
    *seen = words[SH_SYNC_SEEN];
    return ANSER_OK;
}

enum anser_status anser_token_settle(struct anser_token *t,
                                     struct anser_token_lost *lost)
{
    struct anser_queue *q = t->device->queue;
    uint32_t words[SH_SYNC_WORDS];
    lost->n = 0;
    if (t->serial == t->settled)
        return anser_queue_finish(q);
    anser_queue_read(q, t->sync.mem, 0, words, sizeof words);
    TRY(anser_queue_finish(q));
    const uint32_t failed = words[SH_SYNC_FAILED], last = t->serial;
    t->settled = last;
    if (failed == 0)
        return ANSER_OK;
    for (uint32_t i = failed; i <= last && lost->n < SH_SYNC_RING; i++)
        lost->ids[lost->n++] = words[SH_SYNC_IDS + i % SH_SYNC_RING];
    anser_log(t->device->ctx, 1, "a token in one launch gave up; they are "
              "done by phases from now on");
    t->whole = false;
    restart(t);
    return anser_queue_finish(q);
}

/* -------------------------------------------------------------- the tier */

/* Whether the other process found it right; builds the kernel then. */
static enum anser_status allow(struct anser_token *t, struct anser_nv *nv)
{
    const enum anser_token_how how = t->device->settings.token;
    char shape[ANSER_NV_TEXT];
    anser_nv_shape_write(&nv->shape, shape);
    if (how == ANSER_TOKEN_REFUSE)
        return anser_fail(t->device->ctx, ANSER_UNSUPPORTED,
                          "ANSER_TOKEN refuses it");
    TRY(anser_probe(t->device, "token", "whole", shape));
    return nv->token != NULL ? ANSER_OK
                             : anser_nv_build_token(t->device, nv);
}

/* As many groups as units, if as many run at once. */
static enum anser_status set_up(struct anser_token *t, struct anser_nv *nv,
                                const struct anser_pass *p)
{
    uint32_t seen;
    TRY(allow(t, nv));
    TRY(anser_nv_count_groups(t, p, &seen));
    t->groups = t->device->caps.units;
    t->patient = t->device->settings.token_stall;
    if (seen >= t->groups)
        return ANSER_OK;
    return anser_fail(t->device->ctx, ANSER_UNSUPPORTED,
                      "of %u groups only %u run at once", (unsigned)t->groups,
                      (unsigned)seen);
}

enum anser_status anser_token_new(anser_device *device,
                                  const struct anser_token_parts *parts,
                                  const struct anser_pass *p,
                                  struct anser_token **token)
{
    *token = NULL;
    struct anser_nv *nv = fits(device, parts) ? kernels(device, parts) : NULL;
    if (nv == NULL)
        return ANSER_OK;
    struct anser_token *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    const enum anser_status status = anser_nv_token_make(device, nv, parts,
                                                         made);
    if (status != ANSER_OK) {
        anser_token_free(made);
        return status;
    }
    if (device->settings.token != ANSER_TOKEN_PHASES) {
        made->whole = set_up(made, nv, p) == ANSER_OK;
        if (!made->whole)
            anser_log(device->ctx, 1, "no token in one launch: %s",
                      anser_error(device->ctx));
    }
    *token = made;
    return ANSER_OK;
}

void anser_token_free(struct anser_token *t)
{
    if (t == NULL)
        return;
    anser_nv_token_drop(t);
    free(t);
}
