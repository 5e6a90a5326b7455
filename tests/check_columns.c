/* SPDX-License-Identifier: MIT */
/*
 * Columns against strips, which round x in the same way: what is left is the
 * order of float sums, so the bound is far tighter than the one against ref.
 * Tokens are dense, thin, and zero from end to end.
 */
#include "device_util.h"
#include "model_util.h"

#include "model/model.h"
#include "op/check.h"
#include "op/op.h"
#include "op/select.h"
#include "op/tables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 512, COLS = 1280, T = 10 };     /* 5 runs for 8 parts         */

/* Every third token keeps all x, every third one x of 9, the last none. */
static void thin_out(float *x)
{
    for (size_t t = 0; t < T; t++)
        for (size_t i = 0; i < COLS; i++)
            if ((t % 3 == 1 && (i + t) % 9 != 0) || t % 3 == 2)
                x[t * COLS + i] = 0;
}

/* Whether the row can run here. */
static bool get_row(const struct anser_op *op, const char *name, uint32_t type,
                    struct anser_chosen *chosen)
{
    const struct anser_need need = { .type = type, .rows = ROWS, .cols = COLS,
                                     .sparse = true };
    const struct anser_variant *row = anser_row_named(op, name, strlen(name));
    struct anser_error error = { .error = NAN };
    ck_assert_ptr_nonnull(row);
    if (!test_device_tried(anser_op_row(test_device, op,
                                        (uint32_t)(row - op->rows), &need,
                                        chosen, &error), true))
        return false;
    test_device_ok(row->prepare(test_device, &need));
    return true;
}

/* Allocated y(T, ROWS) added to what y was filled with. */
static float *multiply(const struct anser_chosen *row, uint32_t type)
{
    const struct anser_block *block = anser_block_find(type);
    const struct anser_layout_info *layout
        = &anser_layouts[row->variant->layout];
    const uint64_t bytes = anser_block_bytes(block, ROWS * COLS);
    unsigned char *file = malloc(bytes);
    struct anser_trial b;
    anser_check_blocks(block, file, bytes / block->bytes, 5);
    anser_trial_init(&b, test_device);
    const unsigned from = anser_trial_bytes(&b, file, bytes);
    const unsigned x = anser_trial_add(&b, T * COLS, 0, 1);
    const unsigned y = anser_trial_add(&b, T * ROWS, 0, 1);
    const unsigned w = anser_trial_add(
        &b, layout->bytes(block, ROWS, COLS) / sizeof(float), 0, 1);
    test_device_ok(b.status);
    thin_out(b.host[x]);
    anser_queue_write(test_device->queue, b.buf[x].mem, 0, b.host[x],
                      T * COLS * sizeof(float));
    test_device_ok(layout->repack(test_device->queue, &(struct anser_repack){
        .block = block, .rows = ROWS, .cols = COLS, .from = b.buf[from].mem,
        .to = b.buf[w].mem }));
    const struct matmul_args args = {
        .row_bytes = (uint32_t)(bytes / ROWS), .rows = ROWS, .cols = COLS,
        .T = T, .y_stride = ROWS, .act = SH_ACT_ADD
    };
    row->variant->run(test_device->queue, row, &args, &(struct anser_product){
        b.buf[w].mem, b.buf[x].mem, b.buf[y].mem });
    float *out = anser_trial_read(&b, y);
    ck_assert_ptr_nonnull(out);
    test_device_ok(anser_trial_free(&b));
    free(file);
    return out;
}

/* The row that is named as the one of strips that the device gets. */
static void name_row(char name[32], const char *begin, uint32_t type)
{
    const struct anser_need need = { .type = type, .rows = ROWS,
                                     .cols = COLS };
    const struct anser_matmul_plan *plan;
    test_device_ok(anser_matmul_plan(test_device, &need, &plan));
    const char *form = strchr(plan->few.variant->name, '-');
    snprintf(name, 32, "%s%s", begin, form == NULL ? "" : form);
}

START_TEST(columns_are_as_strips)
{
    static const uint32_t types[] = { ANSER_Q4_K, ANSER_Q6_K };
    const uint32_t type = types[_i];
    struct anser_chosen strip, row;
    char name[32];
    name_row(name, "strip", type);
    if (!get_row(&anser_op_matmul_few, name, type, &strip))
        return;
    float *right = multiply(&strip, type);
    for (int i = 0; i < 2; i++) {
        const struct anser_op *op = i == 0 ? &anser_op_matmul_few
                                           : &anser_op_matmul_many;
        name_row(name, i == 0 ? "columns" : "columns8", type);
        if (!get_row(op, name, type, &row))
            continue;
        float *y = multiply(&row, type);
        const double e = anser_check_error(y, right, T * ROWS);
        ck_assert_msg(e <= 2e-6, "%s: error %g", row.variant->name, e);
        free(y);
    }
    free(right);
}
END_TEST

START_TEST(made_up_models_are_half_dense)
{
    double density = -1;
    tm_open_tiny(0);
    test_device_ok(anser_v7_density(tm.state, 4, &density));
    ck_assert(density > 0.3 && density < 0.7);
    tm_close_model();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("columns");
    TCase *t = tcase_create("columns");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, tm_enter, test_leave);
    tcase_add_loop_test(t, columns_are_as_strips, 0, 2);
    tcase_add_test(t, made_up_models_are_half_dense);
    suite_add_tcase(s, t);
    return test_device_main(s);
}
