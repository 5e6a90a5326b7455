/* SPDX-License-Identifier: MIT */
/*
 * Whole models on a device: logits against ref and stored numbers, in any
 * chunking.  States and the token loop: check_state.
 */
#include "model_util.h"

#include "base/ref.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(logits_equal_ref)
{
    tm_open_tiny(0);
    tm_expect_equal(tm_logits_in_pieces(TEST_TINY_PROMPT),
                 tm_logits_of_ref(tm.prompt, TEST_TINY_PROMPT), 1e-5);
    tm_close_model();
}
END_TEST

START_TEST(every_type_of_matrix)
{
    tm.tiny.C = 256;
    tm.tiny.F = 512;
    tm.tiny.type = "mixed";
    tm.tiny.Dw = tm.tiny.Da = tm.tiny.Dv = tm.tiny.Dg = 256;
    tm_open_tiny(0);
    tm_expect_equal(tm_logits_in_pieces(TEST_TINY_PROMPT),
                 tm_logits_of_ref(tm.prompt, TEST_TINY_PROMPT), 1e-5);
    tm_close_model();
}
END_TEST

START_TEST(any_pieces_give_the_same)
{
    static const uint32_t pieces[] = { 1, 2, 5, 13 };
    tm_open_tiny(7);
    for (int i = 0; i < 4; i++)
        tm_expect_equal(tm_logits_in_pieces(pieces[i]),
                     tm_logits_in_pieces(TEST_TINY_PROMPT), PRECISE);
    tm_expect_equal(tm_logits_in_pieces(5), tm_logits_in_pieces(5), 0);
    tm_close_model();
}
END_TEST

START_TEST(logits_of_all_tokens)
{
    tm_open_tiny(5);
    float *all = malloc((size_t)TEST_TINY_PROMPT * tm.V * sizeof *all);
    test_device_ok(anser_feed_all(tm.state, tm.prompt, TEST_TINY_PROMPT, all));
    for (uint32_t n = 1; n <= TEST_TINY_PROMPT; n += 6) {
        float *one = malloc(tm.V * sizeof *one);
        memcpy(one, all + (size_t)(n - 1) * tm.V, tm.V * sizeof *one);
        tm_expect_equal(one, tm_logits_of_ref(tm.prompt, n), 1e-5);
    }
    tm_expect_equal(tm_logits_now(), tm_logits_of_ref(tm.prompt, TEST_TINY_PROMPT), 1e-5);
    free(all);
    tm_close_model();
}
END_TEST

START_TEST(split_matrices_give_the_same_bits)
{
    tm.tiny.V = 5000;
    tm_open_tiny(0);
    float *whole = tm_logits_in_pieces(4);
    tm_close_model();
    const cl_ulong max = test_device->caps.max_alloc;
    test_device->caps.max_alloc = 100000;
    tm_open_model(test_path("tiny.gguf"), 0);
    test_device->caps.max_alloc = max;
    ck_assert_uint_gt(tm.model->head.n_parts, 1);
    ck_assert_uint_gt(tm.model->embd.n_parts, 1);
    tm_expect_equal(tm_logits_in_pieces(4), whole, 0);
    tm_close_model();
}
END_TEST

START_TEST(too_large_is_said_before_uploading)
{
    struct anser_pool_stats before, after;
    const char *path = test_path("tiny.gguf");
    const cl_ulong memory = test_device->caps.memory;
    test_make_tiny(path, &tm.tiny);
    test_device_ok(anser_file_open(test_device_ctx, path, &tm.file));
    anser_pool_stats(test_device->pool, &before);
    test_device->caps.memory = 1 << 16;
    ck_assert_int_eq(anser_model_open(test_device, tm.file, NULL, &tm.model),
                     ANSER_NO_MEMORY);
    test_device->caps.memory = memory;
    anser_pool_stats(test_device->pool, &after);
    ck_assert_uint_eq(before.misses, after.misses);
    ck_assert(strstr(anser_error(test_device_ctx), "missing") != NULL);
    anser_file_close(tm.file);
}
END_TEST

/* ------------------------------------------------------------- fixtures */

static const uint32_t fixture_prompt[] = {
    159, 139, 235, 98, 178, 176, 123, 50, 72, 204, 165, 12, 204, 221, 141,
    182, 166, 55, 223, 97, 232, 36, 160, 207, 119, 94, 89, 249, 72, 106, 149,
    164, 200, 95, 105, 26, 119, 158, 9, 51, 226, 189, 243, 86, 236, 155, 101,
    94
};
static const char *const fixtures[] = {
    "f32", "q4_k_m", "q5_k_m", "q6_k", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1",
    "q2_k", "q3_k_m"
};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

START_TEST(fixture_logits)
{
    char name[128];
    snprintf(name, sizeof name, "fixtures/synth7-c256-l3-%s.gguf",
             fixtures[_i]);
    const char *path = test_shared(name);
    if (path == NULL)
        return;
    tm_open_model(path, 0);
    test_device_ok(anser_feed(tm.state, fixture_prompt,
                              sizeof fixture_prompt / sizeof(uint32_t)));
    snprintf(name, sizeof name, "fixtures/synth7-c256-l3-%s.logits.f32",
             fixtures[_i]);
    tm_expect_equal(tm_logits_now(), test_read_floats(test_shared(name), tm.V),
                 PRECISE);
    tm_close_model();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_add_checked_fixture(t, tm_enter, test_leave);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, logits_equal_ref);
    tcase_add_test(t, any_pieces_give_the_same);
    tcase_add_test(t, logits_of_all_tokens);
    tcase_add_test(t, split_matrices_give_the_same_bits);
    tcase_add_test(t, too_large_is_said_before_uploading);
    tcase_add_test(t, every_type_of_matrix);
    suite_add_tcase(s, t);
    t = tcase_create("fixtures");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, fixture_logits, 0, FIXTURES);
    suite_add_tcase(s, t);
    return s;
}

/* One model of float32 from file to logits, for a simulator: the first of the
 * fixtures is the float32 one. */
static Suite *tiny_suite(void)
{
    Suite *s = suite_create("model, tiny");
    TCase *t = tcase_create("model");
    tcase_add_checked_fixture(t, tm_enter, test_leave);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, logits_equal_ref);
    suite_add_tcase(s, t);
    t = tcase_create("fixtures");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, fixture_logits, 0, 1);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return test_device_main(test_tiny_only() ? tiny_suite() : suite());
}
