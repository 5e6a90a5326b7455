/* SPDX-License-Identifier: MIT */
/* Writing a GGUF file that fails: what stood at its name stays as it was, and
 * nothing is left beside it. */
#include "gguf_util.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The old file of that name stays, and nothing lies beside it. */
static void require_untouched(void)
{
    size_t n;
    unsigned char *old = test_read_file(test_path("t.gguf"), &n);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(old, "old", 3);
    free(old);
    ck_assert_uint_eq(test_count_files(), 1);
}

START_TEST(abandoned)
{
    struct anser_gguf_writer *w;
    test_write_file(test_path("t.gguf"), "old", 3);
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_write_sample(w);
    gguf_must(anser_gguf_put_data(w, "x", 1));
    ck_assert_uint_eq(test_count_files(), 2);
    anser_gguf_abandon(w);
    anser_gguf_abandon(NULL);
    require_untouched();
}
END_TEST

START_TEST(too_little_and_too_much)
{
    struct anser_gguf_writer *w;
    const char data[225] = { 0 };
    test_write_file(test_path("t.gguf"), "old", 3);
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_write_sample(w);
    gguf_must(anser_gguf_put_data(w, data, 223));
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_BAD_ARG);
    require_untouched();
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_write_sample(w);
    ck_assert_int_eq(anser_gguf_put_data(w, data, 225), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_BAD_ARG);
    require_untouched();
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_write_sample(w);
    gguf_must(anser_gguf_put_data(w, data, 1));
    ck_assert_int_eq(anser_gguf_put_u32(w, "late", 1), ANSER_BAD_ARG);
    anser_gguf_abandon(w);
    require_untouched();
}
END_TEST

/* A full disk: the limit on the size of files stops the write. */
START_TEST(disk_full)
{
    enum { MIB = 1 << 20 };
    struct anser_gguf_writer *w;
    struct rlimit limit = { MIB, MIB };
    const uint64_t ne[1] = { MIB };
    char *data = calloc(4, MIB);
    ck_assert_ptr_nonnull(data);
    test_write_file(test_path("t.gguf"), "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_must(anser_gguf_put_tensor(w, "big", ANSER_F32, 1, ne));
    enum anser_status put = anser_gguf_put_data(w, data, 4 * MIB);
    ck_assert_int_eq(put, ANSER_IO);
    ck_assert_ptr_nonnull(strstr(anser_error(gguf_ctx), "t.gguf"));
    ck_assert_int_eq(anser_gguf_put_data(w, data, 1), ANSER_IO);
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_IO);
    require_untouched();
    free(data);
}
END_TEST

/* The same where the failure shows only when the buffer is flushed. */
START_TEST(disk_full_at_the_end)
{
    struct anser_gguf_writer *w;
    struct rlimit limit = { 100, 100 };
    test_write_file(test_path("t.gguf"), "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    gguf_must(anser_gguf_create(gguf_ctx, test_path("t.gguf"), &w));
    gguf_write_sample(w);
    gguf_must(anser_gguf_put_data(w, (const char[224]){ 0 }, 224));
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_IO);
    require_untouched();
}
END_TEST

START_TEST(bad_targets)
{
    struct anser_gguf_writer *w = NULL;
    ck_assert_int_eq(anser_gguf_create(gguf_ctx, test_path("no/t.gguf"), &w),
                     ANSER_IO);
    ck_assert_ptr_nonnull(strstr(anser_error(gguf_ctx), "no/t.gguf"));
    ck_assert_int_eq(anser_gguf_create(gguf_ctx, test_path("."), &w), ANSER_IO);
    ck_assert_int_eq(anser_gguf_create(gguf_ctx, "/dev/full", &w), ANSER_IO);
    ck_assert_ptr_null(w);
    ck_assert_uint_eq(test_count_files(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gguf_write");
    TCase *tc;
    tc = tcase_create("write");
    tcase_add_checked_fixture(tc, gguf_enter, gguf_leave);
    tcase_add_test(tc, abandoned);
    tcase_add_test(tc, too_little_and_too_much);
    tcase_add_test(tc, disk_full);
    tcase_add_test(tc, disk_full_at_the_end);
    tcase_add_test(tc, bad_targets);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
