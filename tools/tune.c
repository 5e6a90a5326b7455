/* SPDX-License-Identifier: MIT */
/*
 * anser tune: measures the kernel variants on the shapes of a model and writes
 * the fastest to the device's tuning file, which later runs take.
 */
#include "command.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    float seconds;
    const char *output;
};

static const struct anser_option options[] = {
    { "seconds", 't', "S", "measure for about so long, 30 if left out",
      OPTION_FLOAT, offsetof(struct values, seconds), 0.1, 3600, 0 },
    { "output", 'o', "FILE", "write here instead of beside the cache",
      OPTION_TEXT, offsetof(struct values, output), 0, 0, 0 },
    { .name = NULL }
};

static void init(void *values)
{
    ((struct values *)values)->seconds = 30;
}

static void print_result(void *user, const struct anser_tune_result *r)
{
    unsigned long *n = user;
    ++*n;
    if (*r->variant == '\0')
        printf("%-12s %-4s %6u x %-6u T <= %u\n", r->op, r->type,
               (unsigned)r->rows, (unsigned)r->cols, (unsigned)r->tokens);
    else
        printf("%-12s %-4s %6u x %-6u T %-4u %-16s %10.2f us%s\n", r->op,
               r->type, (unsigned)r->rows, (unsigned)r->cols,
               (unsigned)r->tokens, r->variant, 1e6 * r->seconds,
               r->chosen ? "  *" : "");
    fflush(stdout);
}

static int tune(struct anser_session *s, const struct values *v)
{
    char path[1024];
    unsigned long n = 0;
    if (anser_session_check(s, anser_tune(s->model, v->seconds, print_result,
                                          &n)) != 0)
        return EXIT_FAILED;
    if (n == 0) {
        fprintf(stderr, "anser: %g s did not suffice for any shape; give "
                "--seconds more\n", v->seconds);
        return EXIT_FAILED;
    }
    if (anser_session_check(s, anser_tuning_export(s->device,
                                                   v->output)) != 0)
        return EXIT_FAILED;
    if (v->output == NULL)
        anser_tuning_path(s->device, path, sizeof path);
    fprintf(stderr, "written  %s\n", v->output != NULL ? v->output : path);
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s = { .ctx = NULL };
    if (n != 0)
        return anser_command_misused(&anser_command_tune, "unexpected '%s'",
                                     operands[0]);
    int code = EXIT_FAILED;
    if (anser_session_open(&s, &v->session) == 0)
        code = tune(&s, v);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_tune = {
    .name = "tune",
    .job = "measures which kernels are the fastest",
    .usage = "[-m FILE] [--seconds S] [options]",
    .notes = "Each variant is checked against the plain C reference before it "
             "is measured.  * is\nthe one that later runs take; anser plan "
             "tells it.",
    .options = options, .shares = SHARE_ALL,
    .size = sizeof(struct values), .init = init, .run = run
};
