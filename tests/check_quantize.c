/* SPDX-License-Identifier: MIT */
/*
 * anser_quantize: the rules for types, overrides, and what is carried over.
 */
#include "base/encode.h"
#include "quantize_util.h"

#include <stdlib.h>
#include <string.h>

static void is_type(const anser_file *file, const char *name,
                    const char *type)
{
    ck_assert_str_eq(test_quantize_type(file, name), type);
}

/* ------------------------------------------------------------- rules */

/* key and ffn_value have rows of C and of 4 C values.  Spec 5.2. */
static const struct rule {
    uint32_t C;
    const char *type, *head, *embd, *key, *ffn_value;
    uint32_t file_type;
} rules[] = {
    { 256, "q4_k_m", "Q6_K", "Q4_K", "Q4_K", "Q4_K", 15 },
    { 256, "Q4_K_S", "Q6_K", "Q4_K", "Q4_K", "Q4_K", 14 },
    { 256, "q5_k_m", "Q6_K", "Q5_K", "Q5_K", "Q5_K", 17 },
    { 256, "q5_k_s", "Q6_K", "Q5_K", "Q5_K", "Q5_K", 16 },
    { 256, "q6_k",   "Q6_K", "Q6_K", "Q6_K", "Q6_K", 18 },
    { 256, "q8_0",   "Q8_0", "Q8_0", "Q8_0", "Q8_0", 7 },
    { 256, "q5_0",   "Q6_K", "Q5_0", "Q5_0", "Q5_0", 8 },
    { 256, "q5_1",   "Q6_K", "Q5_1", "Q5_1", "Q5_1", 9 },
    { 256, "q4_0",   "Q6_K", "Q4_0", "Q4_0", "Q4_0", 2 },
    { 256, "q4_1",   "Q6_K", "Q4_1", "Q4_1", "Q4_1", 3 },
    { 256, "q3_k_m", "Q6_K", "Q3_K", "Q3_K", "Q3_K", 12 },
    { 256, "q2_k",   "Q6_K", "Q2_K", "Q2_K", "Q2_K", 10 },
    { 256, "f16",    "F16",  "F16",  "F16",  "F16",  1 },
    { 64,  "q4_k_m", "Q8_0", "Q5_0", "Q5_0", "Q4_K", 15 },
    { 64,  "q5_k_m", "Q8_0", "Q5_1", "Q5_1", "Q5_K", 17 },
    { 64,  "q6_k",   "Q8_0", "Q8_0", "Q8_0", "Q6_K", 18 },
    { 64,  "q3_k_m", "Q8_0", "Q4_0", "Q4_0", "Q3_K", 12 },
    { 64,  "q4_0",   "Q8_0", "Q4_0", "Q4_0", "Q4_0", 2 },
    { 192, "q4_k_m", "Q8_0", "Q5_0", "Q5_0", "Q4_K", 15 },
};
#define N_RULES ((int)(sizeof rules / sizeof rules[0]))

START_TEST(types_by_the_rules)
{
    const struct rule *rule = &rules[_i];
    anser_file *file = test_quantize_model("in", rule->C, "F32");
    struct anser_quantize_options options = test_quantize_options(rule->type);
    test_quantize(file, &options, test_path("out"));
    anser_gguf_close(file);
    file = test_quantize_open(test_path("out"));
    is_type(file, "output.weight", rule->head);
    is_type(file, "token_embd.weight", rule->embd);
    is_type(file, "blk.1.time_mix_key.weight", rule->key);
    is_type(file, "blk.0.channel_mix_value.weight", rule->ffn_value);
    is_type(file, "blk.1.time_mix_g2.weight", "F32");
    is_type(file, "blk.1.time_mix_lerp_fused.weight", "F32");
    is_type(file, "output_norm.weight", "F32");
    uint64_t number = 0;
    ck_assert_int_eq(anser_gguf_u64(file, "general.file_type", &number),
                     ANSER_OK);
    ck_assert_uint_eq(number, rule->file_type);
    ck_assert_int_eq(anser_gguf_u64(file, "general.quantization_version",
                                    &number), ANSER_OK);
    ck_assert_uint_eq(number, 2);
    anser_gguf_close(file);
}
END_TEST

START_TEST(every_type_has_a_rule)
{
    unsigned n = 0;
    for (; anser_quantize_type(n) != NULL; n++) {
        unsigned found = 0;
        for (int i = 0; i < N_RULES; i++)
            found += strcmp(rules[i].type, anser_quantize_type(n)) == 0;
        ck_assert(found > 0 || strcmp(anser_quantize_type(n), "q4_k_s") == 0);
    }
    ck_assert_uint_eq(n, 13);
    ck_assert_ptr_null(anser_quantize_type(1000));
}
END_TEST

