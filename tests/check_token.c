/* SPDX-License-Identifier: MIT */
/*
 * One text, however a token is run: by phases, in one launch, in one that
 * gives up at each of several barriers, where the trial fails.  Where no
 * device has the tier all of them are by phases; on PoCL the trial must pass.
 */
#include "device_util.h"
#include "synth_util.h"

#include "op/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 40, PROMPT = 3 };

struct text {
    uint32_t id[TOKENS];
    unsigned n;
    float *logits;                   /* owned: after the last one       */
};

static int keep(void *user, uint32_t id)
{
    struct text *text = user;
    text->id[text->n++] = id;
    return 0;
}

/* A prompt token by token, then TOKENS more, with ANSER_TOKEN as `how`. */
static struct text write_text(const char *how, bool greedy)
{
    static const uint32_t prompt[PROMPT] = { 5, 17, 3 };
    anser_device *device;
    anser_file *file;
    anser_model *model;
    anser_state *state;
    anser_sampler *sampler;
    struct text text = { .n = 0 };
    struct anser_model_info info = { .size = sizeof info };
    struct anser_sampler_options o = { .size = sizeof o, .seed = 7,
                                       .temperature = greedy ? 0.0f : 1.0f,
                                       .top_p = 1.0f };
    setenv("ANSER_TOKEN", how, 1);
    test_device_ok(anser_device_open(test_device_ctx,
                                     getenv("ANSER_TEST_DEVICE"), &device));
    unsetenv("ANSER_TOKEN");
    test_device_ok(anser_file_open(test_device_ctx, test_path("m.gguf"),
                                   &file));
    test_device_ok(anser_model_open(device, file, NULL, &model));
    test_device_ok(anser_state_new(model, &state));
    test_device_ok(anser_model_info(model, &info));
    test_device_ok(anser_sampler_new(test_device_ctx, info.n_vocab, &o,
                                     &sampler));
    for (int i = 0; i < PROMPT; i++)
        test_device_ok(anser_feed(state, &prompt[i], 1));
    test_device_ok(anser_generate(state, sampler, TOKENS, keep, &text));
    text.logits = calloc(info.n_vocab, sizeof *text.logits);
    test_device_ok(anser_logits(state, text.logits));
    anser_sampler_free(sampler);
    anser_state_free(state);
    anser_model_close(model);
    anser_file_close(file);
    anser_device_close(device);
    return text;
}

static const char *const hows[] = {
    "whole", "stall:0", "stall:1", "stall:7", "stall:10", "stall:11", "refuse"
};

START_TEST(texts_are_the_same)
{
    test_enter();
    synth_write_tiny(test_path("m.gguf"), "q4_k_m", NULL, 3);
    for (int greedy = 0; greedy < 2; greedy++) {
        struct text a = write_text("phases", greedy != 0);
        ck_assert_uint_eq(a.n, TOKENS);
        for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
            struct text b = write_text(hows[i], greedy != 0);
            ck_assert_mem_eq(a.id, b.id, sizeof a.id);
            ck_assert_mem_eq(a.logits, b.logits, 64 * sizeof *a.logits);
            free(b.logits);
        }
        free(a.logits);
    }
    test_leave();
}
END_TEST

/* The row of strips that the device gets. */
static const char *strip(void)
{
    const struct anser_need need = { .type = ANSER_Q4_K, .rows = 256,
                                     .cols = 256 };
    const struct anser_matmul_plan *plan;
    test_device_ok(anser_matmul_plan(test_device, &need, &plan));
    return plan->few.variant->name;
}

/* The trial is patient; how often a token then gives up is up to the load.
 * Columns are of another form than that of the strips beside them. */
START_TEST(trial_passes_on_pocl)
{
    const struct anser_caps *caps = &test_device->caps;
    const char *helper = getenv("ANSER_HELPER");
    char command[1024];
    if (helper == NULL
        || strcmp(caps->platform, "Portable Computing Language") != 0)
        return;
    snprintf(command, sizeof command, "ASAN_OPTIONS=detect_leaks=0 '%s' '%s' "
             "token cpu %s", helper, caps->name,
             _i == 0 ? strip() : "columns");
    ck_assert_int_eq(system(command), 0);
}
END_TEST

struct heard {
    bool off, gave_up;               /* what was said of the tier           */
};

static void hear(void *user, int level, const char *line)
{
    struct heard *heard = user;
    (void)level;
    heard->off |= strstr(line, "no token in one launch") != NULL;
    heard->gave_up |= strstr(line, "in one launch gave up") != NULL;
}

static struct heard hear_of(const char *how)
{
    struct heard heard = { .off = false };
    anser_log_to(test_device_ctx, hear, &heard);
    struct text text = write_text(how, true);
    anser_log_to(test_device_ctx, NULL, NULL);
    free(text.logits);
    return heard;
}

/* Else the same texts would say nothing: with a helper an NVIDIA GPU of its own
 * has the tier, and launches there give up only where they are made to. */
START_TEST(tier_is_on)
{
    if (getenv("ANSER_HELPER") == NULL
        || test_device->caps.class != ANSER_CLASS_NVIDIA)
        return;
    test_enter();
    synth_write_tiny(test_path("m.gguf"), "q4_k_m", NULL, 3);
    const struct heard whole = hear_of("whole"), stall = hear_of("stall:7");
    ck_assert(!whole.off && !whole.gave_up);
    ck_assert(!stall.off && stall.gave_up);
    ck_assert(hear_of("refuse").off);
    test_leave();
}
END_TEST

START_TEST(settings_are_checked)
{
    static const char *const bad[] = { "fast", "stall", "stall:", "stall:x" };
    anser_device *device;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("ANSER_TOKEN", bad[i], 1);
        ck_assert_int_eq(anser_device_open(test_device_ctx, NULL, &device),
                         ANSER_BAD_ARG);
        ck_assert_ptr_nonnull(strstr(anser_error(test_device_ctx), bad[i]));
    }
    unsetenv("ANSER_TOKEN");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("token");
    TCase *tc = tcase_create("token");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, settings_are_checked);
    if (!test_tiny_only()) {
        tcase_add_loop_test(tc, trial_passes_on_pocl, 0, 2);
        tcase_add_test(tc, texts_are_the_same);
        tcase_add_test(tc, tier_is_on);
    }
    suite_add_tcase(s, tc);
    return test_device_main(s);
}
