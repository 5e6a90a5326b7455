/* SPDX-License-Identifier: MIT */
/*
 * Stop texts in a stream: what may be the beginning of one is held back until
 * the next bytes decide, so that no part of a stop text is ever printed.
 */
#ifndef ANSER_TOOLS_STOP_H
#define ANSER_TOOLS_STOP_H

#include <stdbool.h>
#include <stddef.h>

#define ANSER_STOP_BYTES 256         /* of a stop text with its NUL         */

enum { ANSER_STOP_NONE = -1, ANSER_STOP_PART = -2 };

/* The first of marks(n_marks) that text(n), n > 0, begins with; or PART if
 * text is a proper beginning of one; or NONE. */
int anser_stop_match(const char *const *marks, size_t n_marks,
                     const char *text, size_t n);

struct anser_stop {
    const char *const *texts;        /* borrowed (n_texts)                  */
    size_t n_texts;
    char held[ANSER_STOP_BYTES];
    size_t n_held;
    bool stopped;                    /* a stop text came                    */
};

/* False if a text is empty or longer than ANSER_STOP_BYTES - 1. */
bool anser_stop_init(struct anser_stop *stop, const char *const *texts,
                     size_t n_texts);

/* Takes text(n) and writes what may be printed to out, which has room for
 * n + ANSER_STOP_BYTES; returns the bytes written.  After a stop text nothing
 * more is. */
size_t anser_stop_push(struct anser_stop *stop, const char *text, size_t n,
                       char *out);

/* At the end of the stream: writes what is held, up to a stop text in it. */
size_t anser_stop_flush(struct anser_stop *stop, char *out);

#endif
