/* SPDX-License-Identifier: MIT */
/*
 * Writing GGUF v3.  Keys and tensor records collect in memory; the first byte
 * of data, or _finish, writes them out, into a file under a temporary name
 * (tempfile.h), so that the target is whole or as it was.
 *
 * After a failure the writer refuses everything with the same status.
 */
#include "base/gguf_write.h"

#include "base/tempfile.h"

#include <stdlib.h>
#include <string.h>

#define VERSION 3
#define ALIGNMENT 32                 /* unless general.alignment is written */

struct bytes {                       /* grows                               */
    unsigned char *at;               /* owned                               */
    size_t n, cap;
};

struct anser_gguf_writer {
    anser_ctx *ctx;                  /* borrowed                            */
    struct anser_tempfile out;
    enum anser_status status;        /* the first failure                   */
    uint64_t alignment;
    uint64_t n_keys, n_tensors;
    struct bytes keys, records;      /* as in the file                      */
    struct bytes sizes;              /* uint64_t a tensor                   */
    uint64_t next;                   /* offset of the next record's data    */
    int in_data;                     /* keys and records are written        */
    uint64_t tensor;                 /* being written                       */
    uint64_t left;                   /* its bytes that are still to come    */
};

/* Keeps the first failure. */
static enum anser_status fail(struct anser_gguf_writer *w,
                              enum anser_status status)
{
    if (w->status == ANSER_OK)
        w->status = status;
    return w->status;
}

static enum anser_status fail_use(struct anser_gguf_writer *w,
                                  const char *what)
{
    if (w->status != ANSER_OK)
        return w->status;
    return fail(w, anser_fail(w->ctx, ANSER_BAD_ARG, "%s: %s", w->out.path,
                              what));
}

/* ------------------------------------------------------------ growing */

static enum anser_status add(struct anser_gguf_writer *w, struct bytes *to,
                             const void *data, size_t n)
{
    if (w->status != ANSER_OK)
        return w->status;
    if (n > to->cap - to->n) {
        size_t cap = 2 * (to->n + n) + 256;
        unsigned char *at = realloc(to->at, cap);
        if (at == NULL)
            return fail(w, anser_fail_memory(w->ctx, cap));
        to->at = at;
        to->cap = cap;
    }
    if (n > 0)
        memcpy(to->at + to->n, data, n);
    to->n += n;
    return ANSER_OK;
}

static enum anser_status add_u32(struct anser_gguf_writer *w,
                                 struct bytes *to, uint32_t value)
{
    return add(w, to, &value, sizeof value);
}

static enum anser_status add_u64(struct anser_gguf_writer *w,
                                 struct bytes *to, uint64_t value)
{
    return add(w, to, &value, sizeof value);
}

static enum anser_status add_text(struct anser_gguf_writer *w,
                                  struct bytes *to, const char *text,
                                  uint64_t n)
{
    TRY(add_u64(w, to, n));
    return add(w, to, text, (size_t)n);
}

/* --------------------------------------------------------------- keys */

static enum anser_status begin_key(struct anser_gguf_writer *w,
                                   const char *name,
                                   enum anser_gguf_kind kind)
{
    if (w->in_data)
        return fail_use(w, "a key after the first data");
    TRY(add_text(w, &w->keys, name, strlen(name)));
    TRY(add_u32(w, &w->keys, kind));
    w->n_keys++;
    return ANSER_OK;
}

static enum anser_status begin_array(struct anser_gguf_writer *w,
                                     const char *name,
                                     enum anser_gguf_kind item, uint64_t n)
{
    TRY(begin_key(w, name, GGUF_ARRAY));
    TRY(add_u32(w, &w->keys, item));
    return add_u64(w, &w->keys, n);
}

