/* SPDX-License-Identifier: MIT */
/*
 * Models of random weights, in three steps: a plan (what every tensor will be,
 * without a byte of data), the keys with a vocabulary, and the data.
 */
#ifndef ANSER_BASE_SYNTH_H
#define ANSER_BASE_SYNTH_H

#include "base/gguf_write.h"
#include "base/v7.h"

/* The values that a tensor gets: mean + deviation * bell, a sum of four
 * uniform numbers, or the range 0..1. */
enum anser_synth_shape { SYNTH_BELL, SYNTH_UNIFORM };

struct anser_synth_tensor {
    char name[64];
    const struct anser_block *block;
    uint32_t n_dims;
    uint64_t ne[4];
    uint64_t bytes;
    enum anser_synth_shape shape;
    double mean, deviation;
};

struct anser_synth_plan {
    struct anser_v7_shape shape;
    char name[32];                   /* "synth 2.9b"                        */
    const char *size_label;          /* "2.9B"                              */
    uint32_t file_type;              /* llama.cpp's number, a label only    */
    int no_eos, old_keys;            /* variants of the keys                */
    uint64_t n_tensors;
    struct anser_synth_tensor *tensors;   /* owned, in the file's order     */
    uint64_t bytes;                  /* of all data, without padding        */
};

/* Fills plan; BAD_ARG lists what is known. */
enum anser_status anser_synth_plan(anser_ctx *ctx,
                                   const struct anser_synth_options *options,
                                   struct anser_synth_plan *plan);
void anser_synth_unplan(struct anser_synth_plan *plan);

/* Puts the vocabulary's keys: made up of single bytes and V - 257 pieces, or
 * from the World list at path. */
enum anser_status anser_synth_put_vocab(anser_ctx *ctx,
                                        struct anser_gguf_writer *w,
                                        const struct anser_synth_plan *plan,
                                        const char *path);

/* A source of a tensor's bytes, block by block. */
struct anser_synth_fill;
enum anser_status anser_synth_fill_new(anser_ctx *ctx,
                                       const struct anser_synth_tensor *tensor,
                                       uint64_t seed,
                                       struct anser_synth_fill **fill);
void anser_synth_fill_free(struct anser_synth_fill *fill);

/* The next n blocks to out.  A plain type counts as blocks of one element. */
void anser_synth_fill_next(struct anser_synth_fill *fill, void *out,
                           uint64_t n);

#endif
