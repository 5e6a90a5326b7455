/* SPDX-License-Identifier: MIT */
/*
 * The rows of the phases as sets: set i takes of each phase the last row up to
 * number i that fits the layer; set 0 is the plain rows.  Sets are what is
 * compared and measured, because a fused row may leave work to the fused row
 * behind it.
 */
#ifndef ANSER_OP_PHASE_SET_H
#define ANSER_OP_PHASE_SET_H

#include "op/phase.h"

/* Layers that are run again and again on a state. */
struct anser_layers {
    struct anser_pass pass;          /* T at once                           */
    const struct anser_layer *at;    /* borrowed, (n)                       */
    uint32_t n;
};

struct anser_phase_set {
    const char *name;                /* of its row of the first phase       */
    const struct anser_phase *(*rows)[PHASE_COUNT];  /* owned, (layers)     */
    uint32_t n;
};

/* Set number i, or `rows` NULL where it is the same as a lower one. */
enum anser_status anser_phase_set_new(const struct anser_layers *layers,
                                      uint32_t i,
                                      struct anser_phase_set *set);
void anser_phase_set_free(struct anser_phase_set *set);

/* All phases of the first n layers. */
void anser_phase_set_run(const struct anser_layers *layers,
                         const struct anser_phase_set *set, uint32_t n);

/* The first two layers by this set and by the plain rows, whose operations
 * are checked against ref: the largest difference of x and of the state. */
enum anser_status anser_phase_set_check(const struct anser_layers *layers,
                                        const struct anser_phase_set *set,
                                        struct anser_error *error);

#endif
