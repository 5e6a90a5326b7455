/* SPDX-License-Identifier: MIT */
/*
 * How weights lie on the device: a table, one row a layout.  A layout other
 * than the file's is made at upload, on the device, from blocks as in the
 * file; the row of op/matmul.c that a plan chose names the layout it reads.
 */
#ifndef ANSER_OP_LAYOUT_H
#define ANSER_OP_LAYOUT_H

#include "base/block.h"
#include "rt/queue.h"

enum anser_layout {
    ANSER_LAYOUT_FILE,               /* blocks as in the file               */
    ANSER_LAYOUT_STRIP,              /* strips of 16 rows, for CPUs         */
    ANSER_LAYOUT_COLUMNS,            /* columns, for CPUs where x is sparse */
    ANSER_LAYOUTS
};

/* Rows of W(rows, cols), all of a part, from blocks as in the file. */
struct anser_repack {
    const struct anser_block *block;
    uint32_t rows, cols;
    cl_mem from, to;
    uint32_t from_at, to_at;         /* in units of SH_UNIT bytes           */
};

struct anser_layout_info {
    const char *name;
    /* A part begins at a multiple of this many rows of its matrix. */
    uint32_t group;
    uint64_t (*bytes)(const struct anser_block *block, uint32_t rows,
                      uint32_t cols);
    /* Enqueues the change on q; failures before that are returned.  NULL: the
     * bytes are copied as they are. */
    enum anser_status (*repack)(struct anser_queue *q,
                                const struct anser_repack *r);
};
extern const struct anser_layout_info anser_layouts[ANSER_LAYOUTS];

/* Enqueues a kernel (pack_args, from, to) of cl/, for the type of the blocks. */
enum anser_status anser_repack_run(struct anser_queue *q,
                                   const struct anser_repack *r,
                                   const char *file, const char *kernel,
                                   struct anser_grid grid);

#endif
