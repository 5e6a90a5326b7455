/* SPDX-License-Identifier: MIT */
/* Feeding a prompt and streaming the text; see generate.h. */
#include "generate.h"
#include "io.h"
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int anser_generator_feed_ids(struct anser_generator *g, const uint32_t *ids,
                             size_t n)
{
    double from = anser_seconds();
    size_t fed = 0;
    int failed = anser_session_feed(g->session, ids, n, &fed);
    g->prompt_seconds += anser_seconds() - from;
    g->n_prompt += fed;
    return failed;
}

int anser_generator_feed(struct anser_generator *g, const char *text, size_t n)
{
    uint32_t *ids = NULL;
    size_t count = 0;
    if (n == 0)
        return 0;
    if (anser_session_encode(g->session, text, n, &ids, &count) != 0)
        return -1;
    int failed = anser_generator_feed_ids(g, ids, count);
    free(ids);
    return failed;
}

/* ------------------------------------------------------------- streaming */

/* Writes the whole characters in text(n) to standard output. */
static int print(struct anser_generator *g, const char *text, size_t n)
{
    char whole[1024 + 4];
    while (n > 0 && !g->output_lost) {
        size_t piece = n < 1024 ? n : 1024;
        size_t ready = anser_utf8_push(&g->utf8, text, piece, whole);
        g->output_lost = anser_io_text(whole, ready) != 0;
        text += piece;
        n -= piece;
    }
    return g->output_lost;
}

/* One token's bytes through the filter; non-zero ends the text. */
static int take(struct anser_generator *g, const char *text, size_t n)
{
    const struct anser_filter *filter = g->filter;
    char *out = malloc(n + FILTER_ROOM);
    if (out == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return 1;
    }
    size_t ready = filter->push(filter->user, text, n, out);
    int ended = print(g, out, ready);
    free(out);
    return ended || filter->stopped(filter->user);
}

static int on_token(void *user, uint32_t id)
{
    struct anser_generator *g = user;
    const struct anser_session *s = g->session;
    const char *text = NULL;
    size_t n = 0;
    if (anser_interrupted())
        return 1;
    if (g->n_text == 0)
        anser_session_time(s, "the first token");
    if (id == anser_vocab_eos(s->vocab) && !g->ignore_eos)
        return 1;
    g->n_text++;
    if (anser_decode(s->vocab, id, &text, &n) != ANSER_OK || n == 0)
        return 0;
    return take(g, text, n);
}

static void print_rest(struct anser_generator *g)
{
    char out[FILTER_ROOM];
    print(g, out, g->filter->flush(g->filter->user, out));
    size_t n = anser_utf8_flush(&g->utf8, out);
    if (n > 0 && !g->output_lost)
        g->output_lost = anser_io_text(out, n) != 0;
}

int anser_generator_stream(struct anser_generator *g)
{
    struct anser_session *s = g->session;
    anser_sampler *sampler = NULL;
    if (anser_session_check(s, anser_sampler_new(s->ctx, s->n_vocab,
                                                 &g->sampler, &sampler)) != 0)
        return -1;
    double from = anser_seconds();
    uint64_t max = g->max < 0 ? UINT64_MAX : (uint64_t)g->max;
    enum anser_status status = anser_generate(s->state, sampler, max,
                                              on_token, g);
    g->text_seconds += anser_seconds() - from;
    print_rest(g);
    anser_sampler_free(sampler);
    if (anser_session_check(s, status) != 0)
        return -1;
    return g->output_lost ? -1 : 0;
}

/* ------------------------------------------------------------- report */

static void report_speed(const char *what, uint64_t n, double seconds)
{
    fprintf(stderr, "%-8s %" PRIu64 " tokens in %.2f s", what, n, seconds);
    if (n > 0 && seconds > 0)
        fprintf(stderr, ", %.1f tokens/s", (double)n / seconds);
    fputc('\n', stderr);
}

void anser_generator_report(const struct anser_generator *g)
{
    report_speed("prompt", g->n_prompt, g->prompt_seconds);
    report_speed("text", g->n_text, g->text_seconds);
    fprintf(stderr, "seed     %" PRIu64 "\n", g->sampler.seed);
}
