/* SPDX-License-Identifier: MIT */
/*
 * Reading GGUF v2 and v3 files [GGUF:v3], hostile ones included.
 *
 * The file is mapped; keys, strings and tensors point into the mapping.  All
 * that spec section 1.4 refuses is refused in _open, so that the rest of the
 * library may trust every offset, size and type.
 */
#ifndef ANSER_BASE_GGUF_H
#define ANSER_BASE_GGUF_H

#include "base/block.h"
#include "base/ctx.h"

enum anser_gguf_kind {               /* value types, numbers of the format  */
    GGUF_U8, GGUF_I8, GGUF_U16, GGUF_I16, GGUF_U32, GGUF_I32, GGUF_F32,
    GGUF_BOOL, GGUF_STRING, GGUF_ARRAY, GGUF_U64, GGUF_I64, GGUF_F64
};

struct anser_gguf_text {             /* bytes in the mapping, no NUL        */
    const char *at;
    uint64_t n;
};

struct anser_gguf_key {
    char *name;                      /* owned, ended by NUL                 */
    enum anser_gguf_kind kind;
    enum anser_gguf_kind item;       /* of an array                         */
    uint64_t count;                  /* of an array, else 1                 */
    const unsigned char *value;      /* in the mapping; packed, little      */
    uint64_t bytes;                  /* of the value, strings' lengths too  */
};

struct anser_gguf_tensor {
    char *name;                      /* owned, ended by NUL                 */
    const struct anser_block *block; /* type                                */
    uint32_t n_dims;
    uint64_t ne[4];                  /* unused ones are 1                   */
    const unsigned char *data;       /* in the mapping                      */
    uint64_t bytes;
    uint64_t offset;                 /* of data from the start of the file  */
};

struct anser_gguf_name {             /* an entry of a sorted index          */
    const char *name;
    uint64_t i;
};

struct anser_file {
    anser_ctx *ctx;                  /* borrowed                            */
    char *path;                      /* owned                               */
    const unsigned char *map;        /* owned mapping                       */
    uint64_t bytes;                  /* of the file                         */
    uint32_t version;
    uint64_t alignment;
    uint64_t n_keys, n_tensors;
    struct anser_gguf_key *keys;
    struct anser_gguf_tensor *tensors;
    struct anser_gguf_name *key_names;      /* owned, (n_keys), by name     */
    struct anser_gguf_name *tensor_names;   /* owned, (n_tensors), by name  */
    char *text_cache;                /* owned: general.name with NUL        */
};

/* Maps and checks the file at path.  IO, BAD_FILE or UNSUPPORTED (a tensor
 * type that Anser has no decoder for); the text names the key or tensor. */
enum anser_status anser_gguf_open(anser_ctx *ctx, const char *path,
                                  anser_file **file);
void anser_gguf_close(anser_file *file);

/* NULL if absent. */
const struct anser_gguf_key *anser_gguf_find_key(const anser_file *file,
                                                 const char *name);
const struct anser_gguf_tensor *anser_gguf_find(const anser_file *file,
                                                const char *name);

/* An unsigned whole number of any integer kind.  BAD_FILE if absent, negative,
 * or no integer; the text names the key. */
enum anser_status anser_gguf_u64(const anser_file *file, const char *name,
                                 uint64_t *value);

/* A float of kind f32 or f64.  BAD_FILE as above. */
enum anser_status anser_gguf_float(const anser_file *file, const char *name,
                                   float *value);

/* A string value.  BAD_FILE if absent or no string. */
enum anser_status anser_gguf_string(const anser_file *file, const char *name,
                                    struct anser_gguf_text *value);

/* Walks the strings of an array of strings: *at starts as key->value. */
struct anser_gguf_text anser_gguf_next_string(const unsigned char **at);

#endif
