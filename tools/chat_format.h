/* SPDX-License-Identifier: MIT */
/*
 * The round format of RWKV-7 G1 models: "User: ...\n\nAssistant: ...\n\n", its
 * think forms, and where an answer ends.  Texts and a state machine only; it
 * knows no model.  Source: RWKV-v7/RWKV7-G1x-templates.txt of RWKV-LM.
 */
#ifndef ANSER_TOOLS_CHAT_FORMAT_H
#define ANSER_TOOLS_CHAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

enum anser_think {
    ANSER_THINK_NONE,                /* "Assistant:"                        */
    ANSER_THINK_FULL,                /* "Assistant: <think"                 */
    ANSER_THINK_FAKE                 /* "Assistant: <think>\n</think"       */
};

/* User's or system's text made fit for a round: CRLF becomes LF, a run of
 * newlines one, and white space at the ends goes.  The caller frees it; NULL
 * if out of memory. */
char *anser_chat_clean(const char *text);

/* What the state lacks of the last answer and has beyond it, since the token
 * that ended the answer was not fed.  Zero: every token was. */
struct anser_chat_gap {
    const char *owed;                /* borrowed: unfed end of the answer   */
    size_t n_owed;
    size_t fed;                      /* bytes of "\n\nUser:" fed already    */
};

struct anser_chat_round {
    const char *system;              /* cleaned, or NULL; first round only  */
    const char *user;                /* cleaned                             */
    enum anser_think think;
    const struct anser_chat_gap *gap;       /* NULL in the first round      */
};

/* The text to feed for a round, up to where the answer starts.  No space is at
 * its end: the model makes one.  The caller frees it; NULL as above. */
char *anser_chat_prompt(const struct anser_chat_round *round);

/* Follows an answer.  It ends at "\n\n" once it has more than white space,
 * and at "\n\nUser:" anywhere; blank lines of a thought don't end it. */
enum anser_chat_phase {
    ANSER_CHAT_BLANK,                /* white space before the answer       */
    ANSER_CHAT_THOUGHT,
    ANSER_CHAT_ANSWER
};

#define ANSER_CHAT_HELD 16           /* more than the longest mark          */

struct anser_chat_stop {
    enum anser_chat_phase phase;
    char held[ANSER_CHAT_HELD];      /* may be the beginning of a mark      */
    size_t n_held;
    bool tag_due;                    /* the > of a fake thought             */
    bool shown;                      /* something was printed               */
    bool stopped;
    struct anser_chat_gap gap;       /* after a stop, or after _flush       */
};

void anser_chat_stop_init(struct anser_chat_stop *stop,
                          enum anser_think think);

/* Takes one token's text(n), which must live as long as gap is used, and
 * writes what may be printed to out, which has room for n + ANSER_CHAT_HELD;
 * returns the bytes written.  Left out are the stop, white space before
 * anything else, and the end of a fake thought.  A thought is printed from
 * where the prompt ended ("<think" is the caller's to print). */
size_t anser_chat_stop_push(struct anser_chat_stop *stop, const char *text,
                            size_t n, char *out);

/* After an answer that no stop ended (end token, token limit), all of it fed:
 * writes what is held and sets gap. */
size_t anser_chat_stop_flush(struct anser_chat_stop *stop, char *out);

#endif
