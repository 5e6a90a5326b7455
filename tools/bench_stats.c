/* SPDX-License-Identifier: MIT */
/*
 * Statistics of the benchmark; see bench_stats.h.  The distribution of t comes
 * from the regularised incomplete beta function by its continued fraction
 * (Abramowitz and Stegun 26.5.8, 26.7.1), the quantile by bisection.
 */
#include "bench_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const double *x, size_t n)
{
    double *sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL)
        return NAN;
    memcpy(sorted, x, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    const double m = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    free(sorted);
    return m;
}

struct anser_bench_summary anser_bench_summarise(const double *x, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    return (struct anser_bench_summary){
        .median = median_of(x, n), .mean = mean,
        .sd = n > 1 ? sqrt(squares / (double)(n - 1)) : 0
    };
}

/* ------------------------------------------------------------- Student's t */

/* The continued fraction of I_x(a, b), by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m < 500; m++) {
        double step = 1;
        for (int odd = 0; odd < 2; odd++) {
            const double e = odd
                ? -(a + m) * (a + b + m) * x
                      / ((a + 2 * m) * (a + 2 * m + 1))
                : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            d = 1 + e * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + e / c;
            c = fabs(c) < tiny ? tiny : c;
            step = c * d;
            h *= step;
        }
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return h;
}

/* I_x(a, b) */
static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b)
                             + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double anser_bench_t(double confidence, double df)
{
    double low = 0, high = 1e8;
    for (int i = 0; i < 200; i++) {
        const double t = (low + high) / 2;
        const double outside = incomplete_beta(df / 2, 0.5, df / (df + t * t));
        if (1 - outside < confidence)
            low = t;
        else
            high = t;
    }
    return (low + high) / 2;
}

/* ------------------------------------------------------------- ratios */

static struct anser_bench_ratio interval(double mean, double error, double df,
                                         double confidence)
{
    struct anser_bench_ratio r = { .ratio = exp(mean), .df = df };
    const double half = df > 0 ? anser_bench_t(confidence, df) * error
                               : INFINITY;
    r.low = exp(mean - half);
    r.high = exp(mean + half);
    return r;
}

struct anser_bench_ratio anser_bench_paired(const double *a, const double *b,
                                            size_t n, double confidence)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(b[i] / a[i]);
    const double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = log(b[i] / a[i]) - mean;
        squares += d * d;
    }
    const double df = (double)n - 1;
    return interval(mean, n > 1 ? sqrt(squares / df / (double)n) : 0, df,
                    confidence);
}

static void log_moments(const double *x, size_t n, double *mean, double *var)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(x[i]);
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (log(x[i]) - *mean) * (log(x[i]) - *mean);
    *var = n > 1 ? squares / (double)(n - 1) / (double)n : 0;
}

struct anser_bench_ratio anser_bench_unpaired(const double *a, size_t na,
                                              const double *b, size_t nb,
                                              double confidence)
{
    double ma, va, mb, vb, df = 0;
    log_moments(a, na, &ma, &va);
    log_moments(b, nb, &mb, &vb);
    if (na > 1 && nb > 1)
        df = va + vb > 0
            ? (va + vb) * (va + vb) / (va * va / (double)(na - 1)
                                       + vb * vb / (double)(nb - 1))
            : (double)(na + nb - 2);
    return interval(mb - ma, sqrt(va + vb), df, confidence);
}
