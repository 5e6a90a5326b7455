/* SPDX-License-Identifier: MIT */
/* A matrix from the mapped file to its layout on the device. */
#include "model/stage.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void anser_stage_free(struct anser_stage *s)
{
    anser_buf_free_exact(s->device, &s->buf);
}

/* The staging buffer with the bytes on their way into it.  The queue is in
 * order: what is in it is read before it is written again. */
static enum anser_status fill(struct anser_stage *s, const unsigned char *data,
                              size_t bytes)
{
    if (bytes > s->buf.bytes) {
        TRY(anser_queue_finish(s->q));
        anser_buf_free_exact(s->device, &s->buf);
        TRY(anser_buf_new_exact(s->device, bytes, &s->buf));
    }
    anser_queue_write(s->q, s->buf.mem, 0, data, bytes);
    return ANSER_OK;
}

static enum anser_status change(struct anser_stage *s,
                                const struct anser_matrix *W,
                                const struct anser_part *part,
                                const unsigned char *data)
{
    const size_t bytes = (size_t)part->rows * W->row_bytes;
    struct anser_repack r = {
        .block = W->block, .rows = part->rows, .cols = W->cols,
        .to = part->mem, .to_at = part->at
    };
    struct anser_buf over;
    if ((s->device->caps.type & CL_DEVICE_TYPE_CPU) == 0) {
        TRY(fill(s, data, bytes));
        r.from = s->buf.mem;
        return anser_layouts[W->layout].repack(s->q, &r);
    }
    TRY(anser_buf_over(s->device, data, bytes, &over));
    r.from = over.mem;
    const enum anser_status status = anser_layouts[W->layout].repack(s->q, &r);
    anser_buf_free_over(s->device, &over);
    return status;
}

void anser_stage_forget(const void *data, size_t bytes)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)data + page - 1) / page * page;
    const uintptr_t to = ((uintptr_t)data + bytes) / page * page;
    /* Only advice: a failure costs nothing but memory. */
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}

enum anser_status anser_stage_matrix(struct anser_stage *s,
                                     const struct anser_matrix *W,
                                     const unsigned char *data)
{
    for (uint32_t i = 0; i < W->n_parts; i++) {
        const struct anser_part *part = &W->parts[i];
        const unsigned char *from = data + (size_t)part->row0 * W->row_bytes;
        TRY(change(s, W, part, from));
    }
    return ANSER_OK;
}
