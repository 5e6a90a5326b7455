/* SPDX-License-Identifier: MIT */
/*
 * Command-line options from tables: one row an option, from which the parser
 * and --help both work.  A row says where its value goes as an offset in the
 * command's own struct, which begins with the defaults.
 */
#ifndef ANSER_TOOLS_OPTIONS_H
#define ANSER_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define OPTION_TEXTS 16              /* how often one option may be repeated */

enum anser_option_kind {
    OPTION_FLAG,                     /* int, set to 1                       */
    OPTION_TEXT,                     /* const char *                        */
    OPTION_TEXTS_KIND,               /* struct anser_option_texts, repeated */
    OPTION_U32,                      /* uint32_t in low..high               */
    OPTION_U64,                      /* uint64_t, any                       */
    OPTION_I64,                      /* int64_t in low..high                */
    OPTION_FLOAT                     /* float in low..high                  */
};

struct anser_option_texts {
    const char *at[OPTION_TEXTS];
    unsigned n;
};

struct anser_option {
    const char *name;                /* "top-k"; NULL ends a table          */
    char letter;                     /* or 0                                */
    const char *arg;                 /* "N" in --help; NULL for a flag      */
    const char *help;                /* one or more lines                   */
    enum anser_option_kind kind;
    size_t offset;                   /* in the command's struct             */
    double low, high;                /* range of a number                   */
    unsigned share;                  /* which shared row it is, else 0      */
};

/* What a command line is read with. */
struct anser_options {
    const char *command;             /* "run", for messages                 */
    const struct anser_option *own;  /* may be NULL                         */
    const struct anser_option *shared;
    unsigned shares;                 /* bits of shared rows that count      */
};

/* Reads argv(argc) into values; operands (not options) are moved to the front
 * of argv and counted in *n_operands.  A mistake is told on stderr; returns 0,
 * or -1 for a mistake, or 1 if --help was asked for. */
int anser_options_parse(const struct anser_options *options, int argc,
                        char **argv, void *values, int *n_operands);

/* The two tables as --help shows them, to stdout. */
void anser_options_print(const struct anser_options *options);

/* "1,2,3" to *ids (owned by the caller) and *n.  A mistake is told on stderr
 * and returns -1. */
int anser_options_ids(const char *command, const char *text, uint32_t **ids,
                      size_t *n);

#endif
