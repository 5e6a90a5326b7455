/* SPDX-License-Identifier: MIT */
/* The base without files: status texts, errors, half precision, blocks. */
#include "check_util.h"

#include "base/block.h"
#include "base/ctx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------- status and errors */

START_TEST(status_texts)
{
    const char *seen[ANSER_CANCELLED + 1];
    for (int i = ANSER_OK; i <= ANSER_CANCELLED; i++) {
        seen[i] = anser_status_text((enum anser_status)i);
        ck_assert_str_ne(seen[i], "unknown status");
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(seen[i], seen[j]);
    }
    ck_assert_str_eq(anser_status_text((enum anser_status)1000),
                     "unknown status");
}
END_TEST

START_TEST(version)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", ANSER_VERSION_MAJOR,
             ANSER_VERSION_MINOR, ANSER_VERSION_PATCH);
    ck_assert_str_eq(anser_version_string(), text);
    ck_assert_int_eq(anser_version(), ANSER_VERSION);
}
END_TEST

START_TEST(errors_are_kept)
{
    anser_ctx *ctx = test_ctx();
    ck_assert_str_eq(anser_error(ctx), "");
    ck_assert_int_eq(anser_fail(ctx, ANSER_IO, "%s: %d", "x", 5), ANSER_IO);
    ck_assert_str_eq(anser_error(ctx), "x: 5");
    ck_assert_int_eq(anser_fail_memory(ctx, 77), ANSER_NO_MEMORY);
    ck_assert_ptr_nonnull(strstr(anser_error(ctx), "77 bytes"));
    ck_assert_int_eq(anser_fail(NULL, ANSER_IO, "no context"), ANSER_IO);
    anser_ctx_free(ctx);
    anser_ctx_free(NULL);
}
END_TEST

static void keep_line(void *user, int level, const char *line)
{
    snprintf(user, 64, "%d %s", level, line);
}

START_TEST(log_lines)
{
    char line[64] = "";
    anser_ctx *ctx = test_ctx();
    anser_log(ctx, 1, "dropped");
    anser_log_to(ctx, keep_line, line);
    anser_log(ctx, 2, "%s %d", "kept", 3);
    ck_assert_str_eq(line, "2 kept 3");
    anser_ctx_free(ctx);
}
END_TEST

/* --------------------------------------------------------------- half */

/* The value of a half from its definition. */
static double half_value(unsigned h)
{
    unsigned exponent = h >> 10 & 31, fraction = h & 1023;
    double sign = h & 0x8000 ? -1.0 : 1.0;
    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, -24);
    return sign * ldexp(1024 + fraction, (int)exponent - 25);
}

/* All 65536, there and back. */
START_TEST(half_all)
{
    for (unsigned h = 0; h < 65536; h++) {
        double expected = half_value(h);
        float f = anser_half_to_float((uint16_t)h);
        if (isnan(expected)) {
            ck_assert(isnan(f));
            ck_assert(isnan(half_value(anser_float_to_half(f))));
            continue;
        }
        ck_assert_msg(f == expected && !signbit(f) == !signbit(expected),
                      "half 0x%04x gave %g", h, (double)f);
        ck_assert_uint_eq(anser_float_to_half(f), h);
    }
}
END_TEST

/* Between every two neighbours: below, at and above the middle. */
START_TEST(half_rounding)
{
    for (unsigned h = 0; h < 0x7bff; h++) {
        float middle = (float)((half_value(h) + half_value(h + 1)) / 2);
        unsigned even = h & 1 ? h + 1 : h;
        ck_assert_uint_eq(anser_float_to_half(middle), even);
        ck_assert_uint_eq(anser_float_to_half(nextafterf(middle, 0)), h);
        ck_assert_uint_eq(anser_float_to_half(nextafterf(middle, 1e9f)),
                          h + 1);
        ck_assert_uint_eq(anser_float_to_half(-middle), even | 0x8000);
    }
}
END_TEST

START_TEST(half_limits)
{
    ck_assert_uint_eq(anser_float_to_half(65504.0f), 0x7bff);
    ck_assert_uint_eq(anser_float_to_half(65519.9f), 0x7bff);
    ck_assert_uint_eq(anser_float_to_half(65520.0f), 0x7c00);
    ck_assert_uint_eq(anser_float_to_half(1e38f), 0x7c00);
    ck_assert_uint_eq(anser_float_to_half(-INFINITY), 0xfc00);
    ck_assert_uint_eq(anser_float_to_half(0x1p-25f), 0);
    ck_assert_uint_eq(anser_float_to_half(0x1.000002p-25f), 1);
    ck_assert_uint_eq(anser_float_to_half(-1e-30f), 0x8000);
    ck_assert_uint_eq(anser_float_to_half(1e-45f), 0);
}
END_TEST

/* ------------------------------------------------------------- blocks */

