/* SPDX-License-Identifier: MIT */
/*
 * A progress bar on stderr, where that is a terminal, and the way in which
 * Ctrl-C reaches the commands.
 */
#ifndef ANSER_TOOLS_PROGRESS_H
#define ANSER_TOOLS_PROGRESS_H

/* user of anser_progress_step, which is an anser_progress_fn: draws, and
 * cancels after Ctrl-C. */
struct anser_progress {
    const char *label;               /* "loading"                           */
    int shown;                       /* percent, or -1: nothing drawn       */
};

#define PROGRESS(text) { .label = (text), .shown = -1 }

int anser_progress_step(void *user, double part);

/* Wipes the bar. */
void anser_progress_end(struct anser_progress *progress);

/* From now on the first Ctrl-C is only noted; the second one kills. */
void anser_interrupt_watch(void);

/* Whether Ctrl-C was noted. */
int anser_interrupted(void);

/* Seconds of a clock that never steps back. */
double anser_seconds(void);

#endif
