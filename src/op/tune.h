/* SPDX-License-Identifier: MIT */
/*
 * Measuring the variants of the matrix products on the shapes that models on a
 * device have, and from how many tokens on `many` beats `few`.
 *
 * Weights are made up, in the layout that each variant reads, and lie so often
 * in memory that a pass over all copies does not come out of a cache that the
 * model itself would overflow.  Every candidate has passed its check against
 * ref; candidates take turns (A B C A B C ...), the host's clock stands around
 * a finished queue, medians count, and the row in use is kept unless another
 * one is 3 % faster.
 */
#ifndef ANSER_OP_TUNE_H
#define ANSER_OP_TUNE_H

#include "op/tuning.h"

struct anser_tune_plan {
    double seconds;                  /* in all, about                       */
    uint64_t bytes;                  /* of the weights that a token reads   */
    uint32_t tokens;                 /* T at which `many` is measured       */
    anser_tune_fn *fn;               /* may be NULL                         */
    void *user;
};

/* Puts what it found for every shape that the device has planned so far into
 * *found, owned by the caller; shapes that the time did not suffice for are
 * left out. */
enum anser_status anser_op_tune(anser_device *device,
                                const struct anser_tune_plan *plan,
                                struct anser_tuning **found);

#endif
