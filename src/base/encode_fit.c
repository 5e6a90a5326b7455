/* SPDX-License-Identifier: MIT */
/*
 * Fitting groups of values by a scale and an offset.  Each starting scale
 * gives whole numbers q; for these the best s and m follow by least squares:
 *     n m + s sum(q) = sum(x),   m sum(q) + s sum(q q) = sum(x q).
 * The best start is then improved by rounding and solving in turn.
 */
#include "base/encode_fit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 3                     /* of rounding and solving             */
#define EACH(l) for (unsigned l = 0; l < FIT_LANES; l++)

static float least(float a, float b)
{
    return a < b ? a : b;
}

static float most(float a, float b)
{
    return a > b ? a : b;
}

static float inverse(float s)
{
    return s > FLT_MIN || s < -FLT_MIN ? 1 / s : 0;
}

void anser_fit_load(struct anser_fit_tile *tile, const float *src, unsigned n,
                    unsigned groups, int centred)
{
    memset(tile, 0, sizeof *tile);
    tile->n = n;
    for (unsigned g = 0; g < groups; g++)
        for (unsigned i = 0; i < n; i++)
            tile->x[i][g] = src[g * n + i];
    for (unsigned i = 0; centred && i < n; i++)
        EACH(l) tile->centre[l] += tile->x[i][l];
    EACH(l) tile->centre[l] /= (float)n;
    for (unsigned i = 0; i < n; i++)
        EACH(l) {
            float x = tile->x[i][l] -= tile->centre[l];
            tile->sum[l] += x;
            tile->square[l] += x * x;
        }
}

/* The nearest whole number of 0..span.  Sizes instead of comparisons, of which
 * gcc 12 makes jumps. */
static inline float nearest(float x, float span)
{
    float below = 0.5f * (x + fabsf(x));             /* no less than 0      */
    float above = span - below;
    float q = span - 0.5f * (above + fabsf(above));  /* no more than span   */
    return (float)(int)(q + 0.5f);
}

/* Sums with q = (x - m) / s; m and xq are less centre. */
static void measure(const struct anser_fit_tile *tile,
                    const struct anser_fit_range *range, const float *s,
                    const float *m, struct anser_fit_sums *sums)
{
    float q_[FIT_LANES] = { 0 }, qq[FIT_LANES] = { 0 }, xq[FIT_LANES] = { 0 };
    float factor[FIT_LANES], shift[FIT_LANES];
    const float low = range->low, span = range->high - range->low;
    EACH(l) factor[l] = inverse(s[l]);
    EACH(l) shift[l] = -m[l] * factor[l] - low;
    for (unsigned i = 0; i < tile->n; i++)
        EACH(l) {
            float x = tile->x[i][l];
            float q = nearest(x * factor[l] + shift[l], span) + low;
            q_[l] += q;
            qq[l] += q * q;
            xq[l] += x * q;
        }
    memcpy(sums->q, q_, sizeof q_);
    memcpy(sums->qq, qq, sizeof qq);
    memcpy(sums->xq, xq, sizeof xq);
}

/* ------------------------------------------------------------- affine */

/* The best s and m (less centre) for given q, with what they take away from
 * the square of x: the more the better. */
static void solve(const struct anser_fit_tile *tile,
                  const struct anser_fit_sums *sums, const float *cap,
                  struct anser_fit *fit, float *gain)
{
    const float n = (float)tile->n;
    EACH(l) {
        float q = sums->q[l], qq = sums->qq[l], xq = sums->xq[l];
        float x = tile->sum[l], deep = n * qq - q * q;
        float s = deep > 0 ? (n * xq - x * q) / deep : 0;
        float m = (x - s * q) / n;
        int over = m > cap[l];
        float s_over = qq > 0 ? (xq - cap[l] * q) / qq : 0;
        s = over ? s_over : s;
        m = over ? cap[l] : m;
        fit->s[l] = s;
        fit->m[l] = m;
        gain[l] = s * (2 * xq - s * qq - 2 * m * q) + m * (2 * x - n * m);
    }
}

/* Takes over those lanes of `other` that gain more. */
static void keep(struct anser_fit *best, float *best_gain,
                 const struct anser_fit *other, const float *gain)
{
    EACH(l) {
        int better = gain[l] > best_gain[l];
        best->s[l] = better ? other->s[l] : best->s[l];
        best->m[l] = better ? other->m[l] : best->m[l];
        best_gain[l] = better ? gain[l] : best_gain[l];
    }
}

/* Where the values begin, and how wide they are. */
static void bounds(const struct anser_fit_tile *tile, const float *cap,
                   float *from, float *width)
{
    float to[FIT_LANES];
    EACH(l) from[l] = least(tile->x[0][l], cap[l]);
    EACH(l) to[l] = most(tile->x[0][l], from[l]);
    for (unsigned i = 1; i < tile->n; i++)
        EACH(l) {
            from[l] = least(from[l], tile->x[i][l]);
            to[l] = most(to[l], tile->x[i][l]);
        }
    EACH(l) width[l] = to[l] - from[l];
}

