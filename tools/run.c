/* SPDX-License-Identifier: MIT */
/*
 * anser run: text goes to standard output and nothing else does; what there is
 * to tell goes to stderr.
 */
#include "run.h"
#include "command.h"
#include "io.h"
#include "progress.h"
#include "stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AT(member) offsetof(struct anser_run_values, member)
#define NONE 0, 0, 0

static const struct anser_option options[] = {
    { "prompt", 'p', "TEXT", "begin with this text", OPTION_TEXT, AT(prompt),
      NONE },
    { "file", 'f', "FILE", "begin with the text of a file", OPTION_TEXT,
      AT(file), NONE },
    { "max", 'n', "N", "generate up to N tokens, 256 if left out;\n"
      "-1: without end", OPTION_I64, AT(n), -1, 1e15, 0 },
    { "temp", 0, "X", "temperature, 1 if left out; 0: the best token",
      OPTION_FLOAT, AT(sampler.temperature), 0, 100, 0 },
    { "top-p", 0, "X", "keep the best tokens that make up this part of the\n"
      "probability, 0.85 if left out; 1: all", OPTION_FLOAT,
      AT(sampler.top_p), 0, 1, 0 },
    { "top-k", 0, "N", "keep the N best tokens; 0: all", OPTION_U32,
      AT(sampler.top_k), 0, 4294967295.0, 0 },
    { "presence", 0, "X", "taken from a token that occurred, 0.2 if left out",
      OPTION_FLOAT, AT(sampler.presence), -100, 100, 0 },
    { "frequency", 0, "X", "times its count, likewise, 0.2 if left out",
      OPTION_FLOAT, AT(sampler.frequency), -100, 100, 0 },
    { "penalty-decay", 0, "X", "of the counts at each token, 0.996 if left out",
      OPTION_FLOAT, AT(sampler.penalty_decay), 0, 1, 0 },
    { "greedy", 0, NULL, "always the best token, without penalties",
      OPTION_FLAG, AT(greedy), NONE },
    { "seed", 's', "N", "of the random numbers; from the clock if left out",
      OPTION_U64, AT(sampler.seed), NONE },
    { "stop", 0, "TEXT", "end before this text; may be repeated",
      OPTION_TEXTS_KIND, AT(stops), NONE },
    { "ignore-eos", 0, NULL, "go on after the end token", OPTION_FLAG,
      AT(ignore_eos), NONE },
    { "echo", 0, NULL, "print the prompt too", OPTION_FLAG, AT(echo), NONE },
    { "state-load", 0, "FILE", "go on from a saved state", OPTION_TEXT,
      AT(state_load), NONE },
    { "state-save", 0, "FILE", "save the state at the end", OPTION_TEXT,
      AT(state_save), NONE },
    { "chat", 0, NULL, "hold a conversation: each line of standard input\n"
      "is a turn", OPTION_FLAG, AT(chat), NONE },
    { "system", 0, "TEXT", "what the conversation begins with", OPTION_TEXT,
      AT(system), NONE },
    { "think", 0, "HOW", "in a conversation: none (if left out), full: think\n"
      "first, fake: an empty thought", OPTION_TEXT, AT(think), NONE },
    { .name = NULL }
};

static void init(void *values)
{
    struct anser_run_values *v = values;
    anser_sampler_defaults(&v->sampler);
    v->sampler.seed = (uint64_t)time(NULL);
    v->n = 256;
}

/* ------------------------------------------------------------- stop texts */

static size_t push(void *user, const char *text, size_t n, char *out)
{
    return anser_stop_push(user, text, n, out);
}

static size_t flush(void *user, char *out)
{
    return anser_stop_flush(user, out);
}

static int stopped(const void *user)
{
    const struct anser_stop *stop = user;
    return stop->stopped;
}

/* ------------------------------------------------------------- one text */

/* The prompt; an empty one of an empty sequence is token 0. */
static int feed_prompt(struct anser_generator *g,
                       const struct anser_run_values *v, const char *prompt,
                       size_t n)
{
    const uint32_t start = 0;
    if (v->echo && anser_io_text(prompt, n) != 0)
        return -1;
    if (n == 0 && v->state_load == NULL)
        return anser_generator_feed_ids(g, &start, 1);
    return anser_generator_feed(g, prompt, n);
}

