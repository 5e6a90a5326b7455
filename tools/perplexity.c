/* SPDX-License-Identifier: MIT */
/*
 * anser perplexity: the mean loss of a text's tokens given all before them,
 * exp of it, and the standard error of both; optionally the Kullback-Leibler
 * divergence from logits that another run saved.
 *
 * Each sequence (the text, or with --ids each line) begins with an empty
 * state; its first token is given, not predicted.
 */
#include "command.h"
#include "io.h"
#include "perplexity.h"
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 64 };                 /* tokens whose logits are read at once */

struct values {
    struct anser_session_values session;
    const char *file, *kl, *save;
    int ids;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "file", 'f', "FILE", "the text; - is standard input", OPTION_TEXT,
      AT(file), 0, 0, 0 },
    { "ids", 0, NULL, "the file holds token ids, a sequence a line",
      OPTION_FLAG, AT(ids), 0, 0, 0 },
    { "save-logits", 0, "FILE", "save all logits, for --kl", OPTION_TEXT,
      AT(save), 0, 0, 0 },
    { "kl", 0, "BASE", "divergence from logits saved so", OPTION_TEXT,
      AT(kl), 0, 0, 0 },
    { .name = NULL }
};

/* A run over all sequences. */
struct reading {
    struct anser_session s;
    float *logits;                   /* owned (PIECE, V)                    */
    struct anser_loss loss;
    struct anser_kl kl;
    struct anser_progress progress;
    size_t done, all;                /* tokens                              */
    double started;
};

static void tell_progress(struct reading *r)
{
    char label[64];
    const double mean = r->loss.n > 0 ? r->loss.sum / (double)r->loss.n : 0;
    snprintf(label, sizeof label, "perplexity %.3f", exp(mean));
    r->progress.label = label;
    anser_progress_step(&r->progress, (double)r->done / (double)r->all);
    r->progress.label = "reading";
}

/* ids(n) of one sequence. */
static int read_sequence(struct reading *r, const uint32_t *ids, size_t n)
{
    const uint32_t V = r->s.n_vocab;
    if (anser_session_check(&r->s, anser_state_reset(r->s.state)) != 0)
        return -1;
    for (size_t at = 0; at + 1 < n && !anser_interrupted();) {
        const size_t left = n - 1 - at, T = left < PIECE ? left : PIECE;
        if (anser_session_check(&r->s, anser_feed_all(r->s.state, ids + at, T,
                                                      r->logits)) != 0)
            return -1;
        for (size_t i = 0; i < T; i++)
            anser_loss_add(&r->loss, r->logits + i * V, V, ids[at + i + 1]);
        if (anser_kl_add(&r->kl, r->logits, V, ids + at + 1, T) != 0)
            return -1;
        at += T;
        r->done += T;
        tell_progress(r);
    }
    return 0;
}

static int read_text(struct reading *r, const char *text, size_t n)
{
    uint32_t *ids = NULL;
    size_t count = 0;
    if (anser_session_encode(&r->s, text, n, &ids, &count) != 0)
        return -1;
    r->all = count;
    const int failed = read_sequence(r, ids, count);
    free(ids);
    return failed;
}

/* The ids of one line; commas and blanks between them. */
static int read_line(struct reading *r, char *line, uint32_t *ids)
{
    size_t n = 0;
    for (char *at = line; *at != '\0';) {
        char *end = at;
        at += strspn(at, ", \t\r");
        const unsigned long long id = strtoull(at, &end, 10);
        if (*at == '\0')
            break;
        if (end == at || *at == '-' || id > UINT32_MAX) {
            fprintf(stderr, "anser: '%.20s' is no token id\n", at);
            return -1;
        }
        ids[n++] = (uint32_t)id;
        at = end;
    }
    return n > 1 ? read_sequence(r, ids, n) : 0;
}

