/* SPDX-License-Identifier: MIT */
/*
 * What a synthetic model consists of: sizes of the published models, the type
 * that llama-quantize gives each tensor (source F16), and the deviations that
 * real files show.  Everything is a row of a table.  Sources: ranks from the
 * configurations of aierwiki/rwkvtune, types from llama.cpp's llama-quant.cpp.
 */
#include "base/synth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED 256                   /* bytes of a list of names            */

/* ------------------------------------------------------------- tables */

struct preset {
    const char *name, *label;
    uint32_t L, C, Dw, Da, Dv, Dg, V;
};

/* F = 4 C and N = 64 everywhere.  tiny: small, and no two sizes alike. */
static const struct preset presets[] = {
    { "tiny", "4M",    4,  256,  32,  64, 32,  96,   512 },
    { "0.1b", "0.1B", 12,  768,  64,  64, 32, 128, 65536 },
    { "0.4b", "0.4B", 24, 1024,  64,  64, 32, 128, 65536 },
    { "1.5b", "1.5B", 24, 2048,  96,  96, 64, 256, 65536 },
    { "2.9b", "2.9B", 32, 2560,  96,  96, 64, 320, 65536 },
    { "7.2b", "7.2B", 32, 4096, 128, 128, 96, 480, 65536 },
    { .name = NULL }
};

/* llama-quantize: one type for all matrices but the head. */
struct kind {
    const char *name;
    enum anser_type matrix, head;
    uint32_t file_type;
};

static const struct kind kinds[] = {
    { "q4_k_m", ANSER_Q4_K, ANSER_Q6_K, 15 },
    { "q5_k_m", ANSER_Q5_K, ANSER_Q6_K, 17 },
    { "q6_k",   ANSER_Q6_K, ANSER_Q6_K, 18 },
    { "q8_0",   ANSER_Q8_0, ANSER_Q8_0, 7 },
    { "f16",    ANSER_F16,  ANSER_F16,  1 },
    { .name = NULL }
};

enum order { ORDER_TABLE, ORDER_SORTED, ORDER_REVERSED };
enum lerp { LERP_4D, LERP_2D, LERP_K_3D };

struct variant {
    const char *name;
    enum anser_type lora;            /* a1 a2 v1 v2 g1 g2                   */
    int q6_embedding, no_layer0_v, no_eos, old_keys;
    enum lerp lerp;
    enum order order;
};

static const struct variant variants[] = {
    /* newer publishers' files */
    { "q6_k-embedding", .lora = ANSER_F16, .q6_embedding = 1 },
    /* what layer 0 never reads is left out */
    { "no-layer0-v", .lora = ANSER_F16, .no_layer0_v = 1 },
    /* converted with --outtype q8_0, bf16 and f32 */
    { "q8_0-lora", .lora = ANSER_Q8_0 },
    { "bf16-lora", .lora = ANSER_BF16 },
    { "f32-lora", .lora = ANSER_F32 },
    /* shapes without, and with more, trailing ones */
    { "lerp-2d", .lora = ANSER_F16, .lerp = LERP_2D },
    { "lerp-k-3d", .lora = ANSER_F16, .lerp = LERP_K_3D },
    /* llama-quantize's order, and one that nobody writes */
    { "sorted", .lora = ANSER_F16, .order = ORDER_SORTED },
    { "reversed", .lora = ANSER_F16, .order = ORDER_REVERSED },
    { "no-eos", .lora = ANSER_F16, .no_eos = 1 },
    /* neither head_count nor any general.* but the architecture */
    { "old-keys", .lora = ANSER_F16, .old_keys = 1 },
    { .name = NULL }
};

static const struct variant stock = { .lora = ANSER_F16 };

enum role { ROLE_VECTOR, ROLE_LORA, ROLE_MATRIX, ROLE_EMBEDDING, ROLE_HEAD };

/* How a tensor's values lie: deviation is divided by sqrt(columns) where
 * `fan` is set, so that y = W x keeps the size of x.  The residual stream then
 * grows by about one unit of variance a layer, and logits deviate by 2. */
struct look {
    const char *name;                /* a prefix of the row's name          */
    enum role role;
    enum anser_synth_shape shape;
    double mean, deviation;
    int fan;
};

