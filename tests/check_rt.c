/* SPDX-License-Identifier: MIT */
/*
 * The runtime on a device: choice, queue and its sticky error, waiting, a
 * caller's context.
 */
#include "rt_util.h"

#include "rt/buffer.h"
#include "rt/device_list.h"
#include "rt/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct anser_kernel_key probe_key = { "probe.cl", NULL, "probe" };

/* ------------------------------------------------------------ codes */

START_TEST(codes_have_names)
{
    ck_assert_str_eq(anser_cl_name(-5), "CL_OUT_OF_RESOURCES");
    ck_assert_str_eq(anser_cl_name(-11), "CL_BUILD_PROGRAM_FAILURE");
    ck_assert_str_eq(anser_cl_name(-9999), "unknown code");
    for (int i = 0; i <= 68; i++)        /* -20 to -29 do not exist */
        if (i < 20 || i > 29)
            ck_assert_str_ne(anser_cl_name(-i), "unknown code");
    ck_assert_int_eq(anser_cl_status(-4), ANSER_NO_MEMORY);
    ck_assert_int_eq(anser_fail_cl(ctx, -9999, "x"), ANSER_DEVICE_FAILED);
    ck_assert_str_eq(anser_error(ctx), "x: unknown code (-9999)");
}
END_TEST

/* ---------------------------------------------------------- choice */

