/* SPDX-License-Identifier: MIT */
/*
 * Encoders by what their decoders make of the result: the error on normally
 * distributed values, values that a type can hold, and hard groups.
 */
#include "base/encode.h"
#include "check_util.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 65536
#define PI 3.14159265358979
#define SMALLEST 1e-6                /* halves hold no scales for less      */

static const struct anser_block *block_at(int i)
{
    return &anser_blocks[i];
}

static int count_blocks(void)
{
    int n = 0;
    while (anser_blocks[n].name != NULL)
        n++;
    return n;
}

/* Number i of 0..1: the finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static double uniform(uint64_t i)
{
    uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-54;
}

/* x(n) of deviation 1 (Box and Muller 1958). */
static void make_normal(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(sqrt(-2 * log(uniform(2 * i)))
                       * cos(2 * PI * uniform(2 * i + 1)));
}

static void encode(const struct anser_block *block, const float *x, void *to,
                   size_t n)
{
    const struct anser_encoder *encoder =
        anser_encoder_find((uint32_t)block->type);
    ck_assert_ptr_nonnull(encoder);
    encoder->encode(x, to, n);
}

/* Root mean square of the difference that a round trip makes. */
static double round_trip(const struct anser_block *block, const float *x,
                         float *y, size_t n)
{
    double sum = 0;
    void *data = malloc((size_t)anser_block_bytes(block, n));
    ck_assert_ptr_nonnull(data);
    encode(block, x, data, n);
    block->decode(data, y, n);
    free(data);
    for (size_t i = 0; i < n; i++)
        sum += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
    return sqrt(sum / (double)n);
}

/* ------------------------------------------------------------- error */

/* Measured on these values, with 2 % of room. */
static const struct { enum anser_type type; double error; } errors[] = {
    { ANSER_F32, 0 },
    { ANSER_F16, 0.000208 },
    { ANSER_BF16, 0.001667 },
    { ANSER_Q4_0, 0.0811 },
    { ANSER_Q4_1, 0.0695 },
    { ANSER_Q5_0, 0.0401 },
    { ANSER_Q5_1, 0.0336 },
    { ANSER_Q8_0, 0.00535 },
    { ANSER_Q2_K, 0.2644 },
    { ANSER_Q3_K, 0.1433 },
    { ANSER_Q4_K, 0.0701 },
    { ANSER_Q5_K, 0.0349 },
    { ANSER_Q6_K, 0.0171 },
};

START_TEST(error_on_normal_values)
{
    const struct anser_block *block =
        anser_block_find((uint32_t)errors[_i].type);
    static float x[N], y[N];
    make_normal(x, N);
    double error = round_trip(block, x, y, N);
    if (!(error <= 1.02 * errors[_i].error))
        ck_abort_msg("%s: error %.6f, expected %.6f", block->name, error,
                     errors[_i].error);
}
END_TEST

/* Blocks of a type are independent of each other, of their number and of
 * where they stand. */
START_TEST(block_by_block)
{
    const struct anser_block *block = block_at(_i);
    enum { BLOCKS = 11 };
    size_t n = (size_t)BLOCKS * block->length;
    float *x = malloc(n * sizeof *x);
    unsigned char *whole = malloc((size_t)BLOCKS * block->bytes);
    unsigned char *single = malloc((size_t)BLOCKS * block->bytes + 1);
    ck_assert(x != NULL && whole != NULL && single != NULL);
    make_normal(x, n);
    encode(block, x, whole, n);
    for (size_t i = 0; i < BLOCKS; i++)
        encode(block, x + i * block->length, single + 1 + i * block->bytes,
               block->length);
    ck_assert_mem_eq(whole, single + 1, (size_t)BLOCKS * block->bytes);
    free(single);
    free(whole);
    free(x);
}
END_TEST

/* ------------------------------------------------------------- values */

/* What a type can hold it should hold: a second trip changes little. */
START_TEST(values_of_the_type)
{
    const struct anser_block *block = block_at(_i);
    static float x[N], y[N], z[N];
    make_normal(x, N);
    double first = round_trip(block, x, y, N);
    double second = round_trip(block, y, z, N);
    if (block->length == 1)
        ck_assert_mem_eq(y, z, sizeof y);
    else
        ck_assert_msg(second < 0.2 * first, "%s: %.6f after %.6f",
                      block->name, second, first);
}
END_TEST

START_TEST(zeros)
{
    const struct anser_block *block = block_at(_i);
    float x[256] = { 0 }, y[256];
    ck_assert(round_trip(block, x, y, 256) == 0);
}
END_TEST

/* What a group may be made of, as a function of the position. */
static float constant(unsigned i)
{
    return 0.37f + 0 * (float)i;
}

static float negative(unsigned i)
{
    return -2 - (float)uniform(i);
}

static float positive(unsigned i)
{
    return 2 + (float)uniform(i);
}

static float outlier(unsigned i)
{
    return i == 77 ? 40 : (float)uniform(i) - 0.5f;
}

static float large(unsigned i)
{
    return i % 2 ? 65504 : -60000;
}

static float small(unsigned i)
{
    return 1e-6f * ((float)uniform(i) - 0.5f);
}

static float tiny(unsigned i)
{
    return i % 3 ? 1e-30f : -1e-38f;
}

static float ramp(unsigned i)
{
    return (float)i / 256 - 0.5f;
}

/* No value leaves the range of the group (with 0 in it) by more than what the
 * coarsest type has between two of its values. */
START_TEST(hard_groups)
{
    static float (*const makers[])(unsigned) = {
        constant, negative, positive, outlier, large, small, tiny, ramp
    };
    const struct anser_block *block = block_at(_i);
    for (size_t k = 0; k < sizeof makers / sizeof makers[0]; k++) {
        float x[256], y[256], low = 0, high = 0;
        for (unsigned i = 0; i < 256; i++) {
            x[i] = makers[k](i);
            low = x[i] < low ? x[i] : low;
            high = x[i] > high ? x[i] : high;
        }
        double error = round_trip(block, x, y, 256);
        ck_assert_msg(error <= (high - low) / 6 || error < SMALLEST,
                      "%s, group %zu: %g", block->name, k, error);
        for (unsigned i = 0; i < 256; i++)
            ck_assert(y[i] >= low - (high - low) / 2
                      && y[i] <= high + (high - low) / 2);
    }
}
END_TEST

START_TEST(unknown_types)
{
    ck_assert_ptr_null(anser_encoder_find(4));
    ck_assert_ptr_null(anser_encoder_find(9));
    ck_assert_ptr_null(anser_encoder_find(1000));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encode");
    TCase *all = tcase_create("all");
    int n = count_blocks();
    tcase_set_timeout(all, 60);
    tcase_add_loop_test(all, error_on_normal_values, 0,
                        (int)(sizeof errors / sizeof errors[0]));
    tcase_add_loop_test(all, block_by_block, 0, n);
    tcase_add_loop_test(all, values_of_the_type, 0, n);
    tcase_add_loop_test(all, zeros, 0, n);
    tcase_add_loop_test(all, hard_groups, 0, n);
    tcase_add_test(all, unknown_types);
    suite_add_tcase(suite, all);
    return test_run(suite, 1);
}