static const struct look looks[] = {
    { "token_embd.",          ROLE_EMBEDDING, SYNTH_BELL,    0.0, 0.5, 0 },
    { "output.",              ROLE_HEAD,      SYNTH_BELL,    0.0, 2.0, 1 },
    { "time_mix_lerp_fused.", ROLE_VECTOR,    SYNTH_UNIFORM, 0.5, 0.0, 0 },
    { "channel_mix_lerp_k.",  ROLE_VECTOR,    SYNTH_UNIFORM, 0.5, 0.0, 0 },
    { "time_mix_w0.",         ROLE_VECTOR,    SYNTH_BELL,   -1.0, 1.0, 0 },
    { "time_mix_w1.",         ROLE_VECTOR,    SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_w2.",         ROLE_VECTOR,    SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_a0.",         ROLE_VECTOR,    SYNTH_BELL,    0.0, 1.0, 0 },
    { "time_mix_a1.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_a2.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_v0.",         ROLE_VECTOR,    SYNTH_BELL,    0.0, 1.0, 0 },
    { "time_mix_v1.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_v2.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_g1.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_g2.",         ROLE_LORA,      SYNTH_BELL,    0.0, 1.0, 1 },
    { "time_mix_k_k.",        ROLE_VECTOR,    SYNTH_BELL,    0.8, 0.2, 0 },
    { "time_mix_k_a.",        ROLE_VECTOR,    SYNTH_BELL,    1.0, 0.2, 0 },
    { "time_mix_r_k.",        ROLE_VECTOR,    SYNTH_BELL,    0.0, 0.1, 0 },
    { "time_mix_ln.weight",   ROLE_VECTOR,    SYNTH_BELL,    0.8, 0.1, 0 },
    { "time_mix_ln.bias",     ROLE_VECTOR,    SYNTH_BELL,    0.0, 0.1, 0 },
    { "time_mix_",            ROLE_MATRIX,    SYNTH_BELL,    0.0, 1.0, 1 },
    { "channel_mix_key.",     ROLE_MATRIX,    SYNTH_BELL,    0.0, 1.0, 1 },
    { "channel_mix_value.",   ROLE_MATRIX,    SYNTH_BELL,    0.0, 0.5, 1 },
    /* the norms */
    { "",                     ROLE_VECTOR,    SYNTH_BELL,    0.0, 0.1, 0 },
};

/* ------------------------------------------------------------- choosing */

/* A preset's, kind's or variant's row by name; rows begin with their name. */
static enum anser_status choose(anser_ctx *ctx, const char *what,
                                const char *name, const void *rows,
                                size_t row_size, const void **row)
{
    char known[LISTED] = "";
    const char *at = rows;
    const char *known_name;
    while ((known_name = *(const char *const *)(const void *)at) != NULL) {
        if (name != NULL && strcmp(name, known_name) == 0) {
            *row = at;
            return ANSER_OK;
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, " %s", known_name);
        at += row_size;
    }
    return anser_fail(ctx, ANSER_BAD_ARG, "synth: no %s '%s'; known:%s", what,
                      name != NULL ? name : "", known);
}

const char *anser_synth_variant(unsigned i)
{
    return i < sizeof variants / sizeof variants[0] ? variants[i].name : NULL;
}

struct choice {
    const struct preset *preset;
    const struct kind *kind;
    const struct variant *variant;
};

static enum anser_status choose_all(anser_ctx *ctx,
                                    const struct anser_synth_options *options,
                                    struct choice *choice)
{
    const void *row = NULL;
    TRY(choose(ctx, "preset", options->preset, presets, sizeof presets[0],
               &row));
    choice->preset = row;
    TRY(choose(ctx, "type", options->type != NULL ? options->type : "q4_k_m",
               kinds, sizeof kinds[0], &row));
    choice->kind = row;
    choice->variant = &stock;
    if (options->variant != NULL) {
        TRY(choose(ctx, "variant", options->variant, variants,
                   sizeof variants[0], &row));
        choice->variant = row;
    }
    return ANSER_OK;
}

/* ------------------------------------------------------------- tensors */

static const struct look *look_of(const char *name)
{
    const struct look *look = looks;
    while (strncmp(name, look->name, strlen(look->name)) != 0)
        look++;
    return look;
}

static enum anser_type type_of(const struct choice *choice, enum role role)
{
    switch (role) {
    case ROLE_VECTOR:    return ANSER_F32;
    case ROLE_LORA:      return choice->variant->lora;
    case ROLE_MATRIX:    return choice->kind->matrix;
    case ROLE_HEAD:      return choice->kind->head;
    case ROLE_EMBEDDING: break;
    }
    return choice->variant->q6_embedding ? ANSER_Q6_K : choice->kind->matrix;
}

static void set_dims(struct anser_synth_tensor *t, const struct choice *choice,
                     uint64_t cols, uint64_t rows)
{
    enum lerp lerp = choice->variant->lerp;
    int fused = strstr(t->name, "lerp_fused") != NULL;
    t->n_dims = rows == 1 ? 1 : 2;
    t->ne[0] = cols;
    t->ne[1] = rows;
    t->ne[2] = t->ne[3] = 1;
    if (fused && lerp != LERP_2D) {
        t->n_dims = 4;
        t->ne[1] = 1;
        t->ne[3] = rows;
    }
    if (lerp == LERP_K_3D && strstr(t->name, "lerp_k.") != NULL)
        t->n_dims = 3;
}

