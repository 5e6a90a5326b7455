/* SPDX-License-Identifier: MIT */
/*
 * Models of random weights: sizes and types of the published models from the
 * plan alone, the values of small files, and every variant.
 */
#include "base/ref.h"
#include "base/synth.h"
#include "synth_util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void plan_of(const char *preset, const char *type, const char *variant,
                    struct anser_synth_plan *plan)
{
    anser_ctx *ctx = test_ctx();
    struct anser_synth_options options = synth_tiny();
    options.preset = preset;
    options.type = type;
    options.variant = variant;
    if (anser_synth_plan(ctx, &options, plan) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    anser_ctx_free(ctx);
}

static const struct anser_synth_tensor *
tensor_of(const struct anser_synth_plan *plan, const char *name)
{
    for (uint64_t i = 0; i < plan->n_tensors; i++)
        if (strcmp(plan->tensors[i].name, name) == 0)
            return &plan->tensors[i];
    ck_abort_msg("no tensor %s", name);
    return NULL;
}

/* ------------------------------------------------------------- plans */

/* What one token reads: all but the embedding, of which one row, and layer 0's
 * v0, v1, v2.  From the published shapes; 2.9b's is a published file's. */
START_TEST(bytes_of_published_models)
{
    static const struct {
        const char *preset;
        uint64_t layers, token_bytes;
    } models[] = {
        { "0.1b", 12, 102651312 }, { "0.4b", 24, 261272128 },
        { "1.5b", 24, 912352384 }, { "2.9b", 32, 1779006880 },
        { "7.2b", 32, 4355836160 },
    };
    struct anser_synth_plan plan;
    plan_of(models[_i].preset, "q4_k_m", NULL, &plan);
    const struct anser_synth_tensor *embd = tensor_of(&plan,
                                                      "token_embd.weight");
    uint64_t bytes = plan.bytes - embd->bytes + embd->bytes / plan.shape.V;
    bytes -= tensor_of(&plan, "blk.0.time_mix_v0.weight")->bytes;
    bytes -= tensor_of(&plan, "blk.0.time_mix_v1.weight")->bytes;
    bytes -= tensor_of(&plan, "blk.0.time_mix_v2.weight")->bytes;
    ck_assert_uint_eq(bytes, models[_i].token_bytes);
    ck_assert_uint_eq(plan.n_tensors, 6 + 28 * models[_i].layers);
    anser_synth_unplan(&plan);
}
END_TEST

START_TEST(bytes_of_2_9b)
{
    struct anser_synth_plan plan;
    plan_of("2.9b", "q4_k_m", NULL, &plan);
    ck_assert_uint_eq(plan.bytes, 1874370560);
    anser_synth_unplan(&plan);
    plan_of("2.9b", "q4_k_m", "q6_k-embedding", &plan);
    ck_assert_uint_eq(plan.bytes, 1874370560 - 94371840 + 137625600);
    anser_synth_unplan(&plan);
}
END_TEST

/* What llama-quantize chooses from an F16 file. */
START_TEST(types_and_shapes_of_2_9b)
{
    static const struct {
        const char *name, *type;
        uint64_t cols, rows;
    } tensors[] = {
        { "token_embd.weight", "Q4_K", 2560, 65536 },
        { "token_embd_norm.bias", "F32", 2560, 1 },
        { "output.weight", "Q6_K", 2560, 65536 },
        { "blk.0.time_mix_v1.weight", "F16", 2560, 96 },
        { "blk.1.time_mix_v1.weight", "F16", 2560, 64 },
        { "blk.31.time_mix_v2.weight", "F16", 64, 2560 },
        { "blk.31.time_mix_g2.weight", "F16", 320, 2560 },
        { "blk.5.time_mix_a1.weight", "F16", 2560, 96 },
        { "blk.5.time_mix_w1.weight", "F32", 2560, 96 },
        { "blk.5.time_mix_w2.weight", "F32", 96, 2560 },
        { "blk.5.time_mix_r_k.weight", "F32", 2560, 1 },
        { "blk.5.time_mix_key.weight", "Q4_K", 2560, 2560 },
        { "blk.5.time_mix_output.weight", "Q4_K", 2560, 2560 },
        { "blk.5.channel_mix_key.weight", "Q4_K", 2560, 10240 },
        { "blk.5.channel_mix_value.weight", "Q4_K", 10240, 2560 },
    };
    struct anser_synth_plan plan;
    plan_of("2.9b", NULL, NULL, &plan);
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
        const struct anser_synth_tensor *t = tensor_of(&plan, tensors[i].name);
        ck_assert_str_eq(t->block->name, tensors[i].type);
        ck_assert_uint_eq(t->ne[0], tensors[i].cols);
        ck_assert_uint_eq(t->ne[1], tensors[i].rows);
    }
    const struct anser_synth_tensor *lerp
        = tensor_of(&plan, "blk.3.time_mix_lerp_fused.weight");
    ck_assert_uint_eq(lerp->n_dims, 4);
    ck_assert_uint_eq(lerp->ne[1], 1);
    ck_assert_uint_eq(lerp->ne[3], 6);
    anser_synth_unplan(&plan);
}
END_TEST

