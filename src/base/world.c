/* SPDX-License-Identifier: MIT */
/*
 * Reads rwkv_vocab_v20230424.txt: each line's Python literal becomes bytes,
 * checked against the length that the line gives, and those become the inside
 * of Python's repr(bytes), the form of tokenizer.ggml.tokens.
 */
#include "base/world.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NORMAL = 1, CONTROL = 3, UNUSED = 5 };       /* token types          */

#define MAX_FILE (1u << 24)          /* bytes; the list has 1,093,732       */
#define MAX_TOKEN 1024               /* bytes; the longest has 128          */
#define PAD_BYTES 16                 /* "[PAD65535]" and a NUL fit          */

struct literal {                     /* being read                          */
    const char *at, *end;            /* what is left of the line            */
    bool is_bytes;                   /* b'...': \x is a byte, else U+00xx   */
    unsigned char out[MAX_TOKEN];
    size_t n;
};

static void put_byte(struct literal *l, unsigned byte)
{
    if (l->n < MAX_TOKEN)
        l->out[l->n++] = (unsigned char)byte;
}

static void put_code_point(struct literal *l, unsigned c)
{
    if (l->is_bytes || c < 0x80) {
        put_byte(l, c);
    } else if (c < 0x800) {
        put_byte(l, 0xC0 | c >> 6);
        put_byte(l, 0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put_byte(l, 0xE0 | c >> 12);
        put_byte(l, 0x80 | (c >> 6 & 0x3F));
        put_byte(l, 0x80 | (c & 0x3F));
    } else {
        put_byte(l, 0xF0 | (c >> 18 & 7));
        put_byte(l, 0x80 | (c >> 12 & 0x3F));
        put_byte(l, 0x80 | (c >> 6 & 0x3F));
        put_byte(l, 0x80 | (c & 0x3F));
    }
}

/* digits hex digits, as a code point. */
static bool read_hex(struct literal *l, int digits)
{
    unsigned value = 0;
    for (int i = 0; i < digits; i++) {
        static const char hex[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = l->at < l->end && *l->at != '\0'
            ? strchr(hex, *l->at) : NULL;
        if (digit == NULL)
            return false;
        value = value << 4 | (unsigned)((digit - hex) & 15);
        l->at++;
    }
    put_code_point(l, value);
    return true;
}

/* What stands after a backslash. */
static bool read_escape(struct literal *l)
{
    static const char names[] = "\\'\"nrtabfv";
    static const char values[] = "\\'\"\n\r\t\a\b\f\v";
    if (l->at == l->end || *l->at == '\0')
        return false;
    char c = *l->at++;
    const char *name = strchr(names, c);
    if (name != NULL) {
        put_byte(l, (unsigned char)values[name - names]);
        return true;
    }
    switch (c) {
    case 'x': return read_hex(l, 2);
    case 'u': return !l->is_bytes && read_hex(l, 4);
    case 'U': return !l->is_bytes && read_hex(l, 8);
    default: return false;
    }
}

static bool read_literal(struct literal *l)
{
    l->n = 0;
    l->is_bytes = l->at < l->end && *l->at == 'b';
    l->at += l->is_bytes;
    if (l->at == l->end || (*l->at != '\'' && *l->at != '"'))
        return false;
    char quote = *l->at++;
    while (l->at < l->end && *l->at != quote) {
        char c = *l->at++;
        if (c != '\\')
            put_byte(l, (unsigned char)c);
        else if (!read_escape(l))
            return false;
    }
    return l->at++ < l->end;
}

/* A decimal number and the character after it; at the end of the line, none. */
static bool read_number(struct literal *l, unsigned *value)
{
    const char *first = l->at;
    *value = 0;
    while (l->at < l->end && *l->at >= '0' && *l->at <= '9'
           && l->at - first < 6)
        *value = *value * 10 + (unsigned)(*l->at++ - '0');
    return l->at > first;
}

static bool skip_space(struct literal *l)
{
    return l->at < l->end && *l->at++ == ' ';
}

static bool read_line(struct literal *l, unsigned *id)
{
    unsigned bytes;
    return read_number(l, id) && skip_space(l) && read_literal(l)
        && skip_space(l) && read_number(l, &bytes) && l->at == l->end
        && bytes == l->n && l->n > 0;
}

/* The inside of repr(bytes): at most 4 characters a byte.  Python quotes with
 * " if there is a ' and no ", and escapes ' otherwise. */
static size_t write_repr(const struct literal *l, char *out)
{
    static const char hex[] = "0123456789abcdef";
    bool bare = memchr(l->out, '"', l->n) == NULL;
    char *start = out;
    for (size_t i = 0; i < l->n; i++) {
        unsigned char c = l->out[i];
        char letter = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r'
            : c == '\\' || (c == '\'' && !bare) ? (char)c : '\0';
        if (letter != '\0') {
            *out++ = '\\';
            *out++ = letter;
        } else if (c >= 0x20 && c < 0x7F) {
            *out++ = (char)c;
        } else {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        }
    }
    return (size_t)(out - start);
}

static void set(struct anser_world *world, unsigned id, int32_t type,
                const char *at, size_t n)
{
    world->types[id] = type;
    world->tokens[id] = (struct anser_gguf_text) { at, n };
}

static enum anser_status parse(anser_ctx *ctx, const char *path,
                               const char *text, size_t bytes,
                               struct anser_world *world)
{
    char *out = world->arena;
    struct literal l = { .at = text };
    unsigned id = 0, next = 1;
    set(world, 0, CONTROL, "<s>", 3);
    while (l.at < text + bytes) {
        const char *newline = memchr(l.at, '\n', (size_t)(text + bytes - l.at));
        l.end = newline != NULL ? newline : text + bytes;
        if (!read_line(&l, &id) || id != next || id >= ANSER_WORLD_V)
            return anser_fail(ctx, ANSER_BAD_FILE,
                              "%s: line %u must be \"%u LITERAL BYTES\", a "
                              "Python literal of that many bytes; is this "
                              "rwkv_vocab_v20230424.txt?", path, next, next);
        size_t n = write_repr(&l, out);
        set(world, next++, NORMAL, out, n);
        out += n;
        l.at = l.end + (newline != NULL);
    }
    for (; next < ANSER_WORLD_V; next++) {
        int n = snprintf(out, PAD_BYTES, "[PAD%u]", next);
        set(world, next, UNUSED, out, (size_t)n);
        out += n;
    }
    return ANSER_OK;
}

/* The whole file; *text is the caller's to free. */
static enum anser_status slurp(anser_ctx *ctx, const char *path, char **text,
                               size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return anser_fail(ctx, ANSER_IO, "%s: %s", path, strerror(errno));
    char *all = malloc(MAX_FILE + 1);
    size_t got = all == NULL ? 0 : fread(all, 1, MAX_FILE + 1, file);
    int failed = ferror(file);
    fclose(file);
    if (all != NULL && !failed && got <= MAX_FILE) {
        *text = all;
        *bytes = got;
        return ANSER_OK;
    }
    free(all);
    if (all == NULL)
        return anser_fail_memory(ctx, MAX_FILE + 1);
    return failed ? anser_fail(ctx, ANSER_IO, "%s: reading failed", path)
                  : anser_fail(ctx, ANSER_BAD_FILE,
                               "%s: more than %u bytes, which no vocabulary "
                               "list has", path, MAX_FILE);
}

enum anser_status anser_world_read(anser_ctx *ctx, const char *path,
                                   struct anser_world *world)
{
    struct anser_world made = { NULL, NULL, NULL };
    enum anser_status status;
    char *text = NULL;
    size_t bytes = 0;
    TRY(slurp(ctx, path, &text, &bytes));
    size_t arena = bytes * 4 + ANSER_WORLD_V * PAD_BYTES;
    made.tokens = calloc(ANSER_WORLD_V, sizeof *made.tokens);
    made.types = calloc(ANSER_WORLD_V, sizeof *made.types);
    made.arena = malloc(arena);
    if (made.tokens == NULL || made.types == NULL || made.arena == NULL) {
        status = anser_fail_memory(ctx, arena);
        goto fail;
    }
    TRY_OR_FAIL(parse(ctx, path, text, bytes, &made));
    free(text);
    *world = made;
    return ANSER_OK;
fail:
    free(text);
    anser_world_free(&made);
    return status;
}

void anser_world_free(struct anser_world *world)
{
    if (world == NULL)
        return;
    free(world->tokens);
    free(world->types);
    free(world->arena);
    *world = (struct anser_world) { NULL, NULL, NULL };
}
