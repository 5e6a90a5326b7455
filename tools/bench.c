/* SPDX-License-Identifier: MIT */
/*
 * anser bench: how fast a model runs on a device and whether it runs right,
 * with what is needed to believe it; --compare and --plot work on results.
 */
#include "bench.h"
#include "bench_log.h"
#include "command.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    const char *prefill, *generate, *formats, *title, *change, *output;
    const char *plot, *quality, *text;
    uint32_t runs, streams, pairs;
    float warm, confidence;
    int compare;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "prefill", 'p', "N,N", "measure prefill of so many tokens",
      OPTION_TEXT, AT(prefill), 0, 0, 0 },
    { "generate", 'g', "N,N", "measure generation of so many tokens",
      OPTION_TEXT, AT(generate), 0, 0, 0 },
    { "runs", 'r', "N", "runs of each test; 0: 3 of the inherited protocol,\n"
      "5 of others", OPTION_U32, AT(runs), 0, BENCH_MAX_RUNS, 0 },
    { "streams", 'b', "N", "sequences at once; only 1 so far", OPTION_U32,
      AT(streams), 1, 65536, 0 },
    { "warm-up", 0, "SECONDS", "work before each test, 0.5 if left out",
      OPTION_FLOAT, AT(warm), 0, 60, 0 },
    { "quality", 'q', "LIST", "compat, text, both with a comma, or none",
      OPTION_TEXT, AT(quality), 0, 0, 0 },
    { "text", 0, "FILE", "English for --quality text", OPTION_TEXT, AT(text),
      0, 0, 0 },
    { "format", 'o', "LIST", "human, md, json, jsonl, csv; each as FORMAT or\n"
      "FORMAT=FILE", OPTION_TEXT, AT(formats), 0, 0, 0 },
    { "title", 't', "TITLE", "section of the log", OPTION_TEXT, AT(title),
      0, 0, 0 },
    { "change", 'c', "TEXT", "what was changed", OPTION_TEXT, AT(change),
      0, 0, 0 },
    { "output", 0, "FILE", "add the result to this Markdown log (to JSON\n"
      "lines if it ends in .jsonl)", OPTION_TEXT, AT(output), 0, 0, 0 },
    { "compare", 0, NULL, "compare two results, or two commands, A and B",
      OPTION_FLAG, AT(compare), 0, 0, 0 },
    { "pairs", 0, "N", "how often two commands are run, 8 if left out",
      OPTION_U32, AT(pairs), 2, 1000, 0 },
    { "confidence", 0, "P", "of all intervals together, 0.99 if left out",
      OPTION_FLOAT, AT(confidence), 0.5, 0.9999, 0 },
    { "plot", 0, "OUT.svg", "draw a log in Markdown or JSON", OPTION_TEXT,
      AT(plot), 0, 0, 0 },
    { .name = NULL }
};

static void init(void *values)
{
    struct values *v = values;
    v->streams = 1;
    v->pairs = 8;
    v->warm = 0.5f;
    v->confidence = 0.99f;
    v->title = "Benchmark";
    v->change = "none";
    v->formats = "human";
}

/* ------------------------------------------------------------- the plan */

/* "32,128" to list(*n); NULL leaves it as it is. */
static int read_list(const char *text, uint32_t *list, unsigned *n)
{
    uint32_t *ids = NULL;
    size_t count = 0;
    if (text == NULL)
        return 0;
    if (anser_options_ids("bench", text, &ids, &count) != 0)
        return -1;
    int bad = count > BENCH_LIST;
    for (size_t i = 0; i < count && !bad; i++) {
        list[i] = ids[i];
        bad = ids[i] == 0 || ids[i] > 1u << 20;
    }
    *n = (unsigned)count;
    free(ids);
    if (bad)
        fprintf(stderr, "anser bench: '%s': at most %d numbers from 1 to "
                "1048576\n", text, BENCH_LIST);
    return bad ? -1 : 0;
}

static int has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = list; *at != '\0';) {
        const size_t length = strcspn(at, ",");
        if (length == n && memcmp(at, word, n) == 0)
            return 1;
        at += length + (at[length] == ',');
    }
    return 0;
}

static int read_quality(const char *list, struct anser_bench_plan *plan)
{
    static const char *const known[] = { "compat", "text", "compat,text",
                                         "text,compat", "none" };
    if (list == NULL) {
        plan->compat = plan->protocol;
        return 0;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(list, known[i]) == 0) {
            plan->compat = has_word(list, "compat");
            plan->text = has_word(list, "text");
            return 0;
        }
    fprintf(stderr, "anser bench: --quality takes compat, text, compat,text "
            "or none, not '%s'\n", list);
    return -1;
}

