/* SPDX-License-Identifier: MIT */
/*
 * Writing GGUF v3 files: keys and tensor records first, then the data in the
 * order of the records, to a temporary name that _finish makes the true one.
 */
#ifndef ANSER_BASE_GGUF_WRITE_H
#define ANSER_BASE_GGUF_WRITE_H

#include "base/gguf.h"

struct anser_gguf_writer;

/* A file beside path; IO if it can't be made. */
enum anser_status anser_gguf_create(anser_ctx *ctx, const char *path,
                                    struct anser_gguf_writer **writer);

/* Keys, in any order, before the first _data. */
enum anser_status anser_gguf_put_u32(struct anser_gguf_writer *w,
                                     const char *name, uint32_t value);
enum anser_status anser_gguf_put_f32(struct anser_gguf_writer *w,
                                     const char *name, float value);
enum anser_status anser_gguf_put_string(struct anser_gguf_writer *w,
                                        const char *name, const char *text);
/* texts(n) with lengths(n); bytes may hold anything. */
enum anser_status anser_gguf_put_strings(struct anser_gguf_writer *w,
                                         const char *name, uint64_t n,
                                         const struct anser_gguf_text *texts);
enum anser_status anser_gguf_put_i32s(struct anser_gguf_writer *w,
                                      const char *name, uint64_t n,
                                      const int32_t *values);
/* A key of another file as it is. */
enum anser_status anser_gguf_put_key(struct anser_gguf_writer *w,
                                     const struct anser_gguf_key *key);

/* A tensor record; offsets are assigned in this order. */
enum anser_status anser_gguf_put_tensor(struct anser_gguf_writer *w,
                                        const char *name,
                                        enum anser_type type,
                                        uint32_t n_dims, const uint64_t *ne);

/* The next bytes of the data section: the tensors' data in the order of the
 * records, each padded by the writer when its last byte has been given. */
enum anser_status anser_gguf_put_data(struct anser_gguf_writer *w,
                                      const void *data, size_t bytes);

/* Checks that all data came, syncs and renames.  On failure, or _abandon,
 * nothing is left.  Both free the writer. */
enum anser_status anser_gguf_finish(struct anser_gguf_writer *w);
void anser_gguf_abandon(struct anser_gguf_writer *w);

#endif
