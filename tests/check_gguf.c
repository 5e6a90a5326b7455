/* SPDX-License-Identifier: MIT */
/*
 * GGUF files that are good: written, read back and bound; every kind of
 * value.  Writing that fails: check_gguf_write; bad files: check_malformed.
 */
#include "gguf_util.h"

#include "base/v7.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static anser_file *must_open(const char *path)
{
    anser_file *file = NULL;
    gguf_must(anser_file_open(gguf_ctx, path, &file));
    return file;
}

/* -------------------------------------------------------- round trips */

static void check_sample_keys(const anser_file *file)
{
    uint64_t u;
    float f;
    struct anser_gguf_text text;
    gguf_must(anser_gguf_u64(file, "a.u32", &u));
    ck_assert_uint_eq(u, 4000000000u);
    gguf_must(anser_gguf_float(file, "a.f32", &f));
    ck_assert_float_eq(f, 0.25f);
    gguf_must(anser_gguf_string(file, "general.name", &text));
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
    gguf_must(anser_gguf_create(gguf_ctx, path, &w));
    gguf_write_sample(w);
    for (size_t i = 0; i < sizeof data; i += step)
        gguf_must(anser_gguf_put_data(w, data + i, step));
    gguf_must(anser_gguf_finish(w));
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
    gguf_must(anser_gguf_create(gguf_ctx, test_path("k.gguf"), &w));
    gguf_must(anser_gguf_put_string(w, "general.name", ""));
    gguf_must(anser_gguf_finish(w));
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
    gguf_must(anser_gguf_create(gguf_ctx, test_path("a.gguf"), &w));
    gguf_must(anser_gguf_put_u32(w, "general.alignment", 256));
    gguf_write_sample(w);
    gguf_must(anser_gguf_put_data(w, (const char[224]){ 0 }, 224));
    gguf_must(anser_gguf_finish(w));
    anser_file *a = must_open(test_path("a.gguf"));
    gguf_must(anser_gguf_create(gguf_ctx, test_path("b.gguf"), &w));
    for (uint64_t i = 0; i < a->n_keys; i++)
        gguf_must(anser_gguf_put_key(w, &a->keys[i]));
    gguf_must(anser_gguf_put_tensor(w, "x", ANSER_F32, 1, ne));
    gguf_must(anser_gguf_put_tensor(w, "y", ANSER_F32, 1, ne));
    gguf_must(anser_gguf_put_data(w, data, sizeof data));
    gguf_must(anser_gguf_finish(w));
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
        ck_assert_ptr_nonnull(strstr(anser_error(gguf_ctx), "key k"));
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
    gguf_must(anser_gguf_float(file, "k", &f));
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
    ck_assert_ptr_nonnull(strstr(anser_error(gguf_ctx), "none"));
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
    ck_assert_int_eq(anser_file_open(gguf_ctx, path, &file), expected);
    ck_assert_ptr_null(file);
    ck_assert_msg(strstr(anser_error(gguf_ctx), path) == anser_error(gguf_ctx)
                  && strstr(anser_error(gguf_ctx), part) != NULL, "%s",
                  anser_error(gguf_ctx));
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
    ck_assert_int_eq(anser_file_open(gguf_ctx, NULL, &file), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_file_open(gguf_ctx, "x", NULL), ANSER_BAD_ARG);
    anser_file_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gguf");
    TCase *tc = tcase_create("read");
    tcase_add_checked_fixture(tc, gguf_enter, gguf_leave);
    tcase_add_test(tc, written_and_read);
    tcase_add_test(tc, keys_only);
    tcase_add_test(tc, copied_keys);
    tcase_add_test(tc, whole_numbers);
    tcase_add_test(tc, floats_and_texts);
    tcase_add_test(tc, version_2);
    tcase_add_test(tc, no_files);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
