/* SPDX-License-Identifier: MIT */
/*
 * Stop texts in a stream.  The held bytes always begin where a stop text may
 * begin; a byte leaves as soon as none can begin with it.
 */
#include "stop.h"

#include <string.h>

int anser_stop_match(const char *const *marks, size_t n_marks,
                     const char *text, size_t n)
{
    int found = ANSER_STOP_NONE;
    for (size_t i = 0; i < n_marks; i++) {
        size_t length = strlen(marks[i]);
        if (memcmp(marks[i], text, length < n ? length : n) != 0)
            continue;
        if (length <= n)
            return (int)i;
        found = ANSER_STOP_PART;
    }
    return found;
}

bool anser_stop_init(struct anser_stop *stop, const char *const *texts,
                     size_t n_texts)
{
    for (size_t i = 0; i < n_texts; i++)
        if (texts[i][0] == '\0' || strlen(texts[i]) >= ANSER_STOP_BYTES)
            return false;
    memset(stop, 0, sizeof *stop);
    stop->texts = texts;
    stop->n_texts = n_texts;
    return true;
}

/* Lets go what can't begin a stop text; at the end of the stream, a part of
 * one too. */
static size_t drain(struct anser_stop *stop, bool at_end, char *out)
{
    size_t gone = 0;
    while (gone < stop->n_held) {
        int match = anser_stop_match(stop->texts, stop->n_texts,
                                     stop->held + gone, stop->n_held - gone);
        if (match == ANSER_STOP_PART && !at_end)
            break;
        if (match >= 0) {
            stop->stopped = true;
            break;
        }
        out[gone] = stop->held[gone];
        gone++;
    }
    stop->n_held = stop->stopped ? 0 : stop->n_held - gone;
    memmove(stop->held, stop->held + gone, stop->n_held);
    return gone;
}

size_t anser_stop_push(struct anser_stop *stop, const char *text, size_t n,
                       char *out)
{
    size_t written = 0;
    for (size_t i = 0; i < n && !stop->stopped; i++) {
        stop->held[stop->n_held++] = text[i];
        written += drain(stop, false, out + written);
    }
    return written;
}

size_t anser_stop_flush(struct anser_stop *stop, char *out)
{
    return drain(stop, true, out);
}
