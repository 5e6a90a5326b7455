/* SPDX-License-Identifier: MIT */
/*
 * Binding a GGUF file to the table of v7.c.  Sizes come from the metadata and
 * every tensor must agree with them; a tensor that the table doesn't know is
 * refused too, since leaving it out would give another model's answers (as
 * with the extra tensors of RWKV-7a and 7b).
 */
#include "base/v7.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 64                  /* bytes of a tensor name, NUL too     */

/* Work in hand. */
struct binding {
    const anser_file *file;
    struct anser_v7_file v7;
    unsigned char *known;            /* (n_tensors) 1: the table names it   */
};

/* A size in the metadata and the range that it may have. */
struct size_key {
    const char *name;
    size_t offset;                   /* in struct anser_v7_shape            */
    uint32_t max;
};

#define S_(member) offsetof(struct anser_v7_shape, member)

static const struct size_key size_keys[] = {
    { "rwkv7.embedding_length", S_(C), 1 << 16 },
    { "rwkv7.block_count", S_(L), 1 << 12 },
    { "rwkv7.feed_forward_length", S_(F), 1 << 20 },
    { "rwkv7.wkv.head_size", S_(N), 1 << 16 },
    { "rwkv7.attention.decay_lora_rank", S_(Dw), 1 << 16 },
    { "rwkv7.attention.iclr_lora_rank", S_(Da), 1 << 16 },
    { "rwkv7.attention.value_residual_mix_lora_rank", S_(Dv), 1 << 16 },
    { "rwkv7.attention.gate_lora_rank", S_(Dg), 1 << 16 },
    { NULL, 0, 0 }
};
#define MAX_VOCAB (1u << 24)

static enum anser_status check_architecture(const anser_file *file)
{
    struct anser_gguf_text arch;
    TRY(anser_gguf_string(file, "general.architecture", &arch));
    if (arch.n == 5 && memcmp(arch.at, "rwkv7", 5) == 0)
        return ANSER_OK;
    if (arch.n == 6 && memcmp(arch.at, "arwkv7", 6) == 0)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: key "
                          "general.architecture is \"arwkv7\", a hybrid with "
                          "other norms and another feed-forward; use an "
                          "RWKV-7 file", file->path);
    char text[32];
    size_t n = arch.n < sizeof text ? (size_t)arch.n : sizeof text - 1;
    for (size_t i = 0; i < n; i++)
        text[i] = arch.at[i] >= ' ' && arch.at[i] < 127 ? arch.at[i] : '?';
    text[n] = '\0';
    return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: key "
                      "general.architecture is \"%s\", expected \"rwkv7\"; "
                      "use an RWKV-7 file", file->path, text);
}

/* Keys that, where present, allow one value only. */
static enum anser_status check_fixed(const anser_file *file, const char *key,
                                     uint64_t expected, const char *advice)
{
    uint64_t value;
    if (anser_gguf_find_key(file, key) == NULL)
        return ANSER_OK;
    TRY(anser_gguf_u64(file, key, &value));
    if (value == expected)
        return ANSER_OK;
    return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: key %s is %" PRIu64
                      ", expected %" PRIu64 "; %s", file->path, key, value,
                      expected, advice);
}

static enum anser_status check_split(const anser_file *file)
{
    uint64_t count = 0;
    if (anser_gguf_find_key(file, "split.count") == NULL)
        return ANSER_OK;
    TRY(anser_gguf_u64(file, "split.count", &count));
    if (count <= 1)
        return ANSER_OK;
    return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: key split.count is %"
                      PRIu64 ": one part of a split model; join the parts "
                      "(llama-gguf-split --merge)", file->path, count);
}