START_TEST(choice_by_number_and_name)
{
    uint32_t n;
    struct anser_device_info info = { .size = sizeof info };
    ck_assert_int_eq(anser_device_count(ctx, &n), ANSER_OK);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(anser_device_open(ctx, "no such device", &device),
                     ANSER_NO_DEVICE);
    rt_must_say("no such device");
    ck_assert_int_eq(anser_device_info(ctx, 0, &info), ANSER_OK);
    rt_must_say(info.name);
    ck_assert_int_eq(anser_device_open(ctx, "4000000000", &device),
                     ANSER_NO_DEVICE);
    ck_assert_int_eq(anser_device_info(ctx, n, &info), ANSER_BAD_ARG);
    ck_assert_ptr_null(device);
    char part[8];                        /* case is ignored */
    snprintf(part, sizeof part, "%.6s", info.name);
    for (char *c = part; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    ck_assert_int_eq(anser_device_open(ctx, part, &device), ANSER_OK);
}
END_TEST

START_TEST(info_respects_the_size)
{
    struct anser_device_info info;
    memset(&info, 0x55, sizeof info);
    info.size = offsetof(struct anser_device_info, vendor);
    ck_assert_int_eq(anser_device_info(ctx, 0, &info), ANSER_OK);
    ck_assert_uint_eq(info.size, offsetof(struct anser_device_info, vendor));
    ck_assert_uint_gt(strlen(info.name), 0);
    ck_assert_int_eq(info.usable, 0x55555555);
    info.size = 0;
    ck_assert_int_eq(anser_device_info(ctx, 0, &info), ANSER_BAD_ARG);
    rt_open();
    ck_assert_int_eq(anser_device_describe(device, &info), ANSER_BAD_ARG);
    info.size = sizeof info;
    ck_assert_int_eq(anser_device_describe(device, &info), ANSER_OK);
    ck_assert_int_eq(info.usable, 1);
    ck_assert_uint_gt(info.max_alloc, 0);
    ck_assert_uint_gt(strlen(info.tier), 0);
    ck_assert_uint_gt(strlen(info.why), 0);
}
END_TEST

/* Any code of clGetDeviceIDs means that a platform has no devices. */
START_TEST(no_device_says_what_to_install)
{
    uint32_t n;
    fault_next(&fault_devices, 1000, CL_INVALID_VALUE);
    ck_assert_int_eq(anser_device_count(ctx, &n), ANSER_NO_DEVICE);
    rt_must_say("install");
    ck_assert_int_eq(anser_device_open(ctx, NULL, &device), ANSER_NO_DEVICE);
    ck_assert_uint_gt(fault_devices.calls, 0);
}
END_TEST

START_TEST(settings_are_checked)
{
    static const char *const bad[][2] = {
        { "ANSER_POOL_ENTRIES", "many" }, { "ANSER_POOL_ENTRIES", "-1" },
        { "ANSER_WAIT", "sleep" }, { "ANSER_CACHE", "off" },
        { "ANSER_AHEAD", "some" }, { "ANSER_AHEAD", "9" }
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        setenv(bad[i][0], bad[i][1], 1);
        ck_assert_int_eq(anser_device_open(ctx, NULL, &device),
                         ANSER_BAD_ARG);
        rt_must_say(bad[i][0]);
        rt_must_say(bad[i][1]);
        unsetenv(bad[i][0]);
    }
}
END_TEST

START_TEST(extensions_are_whole_words)
{
    char list[] = "cl_khr_fp16_more xcl_khr_fp16 cl_a cl_khr_fp64";
    struct anser_caps caps = { .extensions = list };
    ck_assert(!anser_caps_has(&caps, "cl_khr_fp16"));
    ck_assert(anser_caps_has(&caps, "cl_khr_fp64"));
    ck_assert(anser_caps_has(&caps, "cl_a"));
    caps.extensions = NULL;
    ck_assert(!anser_caps_has(&caps, "cl_a"));
}
END_TEST

/* ------------------------------------------------------------ queue */

enum { N = 64 };

static struct anser_buf counted(uint32_t data[N])
{
    struct anser_buf buf;
    ck_assert_int_eq(anser_buf_new(device, N * sizeof *data, &buf), ANSER_OK);
    for (uint32_t i = 0; i < N; i++)
        data[i] = i;
    anser_queue_write(device->queue, buf.mem, 0, data, N * sizeof *data);
    return buf;
}

static void run_probe(struct anser_kernel *kernel, cl_mem mem, cl_uint add)
{
    struct anser_grid grid = { .global = { N }, .local = { 1 } };
    ANSER_RUN(device->queue, kernel, grid, add, mem);
}

static struct anser_kernel *get_probe(void)
{
    struct anser_kernel *kernel = NULL;
    if (anser_kernel_get(device, &probe_key, &kernel) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return kernel;
}

START_TEST(probe_passes)
{
    rt_open();
    if (anser_device_probe(device) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    ck_assert_uint_eq(device->queue->launches, 1);
}
END_TEST

START_TEST(copies_and_zeros)
{
    uint32_t data[N], back[N];
    rt_open();
    struct anser_queue *q = device->queue;
    struct anser_buf a = counted(data), b;
    ck_assert_int_eq(anser_buf_new(device, sizeof back, &b), ANSER_OK);
    anser_queue_copy(q, a.mem, 4, b.mem, 0, sizeof back - 4);
    anser_queue_copy(q, a.mem, 0, b.mem, sizeof back - 4, 4);
    anser_queue_zero(q, b.mem, 8, 16);
    anser_queue_zero(q, b.mem, 41, 2);   /* inside element 10 = 11 */
    anser_queue_zero(q, b.mem, 0, 0);
    anser_queue_flush(q);
    anser_queue_read(q, b.mem, 0, back, sizeof back);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_OK);
    for (uint32_t i = 0; i < N; i++)
        ck_assert_uint_eq(back[i], i >= 2 && i < 6 ? 0 : (i + 1) % N);
    anser_buf_free(device, &a);
    anser_buf_free(device, &b);
    ck_assert_ptr_null(a.mem);
}
END_TEST

/* Equal arguments are not set again; changed ones must be. */
START_TEST(arguments_change)
{
    uint32_t data[N], a_back, b_back;
    rt_open();
    struct anser_kernel *kernel = get_probe();
    struct anser_queue *q = device->queue;
    struct anser_buf a = counted(data), b = counted(data);
    run_probe(kernel, a.mem, 1);         /* 0 -> 1  */
    run_probe(kernel, a.mem, 1);         /* 1 -> 4  */
    run_probe(kernel, b.mem, 1);         /* 0 -> 1  */
    run_probe(kernel, b.mem, 5);         /* 1 -> 8  */
    run_probe(kernel, a.mem, 2);         /* 4 -> 14 */
    anser_queue_read(q, a.mem, 0, &a_back, sizeof a_back);
    anser_queue_read(q, b.mem, 0, &b_back, sizeof b_back);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_OK);
    ck_assert_uint_eq(a_back, 14);
    ck_assert_uint_eq(b_back, 8);
    /* A released handle may come back with another buffer behind it. */
    for (int i = 0; i < 20; i++) {
        anser_buf_free(device, &a);
        anser_pool_trim(device->pool);
        a = counted(data);
        run_probe(kernel, a.mem, 2);
        anser_queue_read(q, a.mem, 4, &a_back, sizeof a_back);
        ck_assert_int_eq(anser_queue_finish(q), ANSER_OK);
        ck_assert_uint_eq(a_back, 5);
    }
    anser_buf_free(device, &a);
    anser_buf_free(device, &b);
}
END_TEST

START_TEST(first_error_sticks)
{
    uint32_t data[N], back[N];
    const uint64_t wrong = 1;            /* 8 bytes where the kernel has 4 */
    rt_open();
    struct anser_kernel *kernel = get_probe();
    struct anser_queue *q = device->queue;
    struct anser_buf buf = counted(data);
    struct anser_grid grid = { .global = { N }, .local = { 1 } };
    ANSER_RUN(q, kernel, grid, wrong, buf.mem);
    ck_assert_int_eq(anser_queue_status(q), ANSER_DEVICE_FAILED);
    run_probe(kernel, buf.mem, 1);       /* does nothing now */
    memset(back, 0x55, sizeof back);
    anser_queue_read(q, buf.mem, 0, back, sizeof back);
    ck_assert_uint_eq(back[0], 0x55555555);
    ck_assert_uint_eq(q->launches, 0);
    anser_queue_poison(q, anser_fail(ctx, ANSER_IO, "something else"));
    ck_assert_int_eq(anser_queue_finish(q), ANSER_DEVICE_FAILED);
    rt_must_say("kernel probe");
    rt_must_say("CL_INVALID_ARG_SIZE");
    run_probe(kernel, buf.mem, 1);       /* and now it works again */
    anser_queue_read(q, buf.mem, 0, back, sizeof back);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_OK);
    ck_assert_uint_eq(back[5], 16);
    anser_buf_free(device, &buf);
}
END_TEST

