/* SPDX-License-Identifier: MIT */
/*
 * The plain C forward pass against numbers of an independent implementation:
 * stored ones for two tiny models (vectors/README.md), and the fixtures outside
 * the tree where they are present.
 */
#include "check_util.h"

#include "base/ref.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Float32 values with sums in double against float64; measured: at most 8e-7,
 * on fixtures too. */
#define BOUND 5e-6
#define FIXTURE_BOUND 1e-4

struct run {
    anser_ctx *ctx;
    anser_file *file;
    struct anser_ref_model *model;
    const struct anser_v7_shape *shape;
    float *state, *logits;
};

static void open_run(struct run *r, const char *path)
{
    r->ctx = test_ctx();
    if (anser_gguf_open(r->ctx, path, &r->file) != ANSER_OK
        || anser_ref_open(r->file, &r->model) != ANSER_OK)
        ck_abort_msg("%s", anser_error(r->ctx));
    r->shape = anser_ref_shape(r->model);
    r->state = calloc((size_t)anser_v7_state_bytes(r->shape), 1);
    r->logits = calloc(r->shape->V, sizeof *r->logits);
    ck_assert(r->state != NULL && r->logits != NULL);
}

static void close_run(struct run *r)
{
    free(r->logits);
    free(r->state);
    anser_ref_close(r->model);
    anser_gguf_close(r->file);
    anser_ctx_free(r->ctx);
}

static void feed_prompt(struct run *r, const struct test_tiny *tiny)
{
    for (uint32_t i = 0; i < TEST_TINY_PROMPT; i++)
        anser_ref_token(r->model, r->state, test_tiny_prompt(tiny, i),
                        i + 1 < TEST_TINY_PROMPT ? NULL : r->logits);
}

static void compare_tiny(const struct test_tiny *tiny, const char *title)
{
    struct run r;
    test_make_tiny(test_path("tiny.gguf"), tiny);
    open_run(&r, test_path("tiny.gguf"));
    feed_prompt(&r, tiny);
    float *expected = test_read_numbers(test_vector("logits.txt"), title,
                                        r.shape->V);
    double diff = test_max_diff(r.logits, expected, r.shape->V);
    printf("ref: %-16s largest difference of a logit %.3g\n", title, diff);
    ck_assert_double_le(diff, BOUND);
    free(expected);
    close_run(&r);
}

static void f32_sizes(struct test_tiny *tiny)
{
    test_tiny_defaults(tiny);
    tiny->C = 128;
    tiny->F = 256;
}

START_TEST(tiny_f32)
{
    struct test_tiny tiny;
    f32_sizes(&tiny);
    compare_tiny(&tiny, "tiny F32");
}
END_TEST

/* The same numbers in the other forms that files show. */
START_TEST(tiny_f32_other_forms)
{
    struct test_tiny tiny;
    f32_sizes(&tiny);
    tiny.flat_lerp = tiny.folded_r_k = 1;
    tiny.drop_key = "rwkv7.attention.layer_norm_epsilon";
    compare_tiny(&tiny, "tiny F32");
}
END_TEST

START_TEST(tiny_mixed)
{
    struct test_tiny tiny = {
        .C = 256, .L = 3, .F = 512, .V = 320, .Dw = 32, .Da = 64, .Dv = 32,
        .Dg = 96, .type = "mixed", .arch = "rwkv7", .seed = 7
    };
    compare_tiny(&tiny, "tiny mixed");
}
END_TEST

/* Logits do not depend on whether earlier ones were asked for, and a state
 * goes on where it was copied. */
START_TEST(state_is_all)
{
    struct test_tiny tiny;
    struct run r;
    test_tiny_defaults(&tiny);
    test_make_tiny(test_path("tiny.gguf"), &tiny);
    open_run(&r, test_path("tiny.gguf"));
    size_t bytes = (size_t)anser_v7_state_bytes(r.shape);
    size_t V = r.shape->V;
    float *copy = malloc(bytes), *first = malloc(V * sizeof *first);
    ck_assert(copy != NULL && first != NULL);
    feed_prompt(&r, &tiny);
    memcpy(copy, r.state, bytes);
    anser_ref_token(r.model, r.state, 5, first);
    anser_ref_token(r.model, copy, 5, r.logits);
    ck_assert_mem_eq(first, r.logits, V * sizeof *first);
    ck_assert_mem_eq(copy, r.state, bytes);
    anser_ref_token(r.model, r.state, 5, r.logits);
    ck_assert_double_gt(test_max_diff(first, r.logits, V), 1e-3);
    free(first);
    free(copy);
    close_run(&r);
}
END_TEST

/* ---------------------------------------------------------- fixtures */

static const char *const fixtures[] = {
    "f32", "q4_k_m", "q5_k_m", "q6_k", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1",
    "q2_k", "q3_k_m"
};
enum { N_FIXTURES = sizeof fixtures / sizeof fixtures[0] };

/* The numbers of the list behind the first key of that name at or after
 * `from`; returns how many. */
