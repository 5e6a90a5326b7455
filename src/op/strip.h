/* SPDX-License-Identifier: MIT */
/* Matrix products on a CPU: strips of 16 rows, activations of 8 bits
 * (cl/strip.cl).  The rows themselves stand in op/matmul.c. */
#ifndef ANSER_OP_STRIP_H
#define ANSER_OP_STRIP_H

#include "op/op.h"

/* For the table of layouts. */
uint64_t anser_strip_bytes(const struct anser_block *block, uint32_t rows,
                           uint32_t cols);
enum anser_status anser_strip_repack(struct anser_queue *q,
                                     const struct anser_repack *r);

/* Work-items that a device is given, and room for what they keep between
 * launches. */
uint32_t anser_strip_items(const anser_device *device);
enum anser_status anser_strip_room(anser_device *device, uint64_t bytes);

/* Tokens t to t + SH_STRIP_TOKENS of a product, or those that there are; their
 * activations, rounded to the beginning of the scratch.  False: q has failed. */
struct matmul_args anser_strip_block(const struct matmul_args *args,
                                     uint32_t t);
bool anser_strip_round(struct anser_queue *q, const struct matmul_args *args,
                       cl_mem x);

/* For the rows. */
bool anser_fits_strip(const struct anser_caps *caps,
                      const struct anser_need *need);
bool anser_suits_strip(const struct anser_caps *caps);
enum anser_status anser_strip_prepare(anser_device *device,
                                      const struct anser_need *need);
void anser_strip_run(struct anser_queue *q, const struct anser_chosen *chosen,
                     const struct matmul_args *args,
                     const struct anser_product *p);

#endif
