/* SPDX-License-Identifier: MIT */
/*
 * Taking numbers, texts and names from a mapped GGUF file, never past its end.
 * Every length is compared with the bytes left before it is added to anything.
 */
#include "base/gguf_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum anser_status anser_gguf_bad(const anser_file *file, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: %s; the file is "
                      "damaged, download or convert it again", file->path,
                      text);
}

static uint64_t left(const struct anser_gguf_cursor *c)
{
    return (uint64_t)(c->end - c->at);
}

static enum anser_status need(const struct anser_gguf_cursor *c, uint64_t n)
{
    if (n <= left(c))
        return ANSER_OK;
    return anser_gguf_bad(c->file, "%s needs %llu bytes at offset %llu and the "
                          "file has %llu left", c->what,
                          (unsigned long long)n,
                          (unsigned long long)(c->at - c->file->map),
                          (unsigned long long)left(c));
}

enum anser_status anser_gguf_take_u32(struct anser_gguf_cursor *c,
                                      uint32_t *value)
{
    TRY(need(c, sizeof *value));
    memcpy(value, c->at, sizeof *value);
    c->at += sizeof *value;
    return ANSER_OK;
}

enum anser_status anser_gguf_take_u64(struct anser_gguf_cursor *c,
                                      uint64_t *value)
{
    TRY(need(c, sizeof *value));
    memcpy(value, c->at, sizeof *value);
    c->at += sizeof *value;
    return ANSER_OK;
}

enum anser_status anser_gguf_take_bytes(struct anser_gguf_cursor *c,
                                        uint64_t n)
{
    TRY(need(c, n));
    c->at += n;
    return ANSER_OK;
}

enum anser_status anser_gguf_take_text(struct anser_gguf_cursor *c,
                                       struct anser_gguf_text *text)
{
    uint64_t n;
    TRY(anser_gguf_take_u64(c, &n));
    const char *at = (const char *)c->at;
    TRY(anser_gguf_take_bytes(c, n));
    text->at = at;
    text->n = n;
    return ANSER_OK;
}

/* Names go into messages of one line, and end at a NUL here. */
static int printable(const struct anser_gguf_text *text)
{
    for (uint64_t i = 0; i < text->n; i++)
        if ((unsigned char)text->at[i] < ' ' || text->at[i] == 127)
            return 0;
    return 1;
}

enum anser_status anser_gguf_take_name(struct anser_gguf_cursor *c,
                                       uint64_t max, char **name)
{
    struct anser_gguf_text text;
    TRY(anser_gguf_take_text(c, &text));
    if (text.n == 0)
        return anser_gguf_bad(c->file, "%s is empty", c->what);
    if (text.n > max)
        return anser_gguf_bad(c->file, "%s has %llu bytes, at most %llu are "
                              "allowed", c->what, (unsigned long long)text.n,
                              (unsigned long long)max);
    if (!printable(&text))
        return anser_gguf_bad(c->file, "%s holds a NUL or another control "
                              "character", c->what);
    char *copy = malloc((size_t)text.n + 1);
    if (copy == NULL)
        return anser_fail_memory(c->file->ctx, (size_t)text.n + 1);
    memcpy(copy, text.at, (size_t)text.n);
    copy[text.n] = '\0';
    *name = copy;
    return ANSER_OK;
}
