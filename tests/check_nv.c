/* SPDX-License-Identifier: MIT */
/*
 * The kernels for NVIDIA in plain C, on a device that is none: the recurrence
 * against ref, a layer's phases against the plain rows.  Chunks and phases
 * only in a simulator, which sees races: PoCL takes minutes to compile them,
 * and PoCL 3.1 makes a wrong second chunk.  Products of more than 64 tokens are
 * left out: minutes in a simulator.
 */
#include "device_util.h"

#include "op/check.h"
#include "op/nv_prefill.h"
#include "op/op.h"
#include "op/select.h"
#include "rt/program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of each type of LoRA one, so that both ways of reading them are taken. */
static const struct anser_nv_shape shape = {
    .C = 256, .F = 512, .rank = { 32, 32, 32, 64 },
    .type = { ANSER_F32, ANSER_F16, ANSER_F16, ANSER_F16 }
};

static void assert_right(const struct anser_error *error)
{
    ck_assert_msg(error->error <= error->bound, "%s: error %g, bound %g",
                  error->shape, error->error, error->bound);
}

/* Whether a group has room for the row's work-items and local memory. */
static bool has_room(const struct anser_chosen *row)
{
    const struct anser_caps *caps = &test_device->caps;
    cl_ulong local = 0;
    ck_assert_int_eq(clGetKernelWorkGroupInfo(row->kernel->cl, test_device->id,
                                              CL_KERNEL_LOCAL_MEM_SIZE,
                                              sizeof local, &local, NULL),
                     CL_SUCCESS);
    return row->kernel->max_group >= row->variant->wg
           && caps->local_memory >= local;
}

/* NVIDIA's row without the last of its options, -D PTX. */
START_TEST(recurrence)
{
    const struct anser_op *op = anser_op_named("wkv7", 4);
    const struct anser_variant *row = anser_row_named(op, "nv-split", 8);
    struct anser_chosen plain = { .variant = row };
    struct anser_error error = { .error = NAN };
    char options[64];
    ck_assert_ptr_nonnull(row);
    const char *ptx = strstr(row->options, " -D PTX");
    ck_assert_ptr_nonnull(ptx);
    snprintf(options, sizeof options, "%.*s", (int)(ptx - row->options),
             row->options);
    const struct anser_kernel_key key = { row->file, options, row->kernel };
    test_device_ok(anser_kernel_get(test_device, &key, &plain.kernel));
    if (!has_room(&plain))
        return;
    test_device_ok(op->check(test_device, &plain, NULL, &error));
    assert_right(&error);
}
END_TEST

START_TEST(chunks)
{
    struct anser_nv_chunk kernels;
    struct anser_error error = { .error = NAN };
    const enum anser_status status = anser_nv_chunk_build(test_device,
                                                          &kernels);
    if (status == ANSER_UNSUPPORTED)  /* too small a device                  */
        return;
    test_device_ok(status);
    test_device_ok(anser_nv_chunk_check(test_device, &kernels, &error));
    assert_right(&error);
}
END_TEST

START_TEST(phases_of_one_token)
{
    struct anser_nv nv;
    struct anser_error error = { .error = NAN };
    test_device_ok(anser_nv_build(test_device, &shape, &nv));
    test_device_ok(anser_nv_check(test_device, &nv, &error));
    assert_right(&error);
}
END_TEST

static void run_many(const void *kernels, unsigned phase,
                     const struct anser_pass *p, const struct anser_layer *l)
{
    anser_nv_prefill_run(kernels, phase, p, l);
}

/* Half a tile. */
START_TEST(phases_of_many_tokens)
{
    struct anser_nv_prefill k;
    struct anser_error error = { .error = NAN };
    const struct anser_nv_trial trial = { &shape, 4, run_many, &k };
    test_device_ok(anser_nv_prefill_build(test_device, &shape, &k));
    test_device_ok(anser_nv_compare(test_device, &trial, &error));
    assert_right(&error);
}
END_TEST

int main(void)
{
    if (test_tiny_only())            /* Oclgrind has 32 KiB; NVIDIA, 48     */
        setenv("OCLGRIND_LOCAL_MEM_SIZE", "49152", 1);
    Suite *s = suite_create("nv");
    TCase *tc = tcase_create("plain");
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, recurrence);
    if (test_tiny_only()) {
        tcase_add_test(tc, chunks);
        tcase_add_test(tc, phases_of_one_token);
        tcase_add_test(tc, phases_of_many_tokens);
    }
    suite_add_tcase(s, tc);
    return test_device_main(s);
}
