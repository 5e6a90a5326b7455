/* SPDX-License-Identifier: MIT */
/*
 * anser COMMAND [options]: finds the command in the table, reads its options
 * and runs it.  Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
#include "command.h"
#include "io.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct anser_command *const commands[] = {
    &anser_command_run,
    &anser_command_logits,
    &anser_command_tokenize,
    &anser_command_info,
    &anser_command_devices,
    &anser_command_plan,
    &anser_command_tune,
    &anser_command_cache,
    &anser_command_selftest,
    &anser_command_synth,
    &anser_command_quantize,
    &anser_command_bench,
    &anser_command_perplexity,
};

#define N_COMMANDS (sizeof commands / sizeof commands[0])

int anser_command_misused(const struct anser_command *command,
                          const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "anser %s: ", command->name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see anser %s --help\n", command->name);
    return EXIT_USAGE;
}

static void print_commands(FILE *to)
{
    fprintf(to, "usage: anser COMMAND [options]\n\n"
                "RWKV-7 language models from GGUF files on any OpenCL "
                "device.\n\ncommands:\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->job);
    fprintf(to, "\nanser COMMAND --help tells its options; anser --version "
                "the version.\n");
}

static void print_help(const struct anser_command *command,
                       const struct anser_options *options)
{
    printf("usage: anser %s %s\n\n%s.\n\noptions:\n", command->name,
           command->usage, command->job);
    anser_options_print(options);
    if (command->notes != NULL)
        printf("\n%s\n", command->notes);
}

static int run_command(const struct anser_command *command, int argc,
                       char **argv)
{
    struct anser_options options = {
        .command = command->name, .own = command->options,
        .shared = anser_session_options, .shares = command->shares
    };
    void *values = calloc(1, command->size);
    if (values == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return EXIT_FAILED;
    }
    if (command->init != NULL)
        command->init(values);
    int n = 0, code = EXIT_USAGE;
    int parsed = anser_options_parse(&options, argc, argv, values, &n);
    if (parsed > 0) {
        print_help(command, &options);
        code = EXIT_DONE;
    } else if (parsed == 0) {
        code = command->run(values, n, argv);
    }
    free(values);
    if (anser_io_close_stdout() != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return code;
}

/* --version, --help, and what is no command. */
static int run_itself(const char *word)
{
    if (strcmp(word, "--version") == 0)
        printf("anser %s\n", anser_version_string());
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        print_commands(stdout);
    else {
        fprintf(stderr, "anser: unknown %s '%s'; see anser --help\n",
                word[0] == '-' ? "option" : "command", word);
        return EXIT_USAGE;
    }
    return anser_io_close_stdout() == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Fills the three standard descriptors where they are closed, so that no file
 * gets one of these numbers.  -1 if there is no standard output. */
static int open_standard(void)
{
    int no_output = fcntl(STDOUT_FILENO, F_GETFD) < 0;
    for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = dup(fd))
        if (fd > STDERR_FILENO) {
            close(fd);
            break;
        }
    if (no_output)
        fprintf(stderr, "anser: standard output is closed\n");
    return no_output ? -1 : 0;
}

int main(int argc, char **argv)
{
    if (open_standard() != 0)
        return EXIT_FAILED;
    /* A closed pipe is then an error of a write, told like any other. */
    signal(SIGPIPE, SIG_IGN);
    anser_session_program(argv[0]);
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return run_command(commands[i], argc - 2, argv + 2);
    return run_itself(argv[1]);
}