static enum anser_status note_alignment(struct anser_gguf_writer *w,
                                        const char *name, uint32_t value)
{
    if (strcmp(name, "general.alignment") != 0)
        return ANSER_OK;
    if (value == 0 || (value & (value - 1)) != 0 || w->n_tensors > 0)
        return fail_use(w, "general.alignment must be a power of two and "
                        "come before the tensors");
    w->alignment = value;
    return ANSER_OK;
}

enum anser_status anser_gguf_put_u32(struct anser_gguf_writer *w,
                                     const char *name, uint32_t value)
{
    TRY(note_alignment(w, name, value));
    TRY(begin_key(w, name, GGUF_U32));
    return add_u32(w, &w->keys, value);
}

enum anser_status anser_gguf_put_f32(struct anser_gguf_writer *w,
                                     const char *name, float value)
{
    TRY(begin_key(w, name, GGUF_F32));
    return add(w, &w->keys, &value, sizeof value);
}

enum anser_status anser_gguf_put_string(struct anser_gguf_writer *w,
                                        const char *name, const char *text)
{
    TRY(begin_key(w, name, GGUF_STRING));
    return add_text(w, &w->keys, text, strlen(text));
}

enum anser_status anser_gguf_put_strings(struct anser_gguf_writer *w,
                                         const char *name, uint64_t n,
                                         const struct anser_gguf_text *texts)
{
    TRY(begin_array(w, name, GGUF_STRING, n));
    for (uint64_t i = 0; i < n; i++)
        TRY(add_text(w, &w->keys, texts[i].at, texts[i].n));
    return ANSER_OK;
}

enum anser_status anser_gguf_put_i32s(struct anser_gguf_writer *w,
                                      const char *name, uint64_t n,
                                      const int32_t *values)
{
    TRY(begin_array(w, name, GGUF_I32, n));
    return add(w, &w->keys, values, (size_t)n * sizeof *values);
}

enum anser_status anser_gguf_put_key(struct anser_gguf_writer *w,
                                     const struct anser_gguf_key *key)
{
    if (key->kind == GGUF_U32) {
        uint32_t value;
        memcpy(&value, key->value, sizeof value);
        return anser_gguf_put_u32(w, key->name, value);
    }
    if (key->kind == GGUF_ARRAY)
        TRY(begin_array(w, key->name, key->item, key->count));
    else
        TRY(begin_key(w, key->name, key->kind));
    return add(w, &w->keys, key->value, (size_t)key->bytes);
}

/* ------------------------------------------------------------ tensors */

static uint64_t padding(const struct anser_gguf_writer *w, uint64_t n)
{
    return (w->alignment - n % w->alignment) % w->alignment;
}

static uint64_t size_of(const struct anser_gguf_writer *w, uint64_t tensor)
{
    uint64_t size;
    memcpy(&size, w->sizes.at + tensor * sizeof size, sizeof size);
    return size;
}

enum anser_status anser_gguf_put_tensor(struct anser_gguf_writer *w,
                                        const char *name,
                                        enum anser_type type,
                                        uint32_t n_dims, const uint64_t *ne)
{
    const struct anser_block *block = anser_block_find((uint32_t)type);
    uint64_t elements = 1;
    if (w->in_data || block == NULL || n_dims < 1 || n_dims > 4
        || ne[0] % block->length != 0)
        return fail_use(w, "a tensor record after the first data, or one "
                        "with a type or shape that no file can have");
    TRY(add_text(w, &w->records, name, strlen(name)));
    TRY(add_u32(w, &w->records, n_dims));
    for (uint32_t i = 0; i < n_dims; i++) {
        if (ne[i] == 0)
            return fail_use(w, "a tensor without elements");
        TRY(add_u64(w, &w->records, ne[i]));
        elements *= ne[i];
    }
    TRY(add_u32(w, &w->records, (uint32_t)type));
    TRY(add_u64(w, &w->records, w->next));
    uint64_t bytes = anser_block_bytes(block, elements);
    TRY(add_u64(w, &w->sizes, bytes));
    w->next += bytes + padding(w, bytes);
    w->n_tensors++;
    return ANSER_OK;
}