void anser_fit_affine(const struct anser_fit_tile *tile,
                      const struct anser_fit_range *range, int below,
                      struct anser_fit *fit)
{
    struct anser_fit_sums sums;
    struct anser_fit next;
    float cap[FIT_LANES], from[FIT_LANES], width[FIT_LANES];
    float best[FIT_LANES], gain[FIT_LANES], s[FIT_LANES];
    EACH(l) cap[l] = below ? -tile->centre[l] : FLT_MAX;
    EACH(l) best[l] = -FLT_MAX;
    bounds(tile, cap, from, width);
    memset(fit, 0, sizeof *fit);
    for (unsigned k = 0; k < range->n; k++) {
        EACH(l) s[l] = width[l] / range->at[k];
        measure(tile, range, s, from, &sums);
        solve(tile, &sums, cap, &next, gain);
        keep(fit, best, &next, gain);
    }
    for (unsigned k = 0; k < ROUNDS; k++) {
        measure(tile, range, fit->s, fit->m, &sums);
        solve(tile, &sums, cap, &next, gain);
        keep(fit, best, &next, gain);
    }
    EACH(l) fit->m[l] += tile->centre[l];
    EACH(l) fit->m[l] = below ? least(fit->m[l], 0) : fit->m[l];
}

/* ------------------------------------------------------------- signed */

static void solve_signed(const struct anser_fit_sums *sums,
                         struct anser_fit *fit, float *gain)
{
    EACH(l) {
        float s = sums->qq[l] > 0 ? sums->xq[l] / sums->qq[l] : 0;
        fit->s[l] = s;
        fit->m[l] = 0;
        gain[l] = s * sums->xq[l];
    }
}

/* The value of the largest size, with its sign. */
static void peaks(const struct anser_fit_tile *tile, float *peak)
{
    float high[FIT_LANES] = { 0 }, low[FIT_LANES] = { 0 };
    for (unsigned i = 0; i < tile->n; i++)
        EACH(l) {
            high[l] = most(high[l], tile->x[i][l]);
            low[l] = least(low[l], tile->x[i][l]);
        }
    EACH(l) peak[l] = high[l] > -low[l] ? high[l] : low[l];
}

/* There is one whole number more below zero than above, so the peak goes
 * there: s has its opposite sign. */
void anser_fit_signed(const struct anser_fit_tile *tile,
                      const struct anser_fit_range *range,
                      struct anser_fit *fit)
{
    static const float none[FIT_LANES];
    struct anser_fit_sums sums;
    struct anser_fit next;
    float peak[FIT_LANES], best[FIT_LANES], gain[FIT_LANES], s[FIT_LANES];
    EACH(l) best[l] = -FLT_MAX;
    peaks(tile, peak);
    memset(fit, 0, sizeof *fit);
    for (unsigned k = 0; k < range->n; k++) {
        EACH(l) s[l] = -peak[l] / range->at[k];
        measure(tile, range, s, none, &sums);
        solve_signed(&sums, &next, gain);
        keep(fit, best, &next, gain);
    }
    for (unsigned k = 0; k < ROUNDS; k++) {
        measure(tile, range, fit->s, none, &sums);
        solve_signed(&sums, &next, gain);
        keep(fit, best, &next, gain);
    }
}

/* ------------------------------------------------------------- given fits */

void anser_fit_measure(const struct anser_fit_tile *tile,
                       const struct anser_fit_range *range,
                       const struct anser_fit *fit,
                       struct anser_fit_sums *sums)
{
    float m[FIT_LANES];
    EACH(l) m[l] = fit->m[l] - tile->centre[l];
    measure(tile, range, fit->s, m, sums);
    EACH(l) sums->xq[l] += tile->centre[l] * sums->q[l];
}

void anser_fit_error(const struct anser_fit_tile *tile,
                     const struct anser_fit *fit,
                     const struct anser_fit_sums *sums, float *error)
{
    const float n = (float)tile->n;
    EACH(l) {
        float s = fit->s[l], q = sums->q[l];
        float m = fit->m[l] - tile->centre[l];
        float xq = sums->xq[l] - tile->centre[l] * q;
        error[l] = tile->square[l] - s * (2 * xq - s * sums->qq[l] - 2 * m * q)
                   - m * (2 * tile->sum[l] - n * m);
    }
}

void anser_fit_round(const struct anser_fit_tile *tile,
                     const struct anser_fit_range *range,
                     const struct anser_fit *fit, unsigned groups,
                     unsigned char *q)
{
    const float span = range->high - range->low;
    for (unsigned g = 0; g < groups; g++) {
        float factor = inverse(fit->s[g]);
        float shift = (tile->centre[g] - fit->m[g]) * factor - range->low;
        for (unsigned i = 0; i < tile->n; i++)
            q[g * tile->n + i] = (unsigned char)
                nearest(tile->x[i][g] * factor + shift, span);
    }
}
