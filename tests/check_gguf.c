/* SPDX-License-Identifier: MIT */
/*
 * GGUF files that are good: written, read back and bound; every kind of
 * value; and writing that fails.  Bad files: check_malformed.
 */
#include "check_util.h"

#include "base/gguf_write.h"
#include "base/v7.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static anser_ctx *ctx;

static void enter(void)
{
    test_enter();
    ctx = test_ctx();
}

static void leave(void)
{
    anser_ctx_free(ctx);
    test_leave();
}

static void must(enum anser_status status)
{
    ck_assert_msg(status == ANSER_OK, "%s", anser_error(ctx));
}

static anser_file *must_open(const char *path)
{
    anser_file *file = NULL;
    must(anser_file_open(ctx, path, &file));
    return file;
}

/* -------------------------------------------------------- round trips */

static void write_sample(struct anser_gguf_writer *w)
{
    const uint64_t ne1[1] = { 5 }, ne2[2] = { 64, 3 };
    const int32_t numbers[3] = { -1, 0, 70000 };
    const struct anser_gguf_text texts[3] = {
        { "one", 3 }, { "", 0 }, { "a\0b", 3 }
    };
    must(anser_gguf_put_string(w, "general.name", "sample"));
    must(anser_gguf_put_u32(w, "a.u32", 4000000000u));
    must(anser_gguf_put_f32(w, "a.f32", 0.25f));
    must(anser_gguf_put_strings(w, "a.strings", 3, texts));
    must(anser_gguf_put_i32s(w, "a.i32s", 3, numbers));
    must(anser_gguf_put_tensor(w, "small", ANSER_F32, 1, ne1));
    must(anser_gguf_put_tensor(w, "blocks", ANSER_Q8_0, 2, ne2));
}

static void check_sample_keys(const anser_file *file)
{
    uint64_t u;
    float f;
    struct anser_gguf_text text;
    must(anser_gguf_u64(file, "a.u32", &u));
    ck_assert_uint_eq(u, 4000000000u);
    must(anser_gguf_float(file, "a.f32", &f));
    ck_assert_float_eq(f, 0.25f);
    must(anser_gguf_string(file, "general.name", &text));
    ck_assert_uint_eq(text.n, 6);
    const struct anser_gguf_key *key = anser_gguf_find_key(file, "a.strings");
    ck_assert_uint_eq(key->count, 3);
    const unsigned char *at = key->value;
    anser_gguf_next_string(&at);
    anser_gguf_next_string(&at);
    text = anser_gguf_next_string(&at);
    ck_assert_uint_eq(text.n, 3);
    ck_assert_mem_eq(text.at, "a\0b", 3);
    ck_assert_ptr_eq(at, key->value + key->bytes);
    key = anser_gguf_find_key(file, "a.i32s");
    ck_assert_int_eq(key->item, GGUF_I32);
    ck_assert_uint_eq(key->bytes, 12);
    ck_assert_ptr_null(anser_gguf_find_key(file, "a.i32"));
}

/* All data in one call, or byte by byte: the same file. */
static void round_trip(size_t step, const char *path)
{
    struct anser_gguf_writer *w;
    unsigned char data[20 + 204];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7);
    must(anser_gguf_create(ctx, path, &w));
    write_sample(w);
    for (size_t i = 0; i < sizeof data; i += step)
        must(anser_gguf_put_data(w, data + i, step));
    must(anser_gguf_finish(w));
    anser_file *file = must_open(path);
    check_sample_keys(file);
    ck_assert_uint_eq(file->version, 3);
    ck_assert_uint_eq(file->n_tensors, 2);
    const struct anser_gguf_tensor *t = anser_gguf_find(file, "blocks");
    ck_assert_str_eq(t->block->name, "Q8_0");
    ck_assert_uint_eq(t->ne[0] * 1000 + t->ne[1], 64003);
    ck_assert_uint_eq(t->bytes, 204);
    ck_assert_uint_eq(t->offset % 32, 0);
    ck_assert_mem_eq(t->data, data + 20, 204);
    t = anser_gguf_find(file, "small");
    ck_assert_mem_eq(t->data, data, 20);
    ck_assert_uint_eq(file->bytes % 32, 0);
    ck_assert_ptr_null(anser_gguf_find(file, "Small"));
    anser_file_close(file);
}

