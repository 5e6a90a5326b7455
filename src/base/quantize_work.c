/* SPDX-License-Identifier: MIT */
/*
 * Decoding and encoding with several threads.  They take pieces of a stretch
 * in turn; a piece is encoded by itself, so who takes it doesn't matter.
 */
#include "base/encode.h"
#include "base/quantize.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#define PIECE 8192                   /* elements: blocks of any type        */
#define MOST_THREADS 256
#define HALF_MAX 65504.0f

struct crew {
    const struct anser_quantize_work *work;
    float limit;                     /* on the size of values               */
    atomic_uint_fast64_t next;       /* element                             */
    atomic_int bad;
};

static int all_below(const float *x, size_t n, float limit)
{
    int good = 1;
    for (size_t i = 0; i < n; i++)
        good &= fabsf(x[i]) <= limit;
    return good;
}

static void *take_pieces(void *user)
{
    struct crew *crew = user;
    const struct anser_quantize_work *w = crew->work;
    const struct anser_encoder *encoder =
        anser_encoder_find((uint32_t)w->to->type);
    float x[PIECE];
    for (;;) {
        uint64_t at = atomic_fetch_add(&crew->next, PIECE);
        if (at >= w->n || atomic_load(&crew->bad))
            return NULL;
        size_t n = w->n - at < PIECE ? (size_t)(w->n - at) : PIECE;
        w->from->decode(w->data + anser_block_bytes(w->from, at), x, n);
        if (all_below(x, n, crew->limit))
            encoder->encode(x, w->out + anser_block_bytes(w->to, at), n);
        else
            atomic_store(&crew->bad, 1);
    }
}

/* A thread that can't be had is no error: this one does the work, too. */
int anser_quantize_run(const struct anser_quantize_work *work)
{
    pthread_t threads[MOST_THREADS];
    unsigned n = 0;
    int wide = work->to->type == ANSER_F32 || work->to->type == ANSER_BF16;
    struct crew crew = { .work = work, .limit = wide ? FLT_MAX : HALF_MAX };
    atomic_init(&crew.next, 0);
    atomic_init(&crew.bad, 0);
    while (n + 1 < work->threads && n < MOST_THREADS
           && pthread_create(&threads[n], NULL, take_pieces, &crew) == 0)
        n++;
    take_pieces(&crew);
    while (n > 0)
        pthread_join(threads[--n], NULL);
    return atomic_load(&crew.bad) ? -1 : 0;
}
