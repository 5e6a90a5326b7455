/* SPDX-License-Identifier: MIT */
/* The model under test, and logits by it and by plain C. */
#include "model_util.h"

#include "base/ref.h"

#include <stdlib.h>

struct test_model tm;

void tm_open_model(const char *path, uint32_t chunk)
{
    struct anser_model_options o = { .size = sizeof o, .precise = 1,
                                     .chunk = chunk };
    struct anser_model_info info = { .size = sizeof info };
    test_device_ok(anser_file_open(test_device_ctx, path, &tm.file));
    test_device_ok(anser_model_open(test_device, tm.file, &o, &tm.model));
    test_device_ok(anser_state_new(tm.model, &tm.state));
    test_device_ok(anser_model_info(tm.model, &info));
    tm.V = info.n_vocab;
}

void tm_close_model(void)
{
    anser_state_free(tm.state);
    anser_model_close(tm.model);
    anser_file_close(tm.file);
    tm.state = NULL;
    tm.model = NULL;
    tm.file = NULL;
}

void tm_enter(void)
{
    test_enter();
    test_tiny_defaults(&tm.tiny);
    for (uint32_t i = 0; i < TEST_TINY_PROMPT; i++)
        tm.prompt[i] = test_tiny_prompt(&tm.tiny, i);
}

/* The tiny model in its file, opened. */
void tm_open_tiny(uint32_t chunk)
{
    const char *path = test_path("tiny.gguf");
    test_make_tiny(path, &tm.tiny);
    tm_open_model(path, chunk);
}

float *tm_logits_now(void)
{
    float *logits = malloc(tm.V * sizeof *logits);
    test_device_ok(anser_logits(tm.state, logits));
    return logits;
}

/* After the prompt, in pieces of n tokens. */
float *tm_logits_in_pieces(uint32_t n)
{
    test_device_ok(anser_state_reset(tm.state));
    for (uint32_t i = 0; i < TEST_TINY_PROMPT; i += n) {
        const uint32_t left = TEST_TINY_PROMPT - i;
        test_device_ok(anser_feed(tm.state, tm.prompt + i, left < n ? left : n));
    }
    return tm_logits_now();
}

/* After n tokens, by plain C. */
float *tm_logits_of_ref(const uint32_t *ids, uint32_t n)
{
    struct anser_ref_model *ref;
    float *logits = malloc(tm.V * sizeof *logits);
    test_device_ok(anser_ref_open(tm.file, &ref));
    float *s = calloc(anser_v7_state_bytes(anser_ref_shape(ref)), 1);
    for (uint32_t i = 0; i < n; i++)
        anser_ref_token(ref, s, ids[i], logits);
    free(s);
    anser_ref_close(ref);
    return logits;
}

void tm_expect_equal(float *got, float *want, double bound)
{
    const double d = test_max_diff(got, want, tm.V);
    ck_assert_msg(d <= bound, "logits differ by %g", d);
    free(got);
    free(want);
}
