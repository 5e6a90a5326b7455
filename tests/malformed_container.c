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
    { .name = "empty", .expected = "empty", .cut = to_nothing },
    { .name = "cut-in-magic", .expected = "header", .cut = in_magic },
    { .name = "cut-after-magic", .expected = "header", .cut = after_magic },
    { .name = "cut-in-counts", .expected = "header", .cut = in_counts },
    { .name = "cut-after-counts", .expected = "keys", .cut = after_counts },
    { .name = "cut-in-first-key", .expected = "keys", .cut = in_first_key },
    { .name = "cut-in-tensor-record",
      .expected = "blk.1.channel_mix_value.weight", .cut = in_tensor_record },
    { .name = "cut-before-data", .expected = "token_embd.weight",
      .cut = before_data },
    { .name = "cut-by-one-byte",
      .expected = "blk.1.channel_mix_value.weight", .cut = by_one_byte },
    { .name = "magic", .expected = "no GGUF file", .alter = magic },
    { .name = "magic-swapped", .expected = "no GGUF file",
      .alter = magic_swapped },
    { .name = "version-0", .expected = "version 0", .alter = version_0 },
    { .name = "version-1", .expected = "version 1", .alter = version_1 },
    { .name = "version-4", .expected = "version 4", .alter = version_4 },
    { .name = "version-swapped", .expected = "big-endian",
      .alter = version_swapped },
    { .name = "version-max", .expected = "version 4294967295",
      .alter = version_max },
    { .name = "tensors-huge", .expected = "tensors", .alter = tensors_huge },
    { .name = "tensors-negative", .expected = "tensors",
      .alter = tensors_negative },
    { .name = "tensors-one-more", .expected = "tensor 62",
      .alter = tensors_one_more },
    { .name = "keys-huge", .expected = "keys", .alter = keys_huge },
    { .name = "keys-negative", .expected = "keys", .alter = keys_negative },
    { .name = "keys-one-more", .expected = "tensor", .alter = keys_one_more },
    { .name = "keys-one-fewer", .expected = "tensor", .alter = keys_one_fewer },
    { .name = "key-length-negative", .expected = "key 1",
      .alter = key_length_negative },
    { .name = "key-length-wraps", .expected = "key 1",
      .alter = key_length_wraps },
    { .name = "key-length-past-end", .expected = "key 1",
      .alter = key_length_past_end },
    { .name = "key-empty", .expected = "key 1", .alter = key_empty },
    { .name = "key-with-nul", .expected = "key 1", .alter = key_with_nul },
    { .name = "key-with-newline", .expected = "key 1",
      .alter = key_with_newline },
    { .name = "key-too-long", .expected = "key 1", .alter = key_too_long },
    { .name = "key-twice", .expected = "rwkv7.block_count",
      .alter = key_twice },
    { .name = "kind-13", .expected = "rwkv7.block_count", .alter = kind_13 },
    { .name = "kind-max", .expected = "rwkv7.block_count", .alter = kind_max },
    { .name = "string-negative", .expected = "general.name",
      .alter = string_negative },
    { .name = "string-past-end", .expected = "general.name",
      .alter = string_past_end },
    { .name = "array-kind-13", .expected = "tokenizer.ggml.token_type",
      .alter = array_kind_13 },
    { .name = "array-of-arrays", .expected = "tokenizer.ggml.token_type",
      .alter = array_of_arrays },
    { .name = "array-huge", .expected = "tokenizer.ggml.token_type",
      .alter = array_huge },
    { .name = "array-negative", .expected = "tokenizer.ggml.token_type",
      .alter = array_negative },
    { .name = "array-past-end", .expected = "tokenizer.ggml.token_type",
      .alter = array_past_end },
    { .name = "array-wraps", .expected = "tokenizer.ggml.token_type",
      .alter = array_wraps },
    { .name = "strings-past-end", .expected = "tokenizer.ggml.tokens",
      .alter = strings_past_end },
    { .name = "strings-item-negative", .expected = "tokenizer.ggml.tokens",
      .alter = strings_item_negative },
    { .name = "strings-item-past-end", .expected = "tokenizer.ggml.tokens",
      .alter = strings_item_past_end },
    { .name = "align-0", .expected = "general.alignment", .alter = align_0 },
    { .name = "align-3", .expected = "general.alignment", .alter = align_3 },
    { .name = "align-48", .expected = "general.alignment", .alter = align_48 },
    { .name = "align-huge", .expected = "token_embd.weight",
      .alter = align_huge },
    { .name = "align-other", .expected = "tensor", .alter = align_other },
    { .name = "align-u64", .expected = "general.alignment",
      .alter = align_u64 },
    { .name = "align-string", .expected = "general.alignment",
      .alter = align_string },
    { .name = "name-is-number", .expected = "general.name",
      .alter = name_is_number },
    { .name = NULL }
};
