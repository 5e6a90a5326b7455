/* SPDX-License-Identifier: MIT */
/* Where matrices lie in few large buffers. */
#include "model/placement.h"

#include <stdlib.h>
#include <string.h>

/* Matrices begin on a cache line of every device. */
enum { ALIGN = 256 };

/* A part's buffer before it exists: its number, in `mem`. */
static cl_mem number_as_mem(uint32_t n)
{
    return (cl_mem)(uintptr_t)n;
}

static uint32_t mem_as_number(cl_mem mem)
{
    return (uint32_t)(uintptr_t)mem;
}

void anser_placement_init(struct anser_placement *p, anser_ctx *ctx,
                          uint64_t max_alloc)
{
    memset(p, 0, sizeof *p);
    p->ctx = ctx;
    /* A kernel counts in units of SH_UNIT with 32 bits. */
    const uint64_t reach = (uint64_t)UINT32_MAX * SH_UNIT;
    p->most = (max_alloc < reach ? max_alloc : reach) / ALIGN * ALIGN;
}

void anser_placement_free(struct anser_placement *p)
{
    free(p->sizes);
    free(p->placed);
}

static enum anser_status new_buffer(struct anser_placement *p)
{
    uint64_t *sizes = realloc(p->sizes, (p->n + 1) * sizeof *sizes);
    if (sizes == NULL)
        return anser_fail_memory(p->ctx, (p->n + 1) * sizeof *sizes);
    p->sizes = sizes;
    p->sizes[p->n++] = 0;
    return ANSER_OK;
}

static enum anser_status remember(struct anser_placement *p,
                                  struct anser_matrix *W)
{
    if (p->n_placed == p->room) {
        const size_t room = p->room * 2 + 64;
        struct anser_matrix **placed = realloc(p->placed,
                                               room * sizeof *placed);
        if (placed == NULL)
            return anser_fail_memory(p->ctx, room * sizeof *placed);
        p->placed = placed;
        p->room = room;
    }
    p->placed[p->n_placed++] = W;
    return ANSER_OK;
}

/* Rows row0.. of W at the end of the last buffer. */
static void put(struct anser_placement *p, const struct anser_matrix *W,
                struct anser_part *part, uint32_t row0, uint32_t rows)
{
    uint64_t *size = &p->sizes[p->n - 1];
    *part = (struct anser_part){ number_as_mem(p->n - 1),
                                 (uint32_t)(*size / SH_UNIT), row0, rows };
    const uint64_t bytes = anser_layouts[W->layout].bytes(W->block, rows,
                                                          W->cols);
    const uint64_t padded = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    *size += padded;
    p->bytes += padded;
}

enum anser_status anser_placement_add(struct anser_placement *p,
                                      struct anser_matrix *W)
{
    const struct anser_layout_info *layout = &anser_layouts[W->layout];
    const uint64_t bytes = layout->bytes(W->block, W->rows, W->cols);
    uint32_t fit = W->rows;          /* rows of a part                      */
    if (bytes > p->most)
        fit = (uint32_t)(p->most / layout->bytes(W->block, layout->group,
                                                 W->cols)) * layout->group;
    if (fit == 0)
        return anser_fail(p->ctx, ANSER_UNSUPPORTED,
                          "a matrix row of %u bytes is larger than the device"
                          " can allocate at once", (unsigned)W->row_bytes);
    W->n_parts = (W->rows + fit - 1) / fit;
    W->parts = calloc(W->n_parts, sizeof *W->parts);
    if (W->parts == NULL)
        return anser_fail_memory(p->ctx, W->n_parts * sizeof *W->parts);
    TRY(remember(p, W));
    for (uint32_t i = 0; i < W->n_parts; i++) {
        const uint32_t row0 = i * fit;
        const uint32_t rows = W->rows - row0 < fit ? W->rows - row0 : fit;
        const uint64_t need = layout->bytes(W->block, rows, W->cols);
        if (p->n == 0 || p->sizes[p->n - 1] + need > p->most)
            TRY(new_buffer(p));
        put(p, W, &W->parts[i], row0, rows);
    }
    return ANSER_OK;
}

enum anser_status anser_placement_buffers(struct anser_placement *p,
                                          anser_device *device,
                                          struct anser_buf **buffers,
                                          uint32_t *n)
{
    struct anser_buf *made = calloc(p->n, sizeof *made);
    enum anser_status status = ANSER_OK;
    if (made == NULL)
        return anser_fail_memory(p->ctx, p->n * sizeof *made);
    for (uint32_t i = 0; i < p->n; i++)
        TRY_OR_FAIL(anser_buf_new_exact(device, p->sizes[i], &made[i]));
    for (size_t i = 0; i < p->n_placed; i++)
        for (uint32_t j = 0; j < p->placed[i]->n_parts; j++) {
            struct anser_part *part = &p->placed[i]->parts[j];
            part->mem = made[mem_as_number(part->mem)].mem;
        }
    *buffers = made;
    *n = p->n;
    return ANSER_OK;
fail:
    for (uint32_t i = 0; i < p->n; i++)
        anser_buf_free_exact(device, &made[i]);
    free(made);
    return status;
}
