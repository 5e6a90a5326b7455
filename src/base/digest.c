/* SPDX-License-Identifier: MIT */
/* SHA-256 of what identifies a model, by libmd. */
#include "base/digest.h"

#include <sha2.h>
#include <string.h>

enum { PLACES = 64, SAMPLE = 64 };

static void add_tensor(SHA2_CTX *sha, const struct anser_gguf_tensor *t)
{
    SHA256Update(sha, (const uint8_t *)t->name, strlen(t->name) + 1);
    SHA256Update(sha, (const uint8_t *)t->block->name,
                 strlen(t->block->name) + 1);
    SHA256Update(sha, (const uint8_t *)t->ne, sizeof t->ne);
    const uint64_t step = t->bytes / PLACES;
    for (uint64_t i = 0; i < PLACES && t->bytes > 0; i++) {
        const uint64_t at = i * step;
        const uint64_t left = t->bytes - at;
        SHA256Update(sha, t->data + at, left < SAMPLE ? left : SAMPLE);
    }
}

void anser_v7_fingerprint(const struct anser_v7_file *v7,
                          unsigned char digest[ANSER_DIGEST])
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    for (uint64_t i = 0; i < v7->file->n_tensors; i++)
        add_tensor(&sha, &v7->file->tensors[i]);
    SHA256Final(digest, &sha);
}

void anser_digest(const void *data, size_t n,
                  unsigned char digest[ANSER_DIGEST])
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    SHA256Update(&sha, data, n);
    SHA256Final(digest, &sha);
}
