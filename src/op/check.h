/* SPDX-License-Identifier: MIT */
/*
 * Made-up data for checking a variant against ref: the same numbers on every
 * machine, buffers filled and read back, and the figure that is compared.
 */
#ifndef ANSER_OP_CHECK_H
#define ANSER_OP_CHECK_H

#include "op/variant.h"
#include "rt/buffer.h"

/* x(n) uniform in mean +- spread, from a seed. */
void anser_check_fill(float *x, size_t n, uint64_t seed, float mean,
                      float spread);

/* Blocks of weights of about unit size: random bytes, sane scales. */
void anser_check_blocks(const struct anser_block *block, unsigned char *data,
                        uint64_t n_blocks, uint64_t seed);

/* max |y - ref| / rms(ref) over n; NaN if y holds one. */
double anser_check_error(const float *y, const float *ref, size_t n);

/* A set of host arrays with their buffers, so that a check reads as: add,
 * launch, read, compare.  The first failure sticks. */
#define ANSER_TRIAL_MAX 20
struct anser_trial {
    anser_device *device;
    enum anser_status status;
    unsigned n;
    float *host[ANSER_TRIAL_MAX];            /* owned                       */
    struct anser_buf buf[ANSER_TRIAL_MAX];   /* owned                       */
    size_t count[ANSER_TRIAL_MAX];           /* floats                      */
};
void anser_trial_init(struct anser_trial *b, anser_device *device);
/* Adds floats(count) uniform in mean +- spread; returns its number. */
unsigned anser_trial_add(struct anser_trial *b, size_t count, float mean,
                         float spread);
/* Adds bytes as they are (host[] stays NULL). */
unsigned anser_trial_bytes(struct anser_trial *b, const void *data,
                           size_t bytes);
/* Reads buffer i back into a new array, owned by the caller, or NULL. */
float *anser_trial_read(struct anser_trial *b, unsigned i);
enum anser_status anser_trial_free(struct anser_trial *b);

#endif
