/* SPDX-License-Identifier: MIT */
/* anser_stats and anser_bandwidth: what they count, and what they refuse. */
#include "device_util.h"

#include "rt/buffer.h"

static struct anser_stats_info stats_now(void)
{
    struct anser_stats_info info = { .size = sizeof info };
    test_device_ok(anser_stats(test_device, &info));
    return info;
}

START_TEST(refuses)
{
    struct anser_stats_info info = { .size = 1 };
    double read = -1, copy = -1;
    ck_assert_int_eq(anser_stats(NULL, &info), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_stats(test_device, NULL), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_stats(test_device, &info), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_bandwidth(NULL, 0, &read, &copy), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_bandwidth(test_device, -1, &read, &copy),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_bandwidth(test_device, 61, &read, &copy),
                     ANSER_BAD_ARG);
    ck_assert_int_eq(anser_bandwidth(test_device, 0, NULL, &copy),
                     ANSER_BAD_ARG);
    ck_assert(read == -1 && copy == -1);
}
END_TEST

START_TEST(counts_buffers)
{
    struct anser_buf buf;
    const struct anser_stats_info before = stats_now();
    test_device_ok(anser_buf_new(test_device, 100000, &buf));
    const struct anser_stats_info during = stats_now();
    ck_assert_uint_ge(during.used_bytes, before.used_bytes + 100000);
    ck_assert_uint_ge(during.peak_bytes, during.used_bytes);
    ck_assert_uint_eq(during.pool_hits + during.pool_misses,
                      before.pool_hits + before.pool_misses + 1);
    anser_buf_free(test_device, &buf);
    ck_assert_uint_eq(stats_now().used_bytes, before.used_bytes);
}
END_TEST

/* All that was made for the measurement is given back, and both figures are
 * those of memory and not of nothing: within 1 MB/s and 100 TB/s. */
START_TEST(bandwidth)
{
    double read = 0, copy = 0;
    if (test_tiny_only())
        return;
    const struct anser_stats_info before = stats_now();
    test_device_ok(anser_bandwidth(test_device, 0.05, &read, &copy));
    const struct anser_stats_info after = stats_now();
    ck_assert(read > 1e6 && read < 1e14);
    ck_assert(copy > 1e6 && copy < 1e14);
    ck_assert_uint_ge(after.launches, before.launches + 8);
    ck_assert_uint_eq(after.used_bytes, before.used_bytes);
    ck_assert_uint_ge(after.from_source + after.from_cache, 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("measure");
    TCase *t = tcase_create("measure");
    tcase_add_test(t, refuses);
    tcase_add_test(t, counts_buffers);
    tcase_add_test(t, bandwidth);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return test_device_main(suite());
}
