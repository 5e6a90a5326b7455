/* SPDX-License-Identifier: MIT */
/*
 * anser selftest: every kernel variant that fits a device, against the plain C
 * reference, a line each.
 */
#include "command.h"

#include <stdio.h>

struct values {
    struct anser_session_values session;
};

struct tally {
    unsigned long n, failed;
};

static void print_check(void *user, const struct anser_check *check)
{
    struct tally *tally = user;
    tally->n++;
    tally->failed += !check->ok;
    printf("%-4s %-16s %-20s %-24s error %.2e, at most %.2e\n",
           check->ok ? "ok" : "FAIL", check->op, check->variant, check->shape,
           check->error, check->bound);
    fflush(stdout);
}

static int check_device(struct anser_session *s)
{
    struct tally tally = { 0, 0 };
    enum anser_status status = anser_selftest(s->device, print_check, &tally);
    printf("%lu passed, %lu failed\n", tally.n - tally.failed, tally.failed);
    if (anser_session_check(s, status) != 0 || tally.failed > 0)
        return EXIT_FAILED;
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s;
    if (n != 0)
        return anser_command_misused(&anser_command_selftest,
                                     "unexpected '%s'", operands[0]);
    int code = EXIT_FAILED;
    if (anser_session_begin(&s, &v->session) == 0
        && anser_session_device(&s) == 0)
        code = check_device(&s);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_selftest = {
    .name = "selftest",
    .job = "checks every kernel on a device",
    .usage = "[-d N|NAME] [options]",
    .shares = SHARE_DEVICE | SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
