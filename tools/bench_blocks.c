/* SPDX-License-Identifier: MIT */
/* The blocks of a log in memory, and logs in JSON. */
#include "bench_log.h"
#include "bench_read.h"
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct anser_log_block *anser_log_add(struct anser_log *log,
                                      const char *title, const char *date,
                                      const char *change)
{
    struct anser_log_block *more = realloc(log->blocks, (log->n + 1)
                                                        * sizeof *more);
    if (more == NULL)
        return NULL;
    log->blocks = more;
    struct anser_log_block *b = &log->blocks[log->n];
    memset(b, 0, sizeof *b);
    b->title = strdup(title);
    b->date = strdup(date);
    b->change = strdup(change);
    log->n++;
    return b->title != NULL && b->date != NULL && b->change != NULL ? b : NULL;
}

void anser_log_free(struct anser_log *log)
{
    for (size_t i = 0; i < log->n; i++) {
        free(log->blocks[i].title);
        free(log->blocks[i].date);
        free(log->blocks[i].change);
    }
    free(log->blocks);
    *log = (struct anser_log){ NULL, 0 };
}

const struct anser_log_block *anser_log_last(const struct anser_log *log,
                                             const char *title,
                                             const char *model,
                                             const char *device)
{
    for (size_t i = log->n; i-- > 0;) {
        const struct anser_log_block *b = &log->blocks[i];
        if (strcmp(b->title, title) == 0 && strcmp(b->model, model) == 0
            && strcmp(b->device, device) == 0 && b->hash[0] != '\0')
            return b;
    }
    return NULL;
}

/* ------------------------------------------------------------- JSON */

static const char *string_in(const json_t *object, const char *outer,
                             const char *name)
{
    if (outer != NULL)
        object = json_object_get(object, outer);
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* The Markdown layout's names of the inherited figures. */
static const char *shown_name(const char *name)
{
    static const char *const names[][2] = {
        { "load", "Load Time" }, { "prefill", "Prefill" },
        { "generation", "Generation" },
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i][0]) == 0)
            return names[i][1];
    return name;
}

static void read_figures(struct anser_log_block *b, json_t *figures)
{
    const char *name;
    json_t *figure;
    json_object_foreach(figures, name, figure) {
        if (b->n_figures == LOG_FIGURES)
            return;
        struct anser_log_figure *f = &b->figures[b->n_figures++];
        snprintf(f->name, sizeof f->name, "%.31s", shown_name(name));
        snprintf(f->unit, sizeof f->unit, "%s",
                 strcmp(string_in(figure, NULL, "unit"), "ms") == 0 ? "ms"
                                                                 : "tok/s");
        f->value = json_number_value(json_object_get(figure, "mean"));
        f->sd = json_number_value(json_object_get(figure, "sd"));
    }
}

static int read_documents(const json_t *documents, struct anser_log *log)
{
    size_t i;
    json_t *d;
    json_array_foreach(documents, i, d) {
        struct anser_log_block *b = anser_log_add(log,
            string_in(d, NULL, "title"), string_in(d, NULL, "date"),
            string_in(d, NULL, "change"));
        if (b == NULL)
            return -1;
        snprintf(b->model, sizeof b->model, "%.255s",
                 string_in(d, "model", "file"));
        snprintf(b->device, sizeof b->device, "%.255s",
                 string_in(d, "device", "name"));
        snprintf(b->hash, sizeof b->hash, "%.31s",
                 string_in(d, "quality", "hash"));
        read_figures(b, json_object_get(d, "figures"));
    }
    return 0;
}

int anser_log_read(const char *path, struct anser_log *log)
{
    char *text = NULL;
    size_t n = 0;
    *log = (struct anser_log){ NULL, 0 };
    if (anser_io_read(path, &text, &n) != 0)
        return -1;
    int failed;
    const char first = text[strspn(text, " \t\r\n")];
    if (first == '{' || first == '[') {
        json_t *documents = NULL;
        failed = anser_bench_documents(path, text, n, &documents);
        if (failed == 0)
            failed = read_documents(documents, log);
        json_decref(documents);
    } else {
        failed = anser_log_parse(text, n, log);
    }
    free(text);
    if (failed == 0 && log->n == 0) {
        fprintf(stderr, "anser: %s: no result of a benchmark in it\n", path);
        failed = -1;
    }
    return failed;
}
