/* SPDX-License-Identifier: MIT */
/* Opening things by the shared options; see session.h. */
#include "session.h"
#include "progress.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_CHUNKS 8               /* chunks fed between looks at Ctrl-C  */

#define AT(member) offsetof(struct anser_session_values, member)

const struct anser_option anser_session_options[] = {
    { "model", 'm', "FILE", "the model, a GGUF file", OPTION_TEXT, AT(model),
      0, 0, SHARE_MODEL },
    { "device", 'd', "N|NAME", "number or part of a name, see anser devices;\n"
      "the best device if left out", OPTION_TEXT, AT(device), 0, 0,
      SHARE_DEVICE },
    { "chunk", 0, "N", "tokens of a prompt at once; 0: the device's own",
      OPTION_U32, AT(chunk), 0, 65536, SHARE_CHUNK },
    { "precise", 0, NULL, "float activations throughout", OPTION_FLAG,
      AT(precise), 0, 0, SHARE_PRECISE },
    { "verbose", 'v', NULL, "tell details on stderr", OPTION_FLAG,
      AT(verbose), 0, 0, SHARE_VERBOSE },
    { .name = NULL }
};

int anser_session_check(const struct anser_session *s,
                        enum anser_status status)
{
    if (status == ANSER_OK)
        return 0;
    const char *text = anser_error(s->ctx);
    if (status == ANSER_CANCELLED)
        text = "interrupted";
    fprintf(stderr, "anser: %s\n",
            *text != '\0' ? text : anser_status_text(status));
    return -1;
}

static void print_log(void *user, int level, const char *line)
{
    const struct anser_session_values *values = user;
    if (level <= 1 + values->verbose)
        fprintf(stderr, "anser: %s\n", line);
}

int anser_session_begin(struct anser_session *s,
                        const struct anser_session_values *values)
{
    memset(s, 0, sizeof *s);
    s->values = values;
    s->begun = anser_seconds();
    if (anser_session_check(s, anser_ctx_new(&s->ctx)) != 0)
        return -1;
    /* The log gets the values as a plain void pointer, and only reads them. */
    void *user = (void *)(uintptr_t)values;
    anser_log_to(s->ctx, print_log, user);
    return 0;
}

void anser_session_time(const struct anser_session *s, const char *what)
{
    if (s->values->verbose)
        fprintf(stderr, "anser: time     %8.1f ms  from the start to %s\n",
                1e3 * (anser_seconds() - s->begun), what);
}

int anser_session_file(struct anser_session *s, const char *path)
{
    return anser_session_check(s, anser_file_open(s->ctx, path, &s->file));
}

int anser_session_vocab(struct anser_session *s)
{
    if (anser_session_check(s, anser_vocab_new(s->file, &s->vocab)) != 0)
        return -1;
    s->n_vocab = anser_vocab_size(s->vocab);
    anser_session_time(s, "the vocabulary's end");
    return 0;
}

int anser_session_device(struct anser_session *s)
{
    if (anser_session_check(s, anser_device_open(s->ctx, s->values->device,
                                                 &s->device)) != 0)
        return -1;
    struct anser_device_info info = { .size = sizeof info };
    if (anser_session_check(s, anser_device_describe(s->device, &info)) != 0)
        return -1;
    fprintf(stderr, "device   %s (%s, %s)\n", info.name, info.platform,
            info.kind);
    if (s->values->verbose)
        fprintf(stderr, "tier     %s: %s\n", info.tier, info.why);
    anser_session_time(s, "the device's end");
    return 0;
}

int anser_session_model(struct anser_session *s)
{
    struct anser_progress progress = PROGRESS("loading");
    struct anser_model_options options = {
        .size = sizeof options, .precise = s->values->precise,
        .chunk = s->values->chunk, .progress = anser_progress_step,
        .progress_user = &progress
    };
    enum anser_status status = anser_model_open(s->device, s->file, &options,
                                                &s->model);
    anser_progress_end(&progress);
    if (anser_session_check(s, status) != 0)
        return -1;
    s->load_seconds = anser_seconds() - s->begun;
    anser_session_time(s, "the model's end");
    return anser_session_check(s, anser_state_new(s->model, &s->state));
}

void anser_session_end(struct anser_session *s)
{
    anser_state_free(s->state);
    anser_model_close(s->model);
    anser_device_close(s->device);
    anser_vocab_free(s->vocab);
    anser_file_close(s->file);
    anser_ctx_free(s->ctx);
}

int anser_session_open(struct anser_session *s,
                       const struct anser_session_values *values)
{
    if (anser_session_begin(s, values) != 0)
        return -1;
    const char *path = anser_session_path(values);
    if (path == NULL || anser_session_file(s, path) != 0
        || anser_session_vocab(s) != 0 || anser_session_device(s) != 0
        || anser_session_model(s) != 0)
        return -1;
    return 0;
}

int anser_session_encode(struct anser_session *s, const char *text, size_t n,
                         uint32_t **ids, size_t *count)
{
    /* A token is at least one byte. */
    size_t room = n > 0 ? n : 1;
    uint32_t *list = malloc(room * sizeof *list);
    if (list == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return -1;
    }
    if (anser_session_check(s, anser_encode(s->vocab, text, n, list, room,
                                            count)) != 0) {
        free(list);
        return -1;
    }
    *ids = list;
    return 0;
}

int anser_session_feed(struct anser_session *s, const uint32_t *ids, size_t n,
                       size_t *fed)
{
    struct anser_model_info info = { .size = sizeof info };
    if (anser_session_check(s, anser_model_info(s->model, &info)) != 0)
        return -1;
    struct anser_progress progress = PROGRESS("reading");
    size_t piece = (size_t)info.chunk * PIECE_CHUNKS, done = 0;
    enum anser_status status = ANSER_OK;
    while (status == ANSER_OK && done < n && !anser_interrupted()) {
        size_t now = n - done < piece ? n - done : piece;
        status = anser_feed(s->state, ids + done, now);
        done += status == ANSER_OK ? now : 0;
        if (n > piece)
            anser_progress_step(&progress, (double)done / (double)n);
    }
    anser_progress_end(&progress);
    *fed = done;
    return anser_session_check(s, status);
}
