/* SPDX-License-Identifier: MIT */
/*
 * Whole models on a device: logits against ref and stored numbers, any
 * chunking, states that are copied, saved and loaded, and the token loop.
 */
#include "device_util.h"

#include "base/ref.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRECISE 1e-4                 /* of --precise, and of chunkings      */

static anser_file *file;
static anser_model *model;
static anser_state *state;
static struct test_tiny tiny;
static uint32_t prompt[TEST_TINY_PROMPT];
static uint32_t V;

static void open_model(const char *path, uint32_t chunk)
{
    struct anser_model_options o = { .size = sizeof o, .precise = 1,
                                     .chunk = chunk };
    struct anser_model_info info = { .size = sizeof info };
    test_device_ok(anser_file_open(test_device_ctx, path, &file));
    test_device_ok(anser_model_open(test_device, file, &o, &model));
    test_device_ok(anser_state_new(model, &state));
    test_device_ok(anser_model_info(model, &info));
    V = info.n_vocab;
}

static void close_model(void)
{
    anser_state_free(state);
    anser_model_close(model);
    anser_file_close(file);
    state = NULL;
    model = NULL;
    file = NULL;
}

static void enter(void)
{
    test_enter();
    test_tiny_defaults(&tiny);
    for (uint32_t i = 0; i < TEST_TINY_PROMPT; i++)
        prompt[i] = test_tiny_prompt(&tiny, i);
}

/* The tiny model in its file, opened. */
static void open_tiny(uint32_t chunk)
{
    const char *path = test_path("tiny.gguf");
    test_make_tiny(path, &tiny);
    open_model(path, chunk);
}

static float *logits_now(void)
{
    float *logits = malloc(V * sizeof *logits);
    test_device_ok(anser_logits(state, logits));
    return logits;
}

/* After the prompt, in pieces of n tokens. */
static float *logits_in_pieces(uint32_t n)
{
    test_device_ok(anser_state_reset(state));
    for (uint32_t i = 0; i < TEST_TINY_PROMPT; i += n) {
        const uint32_t left = TEST_TINY_PROMPT - i;
        test_device_ok(anser_feed(state, prompt + i, left < n ? left : n));
    }
    return logits_now();
}

/* After n tokens, by plain C. */
static float *logits_of_ref(const uint32_t *ids, uint32_t n)
{
    struct anser_ref_model *ref;
    float *logits = malloc(V * sizeof *logits);
    test_device_ok(anser_ref_open(file, &ref));
    float *s = calloc(anser_v7_state_bytes(anser_ref_shape(ref)), 1);
    for (uint32_t i = 0; i < n; i++)
        anser_ref_token(ref, s, ids[i], logits);
    free(s);
    anser_ref_close(ref);
    return logits;
}

static void expect_equal(float *got, float *want, double bound)
{
    const double d = test_max_diff(got, want, V);
    ck_assert_msg(d <= bound, "logits differ by %g", d);
    free(got);
    free(want);
}

START_TEST(logits_equal_ref)
{
    open_tiny(0);
    expect_equal(logits_in_pieces(TEST_TINY_PROMPT),
                 logits_of_ref(prompt, TEST_TINY_PROMPT), 1e-5);
    close_model();
}
END_TEST

START_TEST(every_type_of_matrix)
{
    tiny.C = 256;
    tiny.F = 512;
    tiny.type = "mixed";
    tiny.Dw = tiny.Da = tiny.Dv = tiny.Dg = 256;
    open_tiny(0);
    expect_equal(logits_in_pieces(TEST_TINY_PROMPT),
                 logits_of_ref(prompt, TEST_TINY_PROMPT), 1e-5);
    close_model();
}
END_TEST

START_TEST(any_pieces_give_the_same)
{
    static const uint32_t pieces[] = { 1, 2, 5, 13 };
    open_tiny(7);
    for (int i = 0; i < 4; i++)
        expect_equal(logits_in_pieces(pieces[i]),
                     logits_in_pieces(TEST_TINY_PROMPT), PRECISE);
    expect_equal(logits_in_pieces(5), logits_in_pieces(5), 0);
    close_model();
}
END_TEST

START_TEST(logits_of_all_tokens)
{
    open_tiny(5);
    float *all = malloc((size_t)TEST_TINY_PROMPT * V * sizeof *all);
    test_device_ok(anser_feed_all(state, prompt, TEST_TINY_PROMPT, all));
    for (uint32_t n = 1; n <= TEST_TINY_PROMPT; n += 6) {
        float *one = malloc(V * sizeof *one);
        memcpy(one, all + (size_t)(n - 1) * V, V * sizeof *one);
        expect_equal(one, logits_of_ref(prompt, n), 1e-5);
    }
    expect_equal(logits_now(), logits_of_ref(prompt, TEST_TINY_PROMPT), 1e-5);
    free(all);
    close_model();
}
END_TEST

