/* SPDX-License-Identifier: MIT */
/*
 * The metadata records of a GGUF file:
 *     key text, u32 kind, value        where an array is
 *     u32 kind of item, u64 count, items
 * Nothing is converted here; sizes are checked and pointers kept.
 */
#include "base/gguf_impl.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    unsigned bytes;                  /* 0: of no fixed size                 */
} kinds[] = {
    [GGUF_U8] = { "u8", 1 },   [GGUF_I8] = { "i8", 1 },
    [GGUF_U16] = { "u16", 2 }, [GGUF_I16] = { "i16", 2 },
    [GGUF_U32] = { "u32", 4 }, [GGUF_I32] = { "i32", 4 },
    [GGUF_F32] = { "f32", 4 }, [GGUF_BOOL] = { "bool", 1 },
    [GGUF_STRING] = { "string", 0 }, [GGUF_ARRAY] = { "array", 0 },
    [GGUF_U64] = { "u64", 8 }, [GGUF_I64] = { "i64", 8 },
    [GGUF_F64] = { "f64", 8 }
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

unsigned anser_gguf_kind_bytes(enum anser_gguf_kind kind)
{
    return kinds[kind].bytes;
}

const char *anser_gguf_kind_name(enum anser_gguf_kind kind)
{
    return (unsigned)kind < N_KINDS ? kinds[kind].name : "?";
}

static enum anser_status take_kind(struct anser_gguf_cursor *c,
                                   const char *key,
                                   enum anser_gguf_kind *kind)
{
    uint32_t number;
    TRY(anser_gguf_take_u32(c, &number));
    if (number >= N_KINDS)
        return anser_gguf_bad(c->file, "key %s: value type %u is unknown, "
                              "expected 0..%d", key, (unsigned)number,
                              N_KINDS - 1);
    *kind = (enum anser_gguf_kind)number;
    return ANSER_OK;
}

/* count values of a kind that is no array. */
static enum anser_status take_items(struct anser_gguf_cursor *c,
                                    enum anser_gguf_kind kind, uint64_t count)
{
    if (kind != GGUF_STRING)
        return anser_gguf_take_bytes(c, count * kinds[kind].bytes);
    struct anser_gguf_text text;
    for (uint64_t i = 0; i < count; i++)
        TRY(anser_gguf_take_text(c, &text));
    return ANSER_OK;
}

static enum anser_status take_array(struct anser_gguf_cursor *c,
                                    struct anser_gguf_key *key)
{
    TRY(take_kind(c, key->name, &key->item));
    if (key->item == GGUF_ARRAY)
        return anser_gguf_bad(c->file, "key %s: an array of arrays, which "
                              "GGUF does not allow", key->name);
    TRY(anser_gguf_take_u64(c, &key->count));
    if (key->count > GGUF_MAX_ITEMS)
        return anser_gguf_bad(c->file, "key %s: %llu items, at most %u are "
                              "allowed", key->name,
                              (unsigned long long)key->count, GGUF_MAX_ITEMS);
    key->value = c->at;
    return take_items(c, key->item, key->count);
}

static enum anser_status take_key(struct anser_gguf_cursor *c, uint64_t i)
{
    struct anser_gguf_key *key = &c->file->keys[i];
    snprintf(c->what, sizeof c->what, "the name of key %llu",
             (unsigned long long)i);
    TRY(anser_gguf_take_name(c, GGUF_MAX_KEY, &key->name));
    snprintf(c->what, sizeof c->what, "key %.128s", key->name);
    TRY(take_kind(c, key->name, &key->kind));
    key->count = 1;
    key->item = key->kind;
    key->value = c->at;
    if (key->kind == GGUF_ARRAY)
        TRY(take_array(c, key));
    else
        TRY(take_items(c, key->kind, 1));
    key->bytes = (uint64_t)(c->at - key->value);
    return ANSER_OK;
}

enum anser_status anser_gguf_take_keys(struct anser_gguf_cursor *c)
{
    anser_file *file = c->file;
    size_t n = (size_t)file->n_keys;
    file->keys = calloc(n ? n : 1, sizeof *file->keys);
    if (file->keys == NULL)
        return anser_fail_memory(file->ctx, n * sizeof *file->keys);
    for (uint64_t i = 0; i < file->n_keys; i++)
        TRY(take_key(c, i));
    return ANSER_OK;
}
