/* SPDX-License-Identifier: MIT */
/* The cache on disk: used, damaged at every 64th byte and at seeded bits, of
 * another device, driver or user.  Whatever happens, a run gives the right
 * result. */
#include "cache_util.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the reader says of the only entry; NULL: sound. */
static const char *read_entry(int dir)
{
    struct anser_cache_file file;
    const char *why = anser_cache_file_read(dir, last_entry, &file);
    if (why == NULL)
        anser_cache_file_free(&file);
    return why;
}

/* ------------------------------------------------------------ plain use */

START_TEST(second_start_builds_nothing)
{
    struct stat st;
    must_build();
    ck_assert_int_eq(stat(dir_path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    ck_assert_int_eq(stat(the_entry(), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    must_load();
    must_load();
    verify();
    setenv("ANSER_CACHE", "0", 1);
    must_build();
}
END_TEST

START_TEST(list_and_clear)
{
    uint64_t n;
    char path[1024];
    ck_assert_int_eq(anser_cache_clear(ctx, &n), ANSER_OK);  /* none yet */
    ck_assert_uint_eq(n, 0);
    ck_assert_uint_eq(anser_cache_path(path, sizeof path), strlen(dir_path));
    ck_assert_str_eq(path, dir_path);
    must_build();
    the_entry();
    ck_assert_int_eq(anser_cache_clear(ctx, &n), ANSER_OK);
    ck_assert_uint_ge(n, 1);
    must_build();
}
END_TEST

START_TEST(passes_are_remembered)
{
    rt_open();
    ck_assert(!anser_cache_passed(device, "matvec/a/1"));
    anser_cache_pass(device, "matvec/a/1");
    anser_cache_pass(device, "matvec/b/1");
    ck_assert(anser_cache_passed(device, "matvec/a/1"));
    rt_reopen();
    ck_assert(anser_cache_passed(device, "matvec/b/1"));
    ck_assert(!anser_cache_passed(device, "matvec/b"));
    ck_assert(!anser_cache_passed(device, "b/1"));
    anser_cache_pass(device, "matvec/c/1");
    anser_cache_keep(device);
    rt_reopen();
    ck_assert(anser_cache_passed(device, "matvec/a/1"));
    ck_assert(anser_cache_passed(device, "matvec/c/1"));
    strcpy(device->caps.driver, "another");      /* as after an update */
    anser_cache_close(device->cache);
    ck_assert_int_eq(anser_cache_open(device, &device->cache), ANSER_OK);
    ck_assert(!anser_cache_passed(device, "matvec/a/1"));
}
END_TEST

/* Oldest use goes first, and a hit counts as use. */
START_TEST(least_recently_used_go)
{
    static char payload[1000];
    struct anser_cache_key key = { "program", "x.cl", "", "" };
    struct anser_cache_stat *list;
    unsigned char *data;
    size_t n;
    char options[4][16];
    rt_open();
    for (int i = 0; i < 4; i++) {
        snprintf(options[i], sizeof options[i], "-DN=%d", i);
        key.options = options[i];
        ck_assert(anser_cache_save(device, &key, payload, sizeof payload));
    }
    int dir = open_dir();
    ck_assert(anser_cache_dir_scan(dir, false, &list, &n));
    ck_assert_uint_eq(n, 4);
    for (size_t i = 0; i < n; i++) {
        struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
        ck_assert_int_eq(utimensat(dir, list[i].name, old, 0), 0);
    }
    uint64_t two = 2 * list[0].bytes;
    free(list);
    key.options = options[2];
    ck_assert(anser_cache_load(device, &key, &data, &n));
    ck_assert_uint_eq(n, sizeof payload);
    free(data);
    anser_cache_dir_evict(dir, two);
    ck_assert(anser_cache_dir_scan(dir, false, &list, &n));
    ck_assert_uint_eq(n, 2);
    free(list);
    ck_assert(anser_cache_load(device, &key, &data, &n));
    free(data);
    close(dir);
}
END_TEST

/* ------------------------------------------------------- damaged files */

START_TEST(truncations_are_refused)
{
    size_t n;
    must_build();
    const char *path = the_entry();
    unsigned char *whole = test_read_file(path, &n);
    int dir = open_dir();
    ck_assert_ptr_null(read_entry(dir));
    for (size_t keep = 0; keep < n; keep += 64) {
        test_write_file(path, whole, keep);
        ck_assert_ptr_nonnull(read_entry(dir));
    }
    test_write_file(path, whole, n - 1);
    ck_assert_ptr_nonnull(read_entry(dir));
    test_write_file(path, whole, n);
    ck_assert_ptr_null(read_entry(dir));
    whole[n] = 0;                        /* test_read_file has one more */
    test_write_file(path, whole, n + 1);
    ck_assert_ptr_nonnull(read_entry(dir));
    close(dir);
    free(whole);
}
END_TEST

START_TEST(flipped_bits_are_refused)
{
    size_t n;
    must_build();
    const char *path = the_entry();
    unsigned char *data = test_read_file(path, &n);
    int dir = open_dir();
    random_seed(20261122);
    for (int i = 0; i < 200; i++) {
        uint64_t at = random_next() % (8 * (uint64_t)n);
        if (i < 64)                      /* the header, every 7th bit */
            at = (uint64_t)i * 7 % (8 * ANSER_CACHE_HEADER);
        data[at / 8] ^= (unsigned char)(1u << at % 8);
        test_write_file(path, data, n);
        if (read_entry(dir) == NULL)
            ck_abort_msg("bit %llu was not noticed", (unsigned long long)at);
        data[at / 8] ^= (unsigned char)(1u << at % 8);
    }
    test_write_file(path, data, n);
    ck_assert_ptr_null(read_entry(dir));
    close(dir);
    free(data);
}
END_TEST

/* Whole runs: a damaged file is replaced and the result is right. */
START_TEST(runs_survive_damage)
{
    size_t n;
    must_build();
    const char *path = the_entry();
    unsigned char *data = test_read_file(path, &n);
    random_seed(7);
    for (int i = 0; i < 20; i++) {
        size_t at = (size_t)(random_next() % n);
        if (i % 2 == 0) {
            test_write_file(path, data, at);
        } else {
            data[at] ^= 0x10;
            test_write_file(path, data, n);
            data[at] ^= 0x10;
        }
        must_build();
        verify();
    }
    must_load();
    free(data);
}
END_TEST

/* ------------------------------------------------------- foreign files */

/* Changes what a device says of itself; its cache must have nothing. */
static void with_changed(char *field, const char *value)
{
    struct anser_kernel *kernel;
    struct anser_program_stats s;
    static const struct anser_kernel_key key = { "probe.cl", NULL, "probe" };
    strcpy(field, value);
    anser_cache_close(device->cache);
    ck_assert_int_eq(anser_cache_open(device, &device->cache), ANSER_OK);
    ck_assert_ptr_nonnull(device->cache);
    ck_assert_int_eq(anser_kernel_get(device, &key, &kernel), ANSER_OK);
    anser_programs_stats(device, &s);
    ck_assert_uint_eq(s.from_source, 1);
}

START_TEST(another_device_or_driver)
{
    must_build();
    rt_open();
    with_changed(device->caps.driver, "0.0");
    rt_reopen();
    with_changed(device->caps.name, "another device");
    rt_reopen();
    with_changed(device->caps.platform_version, "OpenCL 1.2 (1 Jan 1970)");
    anser_device_close(device);
    device = NULL;
    setenv("AMD_OCL_BUILD_OPTIONS", "-DCHANGED", 1);
    must_build();
    unsetenv("AMD_OCL_BUILD_OPTIONS");
    must_load();
}
END_TEST

/* A sound file under another entry's name, as by copying. */
START_TEST(a_file_under_a_wrong_name)
{
    size_t n;
    must_build();
    const char *path = the_entry();
    unsigned char *data = test_read_file(path, &n);
    unsigned char *at = data + ANSER_CACHE_HEADER;
    for (; memcmp(at, "device=", 7) != 0; at++)
        ck_assert(at < data + n - 7);
    at[10] ^= 1;                         /* the identity has no own hash */
    test_write_file(path, data, n);
    must_build();
    must_load();
    free(data);
}
END_TEST

START_TEST(another_users_file)
{
    struct stat st;
    must_build();
    if (geteuid() != 0) {
        not_here("a file of another user", "needs root");
        return;
    }
    ck_assert_int_eq(chown(the_entry(), 65534, 65534), 0);
    must_build();                        /* refused and replaced */
    ck_assert_int_eq(stat(the_entry(), &st), 0);
    ck_assert_uint_eq(st.st_uid, 0);
    ck_assert_int_eq(chmod(the_entry(), 0666), 0);
    must_build();
    ck_assert_int_eq(chown(dir_path, 65534, 65534), 0);
    must_build();                        /* no cache, twice */
    must_build();
    ck_assert_int_eq(anser_cache_list(ctx, NULL, NULL), ANSER_IO);
    rt_must_say("another user");
    ck_assert_int_eq(chown(dir_path, 0, 0), 0);
    must_load();
}
END_TEST

static Suite *cache_suite(void)
{
    Suite *suite = suite_create("cache");
    TCase *tc = tcase_create("cache");
    tcase_add_checked_fixture(tc, cache_set_up, cache_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, second_start_builds_nothing);
    tcase_add_test(tc, list_and_clear);
    tcase_add_test(tc, passes_are_remembered);
    tcase_add_test(tc, least_recently_used_go);
    tcase_add_test(tc, truncations_are_refused);
    tcase_add_test(tc, flipped_bits_are_refused);
    tcase_add_test(tc, runs_survive_damage);
    tcase_add_test(tc, another_device_or_driver);
    tcase_add_test(tc, a_file_under_a_wrong_name);
    tcase_add_test(tc, another_users_file);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return cache_main(cache_suite);
}
