/* SPDX-License-Identifier: MIT */
/*
 * The forge: a good GGUF file taken apart, and put together again with
 * whatever a case has altered.  It runs out of memory by exit: a test tool.
 */
#include "malformed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32 };

struct bytes {
    unsigned char *at;
    size_t n;
};

static void *must(void *memory)
{
    if (memory == NULL) {
        fputs("malformed: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

static void *copy(const void *data, size_t n)
{
    unsigned char *at = must(malloc(n + 1));
    memcpy(at, data, n);
    at[n] = '\0';
    return at;
}

static void add(struct bytes *to, const void *data, size_t n)
{
    to->at = must(realloc(to->at, to->n + n + 1));
    memcpy(to->at + to->n, data, n);
    to->n += n;
}

static void add_u32(struct bytes *to, uint32_t value)
{
    add(to, &value, sizeof value);
}

static void add_u64(struct bytes *to, uint64_t value)
{
    add(to, &value, sizeof value);
}

static size_t pad(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* ------------------------------------------------------- taking apart */

static void load_key(struct forge_key *to, const struct anser_gguf_key *key)
{
    struct bytes value = { NULL, 0 };
    to->name_n = to->name_says = strlen(key->name);
    to->name = copy(key->name, to->name_n);
    to->kind = key->kind;
    if (key->kind == GGUF_ARRAY) {
        add_u32(&value, key->item);
        add_u64(&value, key->count);
    }
    add(&value, key->value, (size_t)key->bytes);
    to->value = value.at;
    to->value_n = value.n;
}

static void load_tensor(struct forge_tensor *to,
                        const struct anser_gguf_tensor *t, uint64_t start)
{
    to->name_n = to->name_says = strlen(t->name);
    to->name = copy(t->name, to->name_n);
    to->n_dims = to->n_ne = t->n_dims;
    for (uint32_t i = 0; i < 8; i++)
        to->ne[i] = i < 4 ? t->ne[i] : 1;
    to->type = (uint32_t)t->block->type;
    to->offset = t->offset - start;
}

void forge_load(struct forge *f, const anser_file *file)
{
    uint64_t start = file->tensors[0].offset;
    memset(f, 0, sizeof *f);
    memcpy(f->magic, "GGUF", 4);
    f->version = 3;
    f->n_keys = f->has_keys = file->n_keys;
    f->n_tensors = f->has_tensors = file->n_tensors;
    f->keys = must(calloc((size_t)file->n_keys + 1, sizeof *f->keys));
    f->tensors = must(calloc((size_t)file->n_tensors + 1,
                             sizeof *f->tensors));
    for (uint64_t i = 0; i < file->n_keys; i++)
        load_key(&f->keys[i], &file->keys[i]);
    for (uint64_t i = 0; i < file->n_tensors; i++)
        load_tensor(&f->tensors[i], &file->tensors[i], start);
    f->data_n = (size_t)(file->bytes - start);
    f->data = copy(file->map + start, f->data_n);
}

void forge_free(struct forge *f)
{
    for (uint64_t i = 0; i < f->has_keys; i++) {
        free(f->keys[i].name);
        free(f->keys[i].value);
    }
    for (uint64_t i = 0; i < f->has_tensors; i++)
        free(f->tensors[i].name);
    free(f->keys);
    free(f->tensors);
    free(f->data);
}

/* --------------------------------------------------- putting together */

static void add_key(struct bytes *to, const struct forge_key *key)
{
    add_u64(to, key->name_says);
    add(to, key->name, (size_t)key->name_n);
    add_u32(to, key->kind);
    add(to, key->value, key->value_n);
}

static void add_tensor(struct bytes *to, const struct forge_tensor *t)
{
    add_u64(to, t->name_says);
    add(to, t->name, (size_t)t->name_n);
    add_u32(to, t->n_dims);
    for (uint32_t i = 0; i < t->n_ne; i++)
        add_u64(to, t->ne[i]);
    add_u32(to, t->type);
    add_u64(to, t->offset);
}

static struct bytes head_bytes(const struct forge *f)
{
    struct bytes b = { NULL, 0 };
    add(&b, f->magic, 4);
    add_u32(&b, f->version);
    add_u64(&b, f->n_tensors);
    add_u64(&b, f->n_keys);
    for (uint64_t i = 0; i < f->has_keys; i++)
        add_key(&b, &f->keys[i]);
    for (uint64_t i = 0; i < f->has_tensors; i++)
        add_tensor(&b, &f->tensors[i]);
    return b;
}

size_t forge_head(const struct forge *f)
{
    struct bytes b = head_bytes(f);
    free(b.at);
    return b.n;
}

unsigned char *forge_bytes(const struct forge *f, size_t *n)
{
    static const unsigned char zeros[ALIGNMENT];
    struct bytes b = head_bytes(f);
    add(&b, zeros, pad(b.n) - b.n);
    add(&b, f->data, f->data_n);
    *n = b.n;
    return b.at;
}

unsigned char *malformed_bytes(const struct malformed *m,
                               const anser_file *file, size_t *n)
{
    struct forge f;
    forge_load(&f, file);
    if (m->drop_key != NULL)
        forge_drop_key(&f, m->drop_key);
    if (m->drop_tensor != NULL)
        forge_drop_tensor(&f, m->drop_tensor);
    if (m->key != NULL)
        forge_set_value(forge_key(&f, m->key), GGUF_U32, &m->value,
                        sizeof m->value);
    if (m->alter != NULL)
        m->alter(&f);
    unsigned char *at = forge_bytes(&f, n);
    if (m->cut != NULL)
        *n = m->cut(&f, *n);
    forge_free(&f);
    return at;
}

/* ----------------------------------------------------------- altering */

struct forge_key *forge_key(struct forge *f, const char *name)
{
    for (uint64_t i = 0; i < f->has_keys; i++)
        if (strcmp(f->keys[i].name, name) == 0)
            return &f->keys[i];
    fprintf(stderr, "malformed: the good file has no key %s\n", name);
    exit(EXIT_FAILURE);
}

struct forge_tensor *forge_tensor(struct forge *f, const char *name)
{
    for (uint64_t i = 0; i < f->has_tensors; i++)
        if (strcmp(f->tensors[i].name, name) == 0)
            return &f->tensors[i];
    fprintf(stderr, "malformed: the good file has no tensor %s\n", name);
    exit(EXIT_FAILURE);
}

struct forge_key *forge_add_key(struct forge *f, const char *name,
                                uint32_t kind, const void *value, size_t n)
{
    struct forge_key *key = &f->keys[f->has_keys++];
    f->n_keys++;
    key->name_n = key->name_says = strlen(name);
    key->name = copy(name, key->name_n);
    key->kind = kind;
    key->value = copy(value, n);
    key->value_n = n;
    return key;
}

void forge_rename_key(struct forge_key *key, const char *name, size_t n)
{
    free(key->name);
    key->name = copy(name, n);
    key->name_n = key->name_says = n;
}

void forge_set_value(struct forge_key *key, uint32_t kind, const void *value,
                     size_t n)
{
    free(key->value);
    key->kind = kind;
    key->value = copy(value, n);
    key->value_n = n;
}

void forge_rename_tensor(struct forge_tensor *t, const char *name, size_t n)
{
    free(t->name);
    t->name = copy(name, n);
    t->name_n = t->name_says = n;
}

void forge_drop_key(struct forge *f, const char *name)
{
    struct forge_key *key = forge_key(f, name);
    free(key->name);
    free(key->value);
    f->has_keys--;
    f->n_keys--;
    *key = f->keys[f->has_keys];
}

void forge_drop_tensor(struct forge *f, const char *name)
{
    struct forge_tensor *t = forge_tensor(f, name);
    free(t->name);
    f->has_tensors--;
    f->n_tensors--;
    *t = f->tensors[f->has_tensors];
    forge_place(f);
}

void forge_place(struct forge *f)
{
    size_t next = 0;
    for (uint64_t i = 0; i < f->has_tensors; i++) {
        struct forge_tensor *t = &f->tensors[i];
        const struct anser_block *block = anser_block_find(t->type);
        uint64_t n = 1;
        for (uint32_t d = 0; d < t->n_ne; d++)
            n *= t->ne[d];
        t->offset = next;
        next = pad(next + (size_t)anser_block_bytes(block, n));
    }
    f->data = must(realloc(f->data, next + 1));
    if (next > f->data_n)
        memset(f->data + f->data_n, 0, next - f->data_n);
    f->data_n = next;
}
