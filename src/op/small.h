/* SPDX-License-Identifier: MIT */
/*
 * The elementary operations at the sizes of a model, on made-up buffers, for
 * whoever times them: all but the matrix products (op/tune_bench.h).  Whether
 * a row is right is for its own check.
 */
#ifndef ANSER_OP_SMALL_H
#define ANSER_OP_SMALL_H

#include "op/check.h"
#include "op/op.h"

struct anser_small_shape {
    uint32_t C, V, T;
    uint32_t type;                   /* of the embedding                    */
};

struct anser_small;
struct anser_small_kind {
    const struct anser_op *op;
    bool once;                       /* the count of tokens does not matter */
    /* Adds the buffers and tells the bytes that a run moves at least. */
    double (*fill)(struct anser_trial *t, const struct anser_small_shape *s);
    void (*run)(const struct anser_small *small,
                const struct anser_chosen *chosen);
};

/* One for each operation, ended by op NULL. */
extern const struct anser_small_kind anser_small_kinds[];

struct anser_small {
    const struct anser_small_kind *kind;
    struct anser_small_shape shape;
    struct anser_trial trial;        /* owned                               */
    struct anser_elementary others;  /* of a run in two steps, the other    */
    double bytes;                    /* that a run moves at least           */
};

/* What is asked for at this shape. */
struct anser_need anser_small_need(const struct anser_small_kind *kind,
                                   const struct anser_small_shape *shape);

enum anser_status anser_small_new(anser_device *device,
                                  const struct anser_small_kind *kind,
                                  const struct anser_small_shape *shape,
                                  struct anser_small *small);
enum anser_status anser_small_free(struct anser_small *small);

/* Enqueues one run.  Any number may follow each other: what is worked on in
 * place stays finite. */
void anser_small_run(const struct anser_small *small,
                     const struct anser_chosen *chosen);

#endif
