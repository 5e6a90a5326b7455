/* SPDX-License-Identifier: MIT */
/* The progress bar, Ctrl-C and the clock; see progress.h. */
#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH 40

static volatile sig_atomic_t interrupted;

int anser_progress_step(void *user, double part)
{
    struct anser_progress *progress = user;
    int now = part < 0 ? 0 : part > 1 ? 100 : (int)(part * 100);
    if (now != progress->shown && isatty(STDERR_FILENO)) {
        char bar[BAR_WIDTH + 1];
        int full = now * BAR_WIDTH / 100;
        memset(bar, '#', (size_t)full);
        memset(bar + full, '.', (size_t)(BAR_WIDTH - full));
        bar[BAR_WIDTH] = '\0';
        fprintf(stderr, "\r%s [%s] %3d %%", progress->label, bar, now);
        progress->shown = now;
    }
    return anser_interrupted();
}

void anser_progress_end(struct anser_progress *progress)
{
    if (progress->shown >= 0)
        fprintf(stderr, "\r\033[K");
    progress->shown = -1;
}

static void note(int number)
{
    (void)number;
    interrupted = 1;
}

void anser_interrupt_watch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

int anser_interrupted(void)
{
    return interrupted != 0;
}

double anser_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