START_TEST(written_and_read)
{
    size_t n, m;
    round_trip(224, test_path("a.gguf"));
    round_trip(1, test_path("b.gguf"));
    unsigned char *a = test_read_file(test_path("a.gguf"), &n);
    unsigned char *b = test_read_file(test_path("b.gguf"), &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(a, b, n);
    ck_assert_uint_eq(test_count_files(), 2);
    free(a);
    free(b);
}
END_TEST

START_TEST(keys_only)
{
    struct anser_gguf_writer *w;
    must(anser_gguf_create(ctx, test_path("k.gguf"), &w));
    must(anser_gguf_put_string(w, "general.name", ""));
    must(anser_gguf_finish(w));
    anser_file *file = must_open(test_path("k.gguf"));
    ck_assert_uint_eq(anser_file_tensors(file), 0);
    ck_assert_str_eq(anser_file_key(file, 0), "general.name");
    ck_assert_ptr_null(anser_file_key(file, 1));
    anser_file_close(file);
}
END_TEST

/* Keys of another file, an alignment among them, as they are. */
START_TEST(copied_keys)
{
    struct anser_gguf_writer *w;
    const float data[2] = { 1, 2 };
    const uint64_t ne[1] = { 1 };
    must(anser_gguf_create(ctx, test_path("a.gguf"), &w));
    must(anser_gguf_put_u32(w, "general.alignment", 256));
    write_sample(w);
    must(anser_gguf_put_data(w, (const char[224]){ 0 }, 224));
    must(anser_gguf_finish(w));
    anser_file *a = must_open(test_path("a.gguf"));
    must(anser_gguf_create(ctx, test_path("b.gguf"), &w));
    for (uint64_t i = 0; i < a->n_keys; i++)
        must(anser_gguf_put_key(w, &a->keys[i]));
    must(anser_gguf_put_tensor(w, "x", ANSER_F32, 1, ne));
    must(anser_gguf_put_tensor(w, "y", ANSER_F32, 1, ne));
    must(anser_gguf_put_data(w, data, sizeof data));
    must(anser_gguf_finish(w));
    anser_file *b = must_open(test_path("b.gguf"));
    check_sample_keys(b);
    ck_assert_uint_eq(b->alignment, 256);
    const struct anser_gguf_tensor *y = anser_gguf_find(b, "y");
    ck_assert_uint_eq(y->offset % 256, 0);
    ck_assert_mem_eq(y->data, &data[1], sizeof data[1]);
    anser_file_close(b);
    anser_file_close(a);
}
END_TEST

/* ------------------------------------------------------ kinds of value */

/* A file with one key and no tensor, put together by hand. */
static anser_file *one_key(enum anser_gguf_kind kind, const void *value,
                           size_t n)
{
    unsigned char b[64] = "GGUF\3";
    uint64_t keys = 1, name_n = 1;
    uint32_t number = kind;
    memcpy(b + 16, &keys, 8);
    memcpy(b + 24, &name_n, 8);
    b[32] = 'k';
    memcpy(b + 33, &number, 4);
    memcpy(b + 37, value, n);
    test_write_file(test_path("one.gguf"), b, 37 + n);
    return must_open(test_path("one.gguf"));
}

static void check_number(enum anser_gguf_kind kind, int64_t value, size_t n,
                         const char *text)
{
    char buf[32];
    uint64_t u = 99;
    anser_file *file = one_key(kind, &value, n);
    ck_assert_uint_eq(anser_file_value(file, "k", buf, sizeof buf),
                      strlen(text));
    ck_assert_str_eq(buf, text);
    enum anser_status status = anser_gguf_u64(file, "k", &u);
    if (kind == GGUF_BOOL || text[0] == '-') {
        ck_assert_int_eq(status, ANSER_BAD_FILE);
        ck_assert_ptr_nonnull(strstr(anser_error(ctx), "key k"));
        ck_assert_uint_eq(u, 99);
    } else {
        ck_assert_int_eq(status, ANSER_OK);
        ck_assert_uint_eq(u, strtoull(text, NULL, 10));
    }
    anser_file_close(file);
}

START_TEST(whole_numbers)
{
    check_number(GGUF_U8, 255, 1, "255");
    check_number(GGUF_I8, -128, 1, "-128");
    check_number(GGUF_I8, 127, 1, "127");
    check_number(GGUF_U16, 65535, 2, "65535");
    check_number(GGUF_I16, -2, 2, "-2");
    check_number(GGUF_U32, 4294967295, 4, "4294967295");
    check_number(GGUF_I32, -2147483647, 4, "-2147483647");
    check_number(GGUF_U64, -1, 8, "18446744073709551615");
    check_number(GGUF_I64, -1, 8, "-1");
    check_number(GGUF_I64, INT64_MAX, 8, "9223372036854775807");
    check_number(GGUF_BOOL, 1, 1, "true");
    check_number(GGUF_BOOL, 0, 1, "false");
}
END_TEST

START_TEST(floats_and_texts)
{
    const float f32 = 1e-5f;
    const double f64 = 0.1;
    char buf[32];
    float f = 0;
    struct anser_gguf_text text;
    anser_file *file = one_key(GGUF_F32, &f32, 4);
    ck_assert_uint_eq(anser_file_value(file, "k", buf, sizeof buf), 5);
    ck_assert_str_eq(buf, "1e-05");
    ck_assert_int_eq(anser_gguf_string(file, "k", &text), ANSER_BAD_FILE);
    anser_file_close(file);
    file = one_key(GGUF_F64, &f64, 8);
    must(anser_gguf_float(file, "k", &f));
    ck_assert_float_eq(f, 0.1f);
    anser_file_value(file, "k", buf, sizeof buf);
    ck_assert_str_eq(buf, "0.1");
    anser_file_close(file);
    file = one_key(GGUF_STRING, "\5\0\0\0\0\0\0\0hello", 13);
    ck_assert_uint_eq(anser_file_value(file, "k", buf, 4), 5);
    ck_assert_str_eq(buf, "hel");
    ck_assert_uint_eq(anser_file_value(file, "k", NULL, 0), 5);
    ck_assert_int_eq(anser_gguf_float(file, "k", &f), ANSER_BAD_FILE);
    ck_assert_uint_eq(anser_file_value(file, "none", buf, sizeof buf), 0);
    ck_assert_int_eq(anser_gguf_float(file, "none", &f), ANSER_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "none"));
    anser_file_close(file);
    file = one_key(GGUF_ARRAY, "\0\0\0\0\2\0\0\0\0\0\0\0ab", 14);
    anser_file_value(file, "k", buf, sizeof buf);
    ck_assert_str_eq(buf, "[2 items]");
    anser_file_close(file);
}
END_TEST

