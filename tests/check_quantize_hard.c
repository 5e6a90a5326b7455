/* SPDX-License-Identifier: MIT */
/*
 * anser_quantize: what is worth a notice, what is refused and leaves nothing,
 * and, where the fixtures outside the tree are, the types and errors of
 * llama.cpp's own files.
 */
#include "quantize_util.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(notices)
{
    anser_file *in = test_quantize_model("in", 256, "F16");
    static const char *const harmful[] = { "q4_0", "q4_1", "q2_k" };
    static const char *const good[] = { "q4_k_m", "q3_k_m", "q5_0", "q8_0" };
    struct anser_quantize_options options;
    for (unsigned i = 0; i < 3; i++) {
        options = test_quantize_options(harmful[i]);
        test_quantize(in, &options, test_path("out"));
        ck_assert_uint_eq(test_quantize_notices(), i + 1);
    }
    for (unsigned i = 0; i < 4; i++) {
        options = test_quantize_options(good[i]);
        test_quantize(in, &options, test_path("out"));
        ck_assert_uint_eq(test_quantize_notices(), 3);
    }
    anser_gguf_close(in);
    in = test_quantize_model("narrow", 64, "F16");   /* falls back to Q5_0  */
    options = test_quantize_options("q4_k_m");
    test_quantize(in, &options, test_path("out"));
    ck_assert_uint_eq(test_quantize_notices(), 4);
    anser_gguf_close(in);
}
END_TEST

/* ------------------------------------------------------------- refusals */

static void refuse(const anser_file *file,
                   const struct anser_quantize_options *options,
                   const char *path, enum anser_status expected,
                   const char *part)
{
    unsigned files = test_count_files();
    ck_assert_int_eq(anser_quantize(file, options, path), expected);
    if (strstr(anser_error(test_quantize_ctx()), part) == NULL)
        ck_abort_msg("'%s' not in: %s", part, anser_error(test_quantize_ctx()));
    ck_assert_uint_eq(test_count_files(), files);
}

static int stop_at_half(void *user, double part)
{
    (void)user;
    return part > 0.5;
}

START_TEST(refused_options)
{
    static const char *const bad[] = {
        "blk.*", "=Q4_K", "blk.*=", "blk.*=Q9", "nothing=Q4_K"
    };
    anser_file *in = test_quantize_model("in", 64, "F32");
    struct anser_quantize_options options = test_quantize_options("q4");
    refuse(in, &options, test_path("out"), ANSER_BAD_ARG, "q4_k_m");
    options = test_quantize_options(NULL);
    refuse(in, &options, test_path("out"), ANSER_BAD_ARG, "known:");
    options = test_quantize_options("q4_k_m");
    options.n_overrides = 1;
    refuse(in, &options, test_path("out"), ANSER_BAD_ARG, "overrides");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options.overrides = &bad[i];
        refuse(in, &options, test_path("out"), ANSER_BAD_ARG, bad[i]);
    }
    options = test_quantize_options("q4_k_m");
    options.size = 1;
    refuse(in, &options, test_path("out"), ANSER_BAD_ARG, "size");
    refuse(in, NULL, test_path("out"), ANSER_BAD_ARG, "options");
    options = test_quantize_options("q4_k_m");
    refuse(in, &options, NULL, ANSER_BAD_ARG, "path");
    ck_assert_int_eq(anser_quantize(NULL, &options, "out"), ANSER_BAD_ARG);
    anser_gguf_close(in);
}
END_TEST

START_TEST(refused_files)
{
    struct anser_quantize_options options = test_quantize_options("q8_0");
    anser_file *in = test_quantize_model("in", 64, "F32");
    refuse(in, &options, test_path("in"), ANSER_BAD_ARG, "input");
    ck_assert_int_eq(symlink(test_path("in"), test_path("alias")), 0);
    refuse(in, &options, test_path("alias"), ANSER_BAD_ARG, "input");
    refuse(in, &options, test_path("none/out"), ANSER_IO, "none/out");
    options.progress = stop_at_half;
    refuse(in, &options, test_path("out"), ANSER_CANCELLED, "cancelled");
    anser_gguf_close(in);

    struct test_tiny tiny;
    test_tiny_defaults(&tiny);
    tiny.arch = "arwkv7";
    test_make_tiny(test_path("other"), &tiny);
    in = test_quantize_open(test_path("other"));
    options = test_quantize_options("q8_0");
    refuse(in, &options, test_path("out"), ANSER_UNSUPPORTED, "arwkv7");
    anser_gguf_close(in);
}
END_TEST

