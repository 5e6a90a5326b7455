/* SPDX-License-Identifier: MIT */
/*
 * Memory does not grow: neither the process nor the device's buffers, over
 * many tokens of one state and many cycles of opening and closing a model.
 * ANSER_LONG (make check-long): 2,000 tokens and 50 cycles, else 200 and 8.
 */
#include "device_util.h"

#include "model/model.h"
#include "rt/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a process may grow by after it has warmed up: the allocator's slack and
 * that of drivers' threads, less than a single leaked model or logits vector
 * a step would be. */
#define SLACK ((long)4 << 20)

static unsigned tokens_to_do(void)
{
    return getenv("ANSER_LONG") != NULL ? 2000 : 200;
}

static unsigned cycles_to_do(void)
{
    return getenv("ANSER_LONG") != NULL ? 50 : 8;
}

/* Resident bytes; 0 where /proc does not tell. */
static long resident(void)
{
    long pages = 0;
    FILE *in = fopen("/proc/self/statm", "r");
    if (in == NULL)
        return 0;
    if (fscanf(in, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(in);
    return pages * sysconf(_SC_PAGESIZE);
}

static struct anser_pool_stats pool(void)
{
    struct anser_pool_stats s;
    anser_pool_stats(test_device->pool, &s);
    return s;
}

static int go_on(void *user, uint32_t id)
{
    (void)user;
    (void)id;
    return 0;
}

/* A sampler that needs the logits on the host, the larger of both ways. */
static anser_sampler *new_sampler(uint32_t n_vocab)
{
    struct anser_sampler_options options;
    anser_sampler *sampler;
    anser_sampler_defaults(&options);
    test_device_ok(anser_sampler_new(test_device_ctx, n_vocab, &options,
                                     &sampler));
    return sampler;
}

static anser_model *open_model(void)
{
    anser_file *file;
    anser_model *model;
    test_device_ok(anser_file_open(test_device_ctx, test_path("m.gguf"),
                                   &file));
    test_device_ok(anser_model_open(test_device, file, NULL, &model));
    anser_file_close(file);
    return model;
}

static void generate(anser_state *state, unsigned n)
{
    const uint32_t id = 1;
    anser_sampler *sampler = new_sampler(state->model->shape.V);
    test_device_ok(anser_feed(state, &id, 1));
    test_device_ok(anser_generate(state, sampler, n, go_on, NULL));
    anser_sampler_free(sampler);
}

static void make_model(void)
{
    struct test_tiny tiny;
    test_enter();
    test_tiny_defaults(&tiny);
    test_make_tiny(test_path("m.gguf"), &tiny);
}

START_TEST(tokens)
{
    anser_state *state;
    anser_model *model = open_model();
    test_device_ok(anser_state_new(model, &state));
    generate(state, 100);
    const long before = resident();
    const struct anser_pool_stats at = pool();
    generate(state, tokens_to_do());
    ck_assert_uint_eq(pool().created, at.created);
    ck_assert_uint_eq(pool().used_bytes, at.used_bytes);
    if (before > 0)
        ck_assert_int_le(resident() - before, SLACK);
    anser_state_free(state);
    anser_model_close(model);
}
END_TEST

static void cycle(void)
{
    anser_state *state;
    anser_model *model = open_model();
    test_device_ok(anser_state_new(model, &state));
    generate(state, 3);
    anser_state_free(state);
    anser_model_close(model);
}

START_TEST(models)
{
    for (int i = 0; i < 3; i++)
        cycle();
    const long before = resident();
    const struct anser_pool_stats at = pool();
    for (unsigned i = 0; i < cycles_to_do(); i++)
        cycle();
    ck_assert_uint_eq(pool().used_bytes, at.used_bytes);
    ck_assert_uint_eq(pool().held_bytes, at.held_bytes);
    ck_assert_uint_eq(pool().peak_bytes, at.peak_bytes);
    if (before > 0)
        ck_assert_int_le(resident() - before, SLACK);
}
END_TEST

static Suite *growth_suite(void)
{
    Suite *suite = suite_create("growth");
    TCase *tc = tcase_create("growth");
    tcase_add_checked_fixture(tc, make_model, test_leave);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, tokens);
    tcase_add_test(tc, models);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return test_device_main(growth_suite());
}
