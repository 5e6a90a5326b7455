/* SPDX-License-Identifier: MIT */
/*
 * Opening a GGUF file and answering questions about it.  Layout:
 *     magic, u32 version, u64 tensors, u64 keys, key records,
 *     tensor records, padding, data
 * all little-endian [GGUF:v3]; version 2 has the same layout.
 */
#include "base/gguf_impl.h"

#include <stdlib.h>
#include <string.h>

static enum anser_status check_count(const struct anser_gguf_cursor *c,
                                     const char *what, uint64_t n,
                                     uint64_t record)
{
    if (n <= (uint64_t)(c->end - c->at) / record)
        return ANSER_OK;
    return anser_gguf_bad(c->file, "the header counts %llu %s, more than the "
                          "file's %llu bytes can hold", (unsigned long long)n,
                          what, (unsigned long long)c->file->bytes);
}

static enum anser_status take_version(struct anser_gguf_cursor *c)
{
    uint32_t magic, version;
    TRY(anser_gguf_take_u32(c, &magic));
    if (magic != GGUF_MAGIC)
        return anser_fail(c->file->ctx, ANSER_BAD_FILE, "%s: is no GGUF file: "
                          "it begins with 0x%08x, expected 0x%08x; convert "
                          "the model to GGUF", c->file->path,
                          (unsigned)magic, GGUF_MAGIC);
    TRY(anser_gguf_take_u32(c, &version));
    if ((version & 0xffff) == 0 && version != 0)
        return anser_fail(c->file->ctx, ANSER_UNSUPPORTED, "%s: is a "
                          "big-endian GGUF file; convert the model to a "
                          "little-endian one", c->file->path);
    if (version != 2 && version != 3)
        return anser_fail(c->file->ctx, ANSER_UNSUPPORTED, "%s: GGUF version "
                          "%u, expected 2 or 3; convert the model again",
                          c->file->path, (unsigned)version);
    c->file->version = version;
    return ANSER_OK;
}

static enum anser_status take_header(struct anser_gguf_cursor *c)
{
    anser_file *file = c->file;
    TRY(take_version(c));
    TRY(anser_gguf_take_u64(c, &file->n_tensors));
    TRY(anser_gguf_take_u64(c, &file->n_keys));
    TRY(check_count(c, "keys", file->n_keys, GGUF_MIN_KEY));
    return check_count(c, "tensors", file->n_tensors, GGUF_MIN_TENSOR);
}

static int by_name(const void *a, const void *b)
{
    const struct anser_gguf_name *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Sorts names(n) and refuses one that stands there twice. */
static enum anser_status sort_names(const anser_file *file, const char *what,
                                    struct anser_gguf_name *names, uint64_t n)
{
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (uint64_t i = 1; i < n; i++)
        if (strcmp(names[i - 1].name, names[i].name) == 0)
            return anser_gguf_bad(file, "%s %.256s stands there twice", what,
                                  names[i].name);
    return ANSER_OK;
}

static struct anser_gguf_name *new_names(uint64_t n)
{
    return calloc(n ? (size_t)n : 1, sizeof(struct anser_gguf_name));
}

static enum anser_status index_keys(anser_file *file)
{
    file->key_names = new_names(file->n_keys);
    if (file->key_names == NULL)
        return anser_fail_memory(file->ctx, (size_t)file->n_keys
                                 * sizeof *file->key_names);
    for (uint64_t i = 0; i < file->n_keys; i++) {
        file->key_names[i].name = file->keys[i].name;
        file->key_names[i].i = i;
    }
    return sort_names(file, "key", file->key_names, file->n_keys);
}

static enum anser_status index_tensors(anser_file *file)
{
    file->tensor_names = new_names(file->n_tensors);
    if (file->tensor_names == NULL)
        return anser_fail_memory(file->ctx, (size_t)file->n_tensors
                                 * sizeof *file->tensor_names);
    for (uint64_t i = 0; i < file->n_tensors; i++) {
        file->tensor_names[i].name = file->tensors[i].name;
        file->tensor_names[i].i = i;
    }
    return sort_names(file, "tensor", file->tensor_names, file->n_tensors);
}

static enum anser_status find_alignment(anser_file *file)
{
    const char *name = "general.alignment";
    const struct anser_gguf_key *key = anser_gguf_find_key(file, name);
    file->alignment = GGUF_ALIGNMENT;
    if (key == NULL)
        return ANSER_OK;
    if (key->kind != GGUF_U32)
        return anser_gguf_bad(file, "key %s is of type %s, expected u32",
                              name, anser_gguf_kind_name(key->kind));
    TRY(anser_gguf_u64(file, name, &file->alignment));
    uint64_t a = file->alignment;
    if (a == 0 || (a & (a - 1)) != 0)
        return anser_gguf_bad(file, "key %s is %llu, expected a power of two",
                              name, (unsigned long long)a);
    return ANSER_OK;
}

static enum anser_status keep_model_name(anser_file *file)
{
    struct anser_gguf_text text = { "", 0 };
    if (anser_gguf_find_key(file, "general.name") != NULL)
        TRY(anser_gguf_string(file, "general.name", &text));
    file->text_cache = malloc((size_t)text.n + 1);
    if (file->text_cache == NULL)
        return anser_fail_memory(file->ctx, (size_t)text.n + 1);
    memcpy(file->text_cache, text.at, (size_t)text.n);
    file->text_cache[text.n] = '\0';
    return ANSER_OK;
}

static enum anser_status parse(anser_file *file)
{
    struct anser_gguf_cursor c = {
        file, file->map, file->map + file->bytes, "the header"
    };
    TRY(take_header(&c));
    TRY(anser_gguf_take_keys(&c));
    TRY(index_keys(file));
    TRY(find_alignment(file));
    TRY(anser_gguf_take_tensors(&c));
    TRY(index_tensors(file));
    TRY(anser_gguf_place_tensors(&c));
    return keep_model_name(file);
}

enum anser_status anser_gguf_open(anser_ctx *ctx, const char *path,
                                  anser_file **file)
{
    enum anser_status status;
    size_t n = strlen(path) + 1;
    anser_file *made = calloc(1, sizeof *made);
    if (made == NULL || (made->path = malloc(n)) == NULL) {
        status = anser_fail_memory(ctx, sizeof *made + n);
        goto fail;
    }
    memcpy(made->path, path, n);
    made->ctx = ctx;
    TRY_OR_FAIL(anser_gguf_map(made));
    TRY_OR_FAIL(parse(made));
    *file = made;
    return ANSER_OK;
fail:
    anser_gguf_close(made);
    return status;
}

void anser_gguf_close(anser_file *file)
{
    if (file == NULL)
        return;
    for (uint64_t i = 0; file->keys != NULL && i < file->n_keys; i++)
        free(file->keys[i].name);
    for (uint64_t i = 0; file->tensors != NULL && i < file->n_tensors; i++)
        free(file->tensors[i].name);
    free(file->keys);
    free(file->tensors);
    free(file->key_names);
    free(file->tensor_names);
    free(file->text_cache);
    anser_gguf_unmap(file);
    free(file->path);
    free(file);
}
