/* SPDX-License-Identifier: MIT */
/*
 * The round format of RWKV-7 G1 models.  The stop works on text, not on ids:
 * many tokens contain "\n\n", and several make it together.
 */
#include "chat_format.h"

#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between rounds; its first half is the stop of an answer. */
static const char between[] = "\n\nUser:";

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

char *anser_chat_clean(const char *text)
{
    char *clean = malloc(strlen(text) + 1);
    if (clean == NULL)
        return NULL;
    size_t n = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '\r' && p[1] == '\n')
            continue;
        bool blank_line = *p == '\n' && n > 0 && clean[n - 1] == '\n';
        if (!blank_line && (n > 0 || !is_space(*p)))
            clean[n++] = *p;
    }
    while (n > 0 && is_space(clean[n - 1]))
        n--;
    clean[n] = '\0';
    return clean;
}

char *anser_chat_prompt(const struct anser_chat_round *round)
{
    static const char *const thinks[] = {
        [ANSER_THINK_NONE] = "",
        [ANSER_THINK_FULL] = " <think",
        [ANSER_THINK_FAKE] = " <think>\n</think",
    };
    const struct anser_chat_gap *gap = round->gap;
    bool has_system = gap == NULL && round->system != NULL;
    size_t skip = gap != NULL ? gap->fed : 2;
    size_t n_owed = gap != NULL ? gap->n_owed : 0;
    size_t cap = n_owed + strlen(round->user) + 64
        + (has_system ? strlen(round->system) : 0);
    char *prompt = malloc(cap);
    if (prompt == NULL)
        return NULL;
    if (n_owed > 0)
        memcpy(prompt, gap->owed, n_owed);
    snprintf(prompt + n_owed, cap - n_owed, "%s%s%s%s %s\n\nAssistant:%s",
             has_system ? "System: " : "", has_system ? round->system : "",
             has_system ? "\n\n" : "", &between[skip], round->user,
             thinks[round->think]);
    return prompt;
}

/* Marks of a phase: the stop, and the tag that leads to another phase. */
static const struct {
    const char *marks[2];
    size_t n;
    enum anser_chat_phase next;
} phases[] = {
    [ANSER_CHAT_BLANK] = { { between, "<think>" }, 2, ANSER_CHAT_THOUGHT },
    [ANSER_CHAT_THOUGHT] = { { between, "</think>" }, 2, ANSER_CHAT_BLANK },
    [ANSER_CHAT_ANSWER] = { { "\n\n" }, 1, ANSER_CHAT_ANSWER },
};

void anser_chat_stop_init(struct anser_chat_stop *stop,
                          enum anser_think think)
{
    memset(stop, 0, sizeof *stop);
    stop->phase = think == ANSER_THINK_FULL ? ANSER_CHAT_THOUGHT
                                            : ANSER_CHAT_BLANK;
    stop->tag_due = think == ANSER_THINK_FAKE;
}

/* Takes the first n held bytes away; white space before all else is not
 * written. */
static size_t emit(struct anser_chat_stop *stop, size_t n, char *out)
{
    stop->shown = stop->shown || stop->phase != ANSER_CHAT_BLANK
        || !is_space(stop->held[0]);
    if (stop->shown)
        memcpy(out, stop->held, n);
    stop->n_held -= n;
    memmove(stop->held, stop->held + n, stop->n_held);
    return stop->shown ? n : 0;
}

/* Lets go what no mark can begin with; at the end, a part of one too. */
static size_t drain(struct anser_chat_stop *stop, bool at_end, char *out)
{
    size_t written = 0;
    while (stop->n_held > 0) {
        enum anser_chat_phase phase = stop->phase;
        int match = anser_stop_match(phases[phase].marks, phases[phase].n,
                                     stop->held, stop->n_held);
        stop->stopped = match == 0;
        if (match == 0 || (match == ANSER_STOP_PART && !at_end))
            break;
        if (phase == ANSER_CHAT_BLANK && !is_space(stop->held[0]))
            stop->phase = ANSER_CHAT_ANSWER;
        size_t n = match == 1 ? strlen(phases[phase].marks[1]) : 1;
        written += emit(stop, n, out + written);
        if (match == 1)
            stop->phase = phases[phase].next;
    }
    return written;
}

size_t anser_chat_stop_push(struct anser_chat_stop *stop, const char *text,
                            size_t n, char *out)
{
    size_t written = 0;
    for (size_t i = 0; i < n && !stop->stopped; i++) {
        bool hidden = stop->tag_due && text[i] == '>';
        stop->tag_due = false;
        if (hidden)
            continue;
        stop->held[stop->n_held++] = text[i];
        written += drain(stop, false, out + written);
        if (!stop->stopped)
            continue;
        /* The stop's text is what is held; i + 1 bytes of it and of the answer
         * before it are this token's, which will not be fed. */
        size_t own = i + 1, mark = stop->n_held;
        stop->gap.owed = text;
        stop->gap.n_owed = own > mark ? own - mark : 0;
        stop->gap.fed = own > mark ? 0 : mark - own;
    }
    return written;
}

size_t anser_chat_stop_flush(struct anser_chat_stop *stop, char *out)
{
    if (stop->stopped)
        return 0;
    static const char *const round[] = { between };
    stop->gap = (struct anser_chat_gap) { NULL, 0, 0 };
    if (stop->n_held > 0
        && anser_stop_match(round, 1, stop->held, stop->n_held)
            == ANSER_STOP_PART)
        stop->gap.fed = stop->n_held;
    return drain(stop, true, out);
}
