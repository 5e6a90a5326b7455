/* SPDX-License-Identifier: MIT */
/* Cases: the header, the metadata records, and files cut short. */
#include "malformed.h"

#include <stdlib.h>
#include <string.h>

#define BIG (UINT64_C(1) << 60)

/* --------------------------------------------------------------- cuts */

static size_t to_nothing(const struct forge *f, size_t n)
{
    (void)f;
    (void)n;
    return 0;
}

static size_t in_magic(const struct forge *f, size_t n)
{
    return to_nothing(f, n) + 3;
}

static size_t after_magic(const struct forge *f, size_t n)
{
    return to_nothing(f, n) + 4;
}

static size_t in_counts(const struct forge *f, size_t n)
{
    return to_nothing(f, n) + 20;
}

static size_t after_counts(const struct forge *f, size_t n)
{
    return to_nothing(f, n) + 24;
}

static size_t in_first_key(const struct forge *f, size_t n)
{
    return to_nothing(f, n) + 24 + 8 + 5;
}

static size_t in_tensor_record(const struct forge *f, size_t n)
{
    (void)n;
    return forge_head(f) - 5;
}

static size_t before_data(const struct forge *f, size_t n)
{
    (void)n;
    return forge_head(f);
}

static size_t by_one_byte(const struct forge *f, size_t n)
{
    (void)f;
    return n - 1;
}

/* ------------------------------------------------------------- header */

static void magic(struct forge *f) { f->magic[3] = 'G'; }
static void magic_swapped(struct forge *f) { memcpy(f->magic, "FUGG", 4); }
static void version_0(struct forge *f) { f->version = 0; }
static void version_1(struct forge *f) { f->version = 1; }
static void version_4(struct forge *f) { f->version = 4; }
static void version_swapped(struct forge *f) { f->version = 0x03000000; }
static void version_max(struct forge *f) { f->version = UINT32_MAX; }
static void tensors_huge(struct forge *f) { f->n_tensors = BIG; }
static void tensors_negative(struct forge *f) { f->n_tensors = UINT64_MAX; }
static void tensors_one_more(struct forge *f) { f->n_tensors++; }
static void keys_huge(struct forge *f) { f->n_keys = BIG; }
static void keys_negative(struct forge *f) { f->n_keys = UINT64_MAX; }
static void keys_one_more(struct forge *f) { f->n_keys++; }
static void keys_one_fewer(struct forge *f) { f->n_keys--; }

/* --------------------------------------------------------------- keys */

static void key_length_negative(struct forge *f)
{
    f->keys[1].name_says = UINT64_MAX;
}

static void key_length_wraps(struct forge *f)
{
    f->keys[1].name_says = UINT64_C(1) << 63;
}

static void key_length_past_end(struct forge *f)
{
    f->keys[1].name_says = 1 << 30;
}

static void key_empty(struct forge *f)
{
    forge_rename_key(&f->keys[1], "", 0);
}

static void key_with_nul(struct forge *f)
{
    forge_rename_key(&f->keys[1], "general\0name", 12);
}

static void key_with_newline(struct forge *f)
{
    forge_rename_key(&f->keys[1], "general\nname", 12);
}

static void key_too_long(struct forge *f)
{
    static char name[70000];
    memset(name, 'k', sizeof name);
    forge_rename_key(&f->keys[1], name, sizeof name);
}

static void key_twice(struct forge *f)
{
    forge_add_key(f, "rwkv7.block_count", GGUF_U32, "\2\0\0\0", 4);
}

static void kind_13(struct forge *f)
{
    forge_key(f, "rwkv7.block_count")->kind = 13;
}

static void kind_max(struct forge *f)
{
    forge_key(f, "rwkv7.block_count")->kind = UINT32_MAX;
}

/* ------------------------------------------------------ values, arrays */

