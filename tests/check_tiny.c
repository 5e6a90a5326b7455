/* SPDX-License-Identifier: MIT */
/*
 * The tiny model of the tests.  Element e of tensor number t (in the order of
 * the file) comes from
 *     h = mix(seed * 2^48 + t * 2^32 + e),  u = (h >> 40) / 2^23 - 1
 * in [-1, 1), and is mean + scale * u, by the tensor's role; a quantised
 * tensor has the lowest bytes of h as its bytes, and chosen scales d and m in
 * each block.  make_vectors.py computes the same numbers.
 */
#include "check_util.h"

#include "base/gguf_write.h"
#include "base/v7.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a tensor's elements are drawn from; a matrix has scale / sqrt(cols). */
static const struct role {
    const char *name;                /* end of the tensor's name            */
    double mean, scale;
} roles[] = {
    { "token_embd.weight", 0.0, 1.0 },
    { "norm.weight", 1.0, 0.2 },     { "norm.bias", 0.0, 0.2 },
    { "norm_2.weight", 1.0, 0.2 },   { "norm_2.bias", 0.0, 0.2 },
    { "lerp_fused.weight", 0.5, 0.5 }, { "lerp_k.weight", 0.5, 0.5 },
    { "w0.weight", -1.0, 2.0 },      { "a0.weight", 0.0, 1.5 },
    { "v0.weight", 0.0, 1.5 },       { "k_k.weight", 0.8, 0.4 },
    { "k_a.weight", 1.0, 0.4 },      { "r_k.weight", 0.0, 0.3 },
    { "mix_ln.weight", 0.8, 0.2 },   { "mix_ln.bias", 0.0, 0.2 }
};
static const struct role matrix = { NULL, 0.0, 1.7 };

/* Where a block of random bytes has its scales, and the scale for elements of
 * about unit size: d = scale / divisor, m = ratio * d. */
static const struct scales {
    const char *type;
    int d_at, m_at;                  /* -1: none                            */
    double divisor, ratio;
} scales[] = {
    { "Q4_0", 0, -1, 8, 0 },         { "Q4_1", 0, 2, 8, -7.5 },
    { "Q5_0", 0, -1, 16, 0 },        { "Q5_1", 0, 2, 16, -15.5 },
    { "Q8_0", 0, -1, 128, 0 },       { "Q2_K", 80, 82, 24, 1.5 },
    { "Q3_K", 108, -1, 96, 0 },      { "Q4_K", 0, 2, 384, 7.5 },
    { "Q5_K", 0, 2, 768, 15.5 },     { "Q6_K", 208, -1, 2048, 0 }
};

struct maker {
    const struct test_tiny *tiny;
    struct anser_v7_shape shape;
    struct anser_gguf_writer *w;
    uint64_t next;                   /* number of the next tensor           */
    unsigned next_type;              /* row of anser_blocks                 */
};

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void must(enum anser_status status)
{
    ck_assert_int_eq(status, ANSER_OK);
}

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static const struct role *role_of(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (ends_with(name, roles[i].name))
            return &roles[i];
    return &matrix;
}

static void put_half(unsigned char *at, double value)
{
    uint16_t half = anser_float_to_half((float)value);
    memcpy(at, &half, sizeof half);
}

/* n elements of a quantised type. */
static void fill_blocks(unsigned char *at, const struct anser_block *block,
                        uint64_t n, uint64_t seed, double scale)
{
    const struct scales *s = scales;
    while (strcmp(s->type, block->name) != 0)
        s++;
    uint64_t bytes = anser_block_bytes(block, n);
    for (uint64_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)mix(seed + i);
    for (uint64_t i = 0; i < bytes; i += block->bytes) {
        double d = scale / s->divisor;
        put_half(at + i + s->d_at, d);
        if (s->m_at >= 0)
            put_half(at + i + s->m_at, d * s->ratio);
    }
}

/* n elements of F32, F16 or BF16. */
static void fill_plain(unsigned char *at, const struct anser_block *block,
                       uint64_t n, uint64_t seed, const struct role *role)
{
    for (uint64_t i = 0; i < n; i++, at += block->bytes) {
        double u = (double)(mix(seed + i) >> 40) / 0x1p23 - 1.0;
        float value = (float)(role->mean + role->scale * u);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (block->type == ANSER_F32)
            memcpy(at, &value, sizeof value);
        else if (block->type == ANSER_F16)
            put_half(at, value);
        else
            memcpy(at, (unsigned char *)&bits + 2, 2);
    }
}