static int make_plan(const struct values *v, struct anser_bench_plan *plan)
{
    *plan = (struct anser_bench_plan){
        .runs = v->runs, .chunk = v->session.chunk, .warm = (double)v->warm,
        .protocol = (v->prefill == NULL && v->generate == NULL)
                    || v->output != NULL,
        .text_path = v->text
    };
    if (v->prefill == NULL && v->generate == NULL) {
        plan->prefill[plan->n_prefill++] = 512;
        plan->generate[plan->n_generate++] = 128;
    }
    if (read_list(v->prefill, plan->prefill, &plan->n_prefill) != 0
        || read_list(v->generate, plan->generate, &plan->n_generate) != 0)
        return -1;
    return read_quality(v->quality, plan);
}

/* ------------------------------------------------------------- running */

/* The text that ships with the program, or NULL with the places told. */
static const char *text_path(const struct anser_bench_plan *plan)
{
    static char path[4096];
    if (plan->text_path != NULL)
        return plan->text_path;
    if (anser_session_data("bench/text/kjv.txt", "kjv.txt", path,
                           sizeof path) == 0)
        return path;
    fprintf(stderr, "anser: no text for --quality text: give one with --text "
            "FILE; there is none near the program or at %s\n", path);
    return NULL;
}

static int measure(struct anser_session *s, const struct anser_bench_plan *p,
                   struct anser_bench_result *r)
{
    const char *path = p->text ? text_path(p) : "";
    if (path == NULL || anser_bench_measure(s, p, r) != 0
        || (p->compat && anser_bench_compat(s, r) != 0)
        || anser_bench_describe_end(s, r) != 0
        || anser_bench_finish(s, p, r) != 0)
        return -1;
    return p->text ? anser_bench_on_text(s, path, r) : 0;
}

static int bench(const struct values *v, const struct anser_bench_plan *plan)
{
    struct anser_session s;
    struct anser_bench_result *r = calloc(1, sizeof *r);
    const char *path = anser_session_path(&v->session);
    if (r == NULL || path == NULL) {
        free(r);
        return -1;
    }
    r->title = v->title;
    r->change = v->change;
    anser_interrupt_watch();
    int failed = anser_session_begin(&s, &v->session) != 0
        || anser_session_file(&s, path) != 0 || anser_session_vocab(&s) != 0
        || anser_session_device(&s) != 0
        || anser_bench_describe(&s, path, r) != 0 || measure(&s, plan, r) != 0
        || (v->output != NULL && anser_bench_add(v->output, r) != 0)
        || anser_bench_write(v->formats, r) != 0;
    anser_session_end(&s);
    anser_text_free(&r->variants);
    free(r);
    return failed ? -1 : 0;
}

static int check_values(const struct values *v, int n)
{
    const struct anser_command *me = &anser_command_bench;
    const char *title = anser_log_title_fault(v->title);
    const char *change = anser_log_title_fault(v->change);
    if (v->compare && n != 2)
        return anser_command_misused(me, "--compare takes two: A and B");
    if (v->plot != NULL && n != 1)
        return anser_command_misused(me, "--plot takes one log");
    if (!v->compare && v->plot == NULL && n != 0)
        return anser_command_misused(me, "unexpected operand");
    if (v->streams > 1)
        return anser_command_misused(me, "-b %u: one sequence at a time is "
                                     "all that Anser runs so far",
                                     (unsigned)v->streams);
    if (title != NULL)
        return anser_command_misused(me, "the title %s", title);
    if (change != NULL)
        return anser_command_misused(me, "the change %s", change);
    return anser_bench_write(v->formats, NULL) != 0 ? EXIT_USAGE : EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    const struct values *v = values;
    struct anser_bench_plan plan;
    const int code = check_values(v, n);
    if (code != EXIT_DONE || make_plan(v, &plan) != 0)
        return EXIT_USAGE;
    int failed;
    if (v->compare)
        failed = anser_bench_compare(operands[0], operands[1], v->pairs,
                                     (double)v->confidence);
    else if (v->plot != NULL)
        failed = anser_bench_plot(operands[0], v->plot);
    else
        failed = bench(v, &plan);
    return failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

const struct anser_command anser_command_bench = {
    .name = "bench",
    .job = "measures speed and quality; compares and draws results",
    .usage = "[-m FILE] [options] | --compare A B | --plot OUT.svg LOG",
    .notes = "A and B are JSON files of results, or commands that print one\n"
             "(anser bench -o json ...), which are then run in turn.",
    .options = options, .shares = SHARE_ALL,
    .size = sizeof(struct values), .init = init, .run = run
};