static int run_text(struct anser_generator *g,
                    const struct anser_run_values *v, const char *prompt,
                    size_t n)
{
    struct anser_stop stop;
    struct anser_filter filter = { &stop, push, flush, stopped };
    /* Lengths were checked in check_values. */
    anser_stop_init(&stop, v->stops.at, v->stops.n);
    g->filter = &filter;
    int failed = feed_prompt(g, v, prompt, n);
    if (failed == 0 && !anser_interrupted())
        failed = anser_generator_stream(g);
    if (!failed && isatty(STDOUT_FILENO))
        failed = anser_io_text("\n", 1);
    g->filter = NULL;
    return failed;
}

/* ------------------------------------------------------------- the command */

/* Loads, runs and saves with everything open. */
static int run_opened(struct anser_session *s,
                      const struct anser_run_values *v, const char *prompt,
                      size_t n)
{
    struct anser_generator g = {
        .session = s, .sampler = v->sampler, .max = v->n,
        .ignore_eos = v->ignore_eos
    };
    fprintf(stderr, "load     %.2f s\n", s->load_seconds);
    if (v->state_load != NULL
        && anser_session_check(s, anser_state_load(s->state,
                                                   v->state_load)) != 0)
        return -1;
    int failed = v->chat ? anser_chat(&g, v, prompt)
        : run_text(&g, v, prompt, n);
    if (!g.output_lost)
        anser_generator_report(&g);
    if (failed == 0 && v->state_save != NULL)
        failed = anser_session_check(s, anser_state_save(s->state,
                                                         v->state_save));
    return failed;
}

/* What the table of options can't check; 0 or an exit code. */
static int check_values(struct anser_run_values *v, int n_operands,
                        char **operands)
{
    const struct anser_command *command = &anser_command_run;
    struct anser_stop stop;
    enum anser_think think;
    int from_stdin = 0;
    if (n_operands > 0 && strcmp(operands[0], "-") == 0)
        from_stdin = 1;
    if (n_operands > from_stdin)
        return anser_command_misused(command, "unexpected '%s' (-p TEXT gives "
                                     "a prompt)", operands[from_stdin]);
    if ((v->prompt != NULL) + (v->file != NULL) + from_stdin > 1)
        return anser_command_misused(command, "only one of -p, -f and -");
    if (!anser_stop_init(&stop, v->stops.at, v->stops.n))
        return anser_command_misused(command, "--stop takes 1 to %d bytes",
                                     ANSER_STOP_BYTES - 1);
    if (v->chat && (from_stdin || v->stops.n > 0 || v->echo))
        return anser_command_misused(command, "--chat does not go with -, "
                                     "--stop or --echo");
    if (!v->chat && (v->system != NULL || v->think != NULL))
        return anser_command_misused(command, "--system and --think go with "
                                     "--chat");
    if (anser_chat_think(v->think, &think) != 0)
        return anser_command_misused(command, "--think takes none, full or "
                                     "fake, not '%s'", v->think);
    if (from_stdin)
        v->file = "-";
    return 0;
}

static int run(void *values, int n, char **operands)
{
    struct anser_run_values *v = values;
    struct anser_session s = { .ctx = NULL };
    char *text = NULL;
    size_t n_text = v->prompt != NULL ? strlen(v->prompt) : 0;
    int code = check_values(v, n, operands);
    if (code != 0)
        return code;
    if (v->greedy) {
        v->sampler.temperature = 0;
        v->sampler.presence = v->sampler.frequency = 0;
    }
    if (v->file != NULL && anser_io_read(v->file, &text, &n_text) != 0)
        return EXIT_FAILED;
    const char *prompt = text != NULL ? text : v->prompt;
    anser_interrupt_watch();
    int failed = anser_session_open(&s, &v->session);
    if (failed == 0)
        failed = run_opened(&s, v, prompt != NULL || v->chat ? prompt : "",
                            n_text);
    anser_session_end(&s);
    free(text);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct anser_command anser_command_run = {
    .name = "run",
    .job = "generates text or holds a conversation",
    .usage = "[-m FILE] [-p TEXT | -f FILE | -] [options]",
    .notes = "Without -m, $ANSER_MODEL or the default model is run.  The text "
             "goes to standard\noutput, everything else to standard error.  "
             "Ctrl-C ends the text; a second one\nkills the program.",
    .options = options, .shares = SHARE_ALL,
    .size = sizeof(struct anser_run_values), .init = init, .run = run
};
