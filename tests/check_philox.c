/* SPDX-License-Identifier: MIT */
/*
 * The integer parts of the sampler that host and device share: Philox against
 * the known answers published with it (Random123, kat_vectors), and weights
 * against exp.
 */
#include "check_util.h"
#include "philox.h"
#include "weight.h"

#include <math.h>
#include <string.h>

START_TEST(philox_known_answers)
{
    static const uint32_t cases[][10] = {      /* counter, key, answer      */
        { 0, 0, 0, 0, 0, 0,
          0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
          0xffffffff, 0xffffffff,
          0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344,
          0xa4093822, 0x299f31d0,
          0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 },
    };
    const uint32_t *c = cases[_i];
    uint32_t x[4] = { c[0], c[1], c[2], c[3] };
    anser_philox(x, c[4], c[5]);
    ck_assert_int_eq(memcmp(x, c + 6, sizeof x), 0);
}
END_TEST

START_TEST(weight_is_exp)
{
    const double one = 549755813888.0;          /* 2^39                     */
    uint64_t before = anser_weight(0);
    ck_assert_uint_eq(before, 549755813888u);
    for (float d = 0; d < 27.0f; d += 0.000731f) {
        double want = one * exp(-(double)d);
        uint64_t got = anser_weight(d);
        ck_assert_msg(fabs((double)got - want) <= 1 + want * 7e-8,
                      "weight(%.9g) is %.0f, expected %.3f", (double)d,
                      (double)got, want);
        ck_assert_uint_le(got, before);
        before = got;
    }
    ck_assert_uint_ge(anser_weight(27.031f), 1);
    ck_assert_uint_eq(anser_weight(27.04f), 0);
    ck_assert_uint_eq(anser_weight(INFINITY), 0);
    ck_assert_uint_eq(anser_weight(NAN), 0);
    ck_assert_uint_eq(anser_weight(3e38f), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("philox");
    TCase *tests = tcase_create("philox");
    tcase_add_loop_test(tests, philox_known_answers, 0, 3);
    tcase_add_test(tests, weight_is_exp);
    suite_add_tcase(suite, tests);
    return test_run(suite, 1);
}