START_TEST(impossible_calls_are_named)
{
    uint32_t data[N];
    rt_open();
    struct anser_kernel *kernel = get_probe();
    struct anser_queue *q = device->queue;
    struct anser_buf buf = counted(data);
    anser_queue_read(q, buf.mem, buf.bytes, data, 4);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_DEVICE_FAILED);
    rt_must_say("reading a buffer: CL_INVALID_VALUE");
    struct anser_grid none = { .global = { 0 }, .local = { 1 } };
    const cl_uint add = 1;
    ANSER_RUN(q, kernel, none, add, buf.mem);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_BAD_ARG);
    rt_must_say("kernel probe");
    struct anser_grid odd = { .global = { N }, .local = { N - 1 } };
    ANSER_RUN(q, kernel, odd, add, buf.mem);
    ck_assert_int_eq(anser_queue_finish(q), ANSER_DEVICE_FAILED);
    rt_must_say("CL_INVALID_WORK_GROUP_SIZE");
    anser_buf_free(device, &buf);
}
END_TEST

static const char *const waits[] = { "block", "poll", "thread" };

START_TEST(every_wait_gives_the_result)
{
    uint32_t data[N], back[N];
    setenv("ANSER_WAIT", waits[_i], 1);
    rt_open();
    struct anser_kernel *kernel = get_probe();
    struct anser_queue *q = device->queue;
    struct anser_buf buf = counted(data);
    for (uint32_t i = 0, right = 3; i < 10; i++, right = 3 * right + 1) {
        anser_queue_read(q, buf.mem, 0, back, sizeof back);
        ck_assert_uint_eq(back[3], right);
        run_probe(kernel, buf.mem, 1);
        ck_assert_int_eq(anser_queue_finish(q), ANSER_OK);
    }
    anser_buf_free(device, &buf);
}
END_TEST

/* ----------------------------------------------------------- attach */

START_TEST(a_context_of_the_caller)
{
    const struct anser_device_entry *e;
    cl_int code;
    cl_uint references = 0;
    ck_assert_int_eq(anser_device_choose(ctx, NULL, &e), ANSER_OK);
    cl_context context = clCreateContext(NULL, 1, &e->id, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_context other = clCreateContext(NULL, 1, &e->id, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueue(context, e->id, 0, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(anser_device_attach(ctx, other, e->id, queue, &device),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_device_attach(ctx, context, e->id, queue, &device),
                     ANSER_OK);
    if (anser_device_probe(device) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    anser_device_close(device);
    device = NULL;
    code = clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT,
                            sizeof references, &references, NULL);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_uint_ge(references, 1);
    ck_assert_int_eq(clFinish(queue), CL_SUCCESS);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    clReleaseContext(other);
}
END_TEST

START_TEST(an_out_of_order_queue_is_refused)
{
    const struct anser_device_entry *e;
    cl_int code;
    ck_assert_int_eq(anser_device_choose(ctx, NULL, &e), ANSER_OK);
    cl_context context = clCreateContext(NULL, 1, &e->id, NULL, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueue(context, e->id,
        CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code == CL_SUCCESS) {            /* many devices have none */
        ck_assert_int_eq(anser_device_attach(ctx, context, e->id, queue,
                                             &device), ANSER_BAD_ARG);
        rt_must_say("in order");
        clReleaseCommandQueue(queue);
    }
    clReleaseContext(context);
}
END_TEST

static Suite *rt_suite(void)
{
    Suite *suite = suite_create("rt");
    TCase *tc = tcase_create("rt");
    tcase_add_checked_fixture(tc, rt_set_up, rt_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, codes_have_names);
    tcase_add_test(tc, choice_by_number_and_name);
    tcase_add_test(tc, info_respects_the_size);
    tcase_add_test(tc, no_device_says_what_to_install);
    tcase_add_test(tc, settings_are_checked);
    tcase_add_test(tc, extensions_are_whole_words);
    tcase_add_test(tc, probe_passes);
    tcase_add_test(tc, copies_and_zeros);
    tcase_add_test(tc, arguments_change);
    tcase_add_test(tc, first_error_sticks);
    tcase_add_test(tc, impossible_calls_are_named);
    tcase_add_loop_test(tc, every_wait_gives_the_result, 0, 3);
    tcase_add_test(tc, a_context_of_the_caller);
    tcase_add_test(tc, an_out_of_order_queue_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return rt_main(rt_suite);
}
