/* SPDX-License-Identifier: MIT */
/* The turns of a contest. */
#include "op/contest.h"

#include "rt/queue.h"

#include <stdlib.h>
#include <time.h>

#define SAMPLE_SECONDS 2e-3          /* a sample lasts about so long        */
#define KEEP 0.97                    /* another must take at most so much   */
enum { CALLS_MAX = 256 };

double anser_contest_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds a call. */
static enum anser_status sample(struct anser_queue *q, struct anser_rival *r,
                                double *seconds)
{
    const double start = anser_contest_clock();
    for (uint32_t i = 0; i < r->calls; i++)
        r->run(r);
    TRY(anser_queue_finish(q));
    *seconds = (anser_contest_clock() - start) / r->calls;
    return ANSER_OK;
}

/* Once to warm up, then as many calls a sample as it takes. */
static enum anser_status calibrate(struct anser_queue *q,
                                   struct anser_rival *r)
{
    double seconds;
    r->calls = 1;
    for (int i = 0; i < 2; i++)
        TRY(sample(q, r, &seconds));
    const double calls = SAMPLE_SECONDS / (seconds + 1e-9);
    r->calls = calls < 1 ? 1 : calls > CALLS_MAX ? CALLS_MAX
                                                 : (uint32_t)calls;
    return ANSER_OK;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

enum anser_status anser_contest(struct anser_queue *q,
                                struct anser_rival *rivals, unsigned n,
                                double until, unsigned *turns)
{
    unsigned turn = 0;
    for (unsigned i = 0; i < n; i++)
        TRY(calibrate(q, &rivals[i]));
    for (; turn < ANSER_CONTEST_ROUNDS && anser_contest_clock() < until;
         turn++)
        for (unsigned i = 0; i < n; i++)
            TRY(sample(q, &rivals[i], &rivals[i].samples[turn]));
    for (unsigned i = 0; i < n && turn > 0; i++) {
        qsort(rivals[i].samples, turn, sizeof(double), by_size);
        rivals[i].median = rivals[i].samples[turn / 2];
    }
    *turns = turn;
    return ANSER_OK;
}

unsigned anser_contest_winner(const struct anser_rival *rivals, unsigned n)
{
    unsigned first = 0;
    for (unsigned i = 1; i < n; i++)
        if (rivals[i].median < (first == 0 ? KEEP : 1.0)
                               * rivals[first].median)
            first = i;
    return first;
}
