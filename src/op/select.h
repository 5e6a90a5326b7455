/* SPDX-License-Identifier: MIT */
/*
 * Which rows of a table come before its class default: the one that the user
 * named (ANSER_VARIANT), then the one that was measured (op/tuning.h).  Either
 * is a wish: a row that can't run here or is wrong here is passed over.
 */
#ifndef ANSER_OP_SELECT_H
#define ANSER_OP_SELECT_H

#include "op/variant.h"

struct anser_wishes {
    const struct anser_variant *row[2];
    enum anser_why why[2];
    unsigned n;
};

/* BAD_ARG: ANSER_VARIANT names no operation or no row of it; the text lists
 * those that there are. */
enum anser_status anser_select(anser_device *device, const struct anser_op *op,
                               const struct anser_need *need,
                               struct anser_wishes *wishes);

/* Replaces the class's crossover of a type and shape by the measured one;
 * tells whose it is. */
enum anser_why anser_select_crossover(anser_device *device,
                                      const struct anser_need *need,
                                      uint32_t *crossover);

/* The row of a phase (op/phase.h) that ANSER_VARIANT names, else, for one
 * token, the one that was measured; or NULL.  time-in and time-mix are plain
 * together, as are channel-in and channel-out.  Names were checked by
 * anser_select, which every model calls first. */
struct anser_layer;
struct anser_phase;
struct anser_phase_table;
struct anser_v7_shape;
const struct anser_phase *anser_select_phase(
    anser_device *device, unsigned phase, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T);

/* Who chose this row, which anser_phase_choose gave. */
enum anser_why anser_select_phase_why(
    anser_device *device, unsigned phase, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T, const struct anser_phase *row);

/* What stands for a layer in tuning: its sizes, and receptance's type. */
struct anser_need anser_phase_need(const struct anser_v7_shape *shape,
                                   const struct anser_layer *l);

/* The phase of this name, its row of this name; NULL if there is none. */
const struct anser_phase_table *anser_phase_named(const char *name, size_t n);
const struct anser_phase *anser_phase_row_named(
    const struct anser_phase_table *table, const char *name, size_t n);

/* The operation of this name, the row of this name; NULL if there is none. */
const struct anser_op *anser_op_named(const char *name, size_t n);
const struct anser_variant *anser_row_named(const struct anser_op *op,
                                            const char *name, size_t n);

#endif