static enum anser_status read_sizes(const anser_file *file,
                                    struct anser_v7_shape *shape)
{
    for (const struct size_key *k = size_keys; k->name != NULL; k++) {
        uint64_t value;
        TRY(anser_gguf_u64(file, k->name, &value));
        if (value < 1 || value > k->max)
            return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key %s is %"
                              PRIu64 ", expected 1..%u; convert the model "
                              "again", file->path, k->name, value,
                              (unsigned)k->max);
        uint32_t size = (uint32_t)value;
        memcpy((char *)shape + k->offset, &size, sizeof size);
    }
    return ANSER_OK;
}

static enum anser_status check_heads(const anser_file *file,
                                     struct anser_v7_shape *shape)
{
    if (shape->N != V7_HEAD_SIZE)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: key "
                          "rwkv7.wkv.head_size is %u, expected %d, the only "
                          "one that the kernels know; use another model",
                          file->path, (unsigned)shape->N, V7_HEAD_SIZE);
    if (shape->C % shape->N != 0)
        return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key "
                          "rwkv7.embedding_length is %u, expected a multiple "
                          "of the head size %u; convert the model again",
                          file->path, (unsigned)shape->C, (unsigned)shape->N);
    shape->H = shape->C / shape->N;
    return ANSER_OK;
}

/* Rows of the embedding; binding compares its columns, and output.weight. */
static enum anser_status read_vocab(const anser_file *file,
                                    struct anser_v7_shape *shape)
{
    const struct anser_gguf_tensor *embd =
        anser_gguf_find(file, "token_embd.weight");
    if (embd == NULL)                /* bind_row tells                      */
        return ANSER_OK;
    if (embd->ne[1] > MAX_VOCAB)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: tensor "
                          "token_embd.weight has %" PRIu64 " rows, at most %u "
                          "are supported; use another model", file->path,
                          embd->ne[1], MAX_VOCAB);
    shape->V = (uint32_t)embd->ne[1];
    return ANSER_OK;
}

static enum anser_status read_eps(const anser_file *file,
                                  struct anser_v7_shape *shape)
{
    const char *name = "rwkv7.attention.layer_norm_epsilon";
    float eps = V7_LN_EPS;
    if (anser_gguf_find_key(file, name) != NULL)
        TRY(anser_gguf_float(file, name, &eps));
    if (!(eps > 0.0f && eps < 1.0f))
        return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key %s is %g, "
                          "expected more than 0 and less than 1, as a rule "
                          "1e-5; convert the model again", file->path, name,
                          (double)eps);
    shape->ln_eps = eps;
    return ANSER_OK;
}

static enum anser_status read_shape(const anser_file *file,
                                    struct anser_v7_shape *shape)
{
    TRY(check_architecture(file));
    TRY(check_split(file));
    TRY(read_sizes(file, shape));
    TRY(check_heads(file, shape));
    TRY(check_fixed(file, "rwkv7.token_shift_count", 2,
                    "use a plain RWKV-7 file"));
    TRY(read_eps(file, shape));
    return read_vocab(file, shape);
}

/* The lerp may be [C,6] or [C,1,1,6], r_k also [N,H]; elsewhere only trailing
 * ones are free. */
static int shape_fits(const struct anser_v7_shape *shape,
                      const struct anser_v7_row *row,
                      const struct anser_gguf_tensor *t)
{
    uint64_t cols = anser_v7_size(shape, row->cols);
    uint64_t rows = anser_v7_size(shape, row->rows);
    if (t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3] != cols * rows)
        return 0;
    if (strcmp(row->name, "time_mix_r_k.weight") == 0 && t->ne[0] == shape->N
        && t->ne[1] == shape->H)
        return 1;
    return t->ne[0] == cols && (row->rows == V7_6 || t->ne[1] == rows);
}

static enum anser_status wrong_shape(const struct binding *b,
                                     const struct anser_v7_row *row,
                                     const struct anser_gguf_tensor *t)
{
    const struct anser_v7_shape *shape = &b->v7.shape;
    return anser_fail(b->file->ctx, ANSER_BAD_FILE, "%s: tensor %s has shape "
                      "[%" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64
                      "], expected [%" PRIu64 ", %" PRIu64 "] by the keys "
                      "rwkv7.*; convert the model again", b->file->path,
                      t->name, t->ne[0], t->ne[1], t->ne[2], t->ne[3],
                      anser_v7_size(shape, row->cols),
                      anser_v7_size(shape, row->rows));
}

