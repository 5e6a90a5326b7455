/* SPDX-License-Identifier: MIT */
/*
 * Every operation, every variant that the device can run, every block type:
 * once by the table's own check, and matrix products at shapes where something
 * ends early, against ref.
 */
#include "device_util.h"

#include "base/ref.h"
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------- the tables' own checks */

static void check_row(const struct anser_op *op, uint32_t row, uint32_t type)
{
    const struct anser_need need = { .type = type, .rows = 256, .cols = 256,
                                     .sparse = true };
    struct anser_chosen chosen;
    struct anser_error error = { .error = NAN };
    if (!op->rows[row].fits(&test_device->caps, &need))
        return;
    const enum anser_status status = anser_op_row(test_device, op, row, &need,
                                                  &chosen, &error);
    test_device_tried(status, op == &anser_op_sampler
                              || op->rows[row].layout != ANSER_LAYOUT_FILE);
}

static void check_op(const struct anser_op *op)
{
    for (uint32_t row = 0; row < op->n; row++) {
        if (!op->typed)
            check_row(op, row, 0);
        for (const struct anser_block *b = anser_blocks;
             op->typed && b->name != NULL; b++)
            check_row(op, row, b->type);
    }
}

START_TEST(tables)
{
    for (int i = 0; anser_ops[i] != NULL; i++)
        check_op(anser_ops[i]);
}
END_TEST

/* A variant that gives wrong numbers must not be chosen: the plain row with a
 * bound that nothing meets stands for it. */
START_TEST(wrong_variant_is_refused)
{
    struct anser_variant rows[2] = { anser_op_layer_norm.rows[0],
                                     anser_op_layer_norm.rows[0] };
    rows[1].name = "wrong";
    rows[1].bound = -1;
    struct anser_op op = anser_op_layer_norm;
    op.name = "norm-of-test";
    op.rows = rows;
    op.n = 2;
    const struct anser_need need = { .cols = 256 };
    struct anser_chosen chosen;
    test_device_ok(anser_op_choose(test_device, &op, &need, &chosen));
    ck_assert_str_eq(chosen.variant->name, "item");
    rows[0].bound = -1;
    rows[0].name = "wrong too";
    op.n = 1;
    rows[0].kernel = "norm_item";
    struct anser_variant other = rows[0];
    op.rows = &other;
    ck_assert_int_eq(anser_op_choose(test_device, &op, &need, &chosen),
                     ANSER_DEVICE_FAILED);
    ck_assert(strstr(anser_error(test_device_ctx), "norm-of-test") != NULL);
}
END_TEST

/* -------------------------------------------------------- matrix products */

struct shape {
    uint32_t rows, cols, T, act;
    bool split;                      /* into two parts                      */
};

static float activation(float x, float before, uint32_t act)
{
    switch (act) {
    case SH_ACT_TANH:    return tanhf(x);
    case SH_ACT_SIGMOID: return 1.0f / (1.0f + expf(-x));
    case SH_ACT_RELU2:   return x > 0 ? x * x : 0;
    case SH_ACT_ADD:     return before + x;
    default:             return x;
    }
}

/* What y should be, in place on its host copy; y's tokens are rows + 3 floats
 * apart and begin at 5, x at 7. */
static void reference(const struct shape *s, const struct anser_block *block,
                      const unsigned char *W, const float *x, float *y)
{
    float *sums = malloc(s->rows * sizeof *sums);
    for (uint32_t t = 0; t < s->T; t++) {
        anser_ref_matvec(sums, block, W, s->rows, s->cols,
                         x + 7 + (size_t)t * s->cols);
        for (uint32_t i = 0; i < s->rows; i++) {
            float *at = y + 5 + (size_t)t * (s->rows + 3) + i;
            *at = activation(sums[i], *at, s->act);
        }
    }
    free(sums);
}

static void multiply(const struct shape *s, const struct anser_block *block,
                     struct anser_trial *b, unsigned w)
{
    const uint32_t half = s->split ? s->rows / 2 : s->rows;
    const uint32_t row_bytes = (uint32_t)anser_block_bytes(block, s->cols);
    struct anser_part parts[2] = {
        { b->buf[w].mem, 1, 0, half },
        { b->buf[w + 3].mem, 0, half, s->rows - half }
    };
    const struct anser_need need = { .type = block->type, .rows = s->rows,
                                     .cols = s->cols, .precise = true };
    struct anser_matrix W = {
        .block = block, .rows = s->rows, .cols = s->cols,
        .row_bytes = row_bytes, .n_parts = s->split ? 2 : 1, .parts = parts
    };
    test_device_ok(anser_matmul_plan(test_device, &need, &W.plan));
    const struct anser_matmul_call call = {
        { b->buf[w + 2].mem, 5 }, { b->buf[w + 1].mem, 7 }, s->T, s->act,
        s->rows + 3
    };
    anser_op_matmul(test_device->queue, &W, &call);
}

