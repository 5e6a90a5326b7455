/* SPDX-License-Identifier: MIT */
/*
 * The tensor records of a GGUF file:
 *     name text, u32 n_dims, u64 ne[n_dims], u32 type, u64 offset
 * and the places that they claim.  Offsets count from the data section, which
 * begins at the next multiple of the alignment; each tensor stands where the
 * padded one before it ends, as llama.cpp demands too.
 */
#include "base/gguf_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* Names of ggml's type numbers, those without a decoder here too.  Gaps were
 * removed from the format. */
static const char *const type_names[] = {
    [0] = "F32", [1] = "F16", [2] = "Q4_0", [3] = "Q4_1", [6] = "Q5_0",
    [7] = "Q5_1", [8] = "Q8_0", [9] = "Q8_1", [10] = "Q2_K", [11] = "Q3_K",
    [12] = "Q4_K", [13] = "Q5_K", [14] = "Q6_K", [15] = "Q8_K",
    [16] = "IQ2_XXS", [17] = "IQ2_XS", [18] = "IQ3_XXS", [19] = "IQ1_S",
    [20] = "IQ4_NL", [21] = "IQ3_S", [22] = "IQ2_S", [23] = "IQ4_XS",
    [24] = "I8", [25] = "I16", [26] = "I32", [27] = "I64", [28] = "F64",
    [29] = "IQ1_M", [30] = "BF16", [34] = "TQ1_0", [35] = "TQ2_0",
    [39] = "MXFP4", [40] = "NVFP4", [41] = "Q1_0", [42] = "Q2_0"
};
enum { N_TYPES = sizeof type_names / sizeof type_names[0] };

static enum anser_status take_dims(struct anser_gguf_cursor *c,
                                   struct anser_gguf_tensor *t)
{
    TRY(anser_gguf_take_u32(c, &t->n_dims));
    if (t->n_dims < 1 || t->n_dims > GGUF_MAX_DIMS)
        return anser_gguf_bad(c->file, "tensor %s: %u dimensions, expected "
                              "1..%d", t->name, (unsigned)t->n_dims,
                              GGUF_MAX_DIMS);
    uint64_t room = INT64_MAX;       /* elements that may still come        */
    for (uint32_t i = 0; i < GGUF_MAX_DIMS; i++) {
        t->ne[i] = 1;
        if (i >= t->n_dims)
            continue;
        TRY(anser_gguf_take_u64(c, &t->ne[i]));
        if (t->ne[i] == 0 || t->ne[i] > room)
            return anser_gguf_bad(c->file, "tensor %s: dimension %u is %llu, "
                                  "expected 1..%llu", t->name, (unsigned)i,
                                  (unsigned long long)t->ne[i],
                                  (unsigned long long)room);
        room /= t->ne[i];
    }
    return ANSER_OK;
}

static enum anser_status take_type(struct anser_gguf_cursor *c,
                                   struct anser_gguf_tensor *t)
{
    uint32_t type;
    TRY(anser_gguf_take_u32(c, &type));
    if (type >= N_TYPES || type_names[type] == NULL)
        return anser_gguf_bad(c->file, "tensor %s: type %u is none of GGUF's "
                              "0..%d", t->name, (unsigned)type, N_TYPES - 1);
    t->block = anser_block_find(type);
    if (t->block == NULL)
        return anser_fail(c->file->ctx, ANSER_UNSUPPORTED, "%s: tensor %s: "
                          "type %s (%u) has no decoder here; use a file of "
                          "F32, F16, BF16, Q4_0..Q8_0 or Q2_K..Q6_K",
                          c->file->path, t->name, type_names[type],
                          (unsigned)type);
    if (t->ne[0] % t->block->length != 0)
        return anser_gguf_bad(c->file, "tensor %s: rows of %llu elements are "
                              "no whole blocks of %s, which holds %u",
                              t->name, (unsigned long long)t->ne[0],
                              t->block->name, (unsigned)t->block->length);
    return ANSER_OK;
}

static enum anser_status take_tensor(struct anser_gguf_cursor *c, uint64_t i)
{
    struct anser_gguf_tensor *t = &c->file->tensors[i];
    snprintf(c->what, sizeof c->what, "the name of tensor %llu",
             (unsigned long long)i);
    TRY(anser_gguf_take_name(c, GGUF_MAX_NAME, &t->name));
    snprintf(c->what, sizeof c->what, "the record of tensor %s", t->name);
    TRY(take_dims(c, t));
    TRY(take_type(c, t));
    return anser_gguf_take_u64(c, &t->offset);
}

enum anser_status anser_gguf_take_tensors(struct anser_gguf_cursor *c)
{
    anser_file *file = c->file;
    size_t n = (size_t)file->n_tensors;
    file->tensors = calloc(n ? n : 1, sizeof *file->tensors);
    if (file->tensors == NULL)
        return anser_fail_memory(file->ctx, n * sizeof *file->tensors);
    for (uint64_t i = 0; i < file->n_tensors; i++)
        TRY(take_tensor(c, i));
    return ANSER_OK;
}

/* The next multiple of a power of two; n is below 2^63. */
static uint64_t pad(uint64_t n, uint64_t alignment)
{
    return (n + alignment - 1) & ~(alignment - 1);
}

/* start: of the data section; place: in it.  Both are within the file, or
 * just behind it. */
static enum anser_status place(const anser_file *file, uint64_t start,
                               uint64_t place, struct anser_gguf_tensor *t)
{
    if (t->offset != place)
        return anser_gguf_bad(file, "tensor %s: offset %llu, expected %llu, "
                              "the end of the tensor before it", t->name,
                              (unsigned long long)t->offset,
                              (unsigned long long)place);
    uint64_t elements = t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
    uint64_t room = start < file->bytes && place < file->bytes - start
                    ? file->bytes - start - place : 0;
    /* In blocks, since bytes could overflow. */
    if (elements / t->block->length > room / t->block->bytes)
        return anser_gguf_bad(file, "tensor %s: %llu elements of %s begin at "
                              "byte %llu and reach behind the end of the "
                              "file, %llu bytes", t->name,
                              (unsigned long long)elements, t->block->name,
                              (unsigned long long)(start + place),
                              (unsigned long long)file->bytes);
    t->bytes = anser_block_bytes(t->block, elements);
    t->offset = start + place;
    t->data = file->map + t->offset;
    return ANSER_OK;
}

enum anser_status anser_gguf_place_tensors(struct anser_gguf_cursor *c)
{
    anser_file *file = c->file;
    uint64_t start = pad((uint64_t)(c->at - file->map), file->alignment);
    uint64_t next = 0;
    for (uint64_t i = 0; i < file->n_tensors; i++) {
        struct anser_gguf_tensor *t = &file->tensors[i];
        TRY(place(file, start, next, t));
        next = pad(next + t->bytes, file->alignment);
    }
    return ANSER_OK;
}
