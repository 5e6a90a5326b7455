/* SPDX-License-Identifier: MIT */
/* anser tokenize: text to ids, and ids to text. */
#include "command.h"
#include "io.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    int ids;
    const char *decode;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "ids", 0, NULL, "the ids alone, separated by commas", OPTION_FLAG,
      AT(ids), 0, 0, 0 },
    { "decode", 0, "IDS", "the bytes of these ids (1,2,3)", OPTION_TEXT,
      AT(decode), 0, 0, 0 },
    { .name = NULL }
};

/* A token in double quotes; what is not printable ASCII as \n or \xHH. */
static void print_quoted(const char *bytes, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '\n')
            printf("\\n");
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ' || c > '~')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static int print_tokens(struct anser_session *s, const struct values *v,
                        const char *text, size_t n)
{
    uint32_t *ids = NULL;
    size_t count = 0;
    if (anser_session_encode(s, text, n, &ids, &count) != 0)
        return EXIT_FAILED;
    for (size_t i = 0; i < count; i++) {
        const char *bytes = "";
        size_t length = 0;
        if (v->ids) {
            printf("%s%" PRIu32, i > 0 ? "," : "", ids[i]);
            continue;
        }
        if (anser_decode(s->vocab, ids[i], &bytes, &length) != ANSER_OK)
            length = 0;
        printf("%6" PRIu32 "  ", ids[i]);
        print_quoted(bytes, length);
        putchar('\n');
    }
    if (v->ids)
        putchar('\n');
    free(ids);
    return EXIT_DONE;
}

static int print_text(struct anser_session *s, const char *list)
{
    uint32_t *ids = NULL;
    size_t n = 0;
    int code = EXIT_DONE;
    if (anser_options_ids("tokenize", list, &ids, &n) != 0)
        return EXIT_USAGE;
    for (size_t i = 0; i < n && code == EXIT_DONE; i++) {
        const char *bytes = "";
        size_t length = 0;
        if (ids[i] >= s->n_vocab) {
            fprintf(stderr, "anser: token %" PRIu32 " is not below %" PRIu32
                    ", the size of the vocabulary\n", ids[i], s->n_vocab);
            code = EXIT_FAILED;
        } else if (anser_session_check(s, anser_decode(s->vocab, ids[i],
                                                       &bytes, &length)) != 0
                   || anser_io_text(bytes, length) != 0) {
            code = EXIT_FAILED;
        }
    }
    free(ids);
    return code;
}

static int print_operand(struct anser_session *s, const struct values *v,
                         const char *operand)
{
    if (strcmp(operand, "-") != 0)
        return print_tokens(s, v, operand, strlen(operand));
    char *text = NULL;
    size_t n = 0;
    if (anser_io_read("-", &text, &n) != 0)
        return EXIT_FAILED;
    int code = print_tokens(s, v, text, n);
    free(text);
    return code;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s;
    if (n != (v->decode == NULL))
        return anser_command_misused(&anser_command_tokenize,
                                     "give one TEXT, or -, or --decode IDS");
    int code = EXIT_FAILED;
    const char *path = anser_session_path(&v->session);
    if (anser_session_begin(&s, &v->session) == 0 && path != NULL
        && anser_session_file(&s, path) == 0 && anser_session_vocab(&s) == 0)
        code = v->decode != NULL ? print_text(&s, v->decode)
            : print_operand(&s, v, operands[0]);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_tokenize = {
    .name = "tokenize",
    .job = "text to token ids and back",
    .usage = "[-m FILE] [--ids] TEXT|-\n"
             "       anser tokenize [-m FILE] --decode IDS",
    .options = options, .shares = SHARE_MODEL | SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
