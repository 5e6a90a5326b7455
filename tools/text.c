/* SPDX-License-Identifier: MIT */
/* A text that grows; see text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for n more bytes and a NUL. */
static int reserve(struct anser_text *text, size_t n)
{
    if (text->failed)
        return -1;
    if (text->n + n + 1 <= text->room)
        return 0;
    size_t room = 2 * (text->n + n) + 256;
    char *more = realloc(text->at, room);
    if (more == NULL) {
        text->failed = 1;
        return -1;
    }
    text->at = more;
    text->room = room;
    return 0;
}

void anser_text_bytes(struct anser_text *text, const void *bytes, size_t n)
{
    if (reserve(text, n) != 0)
        return;
    if (n > 0)
        memcpy(text->at + text->n, bytes, n);
    text->n += n;
    text->at[text->n] = '\0';
}

void anser_text_add(struct anser_text *text, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || reserve(text, (size_t)n) != 0)
        return;
    va_start(args, fmt);
    vsnprintf(text->at + text->n, (size_t)n + 1, fmt, args);
    va_end(args);
    text->n += (size_t)n;
}

void anser_text_free(struct anser_text *text)
{
    free(text->at);
    *text = (struct anser_text){ .at = NULL };
}
