/* SPDX-License-Identifier: MIT */
/*
 * Which type each tensor gets: what llama-quantize does with RWKV-7 files.
 * One type for all matrices but the head and the LoRA pairs, another one where
 * rows don't fit its blocks.  Source: llama.cpp's llama-quant.cpp.
 */
#include "base/quantize.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LISTED 256                   /* bytes of a list of names            */

/* ------------------------------------------------------------- tables */

/* _s and _m differ for other architectures only: in tensors that RWKV-7
 * doesn't have. */
static const struct kind {
    const char *name;
    enum anser_type type;
    uint32_t file_type;
} kinds[] = {
    { "q4_k_m", ANSER_Q4_K, 15 }, { "q4_k_s", ANSER_Q4_K, 14 },
    { "q5_k_m", ANSER_Q5_K, 17 }, { "q5_k_s", ANSER_Q5_K, 16 },
    { "q6_k",   ANSER_Q6_K, 18 }, { "q8_0",   ANSER_Q8_0, 7 },
    { "q5_0",   ANSER_Q5_0, 8 },  { "q5_1",   ANSER_Q5_1, 9 },
    { "q4_0",   ANSER_Q4_0, 2 },  { "q4_1",   ANSER_Q4_1, 3 },
    { "q3_k_m", ANSER_Q3_K, 12 }, { "q2_k",   ANSER_Q2_K, 10 },
    { "f16",    ANSER_F16,  1 },
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

/* Parts of names.  Vectors and layer norms are left out by their shape. */
static const char *const lora[] = {
    "time_mix_w1", "time_mix_w2", "time_mix_a1", "time_mix_a2", "time_mix_v1",
    "time_mix_v2", "time_mix_g1", "time_mix_g2", NULL
};
static const char *const never[] = { "lerp", "time_mix_r_k", "_norm", NULL };

/* Blocks of 32 instead of 256. */
static enum anser_type fall_back(enum anser_type type)
{
    switch (type) {
    case ANSER_Q2_K:
    case ANSER_Q3_K:
        return ANSER_Q4_0;
    case ANSER_Q4_K:
        return ANSER_Q5_0;
    case ANSER_Q5_K:
        return ANSER_Q5_1;
    case ANSER_Q6_K:
        return ANSER_Q8_0;
    default:
        return ANSER_F16;
    }
}

const char *anser_quantize_type(unsigned i)
{
    return i < N_KINDS ? kinds[i].name : NULL;
}

static enum anser_status find_kind(anser_ctx *ctx, const char *name,
                                   const struct kind **kind)
{
    char list[LISTED] = "";
    for (size_t i = 0; i < N_KINDS; i++) {
        if (name != NULL && strcasecmp(name, kinds[i].name) == 0) {
            *kind = &kinds[i];
            return ANSER_OK;
        }
        strcat(strcat(list, " "), kinds[i].name);
    }
    return anser_fail(ctx, ANSER_BAD_ARG, "quantize: no type '%s'; known:%s",
                      name != NULL ? name : "", list);
}

/* ------------------------------------------------------------- overrides */

struct rule {                        /* PATTERN=TYPE                        */
    char *pattern;                   /* owned                               */
    const struct anser_block *block;
    int used;
};

struct rules {
    anser_ctx *ctx;                  /* borrowed                            */
    const struct kind *kind;
    const struct anser_quantize_options *options;   /* borrowed             */
    struct rule *at;                 /* owned, (options->n_overrides)       */
};

static enum anser_status bad_rule(const struct rules *rules, const char *text,
                                  const char *what)
{
    char list[LISTED] = "";
    for (const struct anser_block *b = anser_blocks; b->name != NULL; b++)
        strcat(strcat(list, " "), b->name);
    return anser_fail(rules->ctx, ANSER_BAD_ARG, "quantize: '%s' %s; write "
                      "PATTERN=TYPE with a type of:%s", text, what, list);
}

static enum anser_status read_rule(const struct rules *rules,
                                   const char *text, struct rule *rule)
{
    const char *sign = text != NULL ? strrchr(text, '=') : NULL;
    if (sign == NULL || sign == text)
        return bad_rule(rules, text != NULL ? text : "", "has no pattern");
    rule->block = anser_block_named(sign + 1);
    if (rule->block == NULL)
        return bad_rule(rules, text, "names no type that Anser knows");
    size_t n = (size_t)(sign - text);
    rule->pattern = malloc(n + 1);
    if (rule->pattern == NULL)
        return anser_fail_memory(rules->ctx, n + 1);
    memcpy(rule->pattern, text, n);
    rule->pattern[n] = '\0';
    return ANSER_OK;
}

static enum anser_status read_rules(struct rules *rules)
{
    size_t n = rules->options->n_overrides;
    if (n == 0)
        return ANSER_OK;
    rules->at = calloc(n, sizeof *rules->at);
    if (rules->at == NULL)
        return anser_fail_memory(rules->ctx, n * sizeof *rules->at);
    for (size_t i = 0; i < n; i++)
        TRY(read_rule(rules, rules->options->overrides[i], &rules->at[i]));
    return ANSER_OK;
}

static void free_rules(struct rules *rules)
{
    for (size_t i = 0; rules->at != NULL
                       && i < rules->options->n_overrides; i++)
        free(rules->at[i].pattern);
    free(rules->at);
}

/* The first rule whose pattern matches, or NULL. */
static struct rule *match(const struct rules *rules, const char *name)
{
    struct rule *first = NULL;
    for (size_t i = rules->options->n_overrides; i-- > 0; )
        if (fnmatch(rules->at[i].pattern, name, 0) == 0) {
            first = &rules->at[i];
            first->used = 1;
        }
    return first;
}

/* ------------------------------------------------------------- tensors */

static int has_part(const char *name, const char *const *parts)
{
    for (; *parts != NULL; parts++)
        if (strstr(name, *parts) != NULL)
            return 1;
    return 0;
}

static int is_matrix(const struct anser_gguf_tensor *t)
{
    return t->ne[1] > 1 && t->ne[2] == 1 && t->ne[3] == 1
           && !has_part(t->name, never);
}

/* The rule for the head: Q6_K is the least that it gets. */
static enum anser_type head_type(enum anser_type type, uint64_t cols)
{
    const struct anser_block *block = anser_block_find((uint32_t)type);
    if (block->length == 1 || type == ANSER_Q8_0)
        return type;
    return cols % block->length == 0 ? ANSER_Q6_K : ANSER_Q8_0;
}

/* The type itself, or one that rows of cols values fit. */
static const struct anser_block *fitting(enum anser_type type, uint64_t cols,
                                         uint64_t *n_fallen)
{
    const struct anser_block *block = anser_block_find((uint32_t)type);
    *n_fallen += cols % block->length != 0;
    while (cols % block->length != 0)
        block = anser_block_find((uint32_t)fall_back(block->type));
    return block;
}

static const struct anser_block *choose(const struct rules *rules,
                                        const struct anser_gguf_tensor *t,
                                        uint64_t *n_fallen)
{
    if (!is_matrix(t))
        return t->block;
    const struct rule *rule = match(rules, t->name);
    if (rule != NULL)
        return fitting(rule->block->type, t->ne[0], n_fallen);
    if (has_part(t->name, lora))
        return t->block;
    enum anser_type type = rules->kind->type;
    if (strcmp(t->name, "output.weight") == 0)
        type = head_type(type, t->ne[0]);
    return fitting(type, t->ne[0], n_fallen);
}

static enum anser_status plan_tensors(const anser_file *file,
                                      struct rules *rules,
                                      struct anser_quantize_plan *plan)
{
    uint64_t n = file->n_tensors;
    TRY(find_kind(file->ctx, rules->options->type, &rules->kind));
    TRY(read_rules(rules));
    plan->tensors = calloc((size_t)n + 1, sizeof *plan->tensors);
    if (plan->tensors == NULL)
        return anser_fail_memory(file->ctx,
                                 (size_t)n * sizeof *plan->tensors);
    plan->type = rules->kind->name;
    plan->file_type = rules->kind->file_type;
    plan->n_tensors = n;
    for (uint64_t i = 0; i < n; i++) {
        plan->tensors[i].from = &file->tensors[i];
        plan->tensors[i].to = choose(rules, &file->tensors[i],
                                     &plan->n_fallen);
    }
    for (size_t i = 0; i < rules->options->n_overrides; i++)
        if (!rules->at[i].used)
            return anser_fail(file->ctx, ANSER_BAD_ARG, "quantize: '%s' "
                              "matches no matrix of %s; names are as in "
                              "blk.0.time_mix_key.weight",
                              rules->options->overrides[i], file->path);
    return ANSER_OK;
}

enum anser_status
anser_quantize_plan(const anser_file *file,
                    const struct anser_quantize_options *options,
                    struct anser_quantize_plan *plan)
{
    struct anser_quantize_plan made = { .tensors = NULL };
    struct rules rules = { .ctx = file->ctx, .options = options };
    enum anser_status status = plan_tensors(file, &rules, &made);
    free_rules(&rules);
    if (status == ANSER_OK)
        *plan = made;
    else
        free(made.tensors);
    return status;
}

void anser_quantize_unplan(struct anser_quantize_plan *plan)
{
    free(plan->tensors);
    plan->tensors = NULL;
}