static unsigned read_list(const char *from, const char *key, uint32_t *to,
                          unsigned cap)
{
    const char *at = strstr(from, key);
    unsigned n = 0;
    ck_assert_ptr_nonnull(at);
    at = strchr(at, '[') + 1;
    while (n < cap) {
        char *end;
        unsigned long value = strtoul(at, &end, 10);
        if (end == at)
            break;
        to[n++] = (uint32_t)value;
        at = end + strspn(end, " \n\t");
        if (*at++ != ',')
            break;
    }
    return n;
}

static uint32_t best(const float *logits, uint32_t V)
{
    uint32_t id = 0;
    for (uint32_t i = 1; i < V; i++)
        if (logits[i] > logits[id])
            id = i;
    return id;
}

static void compare_fixture(const char *type, const char *json)
{
    struct run r;
    char name[80], key[32];
    uint32_t prompt[64], greedy[16];
    unsigned n = read_list(json, "\"prompt\"", prompt, 64);
    snprintf(key, sizeof key, "\"%s\"", type);
    ck_assert_uint_eq(read_list(strstr(json, key), "\"greedy16\"", greedy, 16),
                      16);
    snprintf(name, sizeof name, "fixtures/synth7-c256-l3-%s.gguf", type);
    open_run(&r, test_shared(name));
    for (unsigned i = 0; i < n; i++)
        anser_ref_token(r.model, r.state, prompt[i],
                        i + 1 < n ? NULL : r.logits);
    snprintf(name, sizeof name, "fixtures/synth7-c256-l3-%s.logits.f32", type);
    float *expected = test_read_floats(test_shared(name), r.shape->V);
    double diff = test_max_diff(r.logits, expected, r.shape->V);
    printf("ref: %-16s largest difference of a logit %.3g\n", type, diff);
    ck_assert_double_le(diff, FIXTURE_BOUND);
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_eq(best(r.logits, r.shape->V), greedy[i]);
        anser_ref_token(r.model, r.state, greedy[i], r.logits);
    }
    free(expected);
    close_run(&r);
}

START_TEST(fixture)
{
    size_t bytes;
    const char *path = test_shared("fixtures/expected.json");
    if (path == NULL) {
        printf("ref: %s: no fixtures here, skipped\n", fixtures[_i]);
        return;
    }
    char *json = (char *)test_read_file(path, &bytes);
    json[bytes] = '\0';
    compare_fixture(fixtures[_i], json);
    free(json);
}
END_TEST

/* ---------------------------------------------------- single equations */

/* A head whose key is zero: the floor keeps kk finite. */
START_TEST(kk_of_zero)
{
    float k[64] = { 0 }, k_k[64], kk[64];
    for (int i = 0; i < 64; i++)
        k_k[i] = 1.0f;
    anser_ref_kk(kk, k, k_k, 1, 64);
    for (int i = 0; i < 64; i++)
        ck_assert_float_eq(kk[i], 0.0f);
}
END_TEST

/* With kk = 0 the state is S w + v k; worked by hand for N = 2. */
START_TEST(wkv_by_hand)
{
    float S[4] = { 1, 2, 3, 4 }, y[2];
    const float r[2] = { 1, 1 }, w[2] = { 0.5f, 0.25f }, k[2] = { 1, 2 };
    const float v[2] = { 10, 20 }, kk[2] = { 0, 1 }, a[2] = { 1, 0.5f };
    struct anser_ref_wkv in = { r, w, k, v, kk, a, 1, 2 };
    anser_ref_wkv(y, S, &in);
    /* sa = -S[.][1] = -2, -4; added to column 1 times 0.5: -1, -2 */
    const float expected[4] = { 10.5f, 0.5f - 1 + 20, 21.5f, 1 - 2 + 40 };
    for (int i = 0; i < 4; i++)
        ck_assert_float_eq(S[i], expected[i]);
    ck_assert_float_eq(y[0], expected[0] + expected[1]);
    ck_assert_float_eq(y[1], expected[2] + expected[3]);
}
END_TEST

START_TEST(layer_norm_by_hand)
{
    const float x[4] = { 1, 3, 1, 3 }, w[4] = { 1, 1, 2, 2 };
    const float b[4] = { 0, 0, 1, 1 }, expected[4] = { -1, 1, -1, 3 };
    float y[4];
    anser_ref_layer_norm(y, x, w, b, 4, 0.0f);
    ck_assert_double_le(test_max_diff(y, expected, 4), 1e-6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ref");
    TCase *models = tcase_create("models");
    tcase_add_checked_fixture(models, test_enter, test_leave);
    tcase_set_timeout(models, 120);
    tcase_add_test(models, tiny_f32);
    tcase_add_test(models, tiny_f32_other_forms);
    tcase_add_test(models, tiny_mixed);
    tcase_add_test(models, state_is_all);
    tcase_add_loop_test(models, fixture, 0, N_FIXTURES);
    suite_add_tcase(suite, models);
    TCase *equations = tcase_create("equations");
    tcase_add_test(equations, kk_of_zero);
    tcase_add_test(equations, wkv_by_hand);
    tcase_add_test(equations, layer_norm_by_hand);
    suite_add_tcase(suite, equations);
    return test_run(suite, 1);
}
