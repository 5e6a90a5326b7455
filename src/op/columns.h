/* SPDX-License-Identifier: MIT */
/* Matrix products on a CPU where x is of relu^2 (cl/columns.cl).  The rows
 * themselves stand in op/matmul.c. */
#ifndef ANSER_OP_COLUMNS_H
#define ANSER_OP_COLUMNS_H

#include "op/op.h"

/* For the table of layouts. */
uint64_t anser_columns_bytes(const struct anser_block *block, uint32_t rows,
                             uint32_t cols);
enum anser_status anser_columns_repack(struct anser_queue *q,
                                       const struct anser_repack *r);

/* For the rows. */
bool anser_fits_columns(const struct anser_caps *caps,
                        const struct anser_need *need);
enum anser_status anser_columns_prepare(anser_device *device,
                                        const struct anser_need *need);
void anser_columns_run(struct anser_queue *q,
                       const struct anser_chosen *chosen,
                       const struct matmul_args *args,
                       const struct anser_product *p);

#endif
