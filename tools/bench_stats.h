/* SPDX-License-Identifier: MIT */
/*
 * The statistics of the benchmark: median, mean and standard deviation (n - 1),
 * quantiles of Student's t, and confidence intervals of a ratio.
 */
#ifndef ANSER_TOOLS_BENCH_STATS_H
#define ANSER_TOOLS_BENCH_STATS_H

#include <stddef.h>

/* Of x(n), n > 0; sd is 0 for n = 1. */
struct anser_bench_summary { double median, mean, sd; };
struct anser_bench_summary anser_bench_summarise(const double *x, size_t n);

/* t with P(|T| <= t) = confidence at df > 0 degrees of freedom. */
double anser_bench_t(double confidence, double df);

/* B against A as a ratio of geometric means, with its interval. */
struct anser_bench_ratio {
    double ratio, low, high;
    double df;                       /* 0: too few values for an interval   */
};

/* a(n) and b(n) taken in turn, i with i: t interval of the mean of
 * log(b / a), which drift that a pair shares does not widen. */
struct anser_bench_ratio anser_bench_paired(const double *a, const double *b,
                                            size_t n, double confidence);

/* a(na) and b(nb) taken independently: Welch's interval of the difference of
 * the means of the logarithms. */
struct anser_bench_ratio anser_bench_unpaired(const double *a, size_t na,
                                              const double *b, size_t nb,
                                              double confidence);

#endif
