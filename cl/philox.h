/* SPDX-License-Identifier: MIT */
/*
 * Philox-4x32-10, a counter-based generator: the n-th number of a seed is a
 * function of seed and n alone.  C and OpenCL C from one text, 32-bit integers
 * only, so that host and device draw the same tokens.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011: constants, 10 rounds, Weyl sequence of the key.
 */
#ifndef ANSER_CL_PHILOX_H
#define ANSER_CL_PHILOX_H

#if defined(__OPENCL_C_VERSION__) || defined(__OPENCL_VERSION__)
#define PHILOX_U32 uint
#define PHILOX_HI(a, b) mul_hi((uint)(a), (uint)(b))
#else
#include <stdint.h>
#define PHILOX_U32 uint32_t
#define PHILOX_HI(a, b) ((uint32_t)((uint64_t)(a) * (b) >> 32))
#endif

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

/* x(4), the counter, becomes four random words under the key (k0, k1). */
static inline void anser_philox(PHILOX_U32 *x, PHILOX_U32 k0, PHILOX_U32 k1)
{
    for (int round = 0; round < 10; round++) {
        PHILOX_U32 hi0 = PHILOX_HI(PHILOX_M0, x[0]), lo0 = PHILOX_M0 * x[0];
        PHILOX_U32 hi1 = PHILOX_HI(PHILOX_M1, x[2]), lo1 = PHILOX_M1 * x[2];
        x[0] = hi1 ^ x[1] ^ k0;
        x[1] = lo1;
        x[2] = hi0 ^ x[3] ^ k1;
        x[3] = lo0;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
}

/* The uniform number of a token, to be read as u / 2^32: the first word of
 * counter (position, 0) under key (seed), both low half first. */
static inline PHILOX_U32 anser_philox_at(PHILOX_U32 seed_lo,
                                         PHILOX_U32 seed_hi,
                                         PHILOX_U32 position_lo,
                                         PHILOX_U32 position_hi)
{
    PHILOX_U32 x[4] = { position_lo, position_hi, 0, 0 };
    anser_philox(x, seed_lo, seed_hi);
    return x[0];
}

#endif
