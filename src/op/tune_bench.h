/* SPDX-License-Identifier: MIT */
/* Timing matrix products on made-up weights: a bench of one shape. */
#ifndef ANSER_OP_TUNE_BENCH_H
#define ANSER_OP_TUNE_BENCH_H

#include "op/contest.h"
#include "op/op.h"
#include "op/tune.h"
#include "rt/buffer.h"

/* Weights of one shape in one layout, `copies` times. */
struct anser_tune_bench {
    anser_device *device;            /* borrowed                            */
    struct anser_need need;
    enum anser_layout layout;
    uint64_t stride;                 /* bytes from copy to copy             */
    uint32_t copies, next;
    struct anser_buf w, x, y;        /* owned                               */
};

/* For as many tokens and as large and as sparse as the plan says. */
enum anser_status anser_tune_bench_new(anser_device *device,
                                       const struct anser_tune_plan *plan,
                                       const struct anser_need *need,
                                       enum anser_layout layout,
                                       struct anser_tune_bench *bench);
void anser_tune_bench_free(struct anser_tune_bench *bench);

/* A call of the rival's kernel at its T over the next copy; its bench is one
 * of these. */
void anser_tune_bench_run(struct anser_rival *rival);

#endif
