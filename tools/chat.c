/* SPDX-License-Identifier: MIT */
/*
 * The conversation of anser run --chat.  The state goes on from turn to turn:
 * each round feeds only what the state lacks.
 */
#include "chat_format.h"
#include "io.h"
#include "progress.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct chat {
    struct anser_generator *g;
    struct anser_chat_round round;   /* gap is NULL before the first        */
    struct anser_chat_gap gap;
    struct anser_chat_stop stop;
};

int anser_chat_think(const char *text, enum anser_think *think)
{
    static const char *const names[] = {
        [ANSER_THINK_NONE] = "none",
        [ANSER_THINK_FULL] = "full",
        [ANSER_THINK_FAKE] = "fake",
    };
    for (int i = 0; i < 3; i++)
        if (text == NULL || strcmp(text, names[i]) == 0) {
            *think = (enum anser_think)i;
            return 0;
        }
    return -1;
}

static size_t push(void *user, const char *text, size_t n, char *out)
{
    return anser_chat_stop_push(user, text, n, out);
}

static size_t flush(void *user, char *out)
{
    return anser_chat_stop_flush(user, out);
}

static int stopped(const void *user)
{
    const struct anser_chat_stop *stop = user;
    return stop->stopped;
}

/* ------------------------------------------------------------- a turn */

static int out_of_memory(void)
{
    fprintf(stderr, "anser: out of memory\n");
    return -1;
}

static int answer(struct chat *chat)
{
    struct anser_filter filter = { &chat->stop, push, flush, stopped };
    anser_chat_stop_init(&chat->stop, chat->round.think);
    if (chat->round.think == ANSER_THINK_FULL
        && anser_io_text("<think", 6) != 0)
        return -1;
    chat->g->filter = &filter;
    int failed = anser_generator_stream(chat->g);
    chat->g->filter = NULL;
    chat->gap = chat->stop.gap;
    chat->round.gap = &chat->gap;
    /* Every answer draws numbers of its own. */
    chat->g->sampler.seed++;
    return failed != 0 ? -1 : anser_io_text("\n", 1);
}

static int take_turn(struct chat *chat, const char *text)
{
    char *user = anser_chat_clean(text);
    if (user == NULL)
        return out_of_memory();
    int failed = 0;
    if (*user != '\0') {
        chat->round.user = user;
        char *prompt = anser_chat_prompt(&chat->round);
        failed = prompt == NULL ? out_of_memory()
            : anser_generator_feed(chat->g, prompt, strlen(prompt));
        free(prompt);
        if (failed == 0 && !anser_interrupted())
            failed = answer(chat);
    }
    free(user);
    return failed;
}

static int take_lines(struct chat *chat)
{
    char *line = NULL;
    size_t room = 0;
    int failed = 0, terminal = isatty(STDIN_FILENO);
    while (failed == 0 && !anser_interrupted()) {
        if (terminal)
            fprintf(stderr, "> ");
        if (getline(&line, &room, stdin) < 0)
            break;
        failed = take_turn(chat, line);
    }
    if (terminal)
        fputc('\n', stderr);
    free(line);
    return failed;
}

/* Ends the last round, so that a saved state can begin another. */
static int end_round(struct chat *chat)
{
    static const char between[] = "\n\n";
    const struct anser_chat_gap *gap = &chat->gap;
    if (chat->round.gap == NULL || gap->fed >= 2)
        return 0;
    int failed = anser_generator_feed(chat->g, gap->owed, gap->n_owed);
    return failed != 0 ? -1
        : anser_generator_feed(chat->g, between + gap->fed, 2 - gap->fed);
}

int anser_chat(struct anser_generator *g, const struct anser_run_values *v,
               const char *prompt)
{
    struct chat chat = { .g = g };
    const uint64_t seed = g->sampler.seed;
    char *system = NULL;
    int failed = 0;
    if (v->system != NULL) {
        system = anser_chat_clean(v->system);
        failed = system == NULL ? out_of_memory() : 0;
    }
    chat.round.system = system;
    anser_chat_think(v->think, &chat.round.think);
    if (failed == 0 && prompt != NULL)
        failed = take_turn(&chat, prompt);
    if (failed == 0)
        failed = take_lines(&chat);
    if (failed == 0 && v->state_save != NULL)
        failed = end_round(&chat);
    g->sampler.seed = seed;          /* as it is told                       */
    free(system);
    return failed;
}
