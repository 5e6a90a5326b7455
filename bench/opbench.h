/* SPDX-License-Identifier: MIT */
/*
 * What the parts of opbench share: the run, a piece of work that can be
 * repeated, and the figures that come of it.
 */
#ifndef ANSER_OPBENCH_H
#define ANSER_OPBENCH_H

#include "op/check.h"
#include "op/op.h"

#include <stdio.h>

enum { OPBENCH_SAMPLES = 9 };

struct opbench {
    anser_device *device;
    double seconds;                  /* for each sample                     */
    double read;                     /* bytes a second                      */
    unsigned wrong;
    int quick;
    const char *only;                /* part of an operation's name, or NULL */
    FILE *table;                     /* for people                          */
    FILE *json;                      /* a document, or NULL                 */
    unsigned figures;                /* in it                               */
};

/* What is timed. */
struct opbench_work {
    void (*run)(struct opbench_work *w);     /* enqueues one run            */
    const char *op, *variant;
    char shape[64];
    double bytes, operations;        /* 0: not told                         */
    void *data;                      /* for run, borrowed                   */
};

/* The middle of the samples, seconds a run. */
struct opbench_time {
    double samples[OPBENCH_SAMPLES];         /* in the order of time        */
    double median, spread;           /* median absolute deviation           */
};

enum anser_status opbench_time(const struct opbench *b, struct opbench_work *w,
                               struct opbench_time *time);

/* Times it; a row of the table and a figure of the document. */
enum anser_status opbench_tell(struct opbench *b, struct opbench_work *w);

/* Tells a variant that is wrong and so gets no time. */
void opbench_wrong(struct opbench *b, const char *op, const char *variant,
                   const char *why);

/* Whether the row can run here and agrees with ref in this run. */
int opbench_is_right(struct opbench *b, const struct anser_op *op,
                     uint32_t row, const struct anser_need *need,
                     struct anser_chosen *chosen);

/* Many tokens: enough that a GPU works longer on one than a launch takes. */
uint32_t opbench_tokens(const struct opbench *b);

int opbench_wanted(const struct opbench *b, const char *name);

/* The sizes of a model of the World series. */
struct opbench_sizes {
    const char *name;
    uint32_t C, F, V, layers;
    uint32_t rank[4];                /* of the LoRAs w a v g                */
};
extern const struct opbench_sizes opbench_sizes[2];     /* 0.1b, 2.9b       */

/* The parts. */
enum anser_status opbench_matmul(struct opbench *b);
enum anser_status opbench_small(struct opbench *b,
                                const struct opbench_sizes *sizes);
enum anser_status opbench_phases(struct opbench *b,
                                 const struct opbench_sizes *sizes);

#endif
