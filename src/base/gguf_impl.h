/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the GGUF reader share: gguf_map.c makes bytes of a path,
 * gguf_keys.c and gguf_tensors.c take records from a cursor over them, gguf.c
 * strings them together and answers questions.
 */
#ifndef ANSER_BASE_GGUF_IMPL_H
#define ANSER_BASE_GGUF_IMPL_H

#include "base/gguf.h"

#define GGUF_MAGIC 0x46554747u       /* "GGUF" as a little-endian u32       */
#define GGUF_ALIGNMENT 32            /* where general.alignment is absent   */
#define GGUF_MAX_ITEMS (1u << 30)    /* in an array                         */
#define GGUF_MAX_KEY 65535           /* bytes of a key                      */
#define GGUF_MAX_NAME 63             /* bytes of a tensor name              */
#define GGUF_MAX_DIMS 4

/* Bytes of the shortest possible record: a key of one letter and one byte of
 * value; a tensor without a name and with one dimension. */
#define GGUF_MIN_KEY (8 + 1 + 4 + 1)
#define GGUF_MIN_TENSOR (8 + 4 + 8 + 4 + 8)

/* Where reading has got to.  [at, end) lies in the mapping. */
struct anser_gguf_cursor {
    anser_file *file;
    const unsigned char *at, *end;
    char what[160];                  /* is being read, for messages         */
};

/* Maps path to file->map, file->bytes.  IO. */
enum anser_status anser_gguf_map(anser_file *file);
void anser_gguf_unmap(anser_file *file);

/* BAD_FILE: "PATH: <text>; the file is damaged, ...". */
enum anser_status anser_gguf_bad(const anser_file *file, const char *fmt, ...)
    ANSER_PRINTF(2, 3);

/* Fixed-size numbers, a text, and any n bytes at the cursor. */
enum anser_status anser_gguf_take_u32(struct anser_gguf_cursor *c,
                                      uint32_t *value);
enum anser_status anser_gguf_take_u64(struct anser_gguf_cursor *c,
                                      uint64_t *value);
enum anser_status anser_gguf_take_text(struct anser_gguf_cursor *c,
                                       struct anser_gguf_text *text);
enum anser_status anser_gguf_take_bytes(struct anser_gguf_cursor *c,
                                        uint64_t n);

/* A key or tensor name of 1..max printable bytes as a C string of ours. */
enum anser_status anser_gguf_take_name(struct anser_gguf_cursor *c,
                                       uint64_t max, char **name);

/* All records of a kind, into file->keys and file->tensors. */
enum anser_status anser_gguf_take_keys(struct anser_gguf_cursor *c);
enum anser_status anser_gguf_take_tensors(struct anser_gguf_cursor *c);

/* Offsets and sizes of all tensors, once the cursor stands behind them. */
enum anser_status anser_gguf_place_tensors(struct anser_gguf_cursor *c);

/* Bytes of a value of a fixed-size kind, 0 for strings and arrays. */
unsigned anser_gguf_kind_bytes(enum anser_gguf_kind kind);

/* "u32"; "?" out of range. */
const char *anser_gguf_kind_name(enum anser_gguf_kind kind);

#endif
