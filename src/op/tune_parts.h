/* SPDX-License-Identifier: MIT */
/* Within op/tune*.c: a run of the measuring, and how its results are told and
 * kept. */
#ifndef ANSER_OP_TUNE_PARTS_H
#define ANSER_OP_TUNE_PARTS_H

#include "op/tune.h"

enum { ANSER_RIVALS = 16 };          /* at most, in one contest             */

struct anser_tune_run {
    anser_device *device;            /* borrowed, all of it                 */
    const struct anser_tune_plan *plan;
    struct anser_tuning **found;
};

struct anser_told {
    const char *variant;
    uint32_t tokens;
    double seconds;
    bool chosen;
};
void anser_tune_tell(const struct anser_tune_run *run, const char *op,
                     const struct anser_need *need,
                     const struct anser_told *told);
enum anser_status anser_tune_put(const struct anser_tune_run *run,
                                 const char *op, const struct anser_need *need,
                                 const char *value);

/* The elementary operations (_build: builds and checks all rows, before the
 * clock starts); the sets of phases. */
void anser_tune_small_build(const struct anser_tune_run *run);
enum anser_status anser_tune_small(const struct anser_tune_run *run,
                                   double until);
enum anser_status anser_tune_phases(const struct anser_tune_run *run,
                                    double until);

#endif