static void product(const struct anser_block *block, const struct shape *s)
{
    const size_t n = (size_t)s->rows * s->cols;
    const size_t row_bytes = anser_block_bytes(block, s->cols);
    const size_t bytes = row_bytes * s->rows;
    const size_t half = s->split ? s->rows / 2 * row_bytes : bytes;
    unsigned char *W = malloc(bytes + SH_UNIT);
    memset(W, 0xff, SH_UNIT);
    anser_check_blocks(block, W + SH_UNIT, n / block->length, 3);
    struct anser_trial b;
    anser_trial_init(&b, test_device);
    const unsigned w = anser_trial_bytes(&b, W, bytes + SH_UNIT);
    const unsigned x = anser_trial_add(&b, 7 + (size_t)s->T * s->cols, 0, 1);
    const unsigned y = anser_trial_add(
        &b, 5 + (size_t)s->T * (s->rows + 3), 0, 1);
    anser_trial_bytes(&b, W + SH_UNIT + (s->split ? half : 0),
                      bytes - (s->split ? half : 0));
    multiply(s, block, &b, w);
    float *out = anser_trial_read(&b, y);
    ck_assert_msg(out != NULL, "%s", anser_error(test_device_ctx));
    reference(s, block, W + SH_UNIT, b.host[x], b.host[y]);
    const double e = anser_check_error(out, b.host[y], b.count[y]);
    ck_assert_msg(e <= 2e-5, "%s %ux%u T %u act %u: error %g", block->name,
                  s->rows, s->cols, s->T, s->act, e);
    free(out);
    free(W);
    test_device_ok(anser_trial_free(&b));
}

START_TEST(products)
{
    static const struct shape shapes[] = {
        { 1, 256, 1, SH_ACT_NONE, false },  { 67, 512, 1, SH_ACT_ADD, false },
        { 130, 256, 3, SH_ACT_RELU2, true }, { 5, 768, 9, SH_ACT_TANH, false },
        { 70, 256, 33, SH_ACT_SIGMOID, false },
        { 64, 1024, 16, SH_ACT_ADD, true },
    };
    const struct anser_block *block = &anser_blocks[_i];
    const size_t n = test_tiny_only() ? 3 : sizeof shapes / sizeof *shapes;
    for (size_t i = 0; i < n; i++)
        product(block, &shapes[i]);
}
END_TEST

/* LoRA ranks need not be multiples of 32. */
START_TEST(odd_columns)
{
    static const enum anser_type types[] = { ANSER_F32, ANSER_F16,
                                             ANSER_BF16 };
    static const struct shape shapes[] = {
        { 66, 8, 1, SH_ACT_NONE, false }, { 66, 40, 5, SH_ACT_NONE, false },
        { 10, 97, 12, SH_ACT_ADD, true },
    };
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            product(anser_block_find(types[i]), &shapes[j]);
}
END_TEST

START_TEST(same_bits_each_time)
{
    const struct anser_block *block = anser_block_find(ANSER_Q4_K);
    const struct shape s = { 200, 1024, 5, SH_ACT_NONE, false };
    unsigned char *W = malloc(anser_block_bytes(block, 200 * 1024) + SH_UNIT);
    float *first = NULL;
    memset(W, 0, SH_UNIT);
    anser_check_blocks(block, W + SH_UNIT, 200 * 1024 / 256, 9);
    for (int i = 0; i < 5; i++) {
        struct anser_trial b;
        anser_trial_init(&b, test_device);
        const unsigned w = anser_trial_bytes(
            &b, W, anser_block_bytes(block, 200 * 1024) + SH_UNIT);
        anser_trial_add(&b, 7 + 5 * 1024, 0, 1);
        const unsigned y = anser_trial_add(&b, 5 + 5 * 203, 0, 1);
        multiply(&s, block, &b, w);
        float *out = anser_trial_read(&b, y);
        ck_assert(out != NULL);
        if (first == NULL)
            first = out;
        else
            ck_assert_mem_eq(first, out, (5 + 5 * 203) * sizeof *out);
        if (first != out)
            free(out);
        test_device_ok(anser_trial_free(&b));
    }
    free(first);
    free(W);
}
END_TEST

static int n_types(void)
{
    int n = 0;
    while (anser_blocks[n].name != NULL)
        n++;
    return n;
}

int main(void)
{
    Suite *s = suite_create("op");
    TCase *t = tcase_create("variants");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, tables);
    tcase_add_test(t, wrong_variant_is_refused);
    suite_add_tcase(s, t);
    t = tcase_create("matmul");
    tcase_set_timeout(t, 600);
    tcase_add_loop_test(t, products, 0, n_types());
    tcase_add_test(t, odd_columns);
    tcase_add_test(t, same_bits_each_time);
    suite_add_tcase(s, t);
    return test_device_main(s);
}
