/* SPDX-License-Identifier: MIT */
/*
 * The public face of GGUF files (anser_file_*): checks arguments, copies what
 * base/gguf and base/v7 know into the caller's structs.
 */
#include "base/v7.h"
#include "model/need.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum anser_status anser_file_open(anser_ctx *ctx, const char *path,
                                  anser_file **file)
{
    if (ctx == NULL || path == NULL || file == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_file_open: an argument is NULL");
    return anser_gguf_open(ctx, path, file);
}

void anser_file_close(anser_file *file)
{
    anser_gguf_close(file);
}

/* Copies a struct that begins with its size, as far as the caller's goes;
 * what only a later caller knows becomes 0. */
static enum anser_status give(const anser_file *file, void *to,
                              const void *from, size_t size)
{
    size_t theirs;
    memcpy(&theirs, to, sizeof theirs);
    if (theirs < sizeof theirs)
        return anser_fail(file->ctx, ANSER_BAD_ARG, "%s: info->size is not "
                          "set; set it to sizeof *info", file->path);
    size_t n = theirs < size ? theirs : size;
    memset(to, 0, theirs);
    memcpy(to, from, n);
    memcpy(to, &theirs, sizeof theirs);
    return ANSER_OK;
}

uint64_t anser_file_tensors(const anser_file *file)
{
    return file == NULL ? 0 : file->n_tensors;
}

enum anser_status anser_file_tensor(const anser_file *file, uint64_t i,
                                    struct anser_tensor_info *info)
{
    if (file == NULL || info == NULL)
        return ANSER_BAD_ARG;
    if (i >= file->n_tensors)
        return anser_fail(file->ctx, ANSER_BAD_ARG, "%s: no tensor %" PRIu64
                          ", the file has %" PRIu64, file->path, i,
                          file->n_tensors);
    const struct anser_gguf_tensor *t = &file->tensors[i];
    struct anser_tensor_info mine = {
        .name = t->name, .type = t->block->name, .n_dims = t->n_dims,
        .bytes = t->bytes
    };
    memcpy(mine.ne, t->ne, sizeof mine.ne);
    return give(file, info, &mine, sizeof mine);
}

uint64_t anser_file_keys(const anser_file *file)
{
    return file == NULL ? 0 : file->n_keys;
}

const char *anser_file_key(const anser_file *file, uint64_t i)
{
    return file == NULL || i >= file->n_keys ? NULL : file->keys[i].name;
}

/* text(n) into buf(cap), cut to fit. */
static size_t put_text(const char *text, uint64_t n, char *buf, size_t cap)
{
    size_t fits = cap == 0 ? 0 : n < cap - 1 ? (size_t)n : cap - 1;
    if (cap > 0) {
        memcpy(buf, text, fits);
        buf[fits] = '\0';
    }
    return (size_t)n;
}

static int64_t signed_value(const struct anser_gguf_key *key)
{
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    switch (key->bytes) {
    case 1: memcpy(&i8, key->value, 1); return i8;
    case 2: memcpy(&i16, key->value, 2); return i16;
    case 4: memcpy(&i32, key->value, 4); return i32;
    default: memcpy(&i64, key->value, 8); return i64;
    }
}

/* The number of a key of a numeric kind in decimal. */
static void print_number(const struct anser_gguf_key *key, char *to,
                         size_t cap)
{
    uint64_t whole = 0;
    float f32;
    double f64;
    switch (key->kind) {
    case GGUF_F32:
        memcpy(&f32, key->value, sizeof f32);
        snprintf(to, cap, "%.7g", (double)f32);
        break;
    case GGUF_F64:
        memcpy(&f64, key->value, sizeof f64);
        snprintf(to, cap, "%.15g", f64);
        break;
    case GGUF_I8: case GGUF_I16: case GGUF_I32: case GGUF_I64:
        snprintf(to, cap, "%" PRId64, signed_value(key));
        break;
    default:
        memcpy(&whole, key->value, (size_t)key->bytes);
        snprintf(to, cap, "%" PRIu64, whole);
    }
}

size_t anser_file_value(const anser_file *file, const char *name, char *buf,
                        size_t cap)
{
    if (file == NULL || name == NULL)
        return 0;
    const struct anser_gguf_key *key = anser_gguf_find_key(file, name);
    char text[40];
    if (key == NULL)
        return put_text("", 0, buf, cap);
    if (key->kind == GGUF_STRING) {
        const unsigned char *at = key->value;
        struct anser_gguf_text value = anser_gguf_next_string(&at);
        return put_text(value.at, value.n, buf, cap);
    }
    if (key->kind == GGUF_BOOL)
        snprintf(text, sizeof text, "%s", *key->value ? "true" : "false");
    else if (key->kind == GGUF_ARRAY)
        snprintf(text, sizeof text, "[%" PRIu64 " items]", key->count);
    else
        print_number(key, text, sizeof text);
    return put_text(text, strlen(text), buf, cap);
}

static uint64_t count_params(const anser_file *file)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < file->n_tensors; i++) {
        const uint64_t *ne = file->tensors[i].ne;
        n += ne[0] * ne[1] * ne[2] * ne[3];
    }
    return n;
}

enum anser_status anser_file_info(const anser_file *file,
                                  struct anser_file_info *info)
{
    struct anser_v7_file v7;
    if (file == NULL || info == NULL)
        return ANSER_BAD_ARG;
    TRY(anser_v7_bind(file, &v7));
    const struct anser_v7_shape *s = &v7.shape;
    struct anser_file_info mine = {
        .name = file->text_cache,
        .n_layer = s->L, .n_embd = s->C, .n_head = s->H, .head_size = s->N,
        .n_ff = s->F, .n_vocab = s->V,
        .lora_decay = s->Dw, .lora_iclr = s->Da,
        .lora_value = s->Dv, .lora_gate = s->Dg,
        .n_params = count_params(file),
        .file_bytes = file->bytes,
        .token_bytes = anser_v7_token_bytes(&v7),
        .state_bytes = anser_v7_state_bytes(s),
        .device_bytes = anser_v7_device_bytes(&v7, 0)
    };
    anser_v7_unbind(&v7);
    return give(file, info, &mine, sizeof mine);
}
