/* SPDX-License-Identifier: MIT */
/*
 * The reader of the World list; and, where the list and the fixture stand
 * beside the tree, all of the World vocabulary and every case of the fixture.
 */
#include "base/world.h"
#include "text_util.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool open_world(void)
{
    const char *path = test_shared("data/rwkv_vocab_v20230424.txt");
    struct anser_world world;
    if (path == NULL)
        return false;
    test_ok(anser_world_read(test_text_ctx, path, &world));
    struct test_vocab v = { "rwkv", world.tokens, world.types, ANSER_WORLD_V,
                      ANSER_WORLD_V, 0 };
    test_ok(test_vocab_open(&v));
    anser_world_free(&world);
    return true;
}

/* One case, at {"hex":"...","ids":[...]}; what follows it, or NULL. */
static const char *check_case(const char *at)
{
    char text[512];
    uint32_t ids[512];
    size_t n = 0, count = 0;
    unsigned byte;
    at = strstr(at, "\"hex\":\"");
    if (at == NULL)
        return NULL;
    for (at += 7; sscanf(at, "%2x", &byte) == 1; at += 2) {
        ck_assert_uint_lt(n, sizeof text);
        text[n++] = (char)byte;
    }
    at = strstr(at, "\"ids\":[");
    ck_assert_ptr_nonnull(at);
    for (at += 7; *at != '\0' && at[-1] != ']'; at++) {
        char *end;
        ck_assert_uint_lt(count, 512);
        ids[count++] = (uint32_t)strtoul(at, &end, 10);
        at = end;
    }
    test_expect_ids(text, n, ids, count);
    return at;
}

START_TEST(fixture)
{
    const char *path = test_shared("fixtures/tokenizer.json");
    unsigned done = 0;
    size_t n;
    if (path == NULL || !open_world())
        return;
    char *cases = (char *)test_read_file(path, &n);
    cases[n - 1] = '\0';             /* the closing bracket                 */
    for (const char *at = cases; (at = check_case(at)) != NULL; done++)
        continue;
    ck_assert_uint_eq(done, 183);
    free(cases);
}
END_TEST

START_TEST(vocabulary)
{
    if (!open_world())
        return;
    ck_assert_uint_eq(anser_vocab_size(test_text_vocab), 65536);
    for (uint32_t id = 0; id < 65536; id++) {
        const char *bytes;
        size_t n;
        test_ok(anser_decode(test_text_vocab, id, &bytes, &n));
        ck_assert_int_eq(n > 0, id >= 1 && id <= 65529);
        if (n > 0)
            test_expect_ids(bytes, n, &id, 1);
    }
    test_expect_round_trips();
}
END_TEST

START_TEST(refuses_other_lists)
{
    static const char *const bad[] = {
        "2 'a' 1\n", "1 'a' 2\n", "1 'a 1\n", "1 'a\\q' 2\n",
        "1 b'\\u0041' 1\n",
        "1 '\\x4' 1\n", "1 a 1\n", "1 'a'\n", "hello\n", "1 '' 0\n",
        "1 'a' 1 \n", "1 'a' 1\n\n2 'b' 1\n",
    };
    struct anser_world world;
    const char *path = test_path("list.txt");
    test_write_file(path, bad[_i], strlen(bad[_i]));
    ck_assert_int_eq(anser_world_read(test_text_ctx, path, &world),
                     ANSER_BAD_FILE);
    ck_assert_ptr_nonnull(strstr(anser_error(test_text_ctx), "line "));
}
END_TEST

START_TEST(reads_literals)
{
    static const char list[] =
        "1 'a\\'\\x80' 4\n2 b'\\x80\"' 2\n3 \"it's\" 4\n4 '\\u65e5\\n' 4\n"
        "5 '\\'\"' 2\n6 '\\U0001f600\\\\' 5";
    static const char *const want[] = {
        "<s>", "a'\\xc2\\x80", "\\x80\"", "it's", "\\xe6\\x97\\xa5\\n",
        "\\'\"", "\\xf0\\x9f\\x98\\x80\\\\", "[PAD7]",
    };
    struct anser_world world;
    const char *path = test_path("list.txt");
    test_write_file(path, list, sizeof list - 1);
    test_ok(anser_world_read(test_text_ctx, path, &world));
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        ck_assert_uint_eq(world.tokens[i].n, strlen(want[i]));
        ck_assert_int_eq(memcmp(world.tokens[i].at, want[i],
                                strlen(want[i])), 0);
        ck_assert_int_eq(world.types[i], i == 0 ? 3 : i == 7 ? 5 : 1);
    }
    anser_world_free(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("world");
    TCase *tests = tcase_create("world");
    tcase_add_checked_fixture(tests, test_text_enter, test_text_leave);
    tcase_add_test(tests, fixture);
    tcase_add_test(tests, vocabulary);
    tcase_add_loop_test(tests, refuses_other_lists, 0, 12);
    tcase_add_test(tests, reads_literals);
    suite_add_tcase(suite, tests);
    return test_run(suite, 1);
}
