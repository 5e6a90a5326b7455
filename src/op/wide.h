/* SPDX-License-Identifier: MIT */
/* Matrix products in wide tiles (cl/matmul_wide.cl), which share one where they
 * would not fill the device.  The row itself stands in op/matmul.c. */
#ifndef ANSER_OP_WIDE_H
#define ANSER_OP_WIDE_H

#include "op/op.h"

bool anser_fits_wide(const struct anser_caps *caps,
                     const struct anser_need *need);
bool anser_suits_wide(const struct anser_caps *caps);
enum anser_status anser_wide_prepare(anser_device *device,
                                     const struct anser_need *need);
void anser_wide_run(struct anser_queue *q, const struct anser_chosen *chosen,
                    const struct matmul_args *args,
                    const struct anser_product *p);

#endif
