/* SPDX-License-Identifier: MIT */
/*
 * A command of the program: one file, one struct, one row in main.c's table.
 */
#ifndef ANSER_TOOLS_COMMAND_H
#define ANSER_TOOLS_COMMAND_H

#include "options.h"
#include "session.h"

enum anser_exit { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct anser_command {
    const char *name;                /* "run"                               */
    const char *job;                 /* one line for the list of commands   */
    const char *usage;               /* behind "anser run "                 */
    const char *notes;               /* under the options in --help, or NULL */
    const struct anser_option *options;
    unsigned shares;                 /* which rows of anser_session_options */
    size_t size;                     /* of its values struct, which begins  */
                                     /* with struct anser_session_values    */
    void (*init)(void *values);      /* sets defaults over zeros, or NULL   */
    /* values as parsed; operands(n).  Returns an exit code. */
    int (*run)(void *values, int n, char **operands);
};

extern const struct anser_command anser_command_run;
extern const struct anser_command anser_command_logits;
extern const struct anser_command anser_command_tokenize;
extern const struct anser_command anser_command_info;
extern const struct anser_command anser_command_devices;
extern const struct anser_command anser_command_plan;
extern const struct anser_command anser_command_selftest;
extern const struct anser_command anser_command_synth;
extern const struct anser_command anser_command_quantize;
extern const struct anser_command anser_command_cache;
extern const struct anser_command anser_command_tune;
extern const struct anser_command anser_command_bench;
extern const struct anser_command anser_command_perplexity;

/* Tells a wrong use on stderr and returns EXIT_USAGE. */
int anser_command_misused(const struct anser_command *command,
                          const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
