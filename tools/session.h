/* SPDX-License-Identifier: MIT */
/*
 * What the commands share: the options -m -d --chunk --precise -v, and opening
 * context, file, vocabulary, device, model and state by them, with the messages
 * on stderr.
 */
#ifndef ANSER_TOOLS_SESSION_H
#define ANSER_TOOLS_SESSION_H

#include <anser.h>

#include "options.h"

/* Bits of struct anser_command.shares. */
enum anser_share {
    SHARE_MODEL = 1, SHARE_DEVICE = 2, SHARE_CHUNK = 4, SHARE_PRECISE = 8,
    SHARE_VERBOSE = 16,
    SHARE_ALL = 31
};

/* Begins the values struct of every command. */
struct anser_session_values {
    const char *model, *device;
    uint32_t chunk;
    int precise, verbose;
};

extern const struct anser_option anser_session_options[];

/* Members that were not opened are NULL. */
struct anser_session {
    const struct anser_session_values *values;   /* borrowed                */
    anser_ctx *ctx;
    anser_file *file;
    anser_vocab *vocab;
    anser_device *device;
    anser_model *model;
    anser_state *state;
    uint32_t n_vocab;
    double begun;                    /* anser_seconds() at _begin           */
    double load_seconds;             /* from _begin to the model's end      */
};

/* Keeps argv[0], near which the default model may lie, and the helper of a
 * build tree, for which $ANSER_HELPER is then set. */
void anser_session_program(const char *argv0);

/* Each opens one thing more, in this order where one needs another; 0, or -1
 * with the reason told on stderr. */
int anser_session_begin(struct anser_session *s,
                        const struct anser_session_values *values);
int anser_session_file(struct anser_session *s, const char *path);
int anser_session_vocab(struct anser_session *s);
int anser_session_device(struct anser_session *s);
int anser_session_model(struct anser_session *s);
void anser_session_end(struct anser_session *s);

/* All of them, with the file of -m or the default model, and a fresh state. */
int anser_session_open(struct anser_session *s,
                       const struct anser_session_values *values);

/* The path of -m, or where the default model was found (static), or NULL with
 * the places told on stderr. */
const char *anser_session_path(const struct anser_session_values *values);

/* A file that comes with the program: `tree` is its path in a source tree, in
 * or near which the program may lie, `name` that in the data folder.  Its path
 * to path(cap); -1 if it is nowhere, with the last place tried in path. */
int anser_session_data(const char *tree, const char *name, char *path,
                       size_t cap);

/* With -v: when something was reached, on stderr. */
void anser_session_time(const struct anser_session *s, const char *what);

/* Tells the last error on stderr if status is one: 0 or -1. */
int anser_session_check(const struct anser_session *s,
                        enum anser_status status);

/* Encodes text(n) to *ids (owned by the caller) and *count. */
int anser_session_encode(struct anser_session *s, const char *text, size_t n,
                         uint32_t **ids, size_t *count);

/* Feeds ids(n), in pieces between which Ctrl-C ends it; *fed counts. */
int anser_session_feed(struct anser_session *s, const uint32_t *ids, size_t n,
                       size_t *fed);

#endif
