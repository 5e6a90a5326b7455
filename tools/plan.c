/* SPDX-License-Identifier: MIT */
/* anser plan: which kernel variant runs for each phase and shape of a model. */
#include "command.h"

#include <stdio.h>

struct values {
    struct anser_session_values session;
};

static void print_line(void *user, const char *line)
{
    (void)user;
    printf("%s\n", line);
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s = { .ctx = NULL };
    if (n != 0)
        return anser_command_misused(&anser_command_plan, "unexpected '%s'",
                                     operands[0]);
    int code = EXIT_FAILED;
    if (anser_session_open(&s, &v->session) == 0) {
        anser_plan_print(s.model, print_line, NULL);
        code = EXIT_DONE;
    }
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_plan = {
    .name = "plan",
    .job = "which kernels would run a model",
    .usage = "[-m FILE] [options]",
    .shares = SHARE_ALL,
    .size = sizeof(struct values), .run = run
};