static enum anser_status missing(const struct binding *b, const char *name)
{
    if (strcmp(name, "output.weight") == 0)
        return anser_fail(b->file->ctx, ANSER_UNSUPPORTED, "%s: tensor "
                          "output.weight is missing; RWKV-7 has no head tied "
                          "to the embedding, convert the model again",
                          b->file->path);
    return anser_fail(b->file->ctx, ANSER_UNSUPPORTED, "%s: tensor %s is "
                      "missing; convert the model again", b->file->path,
                      name);
}

/* The tensor of that name into base, at its row's place. */
static enum anser_status bind_row(struct binding *b, void *base,
                                  const struct anser_v7_row *row,
                                  const char *name)
{
    const struct anser_gguf_tensor *t = anser_gguf_find(b->file, name);
    if (t == NULL)
        return missing(b, name);
    if (!shape_fits(&b->v7.shape, row, t))
        return wrong_shape(b, row, t);
    b->known[t - b->file->tensors] = 1;
    *(anser_v7_ref *)((char *)base + row->offset) = t;
    return ANSER_OK;
}

static enum anser_status bind_layer(struct binding *b, uint32_t i)
{
    for (const struct anser_v7_row *row = anser_v7_layer_rows;
         row->name != NULL; row++) {
        char name[MAX_NAME];
        snprintf(name, sizeof name, "blk.%u.%s", (unsigned)i, row->name);
        if (i > 0 || row->need != V7_NOT_IN_LAYER_0) {
            TRY(bind_row(b, &b->v7.layers[i], row, name));
            continue;
        }
        const struct anser_gguf_tensor *t = anser_gguf_find(b->file, name);
        if (t != NULL)
            b->known[t - b->file->tensors] = 1;
    }
    return ANSER_OK;
}

static enum anser_status refuse_unknown(const struct binding *b)
{
    for (uint64_t i = 0; i < b->file->n_tensors; i++)
        if (!b->known[i])
            return anser_fail(b->file->ctx, ANSER_UNSUPPORTED, "%s: tensor %s "
                              "is no part of RWKV-7 with %u layers, and "
                              "without it the answers would be wrong; use a "
                              "plain RWKV-7 file", b->file->path,
                              b->file->tensors[i].name,
                              (unsigned)b->v7.shape.L);
    return ANSER_OK;
}

static enum anser_status bind_all(struct binding *b)
{
    for (const struct anser_v7_row *row = anser_v7_file_rows;
         row->name != NULL; row++)
        TRY(bind_row(b, &b->v7, row, row->name));
    for (uint32_t i = 0; i < b->v7.shape.L; i++)
        TRY(bind_layer(b, i));
    return refuse_unknown(b);
}

enum anser_status anser_v7_bind(const anser_file *file,
                                struct anser_v7_file *v7)
{
    struct binding b = { file, { .file = file }, NULL };
    enum anser_status status;
    TRY(read_shape(file, &b.v7.shape));
    size_t L = b.v7.shape.L, n = (size_t)file->n_tensors;
    b.known = calloc(n ? n : 1, 1);
    b.v7.layers = calloc(L, sizeof *b.v7.layers);
    if (b.known == NULL || b.v7.layers == NULL) {
        status = anser_fail_memory(file->ctx, n + L * sizeof *b.v7.layers);
        goto fail;
    }
    TRY_OR_FAIL(bind_all(&b));
    free(b.known);
    *v7 = b.v7;
    return ANSER_OK;
fail:
    free(b.known);
    free(b.v7.layers);
    return status;
}

void anser_v7_unbind(struct anser_v7_file *v7)
{
    if (v7 == NULL)
        return;
    free(v7->layers);
    v7->layers = NULL;
}