/* ------------------------------------------------------------- files */

static anser_file *open_file(anser_ctx *ctx, const char *path)
{
    anser_file *file = NULL;
    if (anser_file_open(ctx, path, &file) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return file;
}

#define TINY_V 512

/* Logits of the reference after three tokens. */
static void logits_of(const char *path, float *logits)
{
    static const uint32_t prompt[] = { 73, 300, 5 };
    anser_ctx *ctx = test_ctx();
    anser_file *file = open_file(ctx, path);
    struct anser_ref_model *model = NULL;
    if (anser_ref_open(file, &model) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    const struct anser_v7_shape *shape = anser_ref_shape(model);
    ck_assert_uint_eq(shape->V, TINY_V);
    float *state = calloc(shape->L * V7_STATE_FLOATS(shape), sizeof *state);
    ck_assert_ptr_nonnull(state);
    for (size_t i = 0; i < 3; i++)
        anser_ref_token(model, state, prompt[i], logits);
    free(state);
    anser_ref_close(model);
    anser_file_close(file);
    anser_ctx_free(ctx);
}

static void mean_and_deviation(const float *x, size_t n, double *mean,
                               double *deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += x[i];
        squares += (double)x[i] * x[i];
    }
    *mean = sum / (double)n;
    *deviation = sqrt(squares / (double)n - *mean * *mean);
}

/* Every type opens and binds, and its logits have a spread. */
START_TEST(types_run)
{
    float logits[TINY_V];
    double mean, deviation;
    const char *path = test_path("m.gguf");
    synth_write_tiny(path, synth_types[_i], NULL, 3);
    logits_of(path, logits);
    mean_and_deviation(logits, TINY_V, &mean, &deviation);
    ck_assert(fabs(mean) < 0.5);
    ck_assert(deviation > 1.2 && deviation < 3.5);
}
END_TEST

/* What is written decodes to the mean and deviation of the plan: within 6 % of
 * the deviation for matrices, which have 8,192 elements or more. */
START_TEST(values_as_planned)
{
    anser_ctx *ctx = test_ctx();
    struct anser_synth_plan plan;
    const char *path = test_path("m.gguf");
    synth_write_tiny(path, synth_types[_i], NULL, 0);
    plan_of("tiny", synth_types[_i], NULL, &plan);
    anser_file *file = open_file(ctx, path);
    ck_assert_uint_eq(anser_file_tensors(file), plan.n_tensors);
    for (uint64_t i = 0; i < plan.n_tensors; i++) {
        const struct anser_synth_tensor *t = &plan.tensors[i];
        const struct anser_gguf_tensor *found = anser_gguf_find(file, t->name);
        ck_assert_ptr_nonnull(found);
        ck_assert_uint_eq(found->bytes, t->bytes);
        size_t n = t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
        if (n < 8192 || t->shape != SYNTH_BELL)
            continue;
        float *x = malloc(n * sizeof *x);
        double mean, deviation;
        ck_assert_ptr_nonnull(x);
        t->block->decode(found->data, x, n);
        mean_and_deviation(x, n, &mean, &deviation);
        free(x);
        ck_assert(fabs(mean - t->mean) < 0.06 * t->deviation);
        ck_assert(fabs(deviation / t->deviation - 1) < 0.06);
    }
    anser_file_close(file);
    anser_synth_unplan(&plan);
    anser_ctx_free(ctx);
}
END_TEST

/* ------------------------------------------------------------- variants */

/* A tensor's values depend on its name only: variants of shape, order and keys
 * give the same bits, and finer low-rank matrices nearly the same logits. */
START_TEST(variants_run)
{
    static const struct {
        const char *name;
        double diff;                 /* largest, from the stock file        */
    } variants[] = {
        { "q6_k-embedding", 20 }, { "no-layer0-v", 0 }, { "q8_0-lora", 20 },
        { "bf16-lora", 0.5 }, { "f32-lora", 0.05 }, { "lerp-2d", 0 },
        { "lerp-k-3d", 0 }, { "sorted", 0 }, { "reversed", 0 },
        { "no-eos", 0 }, { "old-keys", 0 },
    };
    const unsigned n = sizeof variants / sizeof variants[0];
    float stock[TINY_V], logits[TINY_V];
    synth_write_tiny(test_path("stock.gguf"), NULL, NULL, 0);
    logits_of(test_path("stock.gguf"), stock);
    for (unsigned i = 0; i < n; i++) {
        const char *path = test_path("variant.gguf");
        ck_assert_str_eq(anser_synth_variant(i), variants[i].name);
        synth_write_tiny(path, NULL, variants[i].name, 0);
        logits_of(path, logits);
        double diff = test_max_diff(stock, logits, TINY_V);
        ck_assert_msg(diff <= variants[i].diff, "%s: %g", variants[i].name,
                      diff);
        ck_assert_msg(diff > 0 || variants[i].diff == 0, "%s: no difference",
                      variants[i].name);
    }
    ck_assert_ptr_null(anser_synth_variant(n));
    ck_assert_ptr_null(anser_synth_variant(1000));
}
END_TEST

START_TEST(variants_in_the_file)
{
    anser_ctx *ctx = test_ctx();
    synth_write_tiny(test_path("1"), NULL, "no-layer0-v", 0);
    synth_write_tiny(test_path("2"), NULL, "lerp-2d", 0);
    synth_write_tiny(test_path("3"), NULL, "no-eos", 0);
    synth_write_tiny(test_path("4"), NULL, "old-keys", 0);
    synth_write_tiny(test_path("5"), NULL, "sorted", 0);
    synth_write_tiny(test_path("6"), NULL, "bf16-lora", 0);
    anser_file *file = open_file(ctx, test_path("1"));
    ck_assert_ptr_null(anser_gguf_find(file, "blk.0.time_mix_v1.weight"));
    ck_assert_ptr_nonnull(anser_gguf_find(file, "blk.1.time_mix_v1.weight"));
    anser_file_close(file);
    file = open_file(ctx, test_path("2"));
    ck_assert_uint_eq(anser_gguf_find(file, "blk.0.time_mix_lerp_fused.weight")
                      ->n_dims, 2);
    anser_file_close(file);
    file = open_file(ctx, test_path("3"));
    ck_assert_ptr_null(anser_gguf_find_key(file,
                                           "tokenizer.ggml.eos_token_id"));
    anser_file_close(file);
    file = open_file(ctx, test_path("4"));
    ck_assert_ptr_null(anser_gguf_find_key(file,
                                           "rwkv7.attention.head_count"));
    anser_file_close(file);
    file = open_file(ctx, test_path("5"));
    ck_assert_str_eq(file->tensors[0].name, "output.weight");
    ck_assert_str_eq(file->tensors[6].name, "blk.0.attn_norm.bias");
    anser_file_close(file);
    file = open_file(ctx, test_path("6"));
    ck_assert_int_eq(anser_gguf_find(file, "blk.2.time_mix_g1.weight")
                     ->block->type, ANSER_BF16);
    anser_file_close(file);
    anser_ctx_free(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synth");
    TCase *plans = tcase_create("plans");
    tcase_add_loop_test(plans, bytes_of_published_models, 0, 5);
    tcase_add_test(plans, bytes_of_2_9b);
    tcase_add_test(plans, types_and_shapes_of_2_9b);
    suite_add_tcase(suite, plans);
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, test_enter, test_leave);
    tcase_set_timeout(files, 60);
    tcase_add_loop_test(files, types_run, 0, 5);
    tcase_add_loop_test(files, values_as_planned, 0, 5);
    tcase_add_test(files, variants_run);
    tcase_add_test(files, variants_in_the_file);
    suite_add_tcase(suite, files);
    return test_run(suite, 1);
}
