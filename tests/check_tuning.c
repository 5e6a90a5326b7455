/* SPDX-License-Identifier: MIT */
/*
 * The choice of rows: user before tuning before class before plain, and why;
 * and the tuning file, taken whole or not at all.  Measuring: check_tune.
 */
#include "device_util.h"

#include "op/op.h"
#include "op/phase.h"
#include "op/select.h"
#include "op/tables.h"
#include "op/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct anser_need need = { .type = ANSER_Q8_0, .rows = 96,
                                        .cols = 64 };

static void override(const char *text)
{
    snprintf(test_device->settings.variant,
             sizeof test_device->settings.variant, "%s", text);
}

static struct anser_op_memory *memory(void)
{
    struct anser_op_memory *m = anser_op_memory(test_device);
    ck_assert_ptr_nonnull(m);
    return m;
}

/* No override and no tuning; plans made before are not taken again. */
static void set_up(void)
{
    test_enter();
    override("");
    anser_tuning_free(memory()->tuning);
    memory()->tuning = NULL;
    memory()->generation++;
}

static void tune_for(const struct anser_need *what, const char *op,
                     const char *value)
{
    struct anser_tuning_entry e = { .type = what->type, .rows = what->rows,
                                    .cols = what->cols };
    snprintf(e.op, sizeof e.op, "%s", op);
    snprintf(e.value, sizeof e.value, "%s", value);
    test_device_ok(anser_tuning_put(test_device_ctx, &memory()->tuning, &e));
    memory()->generation++;
}

static void tune_to(const char *op, const char *value)
{
    tune_for(&need, op, value);
}

static struct anser_chosen choose(const struct anser_op *op)
{
    struct anser_chosen chosen;
    test_device_ok(anser_op_choose(test_device, op, &need, &chosen));
    return chosen;
}

static void must_say(const char *part)
{
    if (strstr(anser_error(test_device_ctx), part) == NULL)
        ck_abort_msg("'%s' does not say '%s'", anser_error(test_device_ctx),
                     part);
}

/* matmul-few with its plain row three times over: three rows that can run on
 * any device, of which the class takes the last. */
static const struct anser_op *three_rows(void)
{
    static const char *const names[] = { "item", "second", "third" };
    static struct anser_variant rows[3];
    static struct anser_op op;
    op = anser_op_matmul_few;
    for (int i = 0; i < 3; i++) {
        rows[i] = op.rows[0];
        rows[i].name = names[i];
    }
    op.rows = rows;
    op.n = 3;
    return &op;
}

/* ------------------------------------------------------------- selection */

START_TEST(user_before_tuning_before_class)
{
    const struct anser_op *op = three_rows();
    char text[100];
    ck_assert_str_eq(choose(op).variant->name, "third");
    ck_assert_int_eq(choose(op).why, ANSER_WHY_CLASS);
    tune_to(op->name, "second");
    ck_assert_str_eq(choose(op).variant->name, "second");
    ck_assert_int_eq(choose(op).why, ANSER_WHY_TUNED);
    override("norm=item,matmul-few=item");
    struct anser_chosen chosen = choose(op);
    ck_assert_str_eq(chosen.variant->name, "item");
    ck_assert_int_eq(chosen.why, ANSER_WHY_OVERRIDE);
    anser_why_text(&chosen, text, sizeof text);
    ck_assert_str_eq(text, "override");
    override("plain");
    ck_assert_str_eq(choose(op).variant->name, "item");
}
END_TEST

START_TEST(tuning_is_of_a_shape)
{
    const struct anser_op *op = three_rows();
    struct anser_need taller = need;
    struct anser_chosen chosen;
    tune_to(op->name, "second");
    taller.rows++;
    test_device_ok(anser_op_choose(test_device, op, &taller, &chosen));
    ck_assert_int_eq(chosen.why, ANSER_WHY_CLASS);
}
END_TEST

START_TEST(the_crossover_is_tuned)
{
    const struct anser_matmul_plan *plan, *again;
    test_device_ok(anser_matmul_plan(test_device, &need, &plan));
    ck_assert_int_eq(plan->crossover_why, ANSER_WHY_CLASS);
    tune_to(ANSER_TUNING_CROSSOVER, "17");
    test_device_ok(anser_matmul_plan(test_device, &need, &again));
    ck_assert_uint_eq(again->crossover, 17);
    ck_assert_int_eq(again->crossover_why, ANSER_WHY_TUNED);
    test_device_ok(anser_matmul_plan(test_device, &need, &plan));
    ck_assert_ptr_eq(plan, again);
}
END_TEST

