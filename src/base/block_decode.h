/* SPDX-License-Identifier: MIT */
/*
 * The decoders behind the table of block.c: n elements, whole blocks, at src
 * to dst(n).  Types of 32 elements a block are in block_32.c, those of 256 in
 * block_k.c.
 */
#ifndef ANSER_BASE_BLOCK_DECODE_H
#define ANSER_BASE_BLOCK_DECODE_H

#include "base/block.h"

void anser_block_decode_q4_0(const void *src, float *dst, size_t n);
void anser_block_decode_q4_1(const void *src, float *dst, size_t n);
void anser_block_decode_q5_0(const void *src, float *dst, size_t n);
void anser_block_decode_q5_1(const void *src, float *dst, size_t n);
void anser_block_decode_q8_0(const void *src, float *dst, size_t n);

void anser_block_decode_q2_k(const void *src, float *dst, size_t n);
void anser_block_decode_q3_k(const void *src, float *dst, size_t n);
void anser_block_decode_q4_k(const void *src, float *dst, size_t n);
void anser_block_decode_q5_k(const void *src, float *dst, size_t n);
void anser_block_decode_q6_k(const void *src, float *dst, size_t n);

/* The half at p, which needs no alignment. */
static inline float block_half(const unsigned char *p)
{
    return anser_half_to_float((uint16_t)(p[0] | p[1] << 8));
}

#endif
