/* SPDX-License-Identifier: MIT */
/*
 * Keys and tensors of an open GGUF file by name, and metadata values as C
 * types.  The file has been checked: values lie whole in the mapping.
 */
#include "base/gguf_impl.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *name, const void *entry)
{
    return strcmp(name, ((const struct anser_gguf_name *)entry)->name);
}

static const struct anser_gguf_name *
find(const struct anser_gguf_name *names, uint64_t n, const char *name)
{
    return bsearch(name, names, (size_t)n, sizeof *names, by_name);
}

const struct anser_gguf_key *anser_gguf_find_key(const anser_file *file,
                                                 const char *name)
{
    const struct anser_gguf_name *found =
        find(file->key_names, file->n_keys, name);
    return found == NULL ? NULL : &file->keys[found->i];
}

const struct anser_gguf_tensor *anser_gguf_find(const anser_file *file,
                                                const char *name)
{
    const struct anser_gguf_name *found =
        find(file->tensor_names, file->n_tensors, name);
    return found == NULL ? NULL : &file->tensors[found->i];
}

static enum anser_status must_find(const anser_file *file, const char *name,
                                   const char *expected,
                                   const struct anser_gguf_key **key)
{
    *key = anser_gguf_find_key(file, name);
    if (*key != NULL)
        return ANSER_OK;
    return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key %s is missing, "
                      "expected %s; convert the model again", file->path,
                      name, expected);
}

static enum anser_status wrong_kind(const anser_file *file,
                                    const struct anser_gguf_key *key,
                                    const char *expected)
{
    return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key %s is of type %s, "
                      "expected %s; convert the model again", file->path,
                      key->name, anser_gguf_kind_name(key->kind), expected);
}

static int is_signed(enum anser_gguf_kind kind)
{
    return kind == GGUF_I8 || kind == GGUF_I16 || kind == GGUF_I32
           || kind == GGUF_I64;
}

static int is_whole(enum anser_gguf_kind kind)
{
    return is_signed(kind) || kind == GGUF_U8 || kind == GGUF_U16
           || kind == GGUF_U32 || kind == GGUF_U64;
}

enum anser_status anser_gguf_u64(const anser_file *file, const char *name,
                                 uint64_t *value)
{
    const struct anser_gguf_key *key;
    TRY(must_find(file, name, "a whole number", &key));
    if (!is_whole(key->kind))
        return wrong_kind(file, key, "a whole number");
    unsigned bytes = anser_gguf_kind_bytes(key->kind);
    if (is_signed(key->kind) && key->value[bytes - 1] & 0x80)
        return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: key %s is negative, "
                          "expected 0 or more; convert the model again",
                          file->path, name);
    uint64_t v = 0;
    memcpy(&v, key->value, bytes);
    *value = v;
    return ANSER_OK;
}

enum anser_status anser_gguf_float(const anser_file *file, const char *name,
                                   float *value)
{
    const struct anser_gguf_key *key;
    TRY(must_find(file, name, "a float", &key));
    if (key->kind == GGUF_F32) {
        memcpy(value, key->value, sizeof *value);
        return ANSER_OK;
    }
    if (key->kind != GGUF_F64)
        return wrong_kind(file, key, "f32 or f64");
    double v;
    memcpy(&v, key->value, sizeof v);
    *value = (float)v;
    return ANSER_OK;
}

enum anser_status anser_gguf_string(const anser_file *file, const char *name,
                                    struct anser_gguf_text *value)
{
    const struct anser_gguf_key *key;
    TRY(must_find(file, name, "a string", &key));
    if (key->kind != GGUF_STRING)
        return wrong_kind(file, key, "string");
    const unsigned char *at = key->value;
    *value = anser_gguf_next_string(&at);
    return ANSER_OK;
}

struct anser_gguf_text anser_gguf_next_string(const unsigned char **at)
{
    struct anser_gguf_text text;
    memcpy(&text.n, *at, sizeof text.n);
    text.at = (const char *)*at + sizeof text.n;
    *at += sizeof text.n + text.n;
    return text;
}
