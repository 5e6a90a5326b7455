/* SPDX-License-Identifier: MIT */
/* Logits to a token [V7:sample], without a memory of its own: the sampler's
 * arithmetic, and what the kernels of op/sample.c are compared with. */
#ifndef ANSER_BASE_DRAW_H
#define ANSER_BASE_DRAW_H

#include "shared.h"

#include <stdbool.h>

struct anser_draw {
    float *logit;                    /* owned (n): penalised, -inf if never */
    uint64_t *weight;                /* owned (n)                           */
    uint64_t *shared;                /* owned (n): of the cuts              */
};

/* Room for logits(n); false without memory. */
bool anser_draw_init(struct anser_draw *draw, uint32_t n);
void anser_draw_free(struct anser_draw *draw);

/* An id from logits(n) and counts(n); a->n if none may be drawn.  Counts are
 * read as they are: a->decay and a->first are the device's. */
uint32_t anser_draw(struct anser_draw *draw, const struct sample_args *a,
                    const float *logits, const float *counts);

#endif
