/* SPDX-License-Identifier: MIT */
/*
 * exp(-d) as an integer, for sampling.  C and OpenCL C from one text.
 *
 * Drivers' exp differ in the last bits and float sums depend on their order;
 * integers do neither.  Relative error below 1e-8 (plus the last unit of small
 * weights), d is read to 2^-24.  V weights up to V = 2^24 sum below 2^63.
 */
#ifndef ANSER_CL_WEIGHT_H
#define ANSER_CL_WEIGHT_H

#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)
#define WEIGHT_U32 uint
#define WEIGHT_U64 ulong
#define WEIGHT_HI(a, b) mul_hi((uint)(a), (uint)(b))
#else
#include <stdint.h>
#define WEIGHT_U32 uint32_t
#define WEIGHT_U64 uint64_t
#define WEIGHT_HI(a, b) ((uint32_t)((uint64_t)(a) * (b) >> 32))
#endif

#define WEIGHT_BITS 39              /* the weight of d = 0 is 2^39          */
#define WEIGHT_MAX_D 27.03125f      /* 39 ln 2 is 27.0327; beyond it: 0     */
#define WEIGHT_LOG2E 0xB8AA3B29u    /* log2(e) 2^31                         */

/* round-down(2^39 exp(-d)) for d >= 0; 0 for large d, infinity and NaN.
 * The product is d log2(e) with 55 fraction bits: whole part n, fraction f;
 * 2^-f is a polynomial of degree 6 in Horner's form, minimax in the relative
 * error with p(0) = 1, all terms positive and 2^31 for one. */
static inline WEIGHT_U64 anser_weight(float d)
{
    if (!(d >= 0.0f && d < WEIGHT_MAX_D))
        return 0;
    WEIGHT_U64 x = (WEIGHT_U64)(WEIGHT_U32)(d * 16777216.0f) * WEIGHT_LOG2E;
    WEIGHT_U32 n = (WEIGHT_U32)(x >> 55);
    WEIGHT_U32 f = (WEIGHT_U32)(x >> 23);
    WEIGHT_U32 t = 234126u;
    t = 2737501u - WEIGHT_HI(f, t);
    t = 20571132u - WEIGHT_HI(f, t);
    t = 119165493u - WEIGHT_HI(f, t);
    t = 515877902u - WEIGHT_HI(f, t);
    t = 1488521986u - WEIGHT_HI(f, t);
    t = 2147483648u - WEIGHT_HI(f, t);
    return (WEIGHT_U64)t << (WEIGHT_BITS - 31) >> n;
}

#endif