static enum anser_status write_out(struct anser_gguf_writer *w,
                                   const void *data, size_t n)
{
    TRY(w->status);
    enum anser_status status = anser_tempfile_write(&w->out, data, n);
    return status == ANSER_OK ? status : fail(w, status);
}

static enum anser_status write_padding(struct anser_gguf_writer *w, uint64_t n)
{
    static const unsigned char zeros[ALIGNMENT];
    while (n > 0) {
        size_t part = n < sizeof zeros ? (size_t)n : sizeof zeros;
        TRY(write_out(w, zeros, part));
        n -= part;
    }
    return ANSER_OK;
}

static enum anser_status begin_data(struct anser_gguf_writer *w)
{
    struct bytes head = { NULL, 0, 0 };
    enum anser_status status = add(w, &head, "GGUF", 4);
    if (status == ANSER_OK)
        status = add_u32(w, &head, VERSION);
    if (status == ANSER_OK)
        status = add_u64(w, &head, w->n_tensors);
    if (status == ANSER_OK)
        status = add_u64(w, &head, w->n_keys);
    if (status == ANSER_OK)
        status = write_out(w, head.at, head.n);
    free(head.at);
    TRY(status);
    TRY(write_out(w, w->keys.at, w->keys.n));
    TRY(write_out(w, w->records.at, w->records.n));
    TRY(write_padding(w, padding(w, head.n + w->keys.n + w->records.n)));
    w->in_data = 1;
    w->left = w->n_tensors > 0 ? size_of(w, 0) : 0;
    return ANSER_OK;
}

/* On to the next tensor. */
static enum anser_status end_tensor(struct anser_gguf_writer *w)
{
    TRY(write_padding(w, padding(w, size_of(w, w->tensor))));
    w->tensor++;
    w->left = w->tensor < w->n_tensors ? size_of(w, w->tensor) : 0;
    return ANSER_OK;
}

enum anser_status anser_gguf_put_data(struct anser_gguf_writer *w,
                                      const void *data, size_t bytes)
{
    const unsigned char *at = data;
    TRY(w->status);
    if (!w->in_data)
        TRY(begin_data(w));
    while (bytes > 0) {
        if (w->left == 0)
            return fail_use(w, "more data than the tensor records announce");
        size_t n = bytes < w->left ? bytes : (size_t)w->left;
        TRY(write_out(w, at, n));
        at += n;
        bytes -= n;
        w->left -= n;
        if (w->left == 0)
            TRY(end_tensor(w));
    }
    return ANSER_OK;
}

/* -------------------------------------------------- beginning and end */

enum anser_status anser_gguf_create(anser_ctx *ctx, const char *path,
                                    struct anser_gguf_writer **writer)
{
    struct anser_gguf_writer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(ctx, sizeof *made);
    made->ctx = ctx;
    made->alignment = ALIGNMENT;
    enum anser_status status = anser_tempfile_open(ctx, path, &made->out);
    if (status != ANSER_OK) {
        free(made);
        return status;
    }
    *writer = made;
    return ANSER_OK;
}

static enum anser_status finish(struct anser_gguf_writer *w)
{
    TRY(w->status);
    if (!w->in_data)
        TRY(begin_data(w));
    if (w->tensor < w->n_tensors)
        return fail_use(w, "less data than the tensor records announce");
    return anser_tempfile_finish(&w->out);
}

enum anser_status anser_gguf_finish(struct anser_gguf_writer *w)
{
    enum anser_status status = finish(w);
    anser_gguf_abandon(w);
    return status;
}

void anser_gguf_abandon(struct anser_gguf_writer *w)
{
    if (w == NULL)
        return;
    anser_tempfile_abandon(&w->out);
    free(w->keys.at);
    free(w->records.at);
    free(w->sizes.at);
    free(w);
}