START_TEST(split_matrices_give_the_same_bits)
{
    tiny.V = 5000;
    open_tiny(0);
    float *whole = logits_in_pieces(4);
    close_model();
    const cl_ulong max = test_device->caps.max_alloc;
    test_device->caps.max_alloc = 100000;
    open_model(test_path("tiny.gguf"), 0);
    test_device->caps.max_alloc = max;
    ck_assert_uint_gt(model->head.n_parts, 1);
    ck_assert_uint_gt(model->embd.n_parts, 1);
    expect_equal(logits_in_pieces(4), whole, 0);
    close_model();
}
END_TEST

START_TEST(too_large_is_said_before_uploading)
{
    struct anser_pool_stats before, after;
    const char *path = test_path("tiny.gguf");
    const cl_ulong memory = test_device->caps.memory;
    test_make_tiny(path, &tiny);
    test_device_ok(anser_file_open(test_device_ctx, path, &file));
    anser_pool_stats(test_device->pool, &before);
    test_device->caps.memory = 1 << 16;
    ck_assert_int_eq(anser_model_open(test_device, file, NULL, &model),
                     ANSER_NO_MEMORY);
    test_device->caps.memory = memory;
    anser_pool_stats(test_device->pool, &after);
    ck_assert_uint_eq(before.misses, after.misses);
    ck_assert(strstr(anser_error(test_device_ctx), "missing") != NULL);
    anser_file_close(file);
}
END_TEST

/* --------------------------------------------------------------- states */

START_TEST(copy_and_go_on)
{
    anser_state *other;
    open_tiny(0);
    test_device_ok(anser_feed(state, prompt, 9));
    test_device_ok(anser_state_new(model, &other));
    test_device_ok(anser_state_copy(other, state));
    test_device_ok(anser_feed(state, prompt + 9, 4));
    float *went_on = logits_now();
    anser_state *first = state;
    state = other;
    test_device_ok(anser_feed(state, prompt + 9, 4));
    expect_equal(logits_now(), went_on, 0);
    anser_state_free(first);
    close_model();
}
END_TEST

START_TEST(save_load_and_go_on)
{
    open_tiny(0);
    test_device_ok(anser_feed(state, prompt, 9));
    float *saved = logits_now();
    test_device_ok(anser_state_save(state, test_path("s.state")));
    test_device_ok(anser_feed(state, prompt + 9, 4));
    float *went_on = logits_now();
    test_device_ok(anser_state_reset(state));
    test_device_ok(anser_state_load(state, test_path("s.state")));
    expect_equal(logits_now(), saved, 0);
    test_device_ok(anser_feed(state, prompt + 9, 4));
    expect_equal(logits_now(), went_on, 0);
    close_model();
}
END_TEST

START_TEST(state_of_another_model)
{
    open_tiny(0);
    test_device_ok(anser_feed(state, prompt, 3));
    test_device_ok(anser_state_save(state, test_path("s.state")));
    close_model();
    tiny.seed++;
    open_tiny(0);
    ck_assert_int_eq(anser_state_load(state, test_path("s.state")),
                     ANSER_BAD_STATE);
    close_model();
}
END_TEST

/* Damaged at some byte, or cut: refused, and the state is as it was. */
START_TEST(damaged_state)
{
    size_t n;
    open_tiny(0);
    test_device_ok(anser_feed(state, prompt, 3));
    test_device_ok(anser_state_save(state, test_path("s.state")));
    float *before = logits_now();
    unsigned char *bytes = test_read_file(test_path("s.state"), &n);
    for (size_t at = 0; at < n; at += 1 + n / 40) {
        bytes[at] ^= 4;
        test_write_file(test_path("bad.state"), bytes, n);
        bytes[at] ^= 4;
        ck_assert_int_ne(anser_state_load(state, test_path("bad.state")),
                         ANSER_OK);
        test_write_file(test_path("bad.state"), bytes, at);
        ck_assert_int_eq(anser_state_load(state, test_path("bad.state")),
                         ANSER_BAD_FILE);
    }
    expect_equal(logits_now(), before, 0);
    free(bytes);
    close_model();
}
END_TEST

/* ----------------------------------------------------------- token loop */

struct heard {
    uint32_t ids[64];
    unsigned n, stop_after;
};

static int hear(void *user, uint32_t id)
{
    struct heard *h = user;
    h->ids[h->n++] = id;
    return h->n == h->stop_after;
}

