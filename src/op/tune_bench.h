/* SPDX-License-Identifier: MIT */
/* Timing matrix products on made-up weights: a bench of one shape. */
#ifndef ANSER_OP_TUNE_BENCH_H
#define ANSER_OP_TUNE_BENCH_H

#include "op/op.h"
#include "rt/buffer.h"

#define ANSER_TUNE_ROUNDS 9          /* the most turns of a contest         */
#define ANSER_TUNE_LEAST 3           /* fewer measure nothing               */

/* Weights of one shape in one layout, `copies` times. */
struct anser_tune_bench {
    anser_device *device;            /* borrowed                            */
    struct anser_need need;
    enum anser_layout layout;
    uint64_t stride;                 /* bytes from copy to copy             */
    uint32_t copies, next;
    struct anser_buf w, x, y;        /* owned                               */
};

/* For up to `tokens` tokens; bytes: of the weights that a token reads. */
enum anser_status anser_tune_bench_new(anser_device *device,
                                       const struct anser_need *need,
                                       enum anser_layout layout,
                                       uint32_t tokens, uint64_t bytes,
                                       struct anser_tune_bench *bench);
void anser_tune_bench_free(struct anser_tune_bench *bench);

/* One who takes part in a contest. */
struct anser_tune_rival {
    struct anser_chosen kernel;
    struct anser_tune_bench *bench;  /* of its layout, borrowed             */
    uint32_t calls;                  /* a sample, so that it is measurable  */
    double samples[ANSER_TUNE_ROUNDS];
    double median;                   /* seconds a call                      */
};

/* Seconds of a clock that never jumps. */
double anser_tune_clock(void);

/* Times n rivals in turns at T tokens until all turns are over or the clock
 * says `until`, and fills the medians; *turns that were completed. */
enum anser_status anser_tune_contest(struct anser_tune_rival *rivals,
                                     unsigned n, uint32_t T, double until,
                                     unsigned *turns);

#endif