static void set_u64(unsigned char *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

static void string_negative(struct forge *f)
{
    set_u64(forge_key(f, "general.name")->value, UINT64_MAX);
}

static void string_past_end(struct forge *f)
{
    set_u64(forge_key(f, "general.name")->value, 1 << 28);
}

/* An array's value: u32 kind of item, u64 count, items. */
static unsigned char *types(struct forge *f)
{
    return forge_key(f, "tokenizer.ggml.token_type")->value;
}

static unsigned char *tokens(struct forge *f)
{
    return forge_key(f, "tokenizer.ggml.tokens")->value;
}

static void array_kind_13(struct forge *f) { types(f)[0] = 13; }
static void array_of_arrays(struct forge *f) { types(f)[0] = GGUF_ARRAY; }
static void array_huge(struct forge *f) { set_u64(types(f) + 4, BIG); }

static void array_negative(struct forge *f)
{
    set_u64(types(f) + 4, UINT64_MAX);
}

/* The most that is allowed, 4 GiB of i32. */
static void array_past_end(struct forge *f)
{
    set_u64(types(f) + 4, 1 << 30);
}

/* 2^62 i32: the bytes are 0 in 64 bits. */
static void array_wraps(struct forge *f)
{
    set_u64(types(f) + 4, UINT64_C(1) << 62);
}

static void strings_past_end(struct forge *f)
{
    set_u64(tokens(f) + 4, 1 << 20);
}

static void strings_item_negative(struct forge *f)
{
    set_u64(tokens(f) + 12, UINT64_MAX);
}

static void strings_item_past_end(struct forge *f)
{
    set_u64(tokens(f) + 12, 1 << 24);
}

/* ---------------------------------------------------------- alignment */

static void align(struct forge *f, uint32_t value)
{
    forge_add_key(f, "general.alignment", GGUF_U32, &value, sizeof value);
}

static void align_0(struct forge *f) { align(f, 0); }
static void align_3(struct forge *f) { align(f, 3); }
static void align_48(struct forge *f) { align(f, 48); }
static void align_huge(struct forge *f) { align(f, UINT32_C(1) << 31); }
static void align_other(struct forge *f) { align(f, 4096); }

static void align_u64(struct forge *f)
{
    forge_add_key(f, "general.alignment", GGUF_U64, "\40\0\0\0\0\0\0\0", 8);
}

static void align_string(struct forge *f)
{
    forge_add_key(f, "general.alignment", GGUF_STRING,
                  "\2\0\0\0\0\0\0\0" "32", 10);
}

static void name_is_number(struct forge *f)
{
    forge_set_value(forge_key(f, "general.name"), GGUF_U32, "\1\0\0\0", 4);
}

const struct malformed malformed_container[] = {
    { "empty", "empty", NULL, to_nothing },
    { "cut-in-magic", "header", NULL, in_magic },
    { "cut-after-magic", "header", NULL, after_magic },
    { "cut-in-counts", "header", NULL, in_counts },
    { "cut-after-counts", "keys", NULL, after_counts },
    { "cut-in-first-key", "keys", NULL, in_first_key },
    { "cut-in-tensor-record", "blk.1.channel_mix_value.weight", NULL,
      in_tensor_record },
    { "cut-before-data", "token_embd.weight", NULL, before_data },
    { "cut-by-one-byte", "blk.1.channel_mix_value.weight", NULL,
      by_one_byte },
    { "magic", "no GGUF file", magic, NULL },
    { "magic-swapped", "no GGUF file", magic_swapped, NULL },
    { "version-0", "version 0", version_0, NULL },
    { "version-1", "version 1", version_1, NULL },
    { "version-4", "version 4", version_4, NULL },
    { "version-swapped", "big-endian", version_swapped, NULL },
    { "version-max", "version 4294967295", version_max, NULL },
    { "tensors-huge", "tensors", tensors_huge, NULL },
    { "tensors-negative", "tensors", tensors_negative, NULL },
    { "tensors-one-more", "tensor 62", tensors_one_more, NULL },
    { "keys-huge", "keys", keys_huge, NULL },
    { "keys-negative", "keys", keys_negative, NULL },
    { "keys-one-more", "tensor", keys_one_more, NULL },
    { "keys-one-fewer", "tensor", keys_one_fewer, NULL },
    { "key-length-negative", "key 1", key_length_negative, NULL },
    { "key-length-wraps", "key 1", key_length_wraps, NULL },
    { "key-length-past-end", "key 1", key_length_past_end, NULL },
    { "key-empty", "key 1", key_empty, NULL },
    { "key-with-nul", "key 1", key_with_nul, NULL },
    { "key-with-newline", "key 1", key_with_newline, NULL },
    { "key-too-long", "key 1", key_too_long, NULL },
    { "key-twice", "rwkv7.block_count", key_twice, NULL },
    { "kind-13", "rwkv7.block_count", kind_13, NULL },
    { "kind-max", "rwkv7.block_count", kind_max, NULL },
    { "string-negative", "general.name", string_negative, NULL },
    { "string-past-end", "general.name", string_past_end, NULL },
    { "array-kind-13", "tokenizer.ggml.token_type", array_kind_13, NULL },
    { "array-of-arrays", "tokenizer.ggml.token_type", array_of_arrays, NULL },
    { "array-huge", "tokenizer.ggml.token_type", array_huge, NULL },
    { "array-negative", "tokenizer.ggml.token_type", array_negative, NULL },
    { "array-past-end", "tokenizer.ggml.token_type", array_past_end, NULL },
    { "array-wraps", "tokenizer.ggml.token_type", array_wraps, NULL },
    { "strings-past-end", "tokenizer.ggml.tokens", strings_past_end, NULL },
    { "strings-item-negative", "tokenizer.ggml.tokens",
      strings_item_negative, NULL },
    { "strings-item-past-end", "tokenizer.ggml.tokens",
      strings_item_past_end, NULL },
    { "align-0", "general.alignment", align_0, NULL },
    { "align-3", "general.alignment", align_3, NULL },
    { "align-48", "general.alignment", align_48, NULL },
    { "align-huge", "token_embd.weight", align_huge, NULL },
    { "align-other", "tensor", align_other, NULL },
    { "align-u64", "general.alignment", align_u64, NULL },
    { "align-string", "general.alignment", align_string, NULL },
    { "name-is-number", "general.name", name_is_number, NULL },
    { NULL, NULL, NULL, NULL }
};
