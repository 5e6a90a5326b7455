/* SPDX-License-Identifier: MIT */
/*
 * The block types of GGUF tensors: one table, one row a type.
 *
 * A tensor row is a run of blocks; a block holds `length` elements in `bytes`
 * bytes.  The layouts are told where they are decoded: block_32.c, block_k.c.
 */
#ifndef ANSER_BASE_BLOCK_H
#define ANSER_BASE_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* ggml's numbers, as in the file. */
enum anser_type {
    ANSER_F32 = 0, ANSER_F16 = 1, ANSER_Q4_0 = 2, ANSER_Q4_1 = 3,
    ANSER_Q5_0 = 6, ANSER_Q5_1 = 7, ANSER_Q8_0 = 8, ANSER_Q2_K = 10,
    ANSER_Q3_K = 11, ANSER_Q4_K = 12, ANSER_Q5_K = 13, ANSER_Q6_K = 14,
    ANSER_BF16 = 30
};

struct anser_block {
    enum anser_type type;
    const char *name;                /* "Q4_K"                              */
    uint32_t length;                 /* elements in a block                 */
    uint32_t bytes;                  /* bytes in a block                    */
    /* Decodes n elements (whole blocks) at src to dst(n).  src needs no
     * alignment. */
    void (*decode)(const void *src, float *dst, size_t n);
};

/* All supported types; ended by a row whose name is NULL. */
extern const struct anser_block anser_blocks[];

/* The row of a type, or NULL if it isn't supported. */
const struct anser_block *anser_block_find(uint32_t type);

/* The row of a name, case ignored, or NULL. */
const struct anser_block *anser_block_named(const char *name);

/* Bytes of n elements (whole blocks). */
uint64_t anser_block_bytes(const struct anser_block *block, uint64_t n);

/* IEEE half to float and back (round to nearest, ties to even). */
float anser_half_to_float(uint16_t h);
uint16_t anser_float_to_half(float f);

#endif
