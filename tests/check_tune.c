/* SPDX-License-Identifier: MIT */
/* Measuring the rows of tables on a tiny model, and comparing sets of phases
 * with the plain ones. */
#include "model_util.h"

#include "model/model.h"
#include "op/phase_set.h"
#include "op/tables.h"
#include "op/tuning.h"

#include <string.h>
#include <time.h>

struct heard {
    unsigned n, chosen, crossovers, small;
};

static void hear(void *user, const struct anser_tune_result *r)
{
    struct heard *h = user;
    h->n++;
    h->chosen += r->chosen != 0;
    h->small += r->rows == 0;
    if (strcmp(r->op, ANSER_TUNING_CROSSOVER) == 0)
        h->crossovers++;
    else
        ck_assert(r->seconds > 0);
    ck_assert_uint_ge(r->tokens, 1);
}

START_TEST(measuring)
{
    struct heard heard = { 0, 0, 0, 0 };
    struct anser_chosen other;
    tm_open_tiny(0);
    ck_assert_int_eq(anser_tune(tm.model, 0.01, NULL, NULL), ANSER_BAD_ARG);
    test_device_ok(anser_tune(tm.model, 0.1, NULL, NULL));
    const time_t start = time(NULL);
    test_device_ok(anser_tune(tm.model, 6, hear, &heard));
    ck_assert_int_lt(time(NULL) - start, 60);
    ck_assert_uint_ge(heard.n, 3);
    ck_assert_uint_ge(heard.crossovers, 1);
    if (anser_op_try(test_device, &anser_op_layer_norm,
                     &anser_op_layer_norm.rows[1],
                     &(struct anser_need){ .cols = 64 }, &other))
        ck_assert_uint_ge(heard.small, 2);
    ck_assert_ptr_nonnull(anser_op_memory(test_device)->tuning);
    test_device_ok(anser_tuning_export(test_device, test_path("t")));
    test_device_ok(anser_tuning_import(test_device, test_path("t")));
    tm_close_model();
    tm_open_tiny(0);
    tm_close_model();
}
END_TEST

static void do_nothing(const struct anser_pass *p, const struct anser_layer *l)
{
    (void)p;
    (void)l;
}

START_TEST(a_wrong_set_of_phases_is_found)
{
    static const struct anser_phase nothing = { "nothing", do_nothing, NULL };
    struct anser_phase_set set, same;
    struct anser_error error;
    tm_open_tiny(0);
    const struct anser_layers layers = {
        .pass = { .q = test_device->queue, .shape = &tm.model->shape,
                  .elementary = &tm.model->elementary,
                  .work = &tm.model->work, .vecs = tm.model->vecs.mem,
                  .state = tm.state->floats.mem, .T = 1 },
        .at = tm.model->layers, .n = tm.model->shape.L
    };
    test_device_ok(anser_phase_set_new(&layers, 0, &set));
    test_device_ok(anser_phase_set_check(&layers, &set, &error));
    ck_assert(error.error == 0);
    test_device_ok(anser_phase_set_new(&layers, 100, &same));
    ck_assert_ptr_null(same.rows);           /* nothing fused fits F32      */
    for (unsigned j = 0; j < PHASE_COUNT; j++) {
        const struct anser_phase *right = set.rows[1][j];
        set.rows[1][j] = &nothing;
        test_device_ok(anser_phase_set_check(&layers, &set, &error));
        ck_assert_msg(error.error > error.bound, "%s: %g", right->name,
                      error.error);
        set.rows[1][j] = right;
    }
    anser_phase_set_free(&set);
    tm_close_model();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("tune");
    TCase *tc = tcase_create("tune");
    tcase_add_checked_fixture(tc, tm_enter, test_leave);
    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, measuring);
    tcase_add_test(tc, a_wrong_set_of_phases_is_found);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return test_device_main(suite());
}
