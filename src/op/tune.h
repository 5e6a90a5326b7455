/* SPDX-License-Identifier: MIT */
/*
 * Measuring what a model's device may choose from: the variants of its matrix
 * products by shape, and from how many tokens on `many` beats `few`; those of
 * the elementary operations; and its phases, composed or fused.
 *
 * Weights of products are made up, in the layout that each variant reads, and
 * lie so often in memory that a pass over all copies does not come out of a
 * cache that the model itself would overflow; phases run on the model's own.
 * Every candidate has passed its check against ref; op/contest.h says how
 * they are compared.
 */
#ifndef ANSER_OP_TUNE_H
#define ANSER_OP_TUNE_H

#include "op/phase_set.h"
#include "op/tuning.h"

struct anser_tune_plan {
    double seconds;                  /* in all, about                       */
    uint64_t bytes;                  /* of the weights that a token reads   */
    uint32_t tokens;                 /* T at which `many` is measured       */
    double density;                  /* part of relu^2's that is not zero   */
    const struct anser_layers *layers;       /* the model's; its state and
                                        work space are overwritten          */
    struct anser_need embedding;
    anser_tune_fn *fn;               /* may be NULL                         */
    void *user;
};

/* Puts what it found, for every shape of a product that the device has planned
 * so far, into *found, owned by the caller; what the time did not suffice for
 * is left out. */
enum anser_status anser_op_tune(anser_device *device,
                                const struct anser_tune_plan *plan,
                                struct anser_tuning **found);

#endif
