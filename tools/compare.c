/* SPDX-License-Identifier: MIT */
/*
 * bench --compare: the ratio B / A of each figure with confidence intervals
 * that hold jointly (Bonferroni: each at 1 - (1 - P) / figures), on logarithms.
 *
 * Two commands are run A B A B ...; pair i gives log(B / A) of the medians of
 * its two processes, and Student's t over pairs the interval: drift that a
 * pair shares cancels.  Two files: Welch's interval over documents (processes)
 * where both have several, else over the runs of their one process, which
 * knows nothing of how processes differ; that is told.
 */
#include "bench.h"
#include "bench_read.h"
#include "bench_stats.h"
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VALUES = 1024 };

struct sides {
    json_t *a, *b;                   /* owned: arrays of documents          */
    int paired;                      /* by position                         */
    double confidence;
    int width;                       /* of the longest figure's name        */
};

/* ------------------------------------------------------------- reading */

static int documents_of(const char *path, json_t **documents)
{
    char *text = NULL;
    size_t n = 0;
    if (anser_io_read(path, &text, &n) != 0)
        return -1;
    const int failed = anser_bench_documents(path, text, n, documents);
    free(text);
    return failed;
}

/* Runs a command and adds the document that it prints to array. */
static int run_command(const char *command, json_t *array)
{
    struct anser_text out = { .at = NULL };
    char piece[4096];
    size_t n;
    json_t *documents = NULL;
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        fprintf(stderr, "anser: can not run: %s\n", command);
        return -1;
    }
    while ((n = fread(piece, 1, sizeof piece, pipe)) > 0)
        anser_text_bytes(&out, piece, n);
    int failed = pclose(pipe) != 0;
    if (failed)
        fprintf(stderr, "anser: failed: %s\n", command);
    failed = failed || anser_bench_documents(command, out.at != NULL ? out.at
                                             : "", out.n, &documents) != 0;
    if (!failed && array != NULL)
        failed = json_array_extend(array, documents) != 0;
    json_decref(documents);
    anser_text_free(&out);
    return failed ? -1 : 0;
}

