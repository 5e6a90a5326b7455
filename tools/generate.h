/* SPDX-License-Identifier: MIT */
/*
 * Feeding a prompt and streaming what a model makes of it: what `run` and its
 * conversation share.
 */
#ifndef ANSER_TOOLS_GENERATE_H
#define ANSER_TOOLS_GENERATE_H

#include "session.h"

/* What decides which bytes of the text are printed, and when it ends.  out has
 * room for n + FILTER_ROOM bytes. */
#define FILTER_ROOM 512

struct anser_filter {
    void *user;
    size_t (*push)(void *user, const char *text, size_t n, char *out);
    size_t (*flush)(void *user, char *out);
    int (*stopped)(const void *user);
};

struct anser_generator {
    struct anser_session *session;       /* borrowed                        */
    const struct anser_filter *filter;   /* borrowed                        */
    struct anser_sampler_options sampler;
    int64_t max;                         /* tokens; below 0: no limit       */
    int ignore_eos;
    struct anser_utf8 utf8;
    int output_lost;
    uint64_t n_prompt, n_text;           /* tokens so far                   */
    double prompt_seconds, text_seconds;
};

/* Encodes and feeds text(n); 0, or -1 with the reason told. */
int anser_generator_feed(struct anser_generator *g, const char *text,
                         size_t n);

/* Feeds ids(n). */
int anser_generator_feed_ids(struct anser_generator *g, const uint32_t *ids,
                             size_t n);

/* Streams up to max tokens to standard output through the filter. */
int anser_generator_stream(struct anser_generator *g);

/* Speeds, on stderr. */
void anser_generator_report(const struct anser_generator *g);

#endif
