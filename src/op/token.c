/* SPDX-License-Identifier: MIT */
/* A whole token in one launch: what all kinds of kernels share. */
#include "op/token_kind.h"

#include <stdlib.h>

/* Rests double up to MOST_PAUSES of the first, and begin anew after a STREAK of
 * launches that did not give up. */
enum { MOST_PAUSES = 64, STREAK = 128 };

/* Looks of a trial: it may be slow, but not inconclusive. */
enum { TRIAL_LOOKS = 1 << 25 };

_Static_assert(ANSER_TOKEN_RING == SH_SYNC_RING, "ids of as many launches");

void anser_token_init(struct anser_token *made,
                      const struct anser_token_kind *kind,
                      anser_device *device,
                      const struct anser_token_parts *p)
{
    *made = (struct anser_token){
        .kind = kind, .device = device, .W = p->head->parts[0].mem,
        .looks = kind->looks, .patient = UINT32_MAX,
        .ends = { .head = p->head->parts[0].at, .ln0_w = p->ln0_w,
                  .ln0_b = p->ln0_b, .ln_out_w = p->ln_out_w,
                  .ln_out_b = p->ln_out_b, .L = p->shape->L,
                  .V = p->shape->V, .eps = p->shape->ln_eps }
    };
}

static size_t sync_bytes(const struct anser_token *t)
{
    return (SH_SYNC_WORDS + (size_t)t->told) * sizeof(uint32_t);
}

enum anser_status anser_token_fill(struct anser_token *t, const void *layers,
                                   size_t bytes)
{
    struct anser_queue *q = t->device->queue;
    TRY(anser_buf_new(t->device, bytes, &t->layers));
    TRY(anser_buf_new(t->device, sync_bytes(t), &t->sync));
    anser_queue_write(q, t->layers.mem, 0, layers, bytes);
    anser_queue_zero(q, t->sync.mem, 0, sync_bytes(t));
    return anser_queue_finish(q);
}

void anser_token_drop(struct anser_token *t)
{
    anser_buf_free(t->device, &t->layers);
    anser_buf_free(t->device, &t->sync);
    anser_buf_free(t->device, &t->slots);
}

/* -------------------------------------------------------------- launches */

bool anser_token_has_ends(const struct anser_token *t)
{
    return t->kind->begin != NULL;
}

void anser_token_begin(struct anser_token *t, const struct anser_pass *p)
{
    t->kind->begin(t, p);
}

void anser_token_end(struct anser_token *t, const struct anser_pass *p,
                     cl_mem logits)
{
    t->kind->end(t, p, logits);
}

bool anser_token_run(struct anser_token *t, const struct anser_pass *p,
                     cl_mem to, cl_mem logits)
{
    const struct anser_token_launch l = {
        .args = { .ends = t->ends, .base = t->arrived,
                  .limit = t->looks, .patient = t->patient,
                  .serial = ++t->serial },
        .groups = t->groups, .to = to, .logits = logits
    };
    t->kind->launch(t, p, &l);
    if (++t->streak >= STREAK)
        t->pause = 0;
    t->arrived += (PHASE_COUNT * t->ends.L + 1) * t->groups;
    return t->kind->chooses;
}

bool anser_token_is_whole(const struct anser_token *t)
{
    return t->whole;
}

bool anser_token_is_next(struct anser_token *t)
{
    if (!t->whole || t->rest == 0)
        return t->whole;
    t->rest--;
    return false;
}

/* After a launch that gave up: no more of them, or not for some tokens. */
static void rest(struct anser_token *t)
{
    const uint32_t first = t->kind->pause;
    t->pause = t->pause == 0 ? first
               : t->pause < MOST_PAUSES * first ? 2 * t->pause : t->pause;
    t->rest = t->pause;
    t->streak = 0;
    t->whole = first != 0;
    if (t->whole)
        anser_log(t->device->ctx, 2, "a token in one launch gave up: %u by "
                  "phases", (unsigned)t->rest);
    else
        anser_log(t->device->ctx, 1, "a token in one launch gave up; they are "
                  "done by phases from now on");
}

/* The arrivals begin at 0 again; so do the serials. */
static void restart(struct anser_token *t)
{
    anser_queue_zero(t->device->queue, t->sync.mem, 0, sync_bytes(t));
    t->serial = t->arrived = t->settled = 0;
}

enum anser_status anser_token_count(struct anser_token *t,
                                    const struct anser_pass *p, uint32_t *seen)
{
    const struct anser_token_launch l = {
        .args = { .ends = t->ends, .limit = t->kind->count_looks },
        .groups = t->kind->count_times * t->device->caps.units,
        .to = p->state, .logits = p->work->x.mem
    };
    uint32_t words[SH_SYNC_WORDS];
    t->kind->launch(t, p, &l);
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
    rest(t);
    restart(t);
    return anser_queue_finish(q);
}

/* -------------------------------------------------------------- the tier */

/* As many groups as units, if as many run at once. */
static enum anser_status set_up(struct anser_token *t,
                                const struct anser_pass *p)
{
    const anser_device *device = t->device;
    uint32_t seen;
    if (device->settings.token == ANSER_TOKEN_REFUSE)
        return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                          "ANSER_TOKEN refuses it");
    TRY(t->kind->allow(t));
    TRY(anser_token_count(t, p, &seen));
    t->groups = device->caps.units;
    t->patient = device->settings.token_stall;
    if (device->settings.is_probe)
        t->looks = TRIAL_LOOKS;
    if (seen >= t->groups)
        return ANSER_OK;
    return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                      "of %u groups only %u run at once", (unsigned)t->groups,
                      (unsigned)seen);
}

static enum anser_status make(const struct anser_token_kind *kind,
                              anser_device *device,
                              const struct anser_token_parts *parts,
                              const struct anser_pass *p,
                              struct anser_token **token)
{
    struct anser_token *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    const enum anser_status status = kind->make(device, parts, made);
    if (status == ANSER_OK && device->settings.token != ANSER_TOKEN_PHASES) {
        made->whole = set_up(made, p) == ANSER_OK;
        if (!made->whole)
            anser_log(device->ctx, 1, "no token in one launch: %s",
                      anser_error(device->ctx));
    }
    if (status == ANSER_OK && (made->whole || kind->begin != NULL))
        *token = made;
    else
        anser_token_free(made);
    return status;
}

enum anser_status anser_token_new(anser_device *device,
                                  const struct anser_token_parts *parts,
                                  const struct anser_pass *p,
                                  struct anser_token **token)
{
    static const struct anser_token_kind *const kinds[] = { &anser_nv_token,
                                                            &anser_cpu_token };
    *token = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i]->fits(device, parts, p->elementary))
            return make(kinds[i], device, parts, p, token);
    return ANSER_OK;
}

void anser_token_free(struct anser_token *t)
{
    if (t == NULL)
        return;
    anser_token_drop(t);
    free(t);
}
