/* SPDX-License-Identifier: MIT */
/* SHA-256 of what identifies a model, by libmd. */
#ifndef ANSER_BASE_DIGEST_H
#define ANSER_BASE_DIGEST_H

#include "base/v7.h"

#define ANSER_DIGEST 32

/* Of the sizes, types and names of a file's tensors and of samples of their
 * data: 64 bytes at 64 places of each.  Two files that differ in any other
 * byte only are taken for one model. */
void anser_v7_fingerprint(const struct anser_v7_file *v7,
                          unsigned char digest[ANSER_DIGEST]);

/* Of n bytes. */
void anser_digest(const void *data, size_t n,
                  unsigned char digest[ANSER_DIGEST]);

#endif
