/* SPDX-License-Identifier: MIT */
/*
 * Measuring which of several ways is the fastest: they take turns (A B C A B
 * C ...), the host's clock stands around a finished queue, medians count.
 */
#ifndef ANSER_OP_CONTEST_H
#define ANSER_OP_CONTEST_H

#include "op/variant.h"

#define ANSER_CONTEST_ROUNDS 9       /* the most turns                      */
#define ANSER_CONTEST_LEAST 3        /* fewer measure nothing               */

/* One who takes part. */
struct anser_rival {
    void (*run)(struct anser_rival *r);      /* enqueues one call           */
    struct anser_chosen kernel;
    void *bench;                     /* what run works on, borrowed         */
    uint32_t T;
    uint32_t calls;                  /* a sample, so that it is measurable  */
    double samples[ANSER_CONTEST_ROUNDS];
    double median;                   /* seconds a call                      */
};

/* Seconds of a clock that never jumps. */
double anser_contest_clock(void);

/* Times n rivals in turns until all turns are over or the clock says `until`,
 * and fills the medians; *turns that were completed. */
enum anser_status anser_contest(struct anser_queue *q,
                                struct anser_rival *rivals, unsigned n,
                                double until, unsigned *turns);

/* Who wins: the first, which is in use, unless another one is 3 % faster. */
unsigned anser_contest_winner(const struct anser_rival *rivals, unsigned n);

#endif
