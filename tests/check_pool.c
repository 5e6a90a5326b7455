/* SPDX-License-Identifier: MIT */
/* The buffer pool: classes, reuse, limits, and what happens when memory runs
 * out. */
#include "rt_util.h"

#include "rt/buffer.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(classes_are_tight)
{
    const cl_ulong max = 1000003;
    for (size_t n = 0; n < 70000; n++) {
        size_t class = anser_pool_class(n, max);
        ck_assert_uint_ge(class, n);
        ck_assert(n <= 256 ? class == 256 : class <= n + n / 8);
        ck_assert_uint_eq(anser_pool_class(class, max), class);
        ck_assert_uint_le(class, anser_pool_class(n + 1, max));
    }
    ck_assert_uint_eq(anser_pool_class(1000001, max), max);
    ck_assert_uint_gt(anser_pool_class(1000004, max), max);
}
END_TEST

START_TEST(freed_buffers_come_back)
{
    struct anser_buf a, b;
    struct anser_pool_stats s;
    rt_open();
    ck_assert_int_eq(anser_buf_new(device, 5000, &a), ANSER_OK);
    cl_mem mem = a.mem;
    anser_buf_free(device, &a);
    ck_assert_int_eq(anser_buf_new(device, 5100, &a), ANSER_OK);
    ck_assert_ptr_eq(a.mem, mem);
    ck_assert_int_eq(anser_buf_new(device, 5100, &b), ANSER_OK);
    ck_assert_ptr_ne(b.mem, mem);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.hits, 1);
    ck_assert_uint_eq(s.misses, 2);
    ck_assert_uint_eq(s.created, 2);
    ck_assert_uint_eq(s.used_bytes, 2 * 5120);
    ck_assert_uint_eq(s.peak_bytes, 2 * 5120);
    anser_buf_free(device, &a);
    anser_buf_free(device, &b);
    anser_buf_free(device, &b);          /* empty: nothing happens */
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.held, 2);
    ck_assert_uint_eq(s.held_bytes, 2 * 5120);
    ck_assert_uint_eq(s.used_bytes, 0);
    anser_pool_trim(device->pool);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.held + s.held_bytes, 0);
}
END_TEST

START_TEST(steady_use_creates_nothing)
{
    struct anser_buf bufs[8];
    rt_open();
    for (int round = 0; round < 50; round++) {
        if (round == 1)
            fault_reset();
        for (size_t i = 0; i < 8; i++)
            ck_assert_int_eq(anser_buf_new(device, 300 + 900 * i, &bufs[i]),
                             ANSER_OK);
        for (size_t i = 8; i-- > 0; )
            anser_buf_free(device, &bufs[i]);
    }
    ck_assert_uint_eq(fault_buffer.calls, 0);
}
END_TEST

START_TEST(entries_are_limited)
{
    static const unsigned limits[] = { 0, 4 };
    struct anser_buf bufs[6];
    struct anser_pool_stats s;
    char text[8];
    snprintf(text, sizeof text, "%u", limits[_i]);
    setenv("ANSER_POOL_ENTRIES", text, 1);
    rt_open();
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(anser_buf_new(device, 1024 << i, &bufs[i]),
                         ANSER_OK);
    for (size_t i = 0; i < 6; i++)
        anser_buf_free(device, &bufs[i]);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.held, limits[_i]);
    ck_assert_uint_eq(s.used_bytes, 0);
    /* The oldest went first: the largest is still there, if any is. */
    ck_assert_int_eq(anser_buf_new(device, 1024 << 5, &bufs[0]), ANSER_OK);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.hits, limits[_i] > 0);
    anser_buf_free(device, &bufs[0]);
}
END_TEST

START_TEST(a_failed_allocation_drops_and_retries)
{
    struct anser_buf small, large, more;
    struct anser_pool_stats s;
    rt_open();
    ck_assert_int_eq(anser_buf_new(device, 4096, &small), ANSER_OK);
    ck_assert_int_eq(anser_buf_new(device, 65536, &large), ANSER_OK);
    anser_buf_free(device, &small);
    anser_buf_free(device, &large);
    fault_next(&fault_buffer, 1, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    ck_assert_int_eq(anser_buf_new(device, 60000, &more), ANSER_OK);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.held_bytes, 4096);       /* the larger one went */
    fault_next(&fault_buffer, 2, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    unsigned before = fault_buffer.calls;
    ck_assert_int_eq(anser_buf_new_exact(device, 1 << 20, &large),
                     ANSER_NO_MEMORY);
    rt_must_say("1 MiB");
    rt_must_say("CL_MEM_OBJECT_ALLOCATION_FAILURE");
    ck_assert_uint_eq(fault_buffer.calls - before, 2);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.held, 0);
    anser_buf_free(device, &more);
}
END_TEST

START_TEST(exact_and_too_large)
{
    struct anser_buf buf = { .mem = NULL };
    struct anser_pool_stats s;
    rt_open();
    ck_assert_int_eq(anser_buf_new_exact(device, 5001, &buf), ANSER_OK);
    ck_assert_uint_eq(buf.bytes, 5001);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.used_bytes, 5001);
    anser_buf_free_exact(device, &buf);
    anser_pool_stats(device->pool, &s);
    ck_assert_uint_eq(s.used_bytes + s.held, 0);
    device->caps.max_alloc = 1 << 20;
    unsigned before = fault_buffer.calls;
    ck_assert_int_eq(anser_buf_new(device, (1 << 20) + 1, &buf),
                     ANSER_NO_MEMORY);
    rt_must_say("limit of 1 MiB");
    ck_assert_uint_eq(fault_buffer.calls, before);
    ck_assert_ptr_null(buf.mem);
}
END_TEST

static Suite *pool_suite(void)
{
    Suite *suite = suite_create("pool");
    TCase *tc = tcase_create("pool");
    tcase_add_checked_fixture(tc, rt_set_up, rt_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, classes_are_tight);
    tcase_add_test(tc, freed_buffers_come_back);
    tcase_add_test(tc, steady_use_creates_nothing);
    tcase_add_loop_test(tc, entries_are_limited, 0, 2);
    tcase_add_test(tc, a_failed_allocation_drops_and_retries);
    tcase_add_test(tc, exact_and_too_large);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return rt_main(pool_suite);
}
