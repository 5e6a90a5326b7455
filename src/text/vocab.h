/* SPDX-License-Identifier: MIT */
/*
 * The vocabulary: the bytes of every id, and a trie over those that text can
 * hold.  vocab.c reads it from a file, tokenizer.c builds and walks the trie.
 */
#ifndef ANSER_TEXT_VOCAB_H
#define ANSER_TEXT_VOCAB_H

#include "base/ctx.h"

#include <stdbool.h>

/* More than any vocabulary has: the trie's slot numbers stay below 2^24. */
#define ANSER_VOCAB_MAX_BYTES (1u << 22)

/* A hash table of edges.  A node is the number of the slot of the edge that
 * leads to it; the root is the number of slots. */
struct anser_trie_edge {
    uint32_t key;                    /* parent, byte: 1 + (p << 8 | b)      */
    uint32_t id;                     /* of the token that ends here, or 0   */
};

struct anser_trie {
    struct anser_trie_edge *edges;   /* owned; key 0 is a free slot         */
    unsigned bits;                   /* of a slot number                    */
    bool whole;                      /* every single byte is a token        */
};

struct anser_vocab {
    anser_ctx *ctx;                  /* borrowed                            */
    uint32_t V;
    uint32_t eos;
    char *bytes;                     /* owned: all tokens, one by one       */
    uint32_t *start;                 /* owned: (V + 1), in bytes            */
    struct anser_trie trie;
};

/* From bytes and start.  Of equal tokens the lowest id counts; empty tokens
 * are left out. */
enum anser_status anser_trie_build(struct anser_vocab *vocab);
void anser_trie_free(struct anser_trie *trie);

#endif
