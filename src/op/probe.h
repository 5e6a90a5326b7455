/* SPDX-License-Identifier: MIT */
/*
 * Trying a variant in another process.  A compiler that can't select an
 * instruction ends the process, and so does a CPU that lacks it; a row that
 * is marked `risky` is built here only after the helper program, anser-probe,
 * has built and checked it and lived.  The library never forks.
 */
#ifndef ANSER_OP_PROBE_H
#define ANSER_OP_PROBE_H

#include "op/variant.h"

/* OK if the helper says that the row is right; its answer is remembered
 * beside the program cache.  UNSUPPORTED if it does not, or without a helper. */
enum anser_status anser_op_probe(anser_device *device,
                                 const struct anser_op *op,
                                 const struct anser_variant *row,
                                 uint32_t type);

/* The same of what is no row of a table: `what` of `name`, with `text`. */
enum anser_status anser_probe(anser_device *device, const char *name,
                              const char *what, const char *text);

#endif
