/* SPDX-License-Identifier: MIT */
/*
 * The files of random models: the same bytes everywhere, a vocabulary of
 * distinct pieces, and nothing left after a failure.
 */
#include "base/gguf.h"
#include "synth_util.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TINY_V 512

static anser_file *open_file(anser_ctx *ctx, const char *path)
{
    anser_file *file = NULL;
    if (anser_file_open(ctx, path, &file) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return file;
}

/* ------------------------------------------------------------- the same */

static uint64_t hash_file(const char *path)
{
    size_t n = 0;
    unsigned char *data = test_read_file(path, &n);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    free(data);
    return hash;
}

/* The stored hashes are this platform's and must be every other's. */
START_TEST(same_bytes_everywhere)
{
    static const uint64_t hashes[] = {
        UINT64_C(0x1a97271b2ac7308d), UINT64_C(0x0238a72712ae0503),
        UINT64_C(0x1d2871eee332aff7), UINT64_C(0x57fc7c6ef5c3273e),
        UINT64_C(0x2d56fd843395dfe2)
    };
    synth_write_tiny(test_path("1"), synth_types[_i], NULL, 7);
    synth_write_tiny(test_path("2"), synth_types[_i], NULL, 7);
    synth_write_tiny(test_path("3"), synth_types[_i], NULL, 8);
    uint64_t hash = hash_file(test_path("1"));
    ck_assert_uint_eq(hash, hash_file(test_path("2")));
    ck_assert_uint_ne(hash, hash_file(test_path("3")));
    ck_assert_msg(hash == hashes[_i], "%s: %016llx", synth_types[_i],
                  (unsigned long long)hash);
}
END_TEST

/* ------------------------------------------------------------- vocabulary */

/* Byte b is id b + 1, every other piece is distinct, and the ends are empty. */
START_TEST(made_up_vocabulary)
{
    anser_ctx *ctx = test_ctx();
    anser_vocab *vocab = NULL;
    synth_write_tiny(test_path("m.gguf"), NULL, NULL, 0);
    anser_file *file = open_file(ctx, test_path("m.gguf"));
    ck_assert_int_eq(anser_vocab_new(file, &vocab), ANSER_OK);
    ck_assert_uint_eq(anser_vocab_size(vocab), TINY_V);
    ck_assert_uint_eq(anser_vocab_eos(vocab), 0);
    for (uint32_t id = 0; id < TINY_V; id++) {
        const char *text = NULL;
        size_t n = 0, count = 0;
        uint32_t back = 0;
        ck_assert_int_eq(anser_decode(vocab, id, &text, &n), ANSER_OK);
        if (id == 0 || id >= TINY_V - 6) {
            ck_assert_uint_eq(n, 0);
            continue;
        }
        if (id <= 256)
            ck_assert(n == 1 && (unsigned char)*text == id - 1);
        ck_assert_int_eq(anser_encode(vocab, text, n, &back, 1, &count),
                         ANSER_OK);
        ck_assert_uint_eq(count, 1);
        ck_assert_uint_eq(back, id);
    }
    anser_vocab_free(vocab);
    anser_file_close(file);
    anser_ctx_free(ctx);
}
END_TEST

/* ------------------------------------------------------------- failures */

START_TEST(refuses_what_it_does_not_know)
{
    anser_ctx *ctx = test_ctx();
    const char *path = test_path("m.gguf");
    struct anser_synth_options o = synth_tiny();
    o.preset = "3b";
    ck_assert_int_eq(anser_synth(ctx, &o, path), ANSER_BAD_ARG);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "2.9b"));
    o = synth_tiny();
    o.preset = NULL;
    ck_assert_int_eq(anser_synth(ctx, &o, path), ANSER_BAD_ARG);
    o = synth_tiny();
    o.type = "q4_0";
    ck_assert_int_eq(anser_synth(ctx, &o, path), ANSER_BAD_ARG);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "q4_k_m"));
    o = synth_tiny();
    o.variant = "upside-down";
    ck_assert_int_eq(anser_synth(ctx, &o, path), ANSER_BAD_ARG);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "no-layer0-v"));
    o = synth_tiny();
    o.size = 8;
    ck_assert_int_eq(anser_synth(ctx, &o, path), ANSER_BAD_ARG);
    ck_assert_int_eq(anser_synth(ctx, NULL, path), ANSER_BAD_ARG);
    o = synth_tiny();
    o.vocab = test_path("nothing.txt");
    ck_assert_int_ne(anser_synth(ctx, &o, path), ANSER_OK);
    ck_assert_uint_eq(test_count_files(), 0);
    anser_ctx_free(ctx);
}
END_TEST

static int stop_halfway(void *user, double part)
{
    double *last = user;
    ck_assert(part >= *last && part <= 1);
    *last = part;
    return part > 0.5;
}

START_TEST(cancelled_leaves_nothing)
{
    anser_ctx *ctx = test_ctx();
    double last = 0;
    struct anser_synth_options o = synth_tiny();
    o.progress = stop_halfway;
    o.progress_user = &last;
    ck_assert_int_eq(anser_synth(ctx, &o, test_path("m.gguf")),
                     ANSER_CANCELLED);
    ck_assert(last > 0.5);
    ck_assert_uint_eq(test_count_files(), 0);
    anser_ctx_free(ctx);
}
END_TEST

/* A limit on the size of files stands for a full disk; an older file of the
 * name stays as it was. */
START_TEST(full_disk_leaves_nothing)
{
    anser_ctx *ctx = test_ctx();
    struct anser_synth_options o = synth_tiny();
    struct rlimit limit;
    size_t n = 0;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    test_write_file(test_path("old.gguf"), "old", 3);
    limit.rlim_cur = 1000000;        /* the file would have 3 MB            */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(anser_synth(ctx, &o, test_path("new.gguf")), ANSER_IO);
    ck_assert_int_eq(anser_synth(ctx, &o, test_path("old.gguf")), ANSER_IO);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "old.gguf"));
    ck_assert_uint_eq(test_count_files(), 1);
    unsigned char *old = test_read_file(test_path("old.gguf"), &n);
    ck_assert(n == 3 && memcmp(old, "old", 3) == 0);
    free(old);
    anser_ctx_free(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("synth_file");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, test_enter, test_leave);
    tcase_add_loop_test(files, same_bytes_everywhere, 0, 5);
    tcase_add_test(files, made_up_vocabulary);
    tcase_add_test(files, refuses_what_it_does_not_know);
    tcase_add_test(files, cancelled_leaves_nothing);
    tcase_add_test(files, full_disk_leaves_nothing);
    suite_add_tcase(suite, files);
    return test_run(suite, 1);
}