/* layer < 0: a tensor of the whole file. */
static void set_tensor(struct anser_synth_tensor *t,
                       const struct anser_v7_shape *shape,
                       const struct choice *choice,
                       const struct anser_v7_row *row, int layer)
{
    const struct look *look = look_of(row->name);
    enum anser_v7_dim cols = row->cols, rows = row->rows;
    /* Layer 0 has copies of a0, a1, a2 for v0, v1, v2, so a's rank. */
    if (layer == 0 && cols == V7_DV)
        cols = V7_DA;
    if (layer == 0 && rows == V7_DV)
        rows = V7_DA;
    if (layer < 0)
        snprintf(t->name, sizeof t->name, "%s", row->name);
    else
        snprintf(t->name, sizeof t->name, "blk.%d.%s", layer, row->name);
    uint64_t n_cols = anser_v7_size(shape, cols);
    uint64_t n_rows = anser_v7_size(shape, rows);
    set_dims(t, choice, n_cols, n_rows);
    t->block = anser_block_find(type_of(choice, look->role));
    t->bytes = anser_block_bytes(t->block, n_cols) * n_rows;
    t->shape = look->shape;
    t->mean = look->mean;
    t->deviation = look->fan ? look->deviation / sqrt((double)n_cols)
        : look->deviation;
    /* A norm's weight lies around 1. */
    if (look->name[0] == '\0' && strstr(row->name, ".weight") != NULL)
        t->mean = 1.0;
}

static int by_name(const void *a, const void *b)
{
    const struct anser_synth_tensor *x = a, *y = b;
    int i = -1, j = -1;              /* layers, the whole file's first      */
    sscanf(x->name, "blk.%d.", &i);
    sscanf(y->name, "blk.%d.", &j);
    return i != j ? (i > j) - (i < j) : strcmp(x->name, y->name);
}

static void reverse(struct anser_synth_plan *plan)
{
    for (uint64_t i = 0, j = plan->n_tensors; i + 1 < j; i++) {
        struct anser_synth_tensor kept = plan->tensors[i];
        plan->tensors[i] = plan->tensors[--j];
        plan->tensors[j] = kept;
    }
}

static uint64_t count_rows(const struct anser_v7_row *rows)
{
    uint64_t n = 0;
    while (rows[n].name != NULL)
        n++;
    return n;
}

static void set_tensors(struct anser_synth_plan *plan,
                        const struct choice *choice)
{
    const struct anser_v7_shape *shape = &plan->shape;
    const struct anser_v7_row *row;
    struct anser_synth_tensor *t = plan->tensors;
    for (row = anser_v7_file_rows; row->name != NULL; row++)
        set_tensor(t++, shape, choice, row, -1);
    for (int layer = 0; layer < (int)shape->L; layer++)
        for (row = anser_v7_layer_rows; row->name != NULL; row++)
            if (layer > 0 || row->need == V7_MUST
                || !choice->variant->no_layer0_v)
                set_tensor(t++, shape, choice, row, layer);
    plan->n_tensors = (uint64_t)(t - plan->tensors);
    plan->bytes = 0;
    for (uint64_t i = 0; i < plan->n_tensors; i++)
        plan->bytes += plan->tensors[i].bytes;
    if (choice->variant->order == ORDER_SORTED)
        qsort(plan->tensors, plan->n_tensors, sizeof *plan->tensors, by_name);
    if (choice->variant->order == ORDER_REVERSED)
        reverse(plan);
}

enum anser_status anser_synth_plan(anser_ctx *ctx,
                                   const struct anser_synth_options *options,
                                   struct anser_synth_plan *plan)
{
    struct choice choice;
    TRY(choose_all(ctx, options, &choice));
    const struct preset *p = choice.preset;
    struct anser_synth_plan made = {
        .shape = { .C = p->C, .H = p->C / V7_HEAD_SIZE, .N = V7_HEAD_SIZE,
                   .L = p->L, .F = 4 * p->C, .V = p->V, .Dw = p->Dw,
                   .Da = p->Da, .Dv = p->Dv, .Dg = p->Dg,
                   .ln_eps = V7_LN_EPS },
        .size_label = p->label, .file_type = choice.kind->file_type,
        .no_eos = choice.variant->no_eos, .old_keys = choice.variant->old_keys
    };
    if (options->vocab != NULL)      /* the World list has its own size     */
        made.shape.V = 65536;
    snprintf(made.name, sizeof made.name, "synth %s", p->name);
    uint64_t n = count_rows(anser_v7_file_rows)
        + p->L * count_rows(anser_v7_layer_rows);
    made.tensors = calloc(n, sizeof *made.tensors);
    if (made.tensors == NULL)
        return anser_fail_memory(ctx, n * sizeof *made.tensors);
    set_tensors(&made, &choice);
    *plan = made;
    return ANSER_OK;
}

void anser_synth_unplan(struct anser_synth_plan *plan)
{
    free(plan->tensors);
    plan->tensors = NULL;
}
