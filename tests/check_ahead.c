/* SPDX-License-Identifier: MIT */
/*
 * Running ahead of the host: a stop at any token leaves what a run leaves that
 * never ran ahead, to the bit: the ids, the saved state with its logits, and
 * how it goes on.  Also where launches fail, before the stop and after it.
 */
#include "cl_faults.h"
#include "model_util.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 40, MORE = 5 };

struct heard {
    uint32_t ids[LONGEST];
    unsigned n, stop_after;
};

static int hear(void *user, uint32_t id)
{
    struct heard *h = user;
    h->ids[h->n++] = id;
    return h->n == h->stop_after;
}

static const struct {
    float temperature, top_p, penalty;
    uint32_t top_k;
} kinds[] = {
    { 0, 1, 0, 0 }, { 0, 1, 0.5f, 0 }, { 1, 0.85f, 0.2f, 0 },
    { 0.8f, 0.95f, 0, 20 },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static anser_sampler *new_sampler(int kind)
{
    struct anser_sampler_options o;
    anser_sampler *sampler;
    anser_sampler_defaults(&o);
    o.temperature = kinds[kind].temperature;
    o.top_p = kinds[kind].top_p;
    o.top_k = kinds[kind].top_k;
    o.presence = o.frequency = kinds[kind].penalty;
    o.seed = 5;
    test_device_ok(anser_sampler_new(test_device_ctx, tm.V, &o, &sampler));
    return sampler;
}

/* What a run leaves. */
struct left {
    struct heard first, then;
    unsigned char *bytes;            /* owned: the saved state              */
    size_t size;
};

static void prompt(void)
{
    test_device_ok(anser_state_reset(tm.state));
    test_device_ok(anser_feed(tm.state, tm.prompt, 3));
}

/* A run that stops at `stop` or at `max`, and goes on. */
static struct left run(int depth, int kind, unsigned stop, unsigned max)
{
    struct left left = { .first = { .stop_after = stop } };
    anser_sampler *sampler = new_sampler(kind);
    test_device->settings.ahead = depth;
    prompt();
    test_device_ok(anser_generate(tm.state, sampler, max, hear, &left.first));
    test_device_ok(anser_state_save(tm.state, test_path("left.state")));
    left.bytes = test_read_file(test_path("left.state"), &left.size);
    test_device_ok(anser_generate(tm.state, sampler, MORE, hear, &left.then));
    anser_sampler_free(sampler);
    return left;
}

static const int depths[] = { 1, 2, ANSER_AHEAD_MAX };
enum { DEPTHS = sizeof depths / sizeof *depths };

/* At every depth the same as without running ahead. */
static void expect_same(int kind, unsigned stop, unsigned max)
{
    struct left b = run(0, kind, stop, max);
    for (int i = 0; i < DEPTHS; i++) {
        struct left a = run(depths[i], kind, stop, max);
        ck_assert_uint_eq(a.first.n, b.first.n);
        ck_assert_mem_eq(a.first.ids, b.first.ids, sizeof a.first.ids);
        ck_assert_mem_eq(a.then.ids, b.then.ids, sizeof a.then.ids);
        ck_assert_uint_eq(a.size, b.size);
        ck_assert_mem_eq(a.bytes, b.bytes, a.size);
        free(a.bytes);
    }
    free(b.bytes);
}

START_TEST(a_stop_at_any_token)
{
    tm_open_tiny(0);
    for (unsigned stop = 1; stop <= 20; stop++)
        expect_same(_i, stop, LONGEST);
    tm_close_model();
}
END_TEST

START_TEST(an_end_at_any_token)
{
    tm_open_tiny(0);
    for (unsigned max = 0; max <= 20; max += 1 + max / 3)
        expect_same(_i, 0, max);
    tm_close_model();
}
END_TEST

/* Feeds the prompt and generates up to a stop; the logits then, if there are
 * any, are the caller's. */
static enum anser_status text(struct heard *h, float **logits)
{
    anser_sampler *sampler = new_sampler(2);
    prompt();
    const enum anser_status status = anser_generate(tm.state, sampler, LONGEST,
                                                    hear, h);
    fault_run.fail_at = 0;
    anser_sampler_free(sampler);
    *logits = calloc(tm.V, sizeof **logits);
    ck_assert_int_eq(anser_logits(tm.state, *logits),
                     status == ANSER_OK ? ANSER_OK : ANSER_BAD_ARG);
    return status;
}

/* Launch number `at` of a run fails that stops after 10 tokens.  Either the
 * caller hears of it and no logits are left, or the launch was of a token
 * after the stop, and all is as if it had never been. */
static bool fails_at(unsigned at, const struct heard *want,
                     const float *want_logits)
{
    struct heard h = { .stop_after = 10 };
    float *logits;
    prompt();
    const unsigned before = fault_run.calls;
    prompt();                        /* as text() will do once more         */
    fault_next(&fault_run, 1, CL_OUT_OF_RESOURCES);
    fault_run.fail_at += fault_run.calls - before + at;
    const enum anser_status status = text(&h, &logits);
    ck_assert_uint_le(h.n, 10);
    ck_assert_mem_eq(h.ids, want->ids, h.n * sizeof *h.ids);
    if (status == ANSER_OK) {
        ck_assert_uint_eq(h.n, 10);
        ck_assert_mem_eq(logits, want_logits, tm.V * sizeof *logits);
    }
    free(logits);
    return status != ANSER_OK;
}

START_TEST(launches_that_fail)
{
    struct heard want = { .stop_after = 10 }, again = want;
    unsigned failures = 0, stops = 0;
    float *logits, *then;
    tm_open_tiny(0);
    test_device->settings.ahead = 0;
    test_device_ok(text(&want, &logits));
    const unsigned calls = fault_run.calls;
    test_device->settings.ahead = 2;
    test_device_ok(text(&again, &then));
    const unsigned token = (fault_run.calls - calls) / 12;
    for (unsigned at = 0; at < 15 * token; at += token / 3)
        if (fails_at(at, &want, logits))
            failures++;
        else
            stops++;
    ck_assert_uint_gt(failures, 20);
    ck_assert_uint_gt(stops, 4);
    ck_assert_mem_eq(again.ids, want.ids, sizeof want.ids);
    tm_expect_equal(then, logits, 0);
    tm_close_model();
}
END_TEST

START_TEST(a_sampler_of_another_size)
{
    struct heard h = { .n = 0 };
    tm_open_tiny(0);
    tm.V++;
    anser_sampler *sampler = new_sampler(0);
    prompt();
    ck_assert_int_eq(anser_generate(tm.state, sampler, 3, hear, &h),
                     ANSER_BAD_ARG);
    ck_assert_uint_eq(h.n, 0);
    anser_sampler_free(sampler);
    tm_close_model();
}
END_TEST

static void leave(void)
{
    test_device->settings.ahead = -1;
    fault_reset();
    test_leave();
}

static Suite *suite(void)
{
    Suite *s = suite_create("ahead");
    TCase *t = tcase_create("ahead");
    tcase_add_checked_fixture(t, tm_enter, leave);
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, a_stop_at_any_token, 0, KINDS);
    tcase_add_loop_test(t, an_end_at_any_token, 0, KINDS);
    tcase_add_test(t, launches_that_fail);
    tcase_add_test(t, a_sampler_of_another_size);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return test_device_main(suite());
}