/* The type of the next matrix with rows of cols elements. */
static const struct anser_block *pick_type(struct maker *m, uint64_t cols)
{
    if (strcmp(m->tiny->type, "mixed") != 0)
        return anser_block_named(m->tiny->type);
    const struct anser_block *block;
    do {
        block = &anser_blocks[m->next_type++];
        if (anser_blocks[m->next_type].name == NULL)
            m->next_type = 0;
    } while (cols % block->length != 0);
    return block;
}

struct tensor {
    char name[64];
    uint64_t ne[4];
    uint32_t n_dims;
    const struct anser_block *block;
    uint64_t number;
};

static void put_data(struct maker *m, const struct tensor *t)
{
    uint64_t n = t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
    size_t bytes = (size_t)anser_block_bytes(t->block, n);
    unsigned char *data = calloc(bytes, 1);
    ck_assert_ptr_nonnull(data);
    uint64_t seed = (m->tiny->seed << 48) + (t->number << 32);
    struct role role = *role_of(t->name);
    if (role.name == NULL)
        role.scale /= sqrt((double)t->ne[0]);
    if (t->block->length == 1)
        fill_plain(data, t->block, n, seed, &role);
    else
        fill_blocks(data, t->block, n, seed, role.scale);
    must(anser_gguf_put_data(m->w, data, bytes));
    free(data);
}

/* The shape of a row's tensor, as real files have it. */
static void set_shape(const struct maker *m, const struct anser_v7_row *row,
                      int layer, struct tensor *t)
{
    struct anser_v7_shape shape = m->shape;
    if (layer == 0)                  /* copies of a0, a1, a2 there          */
        shape.Dv = shape.Da;
    t->ne[0] = anser_v7_size(&shape, row->cols);
    t->ne[1] = t->ne[2] = t->ne[3] = 1;
    t->n_dims = row->rows == V7_1 ? 1 : 2;
    t->ne[row->rows == V7_6 && !m->tiny->flat_lerp ? 3 : 1] =
        anser_v7_size(&shape, row->rows);
    if (row->rows == V7_6 && !m->tiny->flat_lerp)
        t->n_dims = 4;
    if (m->tiny->folded_r_k && ends_with(row->name, "r_k.weight")) {
        t->ne[0] = shape.N;
        t->ne[1] = shape.H;
        t->n_dims = 2;
    }
}

/* Lists the tensors of rows, or (data) writes their elements. */
static void put_rows(struct maker *m, const struct anser_v7_row *rows,
                     int layer, int data)
{
    for (const struct anser_v7_row *row = rows; row->name != NULL; row++) {
        struct tensor t = { .number = m->next };
        if (layer < 0)
            snprintf(t.name, sizeof t.name, "%s", row->name);
        else
            snprintf(t.name, sizeof t.name, "blk.%d.%s", layer, row->name);
        if (layer == 0 && m->tiny->no_layer0_v
            && row->need == V7_NOT_IN_LAYER_0)
            continue;
        if (m->tiny->drop_tensor && !strcmp(t.name, m->tiny->drop_tensor))
            continue;
        set_shape(m, row, layer, &t);
        t.block = row->rows == V7_1 || row->rows == V7_6
                  ? anser_block_named("F32") : pick_type(m, t.ne[0]);
        m->next++;
        if (data)
            put_data(m, &t);
        else
            must(anser_gguf_put_tensor(m->w, t.name, t.block->type, t.n_dims,
                                       t.ne));
    }
}

static void put_tensors(struct maker *m, int data)
{
    m->next = 0;
    m->next_type = 0;
    put_rows(m, anser_v7_file_rows, -1, data);
    for (uint32_t i = 0; i < m->tiny->L; i++)
        put_rows(m, anser_v7_layer_rows, (int)i, data);
    static const float extra[32];
    uint64_t ne[1] = { 32 };
    if (m->tiny->add_tensor == NULL)
        return;
    if (data)
        must(anser_gguf_put_data(m->w, extra, sizeof extra));
    else
        must(anser_gguf_put_tensor(m->w, m->tiny->add_tensor, ANSER_F32, 1,
                                   ne));
}

