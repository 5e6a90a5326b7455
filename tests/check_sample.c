/* SPDX-License-Identifier: MIT */
/*
 * Drawing on the device against the sampler's own arithmetic (base/draw.c):
 * the same id each time, for logits as they are and for such as nobody wants,
 * by every variant.
 */
#include "device_util.h"

#include "base/draw.h"
#include "op/sample.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 65536

static float logits[MOST], counts[MOST];
static struct anser_sampling *sampling;
static struct anser_draw draw;
static struct anser_buf x, id;

static float uniform(void)
{
    return (float)rand() / (float)RAND_MAX;
}

static float normal(void)
{
    float sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform();
    return sum;
}

/* One logit of each kind of logits. */
static float logit_of(int kind, uint32_t i)
{
    switch (kind) {
    case 0: return 3 * normal();
    case 1: return 0.01f * normal();
    case 2: return roundf(2 * normal());             /* ties                */
    case 3: return 7;                                /* nothing else        */
    case 4: return ldexpf((float)(rand() % 64), -20);
    case 5: return 3e38f * (2 * uniform() - 1);
    case 6: return i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : normal();
    case 7: return i % 2 == 0 ? 0.0f : -0.0f;
    case 8: return -0.5f * (float)(rand() % 60);     /* to the least weight */
    default: return i % 2 == 0 ? NAN : -INFINITY;
    }
}
enum { KINDS = 10 };

static const struct sample_args settings[] = {
    { .cooling = 1, .top_p = SH_ONE_P },
    { .cooling = 1, .top_p = SH_ONE_P / 100 * 85, .presence = 0.2f,
      .frequency = 0.2f, .decay = 0.996f },
    { .cooling = 1, .top_p = SH_ONE_P / 100 * 30, .presence = 0.5f,
      .frequency = 0.5f, .decay = 0.996f },
    { .cooling = 0.5f, .top_p = SH_ONE_P / 5, .decay = 1 },
    { .cooling = 3.3f, .top_p = SH_ONE_P / 10 * 9, .top_k = 10, .decay = 1 },
    { .cooling = 10, .top_p = SH_ONE_P, .top_k = 3, .frequency = 1,
      .decay = 0.9f },
    { .cooling = 0.7f, .top_p = SH_ONE_P, .top_k = 40, .presence = -1 },
    { .cooling = 1, .top_p = 0 },
    { .cooling = 1, .top_p = SH_ONE_P - 1, .top_k = 500 },
    { .cooling = SH_ONE_P, .top_p = SH_ONE_P },
    { .cooling = 1e-3f, .top_p = SH_ONE_P, .top_k = 1 },
    { .cooling = 0, .top_p = SH_ONE_P, .presence = 1, .frequency = 0.5f,
      .decay = 0.5f },
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void count(const struct sample_args *a, uint32_t drawn)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (counts[i] >= 0)
            counts[i] *= a->decay;
    if (drawn < a->n)
        counts[drawn] = fmaxf(counts[drawn], 0) + 1;
}

/* n draws one after the other, the counts carried on by each side. */
static void draw_both(struct sample_args a, int kind, unsigned n)
{
    struct anser_queue *q = test_device->queue;
    uint32_t drawn[64];
    for (uint32_t i = 0; i < a.n; i++) {
        logits[i] = logit_of(kind, i);
        counts[i] = i % 6 == 1 ? uniform() : i % 50 == 2 ? SH_BANNED
                                                         : SH_NEVER;
    }
    anser_queue_write(q, x.mem, 0, logits, a.n * sizeof *logits);
    test_device_ok(anser_sampling_begin(sampling, counts, a.n));
    for (unsigned i = 0; i < n; i++) {
        a.first = i == 0;
        a.position_lo = 1000 + i;
        anser_op_sample(sampling, &a, x.mem, id.mem);
        anser_queue_read(q, id.mem, 0, &drawn[i], sizeof *drawn);
    }
    test_device_ok(anser_queue_finish(q));
    for (unsigned i = 0; i < n; i++) {
        a.position_lo = 1000 + i;
        const uint32_t want = anser_draw(&draw, &a, logits, counts);
        ck_assert_msg(drawn[i] == want, "draw %u of kind %d, n %u: %u and not "
                      "%u", i, kind, (unsigned)a.n, (unsigned)drawn[i],
                      (unsigned)want);
        count(&a, want);
    }
}

static void open_draws(uint32_t n)
{
    test_device_ok(anser_sampling_new(test_device, n, &sampling));
    test_device_ok(anser_buf_new(test_device, n * sizeof(float), &x));
    test_device_ok(anser_buf_new(test_device, sizeof(uint32_t), &id));
    ck_assert(anser_draw_init(&draw, n));
}

static void close_draws(void)
{
    anser_draw_free(&draw);
    anser_buf_free(test_device, &id);
    anser_buf_free(test_device, &x);
    anser_sampling_free(sampling);
}

static const struct {
    uint32_t n;
    unsigned draws;                  /* of each setting and kind            */
} sizes[] = { { 1, 2 }, { 7, 8 }, { 33, 16 }, { 1000, 16 }, { MOST, 1 } };
enum { SIZES = sizeof sizes / sizeof *sizes };

static void all_draws(const char *variant, int size)
{
    char *setting = test_device->settings.variant;
    struct sample_args a;
    snprintf(setting, sizeof test_device->settings.variant, "sample=%s",
             variant);
    open_draws(sizes[size].n);
    setting[0] = '\0';
    ck_assert_str_eq(sampling->variant->name, variant);
    for (int i = 0; i < SETTINGS; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            a = settings[i];
            a.n = sizes[size].n;
            a.seed_lo = (uint32_t)(i * 977 + kind);
            a.seed_hi = (uint32_t)size;
            draw_both(a, kind, sizes[size].draws);
        }
    close_draws();
}

static bool can_draw(uint32_t row, const struct anser_need *need)
{
    struct anser_chosen chosen;
    struct anser_error error = { .error = NAN };
    return anser_op_sampler.rows[row].fits(&test_device->caps, need)
           && test_device_tried(anser_op_row(test_device, &anser_op_sampler,
                                             row, need, &chosen, &error),
                                true);
}

START_TEST(as_the_host)
{
    const struct anser_need need = { .rows = sizes[_i].n };
    srand(1 + (unsigned)_i);
    for (uint32_t row = 0; row < anser_op_sampler.n; row++)
        if (can_draw(row, &need))
            all_draws(anser_op_sampler.rows[row].name, _i);
}
END_TEST

static Suite *suite(int n)
{
    Suite *s = suite_create("sample");
    TCase *t = tcase_create("sample");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, as_the_host, 0, n);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return test_device_main(suite(test_tiny_only() ? 2 : SIZES));
}
