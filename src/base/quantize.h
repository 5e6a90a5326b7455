/* SPDX-License-Identifier: MIT */
/*
 * Rewriting a model in smaller types, in two steps: a plan (which type every
 * tensor gets, without reading a weight) and the work of a stretch of a tensor
 * by several threads.
 */
#ifndef ANSER_BASE_QUANTIZE_H
#define ANSER_BASE_QUANTIZE_H

#include "base/gguf.h"

struct anser_quantize_tensor {
    const struct anser_gguf_tensor *from;    /* borrowed from the file      */
    const struct anser_block *to;
};

struct anser_quantize_plan {
    const char *type;                /* "q4_k_m"; static                    */
    uint32_t file_type;              /* llama.cpp's number, a label only    */
    uint64_t n_tensors;
    struct anser_quantize_tensor *tensors;   /* owned, in the file's order  */
    uint64_t n_fallen;               /* rows didn't fit the wanted type     */
};

/* Fills plan; BAD_ARG names a type or an override that is wrong, with what is
 * known. */
enum anser_status
anser_quantize_plan(const anser_file *file,
                    const struct anser_quantize_options *options,
                    struct anser_quantize_plan *plan);
void anser_quantize_unplan(struct anser_quantize_plan *plan);

/* n elements, whole blocks of either type, at data become others at out. */
struct anser_quantize_work {
    const struct anser_block *from, *to;
    const unsigned char *data;
    unsigned char *out;
    uint64_t n;
    unsigned threads;                /* 1 or more                           */
};

/* 0, or -1 if a value is no number or too large for the type.  The result
 * doesn't depend on the number of threads. */
int anser_quantize_run(const struct anser_quantize_work *work);

#endif