/* A value of the embedding that is no number, or more than a half holds. */
START_TEST(refused_values)
{
    static const float values[] = { NAN, INFINITY, 70000 };
    anser_file *in = test_quantize_model("in", 64, "F32");
    off_t at = (off_t)anser_gguf_find(in, "token_embd.weight")->offset;
    anser_gguf_close(in);
    int fd = open(test_path("in"), O_WRONLY);
    ck_assert_int_eq(pwrite(fd, &values[_i], 4, at + 4 * 1000), 4);
    close(fd);
    in = test_quantize_open(test_path("in"));
    struct anser_quantize_options options = test_quantize_options("q8_0");
    refuse(in, &options, test_path("out"), ANSER_BAD_FILE, "token_embd");
    anser_gguf_close(in);
}
END_TEST

/* ------------------------------------------------------------- llama.cpp */

/* The error of a tensor against its source. */
static double error_of(const anser_file *file, const char *name,
                       const float *x, size_t n)
{
    const struct anser_gguf_tensor *t = anser_gguf_find(file, name);
    float *y = malloc(n * sizeof *y);
    ck_assert(t != NULL && y != NULL);
    double sum = 0;
    t->block->decode(t->data, y, n);
    for (size_t i = 0; i < n; i++)
        sum += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
    free(y);
    return sqrt(sum / (double)n);
}

static void compare_tensor(const struct anser_gguf_tensor *t,
                           const anser_file *ours, const anser_file *theirs)
{
    size_t n = (size_t)(t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3]);
    float *x = malloc(n * sizeof *x);
    ck_assert_ptr_nonnull(x);
    t->block->decode(t->data, x, n);
    double error = error_of(ours, t->name, x, n);
    double bound = 1.01 * error_of(theirs, t->name, x, n);
    if (!(error <= bound))
        ck_abort_msg("%s: %g, llama.cpp %g", t->name, error, bound / 1.01);
    free(x);
}

/* Quantises source as another file of the fixtures was. */
static void compare_with(const char *source, const char *made,
                         const char *type)
{
    if (test_shared(source) == NULL || test_shared(made) == NULL)
        return;
    anser_file *in = test_quantize_open(test_shared(source));
    anser_file *theirs = test_quantize_open(test_shared(made));
    struct anser_quantize_options options = test_quantize_options(type);
    test_quantize(in, &options, test_path("out"));
    anser_file *ours = test_quantize_open(test_path("out"));
    ck_assert_uint_eq(ours->n_tensors, theirs->n_tensors);
    for (uint64_t i = 0; i < in->n_tensors; i++) {
        const struct anser_gguf_tensor *t = &in->tensors[i];
        ck_assert_str_eq(test_quantize_type(ours, t->name),
                         test_quantize_type(theirs, t->name));
        compare_tensor(t, ours, theirs);
    }
    anser_gguf_close(ours);
    anser_gguf_close(theirs);
    anser_gguf_close(in);
}

static const char *const fixture_types[] = {
    "q4_k_m", "q5_k_m", "q6_k", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1",
    "q2_k", "q3_k_m"
};

START_TEST(as_good_as_llama_cpp)
{
    char made[64];
    snprintf(made, sizeof made, "fixtures/synth7-c256-l3-%s.gguf",
             fixture_types[_i]);
    compare_with("fixtures/synth7-c256-l3-f32.gguf", made, fixture_types[_i]);
}
END_TEST

START_TEST(as_good_as_llama_cpp_on_tales)
{
    compare_with("models/tales-f16.gguf", "models/tales-q4_k_m.gguf",
                 "q4_k_m");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quantize_hard");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, test_quantize_enter, test_quantize_leave);
    tcase_set_timeout(all, 120);
    tcase_add_test(all, notices);
    tcase_add_test(all, refused_options);
    tcase_add_test(all, refused_files);
    tcase_add_loop_test(all, refused_values, 0, 3);
    tcase_add_loop_test(all, as_good_as_llama_cpp, 0, 10);
    tcase_add_test(all, as_good_as_llama_cpp_on_tales);
    suite_add_tcase(suite, all);
    return test_run(suite, 1);
}