/* Sizes and numbers from the format, written down a second time. */
static const struct {
    unsigned type;
    const char *name;
    unsigned length, bytes;
} expected_types[] = {
    { 0, "F32", 1, 4 },       { 1, "F16", 1, 2 },      { 2, "Q4_0", 32, 18 },
    { 3, "Q4_1", 32, 20 },    { 6, "Q5_0", 32, 22 },   { 7, "Q5_1", 32, 24 },
    { 8, "Q8_0", 32, 34 },    { 10, "Q2_K", 256, 84 },
    { 11, "Q3_K", 256, 110 }, { 12, "Q4_K", 256, 144 },
    { 13, "Q5_K", 256, 176 }, { 14, "Q6_K", 256, 210 }, { 30, "BF16", 1, 2 }
};
enum { N_TYPES = sizeof expected_types / sizeof expected_types[0] };

START_TEST(block_table)
{
    unsigned n = 0;
    for (const struct anser_block *b = anser_blocks; b->name != NULL; b++)
        n++;
    ck_assert_uint_eq(n, N_TYPES);
    for (unsigned i = 0; i < N_TYPES; i++) {
        const struct anser_block *b =
            anser_block_find(expected_types[i].type);
        ck_assert_ptr_nonnull(b);
        ck_assert_str_eq(b->name, expected_types[i].name);
        ck_assert_uint_eq(b->length, expected_types[i].length);
        ck_assert_uint_eq(b->bytes, expected_types[i].bytes);
        ck_assert_uint_eq(anser_block_bytes(b, 512),
                          512 / b->length * b->bytes);
        ck_assert_ptr_eq(anser_block_named(b->name), b);
    }
    ck_assert_ptr_eq(anser_block_named("q4_k"), anser_block_find(12));
    ck_assert_ptr_null(anser_block_named("Q4_"));
    ck_assert_ptr_null(anser_block_named("Q4_KM"));
    ck_assert_ptr_null(anser_block_find(4));
    ck_assert_ptr_null(anser_block_find(15));
    ck_assert_ptr_null(anser_block_find(UINT32_MAX));
}
END_TEST

/* SplitMix64's finaliser, as in make_vectors.py. */
static unsigned char random_byte(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (unsigned char)(z ^ z >> 31);
}

/* Bit for bit what the other implementation decodes; src is unaligned. */
static void compare_block(const char *name, int half1, int half2)
{
    const struct anser_block *block = anser_block_named(name);
    unsigned char src[513];
    float got[256];
    size_t bytes = (size_t)anser_block_bytes(block, 256);
    uint64_t seed = (UINT64_C(0xb10c) << 48)
                    + ((uint64_t)block->type << 32);
    for (size_t i = 0; i < bytes; i++)
        src[1 + i] = random_byte(seed + i);
    for (size_t i = 1; i < bytes; i += block->bytes) {
        src[i + half1 + 1] &= 0xbf;
        if (half2 >= 0)
            src[i + half2 + 1] &= 0xbf;
    }
    block->decode(src + 1, got, 256);
    float *expected = test_read_numbers(test_vector("blocks.txt"), name, 256);
    for (int i = 0; i < 256; i++)
        ck_assert_msg(memcmp(&got[i], &expected[i], 4) == 0,
                      "%s element %d: %.9g, expected %.9g", name, i,
                      (double)got[i], (double)expected[i]);
    free(expected);
}

START_TEST(blocks_against_vectors)
{
    compare_block("F16", 0, -1);
    compare_block("Q4_0", 0, -1);
    compare_block("Q4_1", 0, 2);
    compare_block("Q5_0", 0, -1);
    compare_block("Q5_1", 0, 2);
    compare_block("Q8_0", 0, -1);
    compare_block("Q2_K", 80, 82);
    compare_block("Q3_K", 108, -1);
    compare_block("Q4_K", 0, 2);
    compare_block("Q5_K", 0, 2);
    compare_block("Q6_K", 208, -1);
}
END_TEST

enum { ONE = 0x3c00, TWO = 0x4000 };         /* as halves                   */

static void put_half(unsigned char *at, uint16_t half)
{
    memcpy(at, &half, sizeof half);
}

/* One element of a block of zeros set, at places found by hand. */
static void one_element(const char *name, const unsigned char *src,
                        unsigned at, float value)
{
    const struct anser_block *block = anser_block_named(name);
    float got[256];
    block->decode(src, got, block->length);
    ck_assert_msg(got[at] == value, "%s[%u] is %g, expected %g", name, at,
                  (double)got[at], (double)value);
}

