/* SPDX-License-Identifier: MIT */
/*
 * One entry of the cache as a file:
 *
 *   offset  bytes  what
 *        0      8  "ANSERC1\n"
 *        8      4  identity length, little-endian
 *       12      4  0
 *       16      8  payload length, little-endian
 *       24     32  SHA-256 of the payload
 *       56      .  identity, then payload, then the end of the file
 *
 * The file's name is the SHA-256 of the identity, in hexadecimal, and
 * ".anser".  Identity: lines "name=LENGTH:value\n".
 */
#ifndef ANSER_RT_CACHE_FILE_H
#define ANSER_RT_CACHE_FILE_H

#include "rt/cache_dir.h"

#include <stddef.h>

#define ANSER_CACHE_HEADER 56
#define ANSER_CACHE_FILE_MAX ((size_t)64 << 20)

struct anser_cache_file {
    unsigned char *data;         /* owned: the whole file                   */
    const char *identity;        /* in data                                 */
    size_t identity_bytes;
    const unsigned char *payload;        /* in data                         */
    size_t payload_bytes;
};

/* The name of the entry with this identity. */
void anser_cache_file_name(const char *identity, size_t bytes,
                           char name[ANSER_CACHE_NAME]);

/* Reads and verifies; NULL, or why it is not right (a static text), and then
 * nothing is owned.  Not followed: symlinks; refused: another owner. */
const char *anser_cache_file_read(int dir, const char *name,
                                  struct anser_cache_file *file);
void anser_cache_file_free(struct anser_cache_file *file);

/* That there is no such file is told by this very pointer. */
extern const char anser_cache_file_absent[];

/* Under a temporary name, then renamed.  NULL, or why not. */
const char *anser_cache_file_write(int dir,
                                   const struct anser_cache_file *file);

/* The value of a field of an identity in out(cap), "" if it has none. */
void anser_cache_file_field(const struct anser_cache_file *file,
                            const char *name, char *out, size_t cap);

#endif
