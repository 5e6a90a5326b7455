/* SPDX-License-Identifier: MIT */
/* States of a model on a device, which are copied, saved and loaded, and the
 * token loop. */
#include "model_util.h"

#include "base/ref.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------- states */

START_TEST(copy_and_go_on)
{
    anser_state *other;
    tm_open_tiny(0);
    test_device_ok(anser_feed(tm.state, tm.prompt, 9));
    test_device_ok(anser_state_new(tm.model, &other));
    test_device_ok(anser_state_copy(other, tm.state));
    test_device_ok(anser_feed(tm.state, tm.prompt + 9, 4));
    float *went_on = tm_logits_now();
    anser_state *first = tm.state;
    tm.state = other;
    test_device_ok(anser_feed(tm.state, tm.prompt + 9, 4));
    tm_expect_equal(tm_logits_now(), went_on, 0);
    anser_state_free(first);
    tm_close_model();
}
END_TEST

START_TEST(save_load_and_go_on)
{
    tm_open_tiny(0);
    test_device_ok(anser_feed(tm.state, tm.prompt, 9));
    float *saved = tm_logits_now();
    test_device_ok(anser_state_save(tm.state, test_path("s.state")));
    test_device_ok(anser_feed(tm.state, tm.prompt + 9, 4));
    float *went_on = tm_logits_now();
    test_device_ok(anser_state_reset(tm.state));
    test_device_ok(anser_state_load(tm.state, test_path("s.state")));
    tm_expect_equal(tm_logits_now(), saved, 0);
    test_device_ok(anser_feed(tm.state, tm.prompt + 9, 4));
    tm_expect_equal(tm_logits_now(), went_on, 0);
    tm_close_model();
}
END_TEST

START_TEST(state_of_another_model)
{
    tm_open_tiny(0);
    test_device_ok(anser_feed(tm.state, tm.prompt, 3));
    test_device_ok(anser_state_save(tm.state, test_path("s.state")));
    tm_close_model();
    tm.tiny.seed++;
    tm_open_tiny(0);
    ck_assert_int_eq(anser_state_load(tm.state, test_path("s.state")),
                     ANSER_BAD_STATE);
    tm_close_model();
}
END_TEST

/* Damaged at some byte, or cut: refused, and the state is as it was. */
START_TEST(damaged_state)
{
    size_t n;
    tm_open_tiny(0);
    test_device_ok(anser_feed(tm.state, tm.prompt, 3));
    test_device_ok(anser_state_save(tm.state, test_path("s.state")));
    float *before = tm_logits_now();
    unsigned char *bytes = test_read_file(test_path("s.state"), &n);
    for (size_t at = 0; at < n; at += 1 + n / 40) {
        bytes[at] ^= 4;
        test_write_file(test_path("bad.state"), bytes, n);
        bytes[at] ^= 4;
        ck_assert_int_ne(anser_state_load(tm.state, test_path("bad.state")),
                         ANSER_OK);
        test_write_file(test_path("bad.state"), bytes, at);
        ck_assert_int_eq(anser_state_load(tm.state, test_path("bad.state")),
                         ANSER_BAD_FILE);
    }
    tm_expect_equal(tm_logits_now(), before, 0);
    free(bytes);
    tm_close_model();
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
    test_device_ok(anser_sampler_new(test_device_ctx, tm.V, &o, &sampler));
    return sampler;
}

static uint32_t best(const float *logits)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < tm.V; i++)
        at = logits[i] > logits[at] ? i : at;
    return at;
}

START_TEST(greedy_equals_ref)
{
    struct heard h = { .stop_after = 12 };
    uint32_t ids[TEST_TINY_PROMPT + 12];
    tm_open_tiny(0);
    anser_sampler *sampler = new_sampler(0);
    test_device_ok(anser_feed(tm.state, tm.prompt, TEST_TINY_PROMPT));
    test_device_ok(anser_generate(tm.state, sampler, 100, hear, &h));
    memcpy(ids, tm.prompt, sizeof tm.prompt);
    for (uint32_t i = 0; i < 12; i++) {
        float *logits = tm_logits_of_ref(ids, TEST_TINY_PROMPT + i);
        ids[TEST_TINY_PROMPT + i] = best(logits);
        free(logits);
    }
    ck_assert_mem_eq(h.ids, ids + TEST_TINY_PROMPT, 12 * sizeof *ids);
    anser_sampler_free(sampler);
    tm_close_model();
}
END_TEST

/* The token at which the caller stops is not fed. */
START_TEST(stop_leaves_the_state_before)
{
    struct heard h = { .stop_after = 6 };
    tm_open_tiny(0);
    anser_sampler *sampler = new_sampler(1);
    test_device_ok(anser_feed(tm.state, tm.prompt, 4));
    test_device_ok(anser_generate(tm.state, sampler, 100, hear, &h));
    float *after = tm_logits_now();
    test_device_ok(anser_state_reset(tm.state));
    test_device_ok(anser_feed(tm.state, tm.prompt, 4));
    for (int i = 0; i < 5; i++)
        test_device_ok(anser_feed(tm.state, &h.ids[i], 1));
    tm_expect_equal(tm_logits_now(), after, 0);
    anser_sampler_free(sampler);
    tm_close_model();
}
END_TEST

START_TEST(seed_repeats_the_text)
{
    struct heard h[2] = { { .stop_after = 30 }, { .stop_after = 30 } };
    tm_open_tiny(0);
    for (int i = 0; i < 2; i++) {
        anser_sampler *sampler = new_sampler(1);
        test_device_ok(anser_state_reset(tm.state));
        test_device_ok(anser_feed(tm.state, tm.prompt, 4));
        test_device_ok(anser_generate(tm.state, sampler, 100, hear, &h[i]));
        anser_sampler_free(sampler);
    }
    ck_assert_mem_eq(h[0].ids, h[1].ids, sizeof h[0].ids);
    tm_close_model();
}
END_TEST

START_TEST(no_buffer_is_made_in_the_loop)
{
    struct anser_pool_stats before, after;
    struct heard h = { .stop_after = 64 };
    tm_open_tiny(0);
    anser_sampler *sampler = new_sampler(1);
    test_device_ok(anser_feed(tm.state, tm.prompt, 4));
    test_device_ok(anser_generate(tm.state, sampler, 1, hear, &h));
    anser_pool_stats(test_device->pool, &before);
    test_device_ok(anser_generate(tm.state, sampler, 40, hear, &h));
    anser_pool_stats(test_device->pool, &after);
    ck_assert_uint_eq(before.misses, after.misses);
    ck_assert_uint_eq(before.hits, after.hits);
    anser_sampler_free(sampler);
    tm_close_model();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("state");
    TCase *t = tcase_create("state");
    tcase_add_checked_fixture(t, tm_enter, test_leave);
    tcase_set_timeout(t, 600);
    tcase_add_test(t, copy_and_go_on);
    tcase_add_test(t, save_load_and_go_on);
    tcase_add_test(t, state_of_another_model);
    tcase_add_test(t, damaged_state);
    tcase_add_test(t, greedy_equals_ref);
    tcase_add_test(t, stop_leaves_the_state_before);
    tcase_add_test(t, seed_repeats_the_text);
    tcase_add_test(t, no_buffer_is_made_in_the_loop);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return test_device_main(suite());
}