START_TEST(misspelt_overrides_fail)
{
    struct anser_chosen chosen;
    override("matmul-phew=item");
    ck_assert_int_eq(anser_op_choose(test_device, &anser_op_layer_norm, &need,
                                     &chosen), ANSER_BAD_ARG);
    must_say("matmul-phew");
    must_say("matmul-few");
    override("time-in=plaine");
    ck_assert_int_eq(anser_op_choose(test_device, &anser_op_layer_norm, &need,
                                     &chosen), ANSER_BAD_ARG);
    must_say("time-in has no variant 'plaine'; there are: plain");
    override("norm=group,matmul-few=itm");
    ck_assert_int_eq(anser_op_choose(test_device, &anser_op_layer_norm, &need,
                                     &chosen), ANSER_BAD_ARG);
    must_say("'itm'");
    must_say("item");
}
END_TEST

START_TEST(a_row_that_failed_is_told)
{
    static struct anser_variant rows[2];     /* the device remembers them   */
    struct anser_op op = anser_op_layer_norm;
    char text[100];
    rows[0] = rows[1] = op.rows[0];
    rows[1].name = "bad";
    rows[1].bound = -1;
    op.rows = rows;
    op.n = 2;
    struct anser_stats_info before = { .size = sizeof before }, after = before;
    test_device_ok(anser_stats(test_device, &before));
    struct anser_chosen chosen = choose(&op);
    test_device_ok(anser_stats(test_device, &after));
    ck_assert_uint_eq(after.wrong, before.wrong + 1);
    anser_why_text(&chosen, text, sizeof text);
    ck_assert_str_eq(text, "plain, bad failed its self-test");
}
END_TEST

static const struct anser_block block = { .type = ANSER_Q8_0 };
static const struct anser_layer layer = { .receptance.block = &block };
static const struct anser_v7_shape shape = { .C = 64, .F = 96 };

/* The row for one token, or for two. */
static const struct anser_phase *phase_for(unsigned phase, uint32_t T)
{
    return anser_select_phase(test_device, phase, &shape, &layer, T);
}

START_TEST(phases_are_chosen_by_name)
{
    ck_assert_ptr_null(phase_for(PHASE_C, 1));
    override("norm=item,time-out=plain");
    ck_assert_ptr_eq(phase_for(PHASE_C, 1), &anser_phases[PHASE_C].rows[0]);
    ck_assert_ptr_eq(phase_for(PHASE_C, 2), &anser_phases[PHASE_C].rows[0]);
    ck_assert_ptr_null(phase_for(PHASE_A, 1));
    override("time-mix=plain,channel-in=plain");
    ck_assert_ptr_eq(phase_for(PHASE_A, 1), &anser_phases[PHASE_A].rows[0]);
    ck_assert_ptr_eq(phase_for(PHASE_E, 1), &anser_phases[PHASE_E].rows[0]);
    ck_assert_ptr_null(phase_for(PHASE_C, 1));
    override("plain");
    ck_assert_ptr_eq(phase_for(PHASE_A, 1), &anser_phases[PHASE_A].rows[0]);
}
END_TEST

START_TEST(phases_are_tuned_for_one_token)
{
    const struct anser_phase *plain = &anser_phases[PHASE_C].rows[0];
    ck_assert_int_eq(anser_select_phase_why(test_device, PHASE_C, &shape,
                                            &layer, 1, plain),
                     ANSER_WHY_PLAIN);
    tune_to("time-out", "plain");
    ck_assert_int_eq(anser_select_phase_why(test_device, PHASE_C, &shape,
                                            &layer, 1, plain),
                     ANSER_WHY_TUNED);
    ck_assert_ptr_eq(phase_for(PHASE_C, 1), &anser_phases[PHASE_C].rows[0]);
    ck_assert_ptr_null(phase_for(PHASE_C, 2));
    ck_assert_ptr_null(phase_for(PHASE_A, 1));
}
END_TEST

/* ------------------------------------------------------------------ file */

static char *good_text(size_t *n)
{
    tune_to("matmul-few", anser_op_matmul_few.rows[0].name);
    tune_to("matmul-many", anser_op_matmul_many.rows[0].name);
    tune_to(ANSER_TUNING_CROSSOVER, "5");
    tune_for(&(struct anser_need){ .cols = 64 }, "norm", "group");
    tune_to("time-out", "plain");
    test_device_ok(anser_tuning_export(test_device, test_path("t")));
    return (char *)test_read_file(test_path("t"), n);
}

