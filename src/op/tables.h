/* SPDX-License-Identifier: MIT */
/* The tables of all operations, by name: what op/tables.c lists. */
#ifndef ANSER_OP_TABLES_H
#define ANSER_OP_TABLES_H

#include "op/variant.h"

extern const struct anser_op anser_op_matmul_few, anser_op_matmul_many;
extern const struct anser_op anser_op_embedding, anser_op_layer_norm;
extern const struct anser_op anser_op_token_shift, anser_op_head_prepare;
extern const struct anser_op anser_op_recurrence, anser_op_head_finish;
extern const struct anser_op anser_op_argmax_parts, anser_op_argmax_last;
extern const struct anser_op anser_op_sampler;

#endif
