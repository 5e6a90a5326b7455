/* SPDX-License-Identifier: MIT */
/*
 * A text that grows.  The first failure (memory) sticks and drops all that
 * comes after it, so that only the end needs a check.
 */
#ifndef ANSER_TOOLS_TEXT_H
#define ANSER_TOOLS_TEXT_H

#include <stddef.h>

struct anser_text {
    char *at;                        /* owned, ended by NUL; NULL: empty    */
    size_t n, room;
    int failed;
};

void anser_text_add(struct anser_text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void anser_text_bytes(struct anser_text *text, const void *bytes, size_t n);
void anser_text_free(struct anser_text *text);

#endif
