/* SPDX-License-Identifier: MIT */
/*
 * The World tokenizer: greedy longest match from left to right, over bytes,
 * with no normalisation and nothing added [World:encode].
 *
 * The trie is a hash table keyed by (node, byte): World's 65,529 tokens make
 * 116,078 nodes, found by one probe or little more a byte of text.
 */
#include "text/vocab.h"

#include <stdlib.h>

#define NONE UINT32_MAX

/* The slot of the edge, or the free one where it belongs. */
static uint32_t slot_of(const struct anser_trie *trie, uint32_t key)
{
    uint32_t mask = (1u << trie->bits) - 1;
    uint32_t slot = key * 0x9E3779B1u >> (32 - trie->bits);
    while (trie->edges[slot].key != 0 && trie->edges[slot].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t key_of(uint32_t node, unsigned char byte)
{
    return (node << 8 | byte) + 1;
}

static uint32_t follow(const struct anser_trie *trie, uint32_t node,
                       unsigned char byte)
{
    uint32_t slot = slot_of(trie, key_of(node, byte));
    return trie->edges[slot].key == 0 ? NONE : slot;
}

static void insert(struct anser_trie *trie, const char *bytes, uint32_t n,
                   uint32_t id)
{
    uint32_t node = 1u << trie->bits;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t key = key_of(node, (unsigned char)bytes[i]);
        node = slot_of(trie, key);
        trie->edges[node].key = key;
    }
    if (trie->edges[node].id == 0)
        trie->edges[node].id = id;
}

static bool has_all_bytes(const struct anser_trie *trie)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint32_t node = follow(trie, 1u << trie->bits, (unsigned char)byte);
        if (node == NONE || trie->edges[node].id == 0)
            return false;
    }
    return true;
}

enum anser_status anser_trie_build(struct anser_vocab *vocab)
{
    struct anser_trie *trie = &vocab->trie;
    uint32_t most = vocab->start[vocab->V];     /* edges, at the very most  */
    trie->bits = 8;
    while ((1u << trie->bits) < most + most / 4 + 1)
        trie->bits++;
    size_t size = ((size_t)1 << trie->bits) * sizeof *trie->edges;
    trie->edges = calloc(1, size);
    if (trie->edges == NULL)
        return anser_fail_memory(vocab->ctx, size);
    for (uint32_t id = 1; id < vocab->V; id++) {
        uint32_t at = vocab->start[id], n = vocab->start[id + 1] - at;
        if (n > 0)
            insert(trie, vocab->bytes + at, n, id);
    }
    trie->whole = has_all_bytes(trie);
    return ANSER_OK;
}

void anser_trie_free(struct anser_trie *trie)
{
    free(trie->edges);
    trie->edges = NULL;
}

/* The longest token that text(n) begins with: its length, 0 if none. */
static size_t longest(const struct anser_trie *trie,
                      const unsigned char *text, size_t n, uint32_t *id)
{
    uint32_t node = 1u << trie->bits;
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        node = follow(trie, node, text[i]);
        if (node == NONE)
            break;
        if (trie->edges[node].id != 0) {
            *id = trie->edges[node].id;
            best = i + 1;
        }
    }
    return best;
}

/* Writes at most cap ids; fails where no token fits. */
static enum anser_status encode(const anser_vocab *vocab,
                                const unsigned char *text, size_t n,
                                uint32_t *ids, size_t cap, size_t *count)
{
    size_t found = 0;
    for (size_t at = 0; at < n;) {
        uint32_t id = 0;
        size_t length = longest(&vocab->trie, text + at, n - at, &id);
        if (length == 0)
            return anser_fail(vocab->ctx, ANSER_BAD_FILE,
                              "byte 0x%02x at offset %zu of the text is no "
                              "token of this vocabulary; a World vocabulary "
                              "has all 256 bytes", text[at], at);
        if (found < cap)
            ids[found] = id;
        found++;
        at += length;
    }
    *count = found;
    return ANSER_OK;
}

enum anser_status anser_encode(const anser_vocab *vocab, const void *text,
                               size_t n, uint32_t *ids, size_t cap,
                               size_t *count)
{
    if (vocab == NULL)
        return ANSER_BAD_ARG;
    if (count == NULL || (text == NULL && n > 0) || (ids == NULL && cap > 0))
        return anser_fail(vocab->ctx, ANSER_BAD_ARG,
                          "anser_encode: text, ids or count is NULL");
    size_t found = 0;
    if (!vocab->trie.whole)              /* ids stay untouched on failure   */
        TRY(encode(vocab, text, n, NULL, 0, &found));
    return encode(vocab, text, n, ids, cap, count);
}