/* Id 0, the 256 bytes as real files write them, and unused entries. */
static void put_vocabulary(struct maker *m)
{
    uint32_t V = m->tiny->V;
    char (*names)[16] = calloc(V, sizeof *names);
    struct anser_gguf_text *texts = calloc(V, sizeof *texts);
    int32_t *types = calloc(V, sizeof *types);
    ck_assert(names != NULL && texts != NULL && types != NULL);
    for (uint32_t id = 0; id < V; id++) {
        int byte = (int)id - 1;
        types[id] = id == 0 ? 3 : byte < 256 ? 1 : 5;
        if (id == 0)
            snprintf(names[id], sizeof *names, "<s>");
        else if (byte >= 256)
            snprintf(names[id], sizeof *names, "[PAD%u]", (unsigned)id);
        else if (byte == '\\' || byte == '\t' || byte == '\n' || byte == '\r')
            snprintf(names[id], sizeof *names, "\\%c", byte == '\\' ? '\\'
                     : byte == '\t' ? 't' : byte == '\n' ? 'n' : 'r');
        else if (byte >= ' ' && byte < 127)
            snprintf(names[id], sizeof *names, "%c", byte);
        else
            snprintf(names[id], sizeof *names, "\\x%02x", (unsigned)byte);
        texts[id] = (struct anser_gguf_text){ names[id], strlen(names[id]) };
    }
    must(anser_gguf_put_string(m->w, "tokenizer.ggml.model", "rwkv"));
    must(anser_gguf_put_strings(m->w, "tokenizer.ggml.tokens", V, texts));
    must(anser_gguf_put_i32s(m->w, "tokenizer.ggml.token_type", V, types));
    free(types);
    free(texts);
    free(names);
}

static void put_keys(struct maker *m)
{
    const struct test_tiny *t = m->tiny;
    const struct { const char *name; uint32_t value; } keys[] = {
        { "rwkv7.context_length", 1048576 },
        { "rwkv7.embedding_length", t->C },
        { "rwkv7.block_count", t->L },
        { "rwkv7.feed_forward_length", t->F },
        { "rwkv7.attention.head_count", 0 },
        { "rwkv7.wkv.head_size", 64 },
        { "rwkv7.attention.decay_lora_rank", t->Dw },
        { "rwkv7.attention.iclr_lora_rank", t->Da },
        { "rwkv7.attention.value_residual_mix_lora_rank", t->Dv },
        { "rwkv7.attention.gate_lora_rank", t->Dg },
        { "tokenizer.ggml.eos_token_id", 0 },
    };
    const char *drop = t->drop_key ? t->drop_key : "";
    const char *eps = "rwkv7.attention.layer_norm_epsilon";
    if (strcmp(drop, "general.architecture") != 0)
        must(anser_gguf_put_string(m->w, "general.architecture", t->arch));
    must(anser_gguf_put_string(m->w, "general.name", "tiny"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(drop, keys[i].name) != 0
            && (!t->set_key || strcmp(t->set_key, keys[i].name) != 0))
            must(anser_gguf_put_u32(m->w, keys[i].name, keys[i].value));
    if (strcmp(drop, eps) != 0)
        must(anser_gguf_put_f32(m->w, eps, 1e-5f));
    if (t->set_key != NULL)
        must(anser_gguf_put_u32(m->w, t->set_key, t->set_value));
    put_vocabulary(m);
}

void test_tiny_defaults(struct test_tiny *tiny)
{
    *tiny = (struct test_tiny){
        .C = 64, .L = 2, .F = 128, .V = 320,
        .Dw = 16, .Da = 24, .Dv = 8, .Dg = 40,
        .type = "F32", .arch = "rwkv7", .seed = 7
    };
}

void test_make_tiny(const char *path, const struct test_tiny *tiny)
{
    anser_ctx *ctx = test_ctx();
    struct maker m = {
        .tiny = tiny,
        .shape = { .C = tiny->C, .H = tiny->C / 64, .N = 64, .L = tiny->L,
                   .F = tiny->F, .V = tiny->V, .Dw = tiny->Dw,
                   .Da = tiny->Da, .Dv = tiny->Dv, .Dg = tiny->Dg }
    };
    must(anser_gguf_create(ctx, path, &m.w));
    put_keys(&m);
    put_tensors(&m, 0);
    put_tensors(&m, 1);
    must(anser_gguf_finish(m.w));
    anser_ctx_free(ctx);
}

uint32_t test_tiny_prompt(const struct test_tiny *tiny, uint32_t i)
{
    return (i * 37 + 11) % tiny->V;
}
