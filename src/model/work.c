/* SPDX-License-Identifier: MIT */
/* The buffers of a pass, one table: made when a model opens, so that nothing
 * is allocated between two tokens. */
#include "model/model.h"
#include "model/need.h"

#include <stddef.h>
#include <string.h>

/* Floats a token of a buffer, in terms of the shape. */
struct row {
    size_t offset;                   /* in struct anser_work                */
    uint32_t c, f, low, one;         /* times C, F, all LoRA ranks, 1       */
    uint32_t fixed;                  /* floats that don't grow with T       */
};

#define AT(field) offsetof(struct anser_work, field)

static const struct row rows[] = {
    { AT(ids), 0, 0, 0, 1, 0 },      { AT(x), 1, 0, 0, 0, 0 },
    { AT(xn), 1, 0, 0, 0, 0 },       { AT(mixed), MIX_COUNT, 0, 0, 0, 0 },
    { AT(r), 1, 0, 0, 0, 0 },        { AT(w), 1, 0, 0, 0, 0 },
    { AT(k), 1, 0, 0, 0, 0 },        { AT(v), 1, 0, 0, 0, 0 },
    { AT(kk), 1, 0, 0, 0, 0 },       { AT(a), 1, 0, 0, 0, 0 },
    { AT(g), 1, 0, 0, 0, 0 },        { AT(y), 1, 0, 0, 0, 0 },
    { AT(v_first), 1, 0, 0, 0, 0 },  { AT(v_lora), 1, 0, 0, 0, 0 },
    { AT(low), 0, 0, 1, 0, 0 },      { AT(h), 0, 1, 0, 0, 0 },
    { AT(argmax), 0, 0, 0, 0, ANSER_ARGMAX_PARTS },
    { AT(argmax) + sizeof(struct anser_buf), 0, 0, 0, 0, ANSER_ARGMAX_PARTS },
    { AT(id), 0, 0, 0, 0, 1 },
};
enum { ROWS = sizeof rows / sizeof *rows };

static uint64_t bytes_of(const struct row *row,
                         const struct anser_v7_shape *s, uint32_t chunk)
{
    const uint64_t low = (uint64_t)s->Dw + s->Da + s->Dv + s->Dg;
    const uint64_t token = (uint64_t)row->c * s->C + (uint64_t)row->f * s->F
                           + row->low * low + row->one;
    const uint64_t steps = (chunk + ANSER_TOKEN_STEP - 1) / ANSER_TOKEN_STEP;
    return (token * steps * ANSER_TOKEN_STEP + row->fixed) * sizeof(float);
}

static struct anser_buf *buf_of(struct anser_work *work, const struct row *row)
{
    return (void *)((char *)work + row->offset);
}

uint64_t anser_work_bytes(const struct anser_v7_shape *shape, uint32_t chunk)
{
    uint64_t bytes = 0;
    for (int i = 0; i < ROWS; i++)
        bytes += bytes_of(&rows[i], shape, chunk);
    return bytes;
}

void anser_work_free(anser_device *device, struct anser_work *work)
{
    for (int i = 0; i < ROWS; i++)
        anser_buf_free(device, buf_of(work, &rows[i]));
}

enum anser_status anser_work_new(anser_device *device,
                                 const struct anser_v7_shape *shape,
                                 uint32_t chunk, struct anser_work *work)
{
    struct anser_work made;
    enum anser_status status = ANSER_OK;
    memset(&made, 0, sizeof made);
    made.chunk = chunk;
    for (int i = 0; i < ROWS; i++)
        TRY_OR_FAIL(anser_buf_new(device, bytes_of(&rows[i], shape, chunk),
                                  buf_of(&made, &rows[i])));
    *work = made;
    return ANSER_OK;
fail:
    anser_work_free(device, &made);
    return status;
}

/* A GPU's tiles want many tokens; a CPU's caches hold few. */
enum { CHUNK_CPU = 128, CHUNK_GPU = 512 };

uint32_t anser_default_chunk(const struct anser_caps *caps)
{
    return (caps->type & CL_DEVICE_TYPE_GPU) != 0 ? CHUNK_GPU : CHUNK_CPU;
}

uint64_t anser_v7_device_bytes(const struct anser_v7_file *v7, uint32_t chunk)
{
    const struct anser_v7_shape *s = &v7->shape;
    uint64_t weights = 0;
    for (uint64_t i = 0; i < v7->file->n_tensors; i++)
        weights += v7->file->tensors[i].bytes;
    return weights + anser_work_bytes(s, chunk != 0 ? chunk : CHUNK_GPU)
           + anser_v7_state_bytes(s) + (uint64_t)s->V * sizeof(float);
}