START_TEST(overrides)
{
    static const char *const list[] = {
        "blk.0.time_mix_key*=q8_0", "blk.*.time_mix_key.weight=F16",
        "*_a1.*=Q5_0", "token_embd.weight=q6_k", "blk.1.*norm*=Q8_0",
        "blk.1.channel*=bf16"
    };
    anser_file *file = test_quantize_model("in", 256, "F32");
    struct anser_quantize_options options = test_quantize_options("q4_k_m");
    options.overrides = list;
    options.n_overrides = 4;
    test_quantize(file, &options, test_path("out"));
    anser_file *out = test_quantize_open(test_path("out"));
    is_type(out, "blk.0.time_mix_key.weight", "Q8_0");
    is_type(out, "blk.1.time_mix_key.weight", "F16");
    is_type(out, "blk.1.time_mix_value.weight", "Q4_K");
    is_type(out, "blk.1.time_mix_a1.weight", "Q5_0");
    is_type(out, "blk.1.time_mix_a2.weight", "F32");
    is_type(out, "token_embd.weight", "Q6_K");
    anser_gguf_close(out);

    /* Vectors and norms never change, even if a pattern names them. */
    options.overrides = list + 4;
    options.n_overrides = 1;
    ck_assert_int_eq(anser_quantize(file, &options, test_path("no")),
                     ANSER_BAD_ARG);
    options.overrides = list + 5;
    test_quantize(file, &options, test_path("out"));
    out = test_quantize_open(test_path("out"));
    is_type(out, "blk.1.channel_mix_key.weight", "BF16");
    is_type(out, "blk.1.channel_mix_lerp_k.weight", "F32");
    anser_gguf_close(out);
    anser_gguf_close(file);
}
END_TEST

/* ------------------------------------------------------------- carried over */

static void compare_key(const struct anser_gguf_key *a,
                        const struct anser_gguf_key *b)
{
    ck_assert_str_eq(a->name, b->name);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->bytes, b->bytes);
    ck_assert_mem_eq(a->value, b->value, a->bytes);
}

/* Keys and tensors in the same order; tensors of the same type byte by byte,
 * the others as the encoder has them. */
START_TEST(everything_else_stays)
{
    static const char *const sources[] = { "F32", "F16", "BF16", "Q8_0" };
    anser_file *in = test_quantize_model("in", 256, sources[_i]);
    struct anser_quantize_options options = test_quantize_options("q5_k_m");
    test_quantize(in, &options, test_path("out"));
    ck_assert_uint_eq(test_quantize_notices(), _i == 3);
    anser_file *out = test_quantize_open(test_path("out"));
    ck_assert_uint_eq(out->n_keys, in->n_keys + 2);
    for (uint64_t i = 0; i < in->n_keys; i++)
        compare_key(&in->keys[i], &out->keys[i]);
    ck_assert_uint_eq(out->n_tensors, in->n_tensors);
    for (uint64_t i = 0; i < in->n_tensors; i++) {
        const struct anser_gguf_tensor *a = &in->tensors[i];
        const struct anser_gguf_tensor *b = &out->tensors[i];
        ck_assert_str_eq(a->name, b->name);
        ck_assert_mem_eq(a->ne, b->ne, sizeof a->ne);
        uint64_t n = a->ne[0] * a->ne[1] * a->ne[2] * a->ne[3];
        float *x = malloc(n * sizeof *x);
        unsigned char *data = malloc(b->bytes);
        ck_assert(x != NULL && data != NULL);
        a->block->decode(a->data, x, n);
        anser_encoder_find((uint32_t)b->block->type)->encode(x, data, n);
        ck_assert_mem_eq(a->block == b->block ? a->data : data, b->data,
                         b->bytes);
        free(data);
        free(x);
    }
    anser_gguf_close(out);
    anser_gguf_close(in);
}
END_TEST

/* A file that has our keys already keeps their places. */
START_TEST(again)
{
    anser_file *in = test_quantize_model("in", 64, "F16");
    struct anser_quantize_options options = test_quantize_options("f16");
    test_quantize(in, &options, test_path("1"));
    anser_gguf_close(in);
    in = test_quantize_open(test_path("1"));
    options = test_quantize_options("q8_0");
    test_quantize(in, &options, test_path("2"));
    anser_file *out = test_quantize_open(test_path("2"));
    ck_assert_uint_eq(out->n_keys, in->n_keys);
    for (uint64_t i = 0; i < in->n_keys; i++)
        ck_assert_str_eq(in->keys[i].name, out->keys[i].name);
    uint64_t number = 0;
    ck_assert_int_eq(anser_gguf_u64(out, "general.file_type", &number),
                     ANSER_OK);
    ck_assert_uint_eq(number, 7);
    anser_gguf_close(out);
    anser_gguf_close(in);
}
END_TEST

START_TEST(threads_change_nothing)
{
    size_t n_one, n_many;
    anser_file *in = test_quantize_model("in", 256, "F32");
    struct anser_quantize_options options = test_quantize_options("q4_k_m");
    options.threads = 1;
    test_quantize(in, &options, test_path("one"));
    options.threads = 5;
    test_quantize(in, &options, test_path("many"));
    unsigned char *one = test_read_file(test_path("one"), &n_one);
    unsigned char *many = test_read_file(test_path("many"), &n_many);
    ck_assert_uint_eq(n_one, n_many);
    ck_assert_mem_eq(one, many, n_one);
    free(many);
    free(one);
    anser_gguf_close(in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quantize");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, test_quantize_enter, test_quantize_leave);
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, types_by_the_rules, 0, N_RULES);
    tcase_add_test(all, every_type_has_a_rule);
    tcase_add_test(all, overrides);
    tcase_add_loop_test(all, everything_else_stays, 0, 4);
    tcase_add_test(all, again);
    tcase_add_test(all, threads_change_nothing);
    suite_add_tcase(suite, all);
    return test_run(suite, 1);
}
