/* SPDX-License-Identifier: MIT */
/* The table of layouts, and how a kernel brings a part into one. */
#include "op/columns.h"
#include "op/strip.h"

#include <stdio.h>

static uint64_t file_bytes(const struct anser_block *block, uint32_t rows,
                           uint32_t cols)
{
    return rows * anser_block_bytes(block, cols);
}

const struct anser_layout_info anser_layouts[ANSER_LAYOUTS] = {
    [ANSER_LAYOUT_FILE] = { "file", 1, file_bytes, NULL },
    [ANSER_LAYOUT_STRIP] = { "strip", 16, anser_strip_bytes,
                             anser_strip_repack },
    [ANSER_LAYOUT_COLUMNS] = { "columns", 256, anser_columns_bytes,
                               anser_columns_repack },
};

enum anser_status anser_repack_run(struct anser_queue *q,
                                   const struct anser_repack *r,
                                   const char *file, const char *kernel,
                                   struct anser_grid grid)
{
    char options[32];
    struct anser_kernel *k;
    const struct pack_args args = {
        .from_at = r->from_at, .to_at = r->to_at, .rows = r->rows,
        .cols = r->cols,
        .row_bytes = (uint32_t)anser_block_bytes(r->block, r->cols)
    };
    snprintf(options, sizeof options, "-D TYPE=%u", (unsigned)r->block->type);
    const struct anser_kernel_key key = { file, options, kernel };
    TRY(anser_kernel_get(q->device, &key, &k));
    ANSER_RUN(q, k, grid, args, r->from, r->to);
    return ANSER_OK;
}
