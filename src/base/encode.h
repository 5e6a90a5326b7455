/* SPDX-License-Identifier: MIT */
/*
 * From floats to the block types of block.h: the inverse of its decoders, with
 * a search for the scales (and minima) that leave the least square error.
 * The result is a function of the values alone.  Every type that block.h
 * decodes can be encoded.
 */
#ifndef ANSER_BASE_ENCODE_H
#define ANSER_BASE_ENCODE_H

#include "base/block.h"

struct anser_encoder {
    enum anser_type type;
    /* Encodes src(n), whole blocks of finite values, to dst, which needs no
     * alignment. */
    void (*encode)(const float *src, void *dst, size_t n);
};

/* NULL if the type isn't supported. */
const struct anser_encoder *anser_encoder_find(uint32_t type);

/* The rows of encode_k.c. */
void anser_encode_q2_k(const float *src, void *dst, size_t n);
void anser_encode_q3_k(const float *src, void *dst, size_t n);
void anser_encode_q4_k(const float *src, void *dst, size_t n);
void anser_encode_q5_k(const float *src, void *dst, size_t n);
void anser_encode_q6_k(const float *src, void *dst, size_t n);

#endif
