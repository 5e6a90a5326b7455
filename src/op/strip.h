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
