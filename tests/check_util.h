/* SPDX-License-Identifier: MIT */
/*
 * What the suites share: a scratch directory, paths of stored vectors and of
 * fixtures outside the tree, reading numbers, and the tiny model.
 *
 * Everything here fails the running test (ck_abort_msg) where it can't do its
 * work.
 */
#ifndef ANSER_CHECK_UTIL_H
#define ANSER_CHECK_UTIL_H

#include <anser.h>

#include <check.h>
#include <stddef.h>
#include <stdint.h>

/* Runs a suite, its tests in processes of their own if `forked` (not where
 * OpenCL is used), and frees it.  Returns EXIT_SUCCESS or EXIT_FAILURE. */
int test_run(Suite *suite, int forked);

/* A new directory for one test, and its removal with all in it: checked
 * fixtures of a TCase. */
void test_enter(void);
void test_leave(void);

/* The path of a file in that directory.  The last four results are valid. */
const char *test_path(const char *name);

/* Number of files in that directory. */
unsigned test_count_files(void);

/* tests/vectors/NAME of the source tree. */
const char *test_vector(const char *name);

/* The path of a file of the fixtures outside the tree (ANSER_SHARED, else
 * ../shared beside the source tree), or NULL where it isn't there. */
const char *test_shared(const char *name);

anser_ctx *test_ctx(void);

/* n little-endian floats; the caller frees them. */
float *test_read_floats(const char *path, size_t n);

/* n numbers in decimal that follow the line "# title" of a text file; the
 * caller frees them. */
float *test_read_numbers(const char *path, const char *title, size_t n);

void test_write_file(const char *path, const void *data, size_t n);

/* *n bytes; the caller frees them. */
unsigned char *test_read_file(const char *path, size_t *n);

/* The largest |a[i] - b[i]|; infinite where either is no number. */
double test_max_diff(const float *a, const float *b, size_t n);

/* A complete RWKV-7 file of numbers that depend on the seed, the tensor and
 * the position only; tests/vectors/make_vectors.py makes the same ones. */
struct test_tiny {
    uint32_t C, L, F, V, Dw, Da, Dv, Dg;
    const char *type;         /* of matrices; "mixed": all 13 in turn       */
    const char *arch;
    uint64_t seed;
    int no_layer0_v;          /* leaves out blk.0.time_mix_v*               */
    int flat_lerp;            /* [C,6] instead of [C,1,1,6]                 */
    int folded_r_k;           /* [N,H] instead of [C]                       */
    const char *drop_key, *drop_tensor;     /* NULL: none                   */
    const char *add_tensor;   /* a tensor of 32 floats behind the others    */
    const char *set_key;      /* an u32 key with set_value                  */
    uint32_t set_value;
};

/* C 64, L 2, F 128, V 320, ranks 16 24 8 40, F32, rwkv7, seed 7. */
void test_tiny_defaults(struct test_tiny *tiny);
void test_make_tiny(const char *path, const struct test_tiny *tiny);

/* The prompt that goes with the stored logits of tiny models. */
uint32_t test_tiny_prompt(const struct test_tiny *tiny, uint32_t i);
#define TEST_TINY_PROMPT 24

#endif
