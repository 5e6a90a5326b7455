/* SPDX-License-Identifier: MIT */
/*
 * Whole UTF-8 characters out of bytes that come in pieces, since a token may
 * end in the middle of one.  Well-formed as in Unicode's table 3-7: no
 * overlong form, no surrogate, nothing above U+10FFFF.  Nothing is replaced.
 */
#include <anser.h>

#include <stdbool.h>

/* Length that a first byte announces; 1 also for bytes that can't be first. */
static unsigned length_of(unsigned char first)
{
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 1;
}

/* May b be the byte number i (from 1) after this first one? */
static bool may_follow(unsigned char first, unsigned i, unsigned char b)
{
    unsigned char lowest = 0x80, highest = 0xBF;
    if (i == 1 && first == 0xE0)
        lowest = 0xA0;
    if (i == 1 && first == 0xED)
        highest = 0x9F;
    if (i == 1 && first == 0xF0)
        lowest = 0x90;
    if (i == 1 && first == 0xF4)
        highest = 0x8F;
    return b >= lowest && b <= highest;
}

size_t anser_utf8_flush(struct anser_utf8 *u, char *out)
{
    if (u == NULL || out == NULL)
        return 0;
    unsigned n = u->n;
    for (unsigned i = 0; i < n; i++)
        out[i] = (char)u->held[i];
    u->n = 0;
    return n;
}

size_t anser_utf8_push(struct anser_utf8 *u, const void *in, size_t n,
                       char *out)
{
    if (u == NULL || in == NULL || out == NULL)
        return 0;
    const unsigned char *bytes = in;
    size_t written = 0;
    for (size_t i = 0; i < n; i++) {
        if (u->n > 0 && !may_follow(u->held[0], u->n, bytes[i]))
            written += anser_utf8_flush(u, out + written);
        u->held[u->n++] = bytes[i];
        if (u->n == length_of(u->held[0]))
            written += anser_utf8_flush(u, out + written);
    }
    return written;
}
