/* SPDX-License-Identifier: MIT */
/* The table of layouts. */
#include "op/columns.h"
#include "op/strip.h"

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
