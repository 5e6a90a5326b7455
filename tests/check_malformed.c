/* SPDX-License-Identifier: MIT */
/*
 * Damaged and foreign files: every case of malformed_*.c must be refused with
 * one line that names the file and what is wrong in it, whatever the bytes
 * are.  Meant to run under AddressSanitizer and UBSan too.
 */
#include "check_util.h"

#include "base/v7.h"
#include "malformed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void make_good(const char *path)
{
    struct test_tiny tiny;
    test_tiny_defaults(&tiny);
    test_make_tiny(path, &tiny);
}

static anser_file *open_good(anser_ctx *ctx)
{
    anser_file *file = NULL;
    make_good(test_path("good.gguf"));
    if (anser_file_open(ctx, test_path("good.gguf"), &file) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return file;
}

/* Opens the file, and the model in it. */
static enum anser_status try_model(anser_ctx *ctx, const char *path)
{
    anser_file *file;
    struct anser_v7_file v7;
    TRY(anser_file_open(ctx, path, &file));
    enum anser_status status = anser_v7_bind(file, &v7);
    if (status == ANSER_OK)
        anser_v7_unbind(&v7);
    anser_file_close(file);
    return status;
}

static void require_line(const char *text, const char *path,
                         const char *expected)
{
    ck_assert_msg(strlen(text) > 0, "no message for %s", path);
    for (const char *c = text; *c != '\0'; c++)
        ck_assert_msg((unsigned char)*c >= ' ', "control character: %s", text);
    ck_assert_msg(strstr(text, path) == text, "no path: %s", text);
    ck_assert_msg(strstr(text, "; ") != NULL, "no advice: %s", text);
    if (expected != NULL)
        ck_assert_msg(strstr(text + strlen(path), expected) != NULL,
                      "no \"%s\": %s", expected, text);
}

static void require_refusal(const struct malformed *m, const char *path,
                            int at_open)
{
    anser_ctx *ctx = test_ctx();
    anser_file *file = NULL;
    enum anser_status opened = anser_file_open(ctx, path, &file);
    enum anser_status status = opened;
    if (opened == ANSER_OK) {
        struct anser_file_info info = { .size = sizeof info };
        status = anser_file_info(file, &info);
        anser_file_close(file);
    } else {
        ck_assert_ptr_null(file);
    }
    ck_assert_msg((opened != ANSER_OK) == at_open, "%s: open gave %s",
                  m->name, anser_status_text(opened));
    ck_assert_msg(status == ANSER_BAD_FILE || status == ANSER_UNSUPPORTED,
                  "%s: %s", m->name, anser_status_text(status));
    require_line(anser_error(ctx), path, m->expected);
    anser_ctx_free(ctx);
}

/* Where a case's file goes. */
static const char *case_path(const struct malformed *m)
{
    static char path[1024];
    const char *keep = getenv("ANSER_KEEP_MALFORMED");
    char name[64];
    snprintf(name, sizeof name, "%s.gguf", m->name);
    if (keep != NULL && *keep != '\0')
        snprintf(path, sizeof path, "%s/%s", keep, name);
    else
        snprintf(path, sizeof path, "%s", test_path(name));
    return path;
}

static unsigned refuse_all(const struct malformed *cases, int at_open)
{
    anser_ctx *ctx = test_ctx();
    anser_file *good = open_good(ctx);
    unsigned n = 0;
    for (const struct malformed *m = cases; m->name != NULL; m++, n++) {
        size_t bytes;
        unsigned char *at = malformed_bytes(m, good, &bytes);
        const char *path = case_path(m);
        test_write_file(path, at, bytes);
        require_refusal(m, path, at_open);
        free(at);
    }
    anser_file_close(good);
    anser_ctx_free(ctx);
    return n;
}

START_TEST(container)
{
    ck_assert_uint_ge(refuse_all(malformed_container, 1), 50);
}
END_TEST

START_TEST(tensors)
{
    ck_assert_uint_ge(refuse_all(malformed_tensors, 1), 30);
}
END_TEST

START_TEST(models)
{
    ck_assert_uint_ge(refuse_all(malformed_model, 0), 50);
}
END_TEST

/* The forge itself changes nothing: else the cases would prove nothing. */
START_TEST(unaltered)
{
    anser_ctx *ctx = test_ctx();
    anser_file *good = open_good(ctx);
    const struct malformed none = { .name = "none" };
    size_t n, m;
    unsigned char *at = malformed_bytes(&none, good, &n);
    unsigned char *whole = test_read_file(test_path("good.gguf"), &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(at, whole, n);
    test_write_file(test_path("same.gguf"), at, n);
    ck_assert_int_eq(try_model(ctx, test_path("same.gguf")), ANSER_OK);
    free(whole);
    free(at);
    anser_file_close(good);
    anser_ctx_free(ctx);
}
END_TEST

/* Cut at every byte of the header and the records, and at some of the data:
 * the last byte that a tensor needs is missing, so all are refused. */
START_TEST(truncated)
{
    anser_ctx *ctx = test_ctx();
    anser_file *good = open_good(ctx);
    long head = (long)good->tensors[0].offset, n = (long)good->bytes;
    anser_file_close(good);
    const char *path = test_path("good.gguf");
    for (n--; n > 0; n -= n > head ? 4099 : 1) {
        ck_assert_int_eq(truncate(path, n), 0);
        ck_assert_msg(try_model(ctx, path) == ANSER_BAD_FILE
                      || n < 4, "cut to %ld bytes", n);
        require_line(anser_error(ctx), path, NULL);
    }
    anser_ctx_free(ctx);
}
END_TEST

/* Random bytes in the head: opened or refused, never more. */
START_TEST(scribbled)
{
    enum { ROUNDS = 3000 };
    anser_ctx *ctx = test_ctx();
    anser_file *good = open_good(ctx);
    size_t head = (size_t)good->tensors[0].offset, n;
    anser_file_close(good);
    unsigned char *bytes = test_read_file(test_path("good.gguf"), &n);
    const char *path = test_path("scribbled.gguf");
    uint64_t random = 1;
    unsigned refused = 0;
    for (int i = 0; i < ROUNDS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(random >> 33) % head;
        unsigned char old = bytes[at];
        bytes[at] = (unsigned char)(random >> 17);
        /* The data need not be there to be counted. */
        test_write_file(path, bytes, head);
        ck_assert_int_eq(truncate(path, (long)n), 0);
        if (try_model(ctx, path) != ANSER_OK) {
            require_line(anser_error(ctx), path, NULL);
            refused++;
        }
        bytes[at] = old;
    }
    ck_assert_uint_gt(refused, ROUNDS / 20);
    free(bytes);
    anser_ctx_free(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("malformed");
    TCase *tc = tcase_create("malformed");
    tcase_add_checked_fixture(tc, test_enter, test_leave);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, unaltered);
    tcase_add_test(tc, container);
    tcase_add_test(tc, tensors);
    tcase_add_test(tc, models);
    tcase_add_test(tc, truncated);
    tcase_add_test(tc, scribbled);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