/* The first pair fills caches and does not count. */
static int run_pairs(const char *a, const char *b, uint32_t pairs,
                     struct sides *s)
{
    s->a = json_array();
    s->b = json_array();
    s->paired = 1;
    for (uint32_t i = 0; i <= pairs; i++) {
        fprintf(stderr, "pair     %u of %u%s\n", (unsigned)i, (unsigned)pairs,
                i == 0 ? " (not counted)" : "");
        if (run_command(a, i > 0 ? s->a : NULL) != 0
            || run_command(b, i > 0 ? s->b : NULL) != 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------- values */

static const json_t *figure_in(const json_t *documents, size_t i,
                               const char *name)
{
    return json_object_get(json_object_get(json_array_get(documents, i),
                                           "figures"), name);
}

/* The figure's values x(VALUES) of a side: medians of documents, or speeds (or
 * times) of the runs of a single one. */
static size_t values_of(const json_t *documents, const char *name, int runs,
                        double *x)
{
    size_t n = 0, j;
    json_t *seconds;
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const json_t *f = figure_in(documents, i, name);
        const double tokens = json_number_value(json_object_get(f, "tokens"));
        const double m = json_number_value(json_object_get(f, "median"));
        if (!runs && m > 0 && n < VALUES)
            x[n++] = m;
        if (!runs)
            continue;
        json_array_foreach(json_object_get(f, "seconds"), j, seconds) {
            const double t = json_number_value(seconds);
            if (t > 0 && n < VALUES)
                x[n++] = tokens > 0 ? tokens / t : 1e3 * t;
        }
    }
    return n;
}

/* Whether all documents of both sides have the figure with one same work. */
static int is_common(const struct sides *s, const char *name)
{
    const json_t *first = figure_in(s->a, 0, name);
    const json_t *sides[] = { s->a, s->b };
    for (unsigned k = 0; k < 2; k++)
        for (size_t i = 0; i < json_array_size(sides[k]); i++) {
            const json_t *f = figure_in(sides[k], i, name);
            if (f == NULL || !json_equal(json_object_get(f, "tokens"),
                                         json_object_get(first, "tokens")))
                return 0;
        }
    return 1;
}

/* ------------------------------------------------------------- telling */

/* A speed, or milliseconds of which a part of a thousandth may count. */
static void tell_value(double value)
{
    printf(value < 1 ? " %10.5f" : " %10.2f", value);
}

static void tell(int lower_is_better, double a, double b,
                 const struct anser_bench_ratio *r)
{
    const int differs = r->df > 0 && (r->low > 1 || r->high < 1);
    const int better = (r->ratio > 1) != lower_is_better;
    char interval[40];
    snprintf(interval, sizeof interval, "%.4f to %.4f", r->low, r->high);
    tell_value(a);
    tell_value(b);
    printf("  %8.4f  %-22s %s\n", r->ratio, r->df > 0 ? interval : "none",
           !differs ? "no difference shown"
           : better ? "B is better" : "B is worse");
}

static int compare_figure(const struct sides *s, const char *name,
                          double confidence)
{
    double a[VALUES], b[VALUES];
    const int several = json_array_size(s->a) > 1
                        && json_array_size(s->b) > 1;
    const size_t na = values_of(s->a, name, !several && !s->paired, a);
    const size_t nb = values_of(s->b, name, !several && !s->paired, b);
    const char *unit = json_string_value(json_object_get(
        figure_in(s->a, 0, name), "unit"));
    if (na == 0 || nb == 0)
        return 0;
    const struct anser_bench_ratio r = s->paired && na == nb
        ? anser_bench_paired(a, b, na, confidence)
        : anser_bench_unpaired(a, na, b, nb, confidence);
    printf("%-*s", s->width, name);
    tell(unit != NULL && strcmp(unit, "ms") == 0,
         anser_bench_summarise(a, na).median,
         anser_bench_summarise(b, nb).median, &r);
    return r.df > 0 && (r.low > 1 || r.high < 1);
}

/* A line where the two sides did not run the same thing. */
static void tell_unlike(const struct sides *s, const char *outer,
                        const char *name)
{
    const json_t *a = json_object_get(json_array_get(s->a, 0), outer);
    const json_t *b = json_object_get(json_array_get(s->b, 0), outer);
    const char *x = json_string_value(json_object_get(a, name));
    const char *y = json_string_value(json_object_get(b, name));
    if (x != NULL && y != NULL && strcmp(x, y) != 0)
        printf("%s %s differs: %s, %s\n", outer, name, x, y);
}

static void tell_sides(const struct sides *s)
{
    static const char *const same[][2] = {
        { "model", "file" }, { "device", "name" }, { "device", "driver" },
        { "anser", "version" }, { "anser", "commit" }, { "quality", "hash" },
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        tell_unlike(s, same[i][0], same[i][1]);
    if (!s->paired && (json_array_size(s->a) < 2 || json_array_size(s->b) < 2))
        printf("One process a side: how processes differ is not in the "
               "intervals; --compare\nwith two commands runs several.\n");
}

static void compare(struct sides *s)
{
    json_t *figures = json_object_get(json_array_get(s->a, 0), "figures");
    const char *name;
    json_t *figure;
    unsigned n = 0, differ = 0;
    s->width = 12;
    json_object_foreach(figures, name, figure) {
        const int width = (int)strlen(name);
        n += is_common(s, name) != 0;
        s->width = width > s->width ? width : s->width;
    }
    tell_sides(s);
    printf("%-*s %10s %10s  %8s  %-22s\n", s->width, "figure", "A", "B",
           "B / A", "interval");
    json_object_foreach(figures, name, figure)
        if (is_common(s, name))
            differ += compare_figure(s, name, 1 - (1 - s->confidence) / n)
                      != 0;
    if (differ == 0)
        printf("\nno difference shown in %u figures at %.2f %% in all\n", n,
               100 * s->confidence);
    else
        printf("\n%u of %u figures differ at %.2f %% in all\n", differ, n,
               100 * s->confidence);
}

static int is_file(const char *path)
{
    return access(path, F_OK) == 0;
}

int anser_bench_compare(const char *a, const char *b, uint32_t pairs,
                        double confidence)
{
    struct sides s = { .confidence = confidence };
    int failed;
    if (is_file(a) != is_file(b)) {
        fprintf(stderr, "anser: %s is no file; give two files or two "
                "commands\n", is_file(a) ? b : a);
        return -1;
    }
    if (is_file(a))
        failed = documents_of(a, &s.a) != 0 || documents_of(b, &s.b) != 0;
    else
        failed = run_pairs(a, b, pairs, &s) != 0;
    if (!failed)
        compare(&s);
    json_decref(s.a);
    json_decref(s.b);
    return failed ? -1 : 0;
}