START_TEST(blocks_by_hand_32)
{
    unsigned char b[34] = { 0 };
    put_half(b, TWO);
    b[2 + 3] = 0xa1;                 /* Q4_0: 1 at 3, 10 at 19              */
    one_element("Q4_0", b, 3, 2 * (1 - 8));
    one_element("Q4_0", b, 19, 2 * (10 - 8));
    memset(b, 0, sizeof b);
    put_half(b, TWO);
    put_half(b + 2, ONE);
    b[4 + 15] = 0x70;
    one_element("Q4_1", b, 31, 2 * 7 + 1);
    one_element("Q4_1", b, 15, 1);
    memset(b, 0, sizeof b);
    put_half(b, ONE);
    b[2 + 2] = 0x02;                 /* Q5_0: fifth bit of 17               */
    b[6 + 1] = 0x30;
    one_element("Q5_0", b, 17, 16 + 3 - 16);
    one_element("Q5_0", b, 1, -16);
    memset(b, 0, sizeof b);
    put_half(b, ONE);
    put_half(b + 2, TWO);
    b[4] = 0x10;                     /* Q5_1: fifth bit of 4                */
    b[8 + 4] = 0x05;
    one_element("Q5_1", b, 4, 16 + 5 + 2);
    memset(b, 0, sizeof b);
    put_half(b, TWO);
    b[2 + 31] = 0x80;
    one_element("Q8_0", b, 31, -256);
}
END_TEST

START_TEST(blocks_by_hand_256)
{
    unsigned char b[210] = { 0 };
    put_half(b, ONE);                /* Q4_K: d 1, dmin 2                   */
    put_half(b + 2, TWO);
    b[4 + 1] = 3;                    /* scale 3, min 5 of sub-block 1       */
    b[4 + 5] = 5;
    b[16 + 7] = 0x90;                /* 9 at 32 + 7                         */
    one_element("Q4_K", b, 39, 3 * 9 - 2 * 5);
    one_element("Q4_K", b, 32, -2 * 5);
    b[4 + 8] = 0x24;                 /* sub-block 4: scale 4, min 2, and    */
    b[4 + 0] = 0x80;                 /* ... two high bits: 4 + 32           */
    b[16 + 64 + 1] = 0x01;
    one_element("Q4_K", b, 129, (4 + 32) * 1 - 2 * 2);
    memset(b, 0, sizeof b);
    put_half(b, ONE);
    b[4 + 2] = 7;                    /* Q5_K: sub-block 2, fifth bit of 9   */
    b[16 + 9] = 1 << 2;
    b[48 + 32 + 9] = 0x0f;
    one_element("Q5_K", b, 73, 7 * 31);
    memset(b, 0, sizeof b);
    put_half(b + 208, ONE);
    b[192 + 13] = 0xfe;              /* Q6_K: scale -2 of 128 + 80..95      */
    b[64 + 32 + 16] = 0x0f;          /* low bits of 128 + 32 + 16           */
    b[64 + 16] = 0x60;               /* low bits of 128 + 64 + 16: 6        */
    b[128 + 32 + 16] = 0x30;         /* its high bits: 3                    */
    one_element("Q6_K", b, 208, -2 * (6 + 48 - 32));
    memset(b, 0, sizeof b);
    put_half(b + 80, TWO);
    put_half(b + 82, ONE);
    b[15] = 0x43;                    /* Q2_K: the last 16: scale 3, min 4   */
    b[16 + 63] = 0xc0;
    one_element("Q2_K", b, 255, 2 * 3 * 3 - 4);
    memset(b, 0, sizeof b);
    put_half(b + 108, ONE);
    b[96 + 1] = 0x05;                /* Q3_K: scale of sub-block 1: 5 - 32  */
    b[32 + 17] = 0x02;               /* 2 at 17, its mask bit clear         */
    one_element("Q3_K", b, 17, (5 - 32) * (2 - 4));
    b[17] = 1;                       /* ... and set                         */
    one_element("Q3_K", b, 17, (5 - 32) * 2);
}
END_TEST

START_TEST(blocks_plain)
{
    const float values[3] = { 1.5f, -0.0f, 3e38f };
    const unsigned char bf16[4] = { 0x80, 0x3f, 0x40, 0xc0 };
    unsigned char src[13];
    float got[3];
    memcpy(src + 1, values, sizeof values);
    anser_block_named("F32")->decode(src + 1, got, 3);
    ck_assert_mem_eq(got, values, sizeof values);
    anser_block_named("BF16")->decode(bf16, got, 2);
    ck_assert_float_eq(got[0], 1.0f);
    ck_assert_float_eq(got[1], -3.0f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tc = tcase_create("status");
    tcase_add_test(tc, status_texts);
    tcase_add_test(tc, version);
    tcase_add_test(tc, errors_are_kept);
    tcase_add_test(tc, log_lines);
    suite_add_tcase(suite, tc);
    tc = tcase_create("half");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, half_all);
    tcase_add_test(tc, half_rounding);
    tcase_add_test(tc, half_limits);
    suite_add_tcase(suite, tc);
    tc = tcase_create("blocks");
    tcase_add_test(tc, block_table);
    tcase_add_test(tc, blocks_against_vectors);
    tcase_add_test(tc, blocks_by_hand_32);
    tcase_add_test(tc, blocks_by_hand_256);
    tcase_add_test(tc, blocks_plain);
    suite_add_tcase(suite, tc);
    return test_run(suite, 1);
}
