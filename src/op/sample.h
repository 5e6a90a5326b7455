/* SPDX-License-Identifier: MIT */
/*
 * [V7:sample] on the device: the id that base/draw.c gives, bit for bit, with
 * counts of what was drawn that stay there.
 */
#ifndef ANSER_OP_SAMPLE_H
#define ANSER_OP_SAMPLE_H

#include "op/variant.h"
#include "rt/buffer.h"

enum { SAMPLE_BUFS = 12 };
struct anser_sampling {
    anser_device *device;            /* borrowed                            */
    const struct anser_variant *variant;
    struct anser_kernel *top, *best, *sums, *keep, *pick;
    struct anser_buf buf[SAMPLE_BUFS];           /* owned: see sample.c     */
};

/* Kernels and room to draw from logits(n). */
enum anser_status anser_sampling_new(anser_device *device, uint32_t n,
                                     struct anser_sampling **sampling);
void anser_sampling_free(struct anser_sampling *sampling);

/* Writes counts(n) and waits. */
enum anser_status anser_sampling_begin(struct anser_sampling *sampling,
                                       const float *counts, uint32_t n);

/* Enqueues one draw from logits(n) to id, which holds the id drawn before;
 * n if nothing may be drawn. */
void anser_op_sample(struct anser_sampling *sampling,
                     const struct sample_args *args, cl_mem logits, cl_mem id);

#endif
