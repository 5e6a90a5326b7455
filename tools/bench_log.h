/* SPDX-License-Identifier: MIT */
/*
 * A log of benchmarks in Markdown: finding a section by its exact title,
 * putting a block at its end without touching any other byte, and reading the
 * blocks back.  Headings inside fenced code and HTML comments are none.
 */
#ifndef ANSER_TOOLS_BENCH_LOG_H
#define ANSER_TOOLS_BENCH_LOG_H

#include "text.h"

enum { LOG_FIGURES = 16 };

struct anser_log_figure {
    char name[32], unit[16];         /* "Prefill", "tok/s"                  */
    double value, sd;                /* sd < 0: not told                    */
};

/* One result; pointers are into the log's text or the reader's memory. */
struct anser_log_block {
    char *title, *date, *change;     /* owned                               */
    char model[256], device[256], hash[32];
    struct anser_log_figure figures[LOG_FIGURES];
    unsigned n_figures;
};

struct anser_log {
    struct anser_log_block *blocks;  /* owned (n)                           */
    size_t n;
};

/* NULL if the title or change can stand in a heading, else what is wrong:
 * empty, blanks at an end, control characters (newlines), no UTF-8. */
const char *anser_log_title_fault(const char *title);

/* log(n) with block under "## TITLE" to *out; an empty log gets a preface.
 * NULL, or why that can't be done (out is then to be freed, too). */
const char *anser_log_insert(const char *log, size_t n, const char *title,
                             const char *block, struct anser_text *out);

/* All blocks of a Markdown log; -1 without memory. */
int anser_log_parse(const char *text, size_t n, struct anser_log *log);

/* A log in Markdown or JSON, by its content; -1 with the reason told. */
int anser_log_read(const char *path, struct anser_log *log);
void anser_log_free(struct anser_log *log);

/* Adds a block with owned copies of these texts; NULL without memory. */
struct anser_log_block *anser_log_add(struct anser_log *log,
                                      const char *title, const char *date,
                                      const char *change);

/* The block that came last with this title, model and device, or NULL. */
const struct anser_log_block *anser_log_last(const struct anser_log *log,
                                             const char *title,
                                             const char *model,
                                             const char *device);

#endif
