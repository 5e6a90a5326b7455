/* SPDX-License-Identifier: MIT */
/*
 * Command-line options from tables.  Accepted: --name VALUE, --name=VALUE,
 * -x VALUE, -xVALUE, flags, and -- before operands; operands may stand between
 * options.  Names are not abbreviated, so that a new option breaks no script.
 */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HELP_COLUMN 26               /* where help texts begin              */

static int mistake(const char *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int mistake(const char *command, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "anser %s: ", command);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; see anser %s --help\n", command);
    return -1;
}

/* ------------------------------------------------------------- values */

static int parse_i64(const char *text, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return -1;
    *value = v;
    return 0;
}

static int parse_u64(const char *text, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || strchr(text, '-'))
        return -1;
    *value = v;
    return 0;
}

static int parse_float(const char *text, float *value)
{
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (end == text || *end != '\0' || errno != 0 || !isfinite(v))
        return -1;
    *value = (float)v;
    return 0;
}

static int out_of_range(const char *command, const struct anser_option *row,
                        const char *text)
{
    return mistake(command, "--%s takes %s from %.15g to %.15g, not '%s'",
                   row->name,
                   row->kind == OPTION_FLOAT ? "a number" : "a whole number",
                   row->low, row->high, text);
}

static int store_number(const char *command, const struct anser_option *row,
                        const char *text, void *to)
{
    int64_t i = 0;
    float f = 0;
    uint64_t u = 0;
    switch (row->kind) {
    case OPTION_U64:
        if (parse_u64(text, &u) != 0)
            return mistake(command, "--%s takes a whole number, not '%s'",
                           row->name, text);
        *(uint64_t *)to = u;
        return 0;
    case OPTION_FLOAT:
        if (parse_float(text, &f) != 0 || f < row->low || f > row->high)
            return out_of_range(command, row, text);
        *(float *)to = f;
        return 0;
    default:
        if (parse_i64(text, &i) != 0 || (double)i < row->low
            || (double)i > row->high)
            return out_of_range(command, row, text);
        if (row->kind == OPTION_U32)
            *(uint32_t *)to = (uint32_t)i;
        else
            *(int64_t *)to = i;
        return 0;
    }
}

static int store(const char *command, const struct anser_option *row,
                 const char *text, void *values)
{
    void *to = (char *)values + row->offset;
    struct anser_option_texts *texts = to;
    switch (row->kind) {
    case OPTION_FLAG:
        *(int *)to = 1;
        return 0;
    case OPTION_TEXT:
        *(const char **)to = text;
        return 0;
    case OPTION_TEXTS_KIND:
        if (texts->n == OPTION_TEXTS)
            return mistake(command, "--%s more than %d times", row->name,
                           OPTION_TEXTS);
        texts->at[texts->n++] = text;
        return 0;
    default:
        return store_number(command, row, text, to);
    }
}

/* ------------------------------------------------------------- parsing */

/* The row of a long name (length n) or, with name NULL, of a letter. */
static const struct anser_option *
find_in(const struct anser_option *rows, unsigned shares, const char *name,
        size_t n, char letter)
{
    for (; rows != NULL && rows->name != NULL; rows++) {
        if (rows->share != 0 && (rows->share & shares) == 0)
            continue;
        if (name == NULL ? rows->letter == letter
            : strlen(rows->name) == n && memcmp(rows->name, name, n) == 0)
            return rows;
    }
    return NULL;
}

static const struct anser_option *
find(const struct anser_options *o, const char *name, size_t n, char letter)
{
    const struct anser_option *row = find_in(o->own, 0, name, n, letter);
    return row != NULL ? row
        : find_in(o->shared, o->shares, name, n, letter);
}

/* One option at argv[*i], with its value, which may be the next word. */
static int parse_one(const struct anser_options *o, int argc, char **argv,
                     int *i, void *values)
{
    const char *word = argv[*i], *value = NULL;
    const struct anser_option *row;
    if (word[1] == '-') {
        size_t n = strcspn(word + 2, "=");
        row = find(o, word + 2, n, 0);
        if (word[2 + n] == '=')
            value = word + 2 + n + 1;
    } else {
        row = find(o, NULL, 0, word[1]);
        if (word[2] != '\0')
            value = word + 2;
    }
    if (row == NULL)
        return mistake(o->command, "unknown option '%s'", word);
    if (row->arg == NULL && value != NULL)
        return mistake(o->command, "--%s takes no value", row->name);
    if (row->arg != NULL && value == NULL) {
        if (*i + 1 >= argc)
            return mistake(o->command, "--%s needs a value (%s)", row->name,
                           row->arg);
        value = argv[++*i];
    }
    return store(o->command, row, value, values);
}

int anser_options_parse(const struct anser_options *options, int argc,
                        char **argv, void *values, int *n_operands)
{
    int n = 0, only_operands = 0;
    for (int i = 0; i < argc; i++) {
        char *word = argv[i];
        if (only_operands || word[0] != '-' || word[1] == '\0')
            argv[n++] = word;
        else if (strcmp(word, "--") == 0)
            only_operands = 1;
        else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
            return 1;
        else if (parse_one(options, argc, argv, &i, values) != 0)
            return -1;
    }
    *n_operands = n;
    return 0;
}

/* ------------------------------------------------------------- --help */

static void print_row(const struct anser_option *row)
{
    int width = row->letter != 0 ? printf("  -%c, --%s", row->letter, row->name)
        : printf("      --%s", row->name);
    if (row->arg != NULL)
        width += printf(" %s", row->arg);
    const char *help = row->help;
    while (*help != '\0') {
        int n = (int)strcspn(help, "\n");
        if (width >= HELP_COLUMN) {
            putchar('\n');
            width = 0;
        }
        printf("%*s%.*s\n", HELP_COLUMN - width, "", n, help);
        width = 0;
        help += n + (help[n] == '\n');
    }
}

void anser_options_print(const struct anser_options *options)
{
    const struct anser_option *row = options->own;
    for (; row != NULL && row->name != NULL; row++)
        print_row(row);
    for (row = options->shared; row->name != NULL; row++)
        if (row->share & options->shares)
            print_row(row);
    printf("  -h, --help%*sthis text\n", HELP_COLUMN - 12, "");
}

/* ------------------------------------------------------------- lists */

int anser_options_ids(const char *command, const char *text, uint32_t **ids,
                      size_t *n)
{
    size_t count = 1;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ',';
    uint32_t *list = malloc(count * sizeof *list);
    if (list == NULL)
        return mistake(command, "out of memory");
    size_t i = 0;
    for (const char *c = text; i < count; i++) {
        char *end = NULL;
        errno = 0;
        unsigned long long v = strtoull(c, &end, 10);
        if (end == c || errno != 0 || v > UINT32_MAX || *c == '-'
            || *end != (i + 1 < count ? ',' : '\0'))
            break;
        list[i] = (uint32_t)v;
        c = end + 1;
    }
    if (i < count) {
        free(list);
        return mistake(command, "'%s' is no list of token ids (1,2,3)", text);
    }
    *ids = list;
    *n = count;
    return 0;
}
