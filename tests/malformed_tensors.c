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
    { .name = "name-empty", .expected = "tensor 1", .alter = name_empty },
    { .name = "name-too-long", .expected = "tensor 1", .alter = name_too_long },
    { .name = "name-with-nul", .expected = "tensor 1", .alter = name_with_nul },
    { .name = "name-with-escape", .expected = "tensor 1",
      .alter = name_with_escape },
    { .name = "name-negative", .expected = "tensor 1", .alter = name_negative },
    { .name = "name-past-end", .expected = "tensor 1", .alter = name_past_end },
    { .name = "name-twice", .expected = "blk.0.attn_norm.bias",
      .alter = name_twice },
    { .name = "no-dimensions", .expected = "output_norm.bias",
      .alter = no_dimensions },
    { .name = "five-dimensions", .expected = head, .alter = five_dimensions },
    { .name = "dimensions-max", .expected = head, .alter = dimensions_max },
    { .name = "zero-size", .expected = head, .alter = zero_size },
    { .name = "negative-size", .expected = head, .alter = negative_size },
    { .name = "product-is-2-63", .expected = head, .alter = product_is_2_63 },
    { .name = "product-wraps", .expected = head, .alter = product_wraps },
    { .name = "bytes-wrap", .expected = head, .alter = bytes_wrap },
    { .name = "larger-than-file",
      .expected = "blk.1.channel_mix_value.weight", .alter = larger_than_file },
    { .name = "much-larger-than-file", .expected = head,
      .alter = much_larger_than_file },
    { .name = "type-removed", .expected = head, .alter = type_removed },
    { .name = "type-gap", .expected = head, .alter = type_gap },
    { .name = "type-too-large", .expected = head, .alter = type_too_large },
    { .name = "type-max", .expected = head, .alter = type_max },
    { .name = "type-integer", .expected = "I32", .alter = type_integer },
    { .name = "type-q8-1", .expected = "Q8_1", .alter = type_q8_1 },
    { .name = "type-iq", .expected = "IQ4_XS", .alter = type_iq },
    { .name = "half-a-block", .expected = head, .alter = half_a_block },
    { .name = "three-quarters", .expected = head, .alter = three_quarters },
    { .name = "unaligned", .expected = value, .alter = unaligned },
    { .name = "overlapping", .expected = value, .alter = overlapping },
    { .name = "hole", .expected = value, .alter = hole },
    { .name = "offset-2-63", .expected = value, .alter = offset_2_63 },
    { .name = "offset-max", .expected = value, .alter = offset_max },
    { .name = "first-not-at-0", .expected = "token_embd.weight",
      .alter = first_not_at_0 },
    { .name = "out-of-order", .expected = "token_embd.weight",
      .alter = out_of_order },
    { .name = "last-past-end", .expected = "blk.1.channel_mix_value.weight",
      .alter = last_past_end },
    { .name = NULL }
};
