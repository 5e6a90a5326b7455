/* SPDX-License-Identifier: MIT */
/*
 * The search behind the encoders: values x are to become s q + m with whole
 * numbers q of a small range, and s and m are wanted that leave the least
 * sum of (x - s q - m)^2.
 *
 * Eight groups of values are fitted at once, a lane each, so that every loop
 * runs over the lanes and the compiler makes vectors of it without reordering
 * a sum.
 */
#ifndef ANSER_BASE_ENCODE_FIT_H
#define ANSER_BASE_ENCODE_FIT_H

#include <stddef.h>

#define FIT_LANES 8
#define FIT_DEEPEST 32               /* values in a group                   */

struct anser_fit_tile {
    unsigned n;                      /* values in a group                   */
    float x[FIT_DEEPEST][FIT_LANES]; /* less centre                         */
    float centre[FIT_LANES];         /* mean, or 0 for fits without m       */
    float sum[FIT_LANES];            /* of x, about 0 where centred         */
    float square[FIT_LANES];         /* of x                                */
};

struct anser_fit {                   /* a group becomes s q + m             */
    float s[FIT_LANES], m[FIT_LANES];
};

/* Sums over a group's q in a fit. */
struct anser_fit_sums {
    float q[FIT_LANES], qq[FIT_LANES], xq[FIT_LANES];
};

struct anser_fit_range {
    float low, high;                 /* q is a whole number of low..high    */
    float at[24];                    /* starting points of the search: the  */
    unsigned n;                      /* width of the values in steps of q   */
};

/* Groups of n values from src(groups, n); missing lanes are zeros. */
void anser_fit_load(struct anser_fit_tile *tile, const float *src, unsigned n,
                    unsigned groups, int centred);

/* m of any sign, or m <= 0 if `below`.  low is 0. */
void anser_fit_affine(const struct anser_fit_tile *tile,
                      const struct anser_fit_range *range, int below,
                      struct anser_fit *fit);

/* m = 0; s of any sign. */
void anser_fit_signed(const struct anser_fit_tile *tile,
                      const struct anser_fit_range *range,
                      struct anser_fit *fit);

/* Sums with the nearest q for s and m; xq is of true values of x. */
void anser_fit_measure(const struct anser_fit_tile *tile,
                       const struct anser_fit_range *range,
                       const struct anser_fit *fit,
                       struct anser_fit_sums *sums);

/* The square error of a fit with the q that gave the sums. */
void anser_fit_error(const struct anser_fit_tile *tile,
                     const struct anser_fit *fit,
                     const struct anser_fit_sums *sums, float *error);

/* The nearest q less low, to q(groups, n). */
void anser_fit_round(const struct anser_fit_tile *tile,
                     const struct anser_fit_range *range,
                     const struct anser_fit *fit, unsigned groups,
                     unsigned char *q);

#endif
