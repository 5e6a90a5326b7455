/* SPDX-License-Identifier: MIT */
/*
 * anser logits: the logits after the last token of a prompt, as a file of
 * little-endian float32, and the best of them as a table.
 */
#include "command.h"
#include "io.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOP_DEFAULT 5

struct values {
    struct anser_session_values session;
    const char *tokens, *text, *out;
    uint32_t top, greedy;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "tokens", 0, "IDS", "the prompt as token ids (1,2,3)", OPTION_TEXT,
      AT(tokens), 0, 0, 0 },
    { "text", 0, "TEXT", "the prompt as text", OPTION_TEXT, AT(text),
      0, 0, 0 },
    { "output", 'o', "FILE", "write all logits, float32, little-endian",
      OPTION_TEXT, AT(out), 0, 0, 0 },
    { "top", 'k', "K", "print the K best; 5 if neither -o nor --greedy",
      OPTION_U32, AT(top), 0, 4294967295.0, 0 },
    { "greedy", 'g', "N", "print the ids of the N best tokens that follow,\n"
      "one after the other", OPTION_U32, AT(greedy), 0, 4294967295.0, 0 },
    { .name = NULL }
};

/* The best id that comes after `last` in the order of falling logits, ties by
 * the lowest id, NaN never; n if none is left.  last = n begins. */
static uint32_t next_best(const float *logits, uint32_t n, uint32_t last)
{
    uint32_t best = n;
    for (uint32_t i = 0; i < n; i++) {
        int after = last == n || logits[i] < logits[last]
            || (logits[i] == logits[last] && i > last);
        if (after && !isnan(logits[i])
            && (best == n || logits[i] > logits[best]))
            best = i;
    }
    return best;
}

static void print_text(const struct anser_session *s, uint32_t id)
{
    const char *bytes = "";
    size_t n = 0;
    if (anser_decode(s->vocab, id, &bytes, &n) != ANSER_OK)
        n = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < ' ' || c > '~' || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void print_top(const struct anser_session *s, const float *logits,
                      uint32_t top)
{
    uint32_t id = s->n_vocab;
    for (uint32_t i = 0; i < top; i++) {
        id = next_best(logits, s->n_vocab, id);
        if (id == s->n_vocab)
            return;
        printf("%6" PRIu32 " %12.6f  \"", id, (double)logits[id]);
        print_text(s, id);
        printf("\"\n");
    }
}

static int write_logits(const char *path, const float *logits, uint32_t n)
{
    struct anser_io_file out;
    if (anser_io_create(&out, path) != 0)
        return -1;
    /* The library runs on little-endian machines only. */
    fwrite(logits, sizeof *logits, n, out.file);
    return anser_io_finish(&out);
}

/* n greedy tokens, each fed; logits(V) is overwritten. */
static int print_greedy(struct anser_session *s, float *logits, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = next_best(logits, s->n_vocab, s->n_vocab);
        if (id == s->n_vocab) {
            fprintf(stderr, "anser: no logit is a number\n");
            return -1;
        }
        printf("%s%" PRIu32, i > 0 ? "," : "", id);
        fflush(stdout);
        if (anser_session_check(s, anser_feed(s->state, &id, 1)) != 0
            || anser_session_check(s, anser_logits(s->state, logits)) != 0)
            return -1;
    }
    if (n > 0)
        putchar('\n');
    return 0;
}

static int print_logits(struct anser_session *s, const struct values *v,
                        const uint32_t *ids, size_t n)
{
    uint32_t top = v->top;
    if (top == 0 && v->out == NULL && v->greedy == 0)
        top = TOP_DEFAULT;
    float *logits = malloc(s->n_vocab * sizeof *logits);
    if (logits == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return -1;
    }
    int failed = anser_session_check(s, anser_feed(s->state, ids, n));
    if (failed == 0)
        failed = anser_session_check(s, anser_logits(s->state, logits));
    if (failed == 0 && v->out != NULL)
        failed = write_logits(v->out, logits, s->n_vocab);
    if (failed == 0) {
        print_top(s, logits, top);
        failed = print_greedy(s, logits, v->greedy);
    }
    free(logits);
    return failed;
}

/* ids is NULL if the prompt is text. */
static int run_prompt(const struct values *v, uint32_t *ids, size_t n)
{
    struct anser_session s = { .ctx = NULL };
    int failed = anser_session_open(&s, &v->session);
    if (failed == 0 && ids == NULL)
        failed = anser_session_encode(&s, v->text, strlen(v->text), &ids, &n);
    if (failed == 0)
        failed = print_logits(&s, v, ids, n);
    anser_session_end(&s);
    free(ids);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(void *values, int n_operands, char **operands)
{
    struct values *v = values;
    uint32_t *ids = NULL;
    size_t n = 0;
    if (n_operands > 0)
        return anser_command_misused(&anser_command_logits, "unexpected '%s'",
                                     operands[0]);
    if ((v->tokens != NULL) + (v->text != NULL) != 1)
        return anser_command_misused(&anser_command_logits,
                                     "give --tokens IDS or --text TEXT");
    if (v->text != NULL && *v->text == '\0')
        return anser_command_misused(&anser_command_logits,
                                     "--text is empty");
    if (v->tokens != NULL
        && anser_options_ids("logits", v->tokens, &ids, &n) != 0)
        return EXIT_USAGE;
    return run_prompt(v, ids, n);
}

const struct anser_command anser_command_logits = {
    .name = "logits",
    .job = "the logits after a prompt",
    .usage = "[-m FILE] --tokens IDS | --text TEXT [options]",
    .options = options, .shares = SHARE_ALL,
    .size = sizeof(struct values), .run = run
};