START_TEST(version_2)
{
    size_t n;
    round_trip(224, test_path("a.gguf"));
    unsigned char *b = test_read_file(test_path("a.gguf"), &n);
    b[4] = 2;
    test_write_file(test_path("a.gguf"), b, n);
    free(b);
    anser_file *file = must_open(test_path("a.gguf"));
    ck_assert_uint_eq(file->version, 2);
    check_sample_keys(file);
    anser_file_close(file);
}
END_TEST

/* ------------------------------------------------- what is no file */

static void refuse_path(const char *path, enum anser_status expected,
                        const char *part)
{
    anser_file *file = NULL;
    ck_assert_int_eq(anser_file_open(ctx, path, &file), expected);
    ck_assert_ptr_null(file);
    ck_assert_msg(strstr(anser_error(ctx), path) == anser_error(ctx)
                  && strstr(anser_error(ctx), part) != NULL, "%s",
                  anser_error(ctx));
}

START_TEST(no_files)
{
    anser_file *file;
    refuse_path(test_path("none.gguf"), ANSER_IO, "cannot open");
    refuse_path(test_path("."), ANSER_IO, "directory");
    refuse_path("/dev/null", ANSER_IO, "device");
    ck_assert_int_eq(mkfifo(test_path("pipe"), 0600), 0);
    refuse_path(test_path("pipe"), ANSER_IO, "pipe");
    test_write_file(test_path("empty"), "", 0);
    refuse_path(test_path("empty"), ANSER_BAD_FILE, "empty");
    ck_assert_int_eq(anser_file_open(NULL, "x", &file), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_file_open(ctx, NULL, &file), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_file_open(ctx, "x", NULL), ANSER_BAD_ARG);
    anser_file_close(NULL);
}
END_TEST

/* ----------------------------------------------------- writing fails */

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
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    write_sample(w);
    must(anser_gguf_put_data(w, "x", 1));
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
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    write_sample(w);
    must(anser_gguf_put_data(w, data, 223));
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_BAD_ARG);
    require_untouched();
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    write_sample(w);
    ck_assert_int_eq(anser_gguf_put_data(w, data, 225), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_BAD_ARG);
    require_untouched();
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    write_sample(w);
    must(anser_gguf_put_data(w, data, 1));
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
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    must(anser_gguf_put_tensor(w, "big", ANSER_F32, 1, ne));
    enum anser_status put = anser_gguf_put_data(w, data, 4 * MIB);
    ck_assert_int_eq(put, ANSER_IO);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "t.gguf"));
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
    must(anser_gguf_create(ctx, test_path("t.gguf"), &w));
    write_sample(w);
    must(anser_gguf_put_data(w, (const char[224]){ 0 }, 224));
    ck_assert_int_eq(anser_gguf_finish(w), ANSER_IO);
    require_untouched();
}
END_TEST

START_TEST(bad_targets)
{
    struct anser_gguf_writer *w = NULL;
    ck_assert_int_eq(anser_gguf_create(ctx, test_path("no/t.gguf"), &w),
                     ANSER_IO);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "no/t.gguf"));
    ck_assert_int_eq(anser_gguf_create(ctx, test_path("."), &w), ANSER_IO);
    ck_assert_int_eq(anser_gguf_create(ctx, "/dev/full", &w), ANSER_IO);
    ck_assert_ptr_null(w);
    ck_assert_uint_eq(test_count_files(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gguf");
    TCase *tc = tcase_create("read");
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, written_and_read);
    tcase_add_test(tc, keys_only);
    tcase_add_test(tc, copied_keys);
    tcase_add_test(tc, whole_numbers);
    tcase_add_test(tc, floats_and_texts);
    tcase_add_test(tc, version_2);
    tcase_add_test(tc, no_files);
    suite_add_tcase(suite, tc);
    tc = tcase_create("write");
    tcase_add_checked_fixture(tc, enter, leave);
    tcase_add_test(tc, abandoned);
    tcase_add_test(tc, too_little_and_too_much);
    tcase_add_test(tc, disk_full);
    tcase_add_test(tc, disk_full_at_the_end);
    tcase_add_test(tc, bad_targets);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