static int read_ids(struct reading *r, char *text, size_t n)
{
    uint32_t *ids = malloc((n + 1) * sizeof *ids);
    int failed = ids == NULL;
    if (failed)
        fprintf(stderr, "anser: out of memory\n");
    for (size_t i = 0; i < n; i++)
        r->all += strchr(", \t\n", text[i]) != NULL;
    for (char *at = text; !failed && at != NULL && !anser_interrupted();) {
        char *line = at;
        at = strchr(line, '\n');
        if (at != NULL)
            *at++ = '\0';
        failed = read_line(r, line, ids) != 0;
    }
    free(ids);
    return failed ? -1 : 0;
}

static int print_result(const struct reading *r, size_t bytes)
{
    const struct anser_loss *l = &r->loss;
    if (l->n == 0) {
        fprintf(stderr, "anser: fewer than two tokens: nothing to predict\n");
        return -1;
    }
    const double mean = l->sum / (double)l->n, error = anser_loss_error(l);
    printf("tokens      %" PRIu64 "\n", l->n);
    printf("loss        %.6f +- %.6f nats a token\n", mean, error);
    printf("perplexity  %.4f +- %.4f\n", exp(mean), exp(mean) * error);
    if (bytes > 0)
        printf("bits        %.4f a byte\n", l->sum / log(2) / (double)bytes);
    if (r->kl.n > 0)
        printf("divergence  mean %.6g, max %.6g nats; best token equal "
               "%.2f %%\n", r->kl.sum / (double)r->kl.n, r->kl.most,
               100 * (double)r->kl.equal / (double)r->kl.n);
    fprintf(stderr, "speed    %.1f tokens/s\n",
            (double)l->n / (anser_seconds() - r->started));
    return 0;
}

static int measure(struct reading *r, const struct values *v, char *text,
                   size_t n)
{
    r->logits = malloc((size_t)PIECE * r->s.n_vocab * sizeof *r->logits);
    if (r->logits == NULL) {
        fprintf(stderr, "anser: out of memory\n");
        return -1;
    }
    r->started = anser_seconds();
    const int failed = v->ids ? read_ids(r, text, n) : read_text(r, text, n);
    anser_progress_end(&r->progress);
    if (failed == 0 && anser_interrupted()) {
        fprintf(stderr, "anser: interrupted\n");
        return -1;
    }
    return failed != 0 ? -1 : print_result(r, v->ids ? 0 : n);
}

static int perplexity(const struct values *v, char *text, size_t n)
{
    struct reading r = { .progress = PROGRESS("reading") };
    int failed = anser_session_open(&r.s, &v->session) != 0
        || anser_kl_open(&r.kl, v->save, v->kl, r.s.n_vocab) != 0
        || measure(&r, v, text, n) != 0;
    failed |= anser_kl_close(&r.kl, !failed) != 0;
    free(r.logits);
    anser_session_end(&r.s);
    return failed ? -1 : 0;
}

static int run(void *values, int n_operands, char **operands)
{
    struct values *v = values;
    char *text = NULL;
    size_t n = 0;
    if (n_operands > 0)
        return anser_command_misused(&anser_command_perplexity,
                                     "unexpected '%s'", operands[0]);
    if (v->file == NULL)
        return anser_command_misused(&anser_command_perplexity,
                                     "give a text: -f FILE");
    if (v->kl != NULL && v->save != NULL)
        return anser_command_misused(&anser_command_perplexity,
                                     "--kl and --save-logits in one run");
    if (anser_io_read(v->file, &text, &n) != 0)
        return EXIT_FAILED;
    anser_interrupt_watch();
    const int failed = perplexity(v, text, n);
    free(text);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct anser_command anser_command_perplexity = {
    .name = "perplexity",
    .job = "how well a model predicts a text",
    .usage = "[-m FILE] -f FILE [options]",
    .options = options, .shares = SHARE_ALL,
    .size = sizeof(struct values), .run = run
};
