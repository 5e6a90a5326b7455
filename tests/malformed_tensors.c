/* SPDX-License-Identifier: MIT */
/* Cases: tensor records, and the places that they claim. */
#include "malformed.h"

#include <stdlib.h>
#include <string.h>

static const char head[] = "output.weight";
static const char value[] = "blk.0.time_mix_value.weight";

/* -------------------------------------------------------------- names */

static void name_empty(struct forge *f)
{
    forge_rename_tensor(&f->tensors[1], "", 0);
}

/* 64 bytes, one more than are allowed. */
static void name_too_long(struct forge *f)
{
    char name[64];
    memset(name, 't', sizeof name);
    forge_rename_tensor(&f->tensors[1], name, sizeof name);
}

static void name_with_nul(struct forge *f)
{
    forge_rename_tensor(&f->tensors[1], "output\0weight", 13);
}

static void name_with_escape(struct forge *f)
{
    forge_rename_tensor(&f->tensors[1], "\033[2J.weight", 11);
}

static void name_negative(struct forge *f)
{
    f->tensors[1].name_says = UINT64_MAX;
}

static void name_past_end(struct forge *f)
{
    f->tensors[1].name_says = 1 << 30;
}

static void name_twice(struct forge *f)
{
    forge_rename_tensor(&f->tensors[1], "blk.0.attn_norm.bias", 20);
}

/* --------------------------------------------------------- dimensions */

static void no_dimensions(struct forge *f)
{
    struct forge_tensor *t = forge_tensor(f, "output_norm.bias");
    t->n_dims = t->n_ne = 0;
}

static void five_dimensions(struct forge *f)
{
    struct forge_tensor *t = forge_tensor(f, head);
    t->n_dims = t->n_ne = 5;
}

static void dimensions_max(struct forge *f)
{
    forge_tensor(f, head)->n_dims = UINT32_MAX;
}

static void zero_size(struct forge *f) { forge_tensor(f, head)->ne[1] = 0; }

static void negative_size(struct forge *f)
{
    forge_tensor(f, head)->ne[1] = UINT64_MAX;
}

/* 2^62 * 2. */
static void product_is_2_63(struct forge *f)
{
    struct forge_tensor *t = forge_tensor(f, head);
    t->ne[0] = UINT64_C(1) << 62;
    t->ne[1] = 2;
}

/* 2^32 * 2^32 is 0 in 64 bits. */
static void product_wraps(struct forge *f)
{
    struct forge_tensor *t = forge_tensor(f, head);
    t->ne[0] = t->ne[1] = UINT64_C(1) << 32;
}

/* 2^62 floats are 0 bytes in 64 bits. */
static void bytes_wrap(struct forge *f)
{
    forge_tensor(f, head)->ne[0] = UINT64_C(1) << 56;
    forge_tensor(f, head)->ne[1] = 64;
}

static void larger_than_file(struct forge *f)
{
    forge_tensor(f, "blk.1.channel_mix_value.weight")->ne[1]++;
}

static void much_larger_than_file(struct forge *f)
{
    forge_tensor(f, head)->ne[1] = UINT64_C(1) << 40;
}

/* -------------------------------------------------------------- types */

static void type_of(struct forge *f, uint32_t type)
{
    forge_tensor(f, head)->type = type;
}

static void type_removed(struct forge *f) { type_of(f, 4); }
static void type_gap(struct forge *f) { type_of(f, 31); }
static void type_too_large(struct forge *f) { type_of(f, 43); }
static void type_max(struct forge *f) { type_of(f, UINT32_MAX); }
static void type_integer(struct forge *f) { type_of(f, 26); }
static void type_q8_1(struct forge *f) { type_of(f, 9); }
static void type_iq(struct forge *f) { type_of(f, 23); }
static void half_a_block(struct forge *f) { type_of(f, ANSER_Q4_K); }

static void three_quarters(struct forge *f)
{
    struct forge_tensor *t = forge_tensor(f, head);
    t->type = ANSER_Q8_0;
    t->ne[0] = 24;
}

/* ------------------------------------------------------------ offsets */

static void unaligned(struct forge *f) { forge_tensor(f, value)->offset += 4; }
static void overlapping(struct forge *f) { forge_tensor(f, value)->offset = 0; }
static void hole(struct forge *f) { forge_tensor(f, value)->offset += 32; }

static void offset_2_63(struct forge *f)
{
    forge_tensor(f, value)->offset = UINT64_C(1) << 63;
}

static void offset_max(struct forge *f)
{
    forge_tensor(f, value)->offset = UINT64_MAX - 31;
}

static void first_not_at_0(struct forge *f) { f->tensors[0].offset = 32; }

static void out_of_order(struct forge *f)
{
    uint64_t offset = f->tensors[0].offset;
    f->tensors[0].offset = f->tensors[1].offset;
    f->tensors[1].offset = offset;
}

static void last_past_end(struct forge *f)
{
    f->tensors[f->has_tensors - 1].offset += 1 << 20;
}

const struct malformed malformed_tensors[] = {
    { "name-empty", "tensor 1", name_empty, NULL },
    { "name-too-long", "tensor 1", name_too_long, NULL },
    { "name-with-nul", "tensor 1", name_with_nul, NULL },
    { "name-with-escape", "tensor 1", name_with_escape, NULL },
    { "name-negative", "tensor 1", name_negative, NULL },
    { "name-past-end", "tensor 1", name_past_end, NULL },
    { "name-twice", "blk.0.attn_norm.bias", name_twice, NULL },
    { "no-dimensions", "output_norm.bias", no_dimensions, NULL },
    { "five-dimensions", head, five_dimensions, NULL },
    { "dimensions-max", head, dimensions_max, NULL },
    { "zero-size", head, zero_size, NULL },
    { "negative-size", head, negative_size, NULL },
    { "product-is-2-63", head, product_is_2_63, NULL },
    { "product-wraps", head, product_wraps, NULL },
    { "bytes-wrap", head, bytes_wrap, NULL },
    { "larger-than-file", "blk.1.channel_mix_value.weight",
      larger_than_file, NULL },
    { "much-larger-than-file", head, much_larger_than_file, NULL },
    { "type-removed", head, type_removed, NULL },
    { "type-gap", head, type_gap, NULL },
    { "type-too-large", head, type_too_large, NULL },
    { "type-max", head, type_max, NULL },
    { "type-integer", "I32", type_integer, NULL },
    { "type-q8-1", "Q8_1", type_q8_1, NULL },
    { "type-iq", "IQ4_XS", type_iq, NULL },
    { "half-a-block", head, half_a_block, NULL },
    { "three-quarters", head, three_quarters, NULL },
    { "unaligned", value, unaligned, NULL },
    { "overlapping", value, overlapping, NULL },
    { "hole", value, hole, NULL },
    { "offset-2-63", value, offset_2_63, NULL },
    { "offset-max", value, offset_max, NULL },
    { "first-not-at-0", "token_embd.weight", first_not_at_0, NULL },
    { "out-of-order", "token_embd.weight", out_of_order, NULL },
    { "last-past-end", "blk.1.channel_mix_value.weight", last_past_end,
      NULL },
    { NULL, NULL, NULL, NULL }
};