static anser_sampler *new_sampler(float temperature)
{
    struct anser_sampler_options o;
    anser_sampler *sampler;
    anser_sampler_defaults(&o);
    o.temperature = temperature;
    o.seed = 5;
    if (temperature == 0)
        o.presence = o.frequency = 0;
    test_device_ok(anser_sampler_new(test_device_ctx, V, &o, &sampler));
    return sampler;
}

static uint32_t best(const float *logits)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < V; i++)
        at = logits[i] > logits[at] ? i : at;
    return at;
}

START_TEST(greedy_equals_ref)
{
    struct heard h = { .stop_after = 12 };
    uint32_t ids[TEST_TINY_PROMPT + 12];
    open_tiny(0);
    anser_sampler *sampler = new_sampler(0);
    test_device_ok(anser_feed(state, prompt, TEST_TINY_PROMPT));
    test_device_ok(anser_generate(state, sampler, 100, hear, &h));
    memcpy(ids, prompt, sizeof prompt);
    for (uint32_t i = 0; i < 12; i++) {
        float *logits = logits_of_ref(ids, TEST_TINY_PROMPT + i);
        ids[TEST_TINY_PROMPT + i] = best(logits);
        free(logits);
    }
    ck_assert_mem_eq(h.ids, ids + TEST_TINY_PROMPT, 12 * sizeof *ids);
    anser_sampler_free(sampler);
    close_model();
}
END_TEST

/* The token at which the caller stops is not fed. */
START_TEST(stop_leaves_the_state_before)
{
    struct heard h = { .stop_after = 6 };
    open_tiny(0);
    anser_sampler *sampler = new_sampler(1);
    test_device_ok(anser_feed(state, prompt, 4));
    test_device_ok(anser_generate(state, sampler, 100, hear, &h));
    float *after = logits_now();
    test_device_ok(anser_state_reset(state));
    test_device_ok(anser_feed(state, prompt, 4));
    for (int i = 0; i < 5; i++)
        test_device_ok(anser_feed(state, &h.ids[i], 1));
    expect_equal(logits_now(), after, 0);
    anser_sampler_free(sampler);
    close_model();
}
END_TEST

START_TEST(seed_repeats_the_text)
{
    struct heard h[2] = { { .stop_after = 30 }, { .stop_after = 30 } };
    open_tiny(0);
    for (int i = 0; i < 2; i++) {
        anser_sampler *sampler = new_sampler(1);
        test_device_ok(anser_state_reset(state));
        test_device_ok(anser_feed(state, prompt, 4));
        test_device_ok(anser_generate(state, sampler, 100, hear, &h[i]));
        anser_sampler_free(sampler);
    }
    ck_assert_mem_eq(h[0].ids, h[1].ids, sizeof h[0].ids);
    close_model();
}
END_TEST

START_TEST(no_buffer_is_made_in_the_loop)
{
    struct anser_pool_stats before, after;
    struct heard h = { .stop_after = 64 };
    open_tiny(0);
    anser_sampler *sampler = new_sampler(1);
    test_device_ok(anser_feed(state, prompt, 4));
    anser_pool_stats(test_device->pool, &before);
    test_device_ok(anser_generate(state, sampler, 40, hear, &h));
    anser_pool_stats(test_device->pool, &after);
    ck_assert_uint_eq(before.misses, after.misses);
    ck_assert_uint_eq(before.hits, after.hits);
    anser_sampler_free(sampler);
    close_model();
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
    open_model(path, 0);
    test_device_ok(anser_feed(state, fixture_prompt,
                              sizeof fixture_prompt / sizeof(uint32_t)));
    snprintf(name, sizeof name, "fixtures/synth7-c256-l3-%s.logits.f32",
             fixtures[_i]);
    expect_equal(logits_now(), test_read_floats(test_shared(name), V),
                 PRECISE);
    close_model();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("model");
    TCase *t = tcase_create("model");
    tcase_add_checked_fixture(t, enter, test_leave);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, logits_equal_ref);
    tcase_add_test(t, any_pieces_give_the_same);
    tcase_add_test(t, logits_of_all_tokens);
    tcase_add_test(t, split_matrices_give_the_same_bits);
    tcase_add_test(t, too_large_is_said_before_uploading);
    tcase_add_test(t, copy_and_go_on);
    tcase_add_test(t, save_load_and_go_on);
    tcase_add_test(t, state_of_another_model);
    tcase_add_test(t, damaged_state);
    tcase_add_test(t, greedy_equals_ref);
    tcase_add_test(t, stop_leaves_the_state_before);
    tcase_add_test(t, seed_repeats_the_text);
    tcase_add_test(t, no_buffer_is_made_in_the_loop);
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
    tcase_add_checked_fixture(t, enter, test_leave);
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