/* Refused, and the table is as before. */
static void must_refuse(const void *text, size_t n)
{
    const struct anser_tuning *before = memory()->tuning;
    test_write_file(test_path("bad"), text, n);
    if (anser_tuning_import(test_device, test_path("bad")) != ANSER_BAD_FILE)
        ck_abort_msg("taken: %.*s", (int)n, (const char *)text);
    must_say("bad");
    ck_assert_ptr_eq(memory()->tuning, before);
    ck_assert_uint_eq(before->n, 5);
}

START_TEST(a_file_goes_round)
{
    size_t n, again;
    char *text = good_text(&n);
    anser_tuning_free(memory()->tuning);
    memory()->tuning = NULL;
    test_device_ok(anser_tuning_import(test_device, test_path("t")));
    ck_assert_str_eq(anser_tuning_find(memory()->tuning,
                                       ANSER_TUNING_CROSSOVER, &need), "5");
    test_device_ok(anser_tuning_export(test_device, test_path("t")));
    char *second = (char *)test_read_file(test_path("t"), &again);
    ck_assert_uint_eq(n, again);
    ck_assert_int_eq(memcmp(text, second, n), 0);
    free(text);
    free(second);
    ck_assert_int_eq(anser_tuning_import(test_device, test_path("none")),
                     ANSER_IO);
}
END_TEST

START_TEST(cut_files_are_refused)
{
    size_t n;
    char *text = good_text(&n);
    for (size_t i = 0; i < n; i++)
        must_refuse(text, i);
    free(text);
}
END_TEST

/* Each replaces what is left of the bar by what is right of it. */
static const char *const wrongs[] = {
    "anser-tuning 1|anser-tuning 2", "device |device x", "driver |driver x",
    "kernels |kernels 0", "matmul-few|matmul-fow", "matmul-few Q8_0|matmul-few Q9",
    "Q8_0 96|Q8_0 0", "Q8_0 96|Q8_0 -96", "Q8_0 96|Q8_0 96x", " 64 |  64 64 ",
    "64 5|64 0", "64 5|64 -5", "64 5|64 65537", "64 5|64 5x", "64 5|64",
    "64 5\n|64 5\n\n", "end 5|end 4", "end 5|end 6", "end 5\n|end 5\nx\n",
    "matmul-many|matmul-few", "device |driver ", "\nend|\n\tend",
    "F32 0|F32 1", "F32 0|F32 00", "norm F32 0|matmul-few F32 0", "time-out|time-ouch",
    "64 plain|64 plaine", "time-out Q8_0 96|time-out Q8_0 0", "64 group|64 item8",
};

START_TEST(one_wrong_line_refuses_all)
{
    size_t n;
    char from[64], changed[4096];
    char *text = good_text(&n);
    text[n] = '\0';
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        const char *to = strchr(wrongs[i], '|') + 1;
        snprintf(from, sizeof from, "%.*s", (int)(to - wrongs[i] - 1),
                 wrongs[i]);
        const char *at = strstr(text, from);
        if (at == NULL)
            ck_abort_msg("no '%s' in the file", from);
        const int m = snprintf(changed, sizeof changed, "%.*s%s%s",
                               (int)(at - text), text, to, at + strlen(from));
        must_refuse(changed, (size_t)m);
    }
    text[n / 2] = '\0';
    must_refuse(text, n);
    free(text);
}
END_TEST

static Suite *tuning_suite(void)
{
    Suite *suite = suite_create("tuning");
    TCase *tc = tcase_create("tuning");
    tcase_add_checked_fixture(tc, set_up, test_leave);
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, user_before_tuning_before_class);
    tcase_add_test(tc, tuning_is_of_a_shape);
    tcase_add_test(tc, the_crossover_is_tuned);
    tcase_add_test(tc, misspelt_overrides_fail);
    tcase_add_test(tc, a_row_that_failed_is_told);
    tcase_add_test(tc, phases_are_chosen_by_name);
    tcase_add_test(tc, phases_are_tuned_for_one_token);
    tcase_add_test(tc, a_file_goes_round);
    tcase_add_test(tc, cut_files_are_refused);
    tcase_add_test(tc, one_wrong_line_refuses_all);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return test_device_main(tuning_suite());
}
