/* SPDX-License-Identifier: MIT */
/*
 * The public functions in wrong hands: NULL, sizes unset, wrong order, objects
 * of two models; and that versions agree.
 */
#include "device_util.h"

#include <anser_cl.h>

#include <string.h>

static anser_file *file;
static anser_model *model;

static void enter(void)
{
    struct test_tiny tiny;
    test_enter();
    test_tiny_defaults(&tiny);
    test_make_tiny(test_path("tiny.gguf"), &tiny);
    test_device_ok(anser_file_open(test_device_ctx, test_path("tiny.gguf"),
                                   &file));
    test_device_ok(anser_model_open(test_device, file, NULL, &model));
}

static void leave(void)
{
    anser_model_close(model);
    anser_file_close(file);
    test_leave();
}

START_TEST(versions_agree)
{
    ck_assert_int_eq(anser_version(), ANSER_VERSION);
    ck_assert(strchr(anser_version_string(), '.') != NULL);
}
END_TEST

START_TEST(null_is_closed_quietly)
{
    anser_ctx_free(NULL);
    anser_file_close(NULL);
    anser_vocab_free(NULL);
    anser_sampler_free(NULL);
    anser_device_close(NULL);
    anser_model_close(NULL);
    anser_state_free(NULL);
    anser_cl_detach(NULL);
}
END_TEST

START_TEST(null_is_a_bad_argument)
{
    anser_device *d;
    anser_model *m;
    anser_state *s;
    uint32_t n;
    ck_assert_int_eq(anser_ctx_new(NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_device_count(NULL, &n), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_device_open(NULL, NULL, &d), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_model_open(NULL, file, NULL, &m), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_model_open(test_device, NULL, NULL, &m),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_state_new(NULL, &s), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_state_new(model, NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_state_reset(NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_feed(NULL, &n, 1), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_selftest(test_device, NULL, NULL), ANSER_BAD_ARG);
}
END_TEST

START_TEST(sizes_must_be_set)
{
    struct anser_model_options o = { .chunk = 1 };
    struct anser_model_info info = { 0 };
    struct anser_cl_matrix W = { .type = "Q4_K" };
    const struct anser_cl_view none = { NULL, 0 };
    anser_model *m;
    ck_assert_int_eq(anser_model_open(test_device, file, &o, &m),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_model_info(model, &info), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_cl_matmul(test_device, &W, none, none, 1, 0),
                     ANSER_BAD_ARG);
    W.size = sizeof W;
    W.rows = 1;
    W.cols = 100;
    ck_assert_int_eq(anser_cl_matmul(test_device, &W, none, none, 1, 0),
                     ANSER_BAD_ARG);
    ck_assert(strstr(anser_error(test_device_ctx), "multiple of 256"));
}
END_TEST

START_TEST(wrong_order)
{
    anser_state *s;
    float logits[320];
    const uint32_t bad = 320;
    test_device_ok(anser_state_new(model, &s));
    ck_assert_int_eq(anser_logits(s, logits), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_feed(s, &bad, 0), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_feed(s, &bad, 1), ANSER_BAD_ARG);
    ck_assert(strstr(anser_error(test_device_ctx), "320"));
    anser_state_free(s);
}
END_TEST

START_TEST(states_of_two_models)
{
    anser_model *other;
    anser_state *a, *b;
    test_device_ok(anser_model_open(test_device, file, NULL, &other));
    test_device_ok(anser_state_new(model, &a));
    test_device_ok(anser_state_new(other, &b));
    ck_assert_int_eq(anser_state_copy(a, b), ANSER_BAD_ARG);
    anser_state_free(b);
    anser_state_free(a);
    anser_model_close(other);
}
END_TEST

static int cancel(void *user, double part)
{
    *(double *)user = part;
    return 1;
}

START_TEST(loading_can_be_cancelled)
{
    double part = -1;
    struct anser_model_options o = { .size = sizeof o, .progress = cancel,
                                     .progress_user = &part };
    anser_model *m = NULL;
    ck_assert_int_eq(anser_model_open(test_device, file, &o, &m),
                     ANSER_CANCELLED);
    ck_assert_ptr_null(m);
    ck_assert(part > 0 && part <= 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("api");
    TCase *t = tcase_create("api");
    tcase_add_checked_fixture(t, enter, leave);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, versions_agree);
    tcase_add_test(t, null_is_closed_quietly);
    tcase_add_test(t, null_is_a_bad_argument);
    tcase_add_test(t, sizes_must_be_set);
    tcase_add_test(t, wrong_order);
    tcase_add_test(t, states_of_two_models);
    tcase_add_test(t, loading_can_be_cancelled);
    suite_add_tcase(s, t);
    return test_device_main(s);
}
