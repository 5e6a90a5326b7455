/* SPDX-License-Identifier: MIT */
/*
 * Malformed GGUF files, each made from one good file by one change.  A forge
 * holds the good file's records apart, so that a case can alter any of them,
 * the counts too, and writes them as they are.
 *
 * check_malformed requires a refusal of every one, and keeps the files in the
 * folder ANSER_KEEP_MALFORMED where that is set, to try a program on them.
 */
#ifndef ANSER_MALFORMED_H
#define ANSER_MALFORMED_H

#include "base/gguf.h"

struct forge_key {
    char *name;                      /* name_n bytes                        */
    uint64_t name_n, name_says;      /* bytes, and what the file says       */
    uint32_t kind;
    unsigned char *value;            /* value_n bytes, an array's head too  */
    size_t value_n;
};

struct forge_tensor {
    char *name;
    uint64_t name_n, name_says;
    uint32_t n_dims, n_ne;           /* what the file says, what it has     */
    uint64_t ne[8];
    uint32_t type;
    uint64_t offset;
};

struct forge {
    unsigned char magic[4];
    uint32_t version;
    uint64_t n_tensors, n_keys;      /* what the file says                  */
    struct forge_key *keys;          /* (has_keys), room for one more       */
    struct forge_tensor *tensors;    /* (has_tensors), room for one more    */
    uint64_t has_keys, has_tensors;
    unsigned char *data;             /* the data section                    */
    size_t data_n;
};

struct malformed {
    const char *name;                /* of the file, without .gguf          */
    const char *expected;            /* in the message, or NULL             */
    const char *drop_key, *drop_tensor;      /* leaves one out, or NULL     */
    const char *key;                 /* gets this u32 value; or NULL        */
    uint32_t value;
    /* Alters the forge; or NULL. */
    void (*alter)(struct forge *f);
    /* Bytes to keep of the file of size n; or NULL: all. */
    size_t (*cut)(const struct forge *f, size_t n);
};

/* Ended by a row whose name is NULL.  The first two are refused when the file
 * is opened, the third when a model is looked for in it. */
extern const struct malformed malformed_container[];
extern const struct malformed malformed_tensors[];
extern const struct malformed malformed_model[];

/* Takes a good file apart.  The forge is freed by _free. */
void forge_load(struct forge *f, const anser_file *file);
void forge_free(struct forge *f);

/* The bytes of a forge; *n of them.  The caller frees them. */
unsigned char *forge_bytes(const struct forge *f, size_t *n);

/* Bytes before the padding of the data section. */
size_t forge_head(const struct forge *f);

/* The bytes of one case, made from file. */
unsigned char *malformed_bytes(const struct malformed *m,
                               const anser_file *file, size_t *n);

/* For the cases: the key or tensor of a name, which must be there. */
struct forge_key *forge_key(struct forge *f, const char *name);
struct forge_tensor *forge_tensor(struct forge *f, const char *name);

/* Another key at the end; its name and value are copied. */
struct forge_key *forge_add_key(struct forge *f, const char *name,
                                uint32_t kind, const void *value, size_t n);
void forge_rename_key(struct forge_key *key, const char *name, size_t n);
void forge_set_value(struct forge_key *key, uint32_t kind, const void *value,
                     size_t n);
void forge_rename_tensor(struct forge_tensor *t, const char *name, size_t n);
void forge_drop_key(struct forge *f, const char *name);
void forge_drop_tensor(struct forge *f, const char *name);

/* Offsets, one tensor behind the other, and data to match. */
void forge_place(struct forge *f);

#endif
