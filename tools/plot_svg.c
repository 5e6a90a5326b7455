/* SPDX-License-Identifier: MIT */
/*
 * bench --plot: the history in a log as SVG, a panel a figure, a dot a result
 * with its standard deviation as a bar, titles as groups along the bottom.
 * Colours follow the reader's light or dark scheme; a ring marks a result
 * whose hash differs from the one before it of the same title, model, device.
 */
#include "bench.h"
#include "bench_log.h"
#include "io.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 120, RIGHT = 16, TOP = 44, PANEL = 150, GAP = 34, LABELS = 170,
       WIDTH_MIN = 640, STEP = 14, STEP_MAX = 44, GROUP_GAP = 10, TICKS = 5,
       PANELS = 12 };

struct plot {
    const struct anser_log *log;
    size_t *order;                   /* owned (n): blocks by group          */
    double *x;                       /* owned (n): of order[i]              */
    char names[PANELS][32], units[PANELS][16];
    unsigned n_panels;
    double width, step;              /* step: between neighbours            */
    struct anser_text *out;
};

static void add_escaped(struct anser_text *out, const char *text, size_t most)
{
    size_t n = 0;
    for (; *text != '\0' && n < most; text++) {
        const unsigned char c = (unsigned char)*text;
        n += (c & 0xc0) != 0x80;
        if (c == '&' || c == '<' || c == '>' || c == '"')
            anser_text_add(out, "&#%d;", c);
        else if (c >= ' ' || c == '\t')
            anser_text_bytes(out, text, 1);
    }
    while ((*text & 0xc0) == 0x80)
        anser_text_bytes(out, text++, 1);
    if (*text != '\0')
        anser_text_add(out, "\xe2\x80\xa6");
}

/* ------------------------------------------------------------- layout */

static const struct anser_log_figure *
figure_of(const struct anser_log_block *b, const char *name)
{
    for (unsigned i = 0; i < b->n_figures; i++)
        if (strcmp(b->figures[i].name, name) == 0)
            return &b->figures[i];
    return NULL;
}

static void find_panels(struct plot *p)
{
    for (size_t i = 0; i < p->log->n; i++)
        for (unsigned j = 0; j < p->log->blocks[i].n_figures; j++) {
            const struct anser_log_figure *f = &p->log->blocks[i].figures[j];
            unsigned k = 0;
            while (k < p->n_panels && strcmp(p->names[k], f->name) != 0)
                k++;
            if (k < p->n_panels || k == PANELS)
                continue;
            memcpy(p->names[k], f->name, sizeof f->name);
            memcpy(p->units[k], f->unit, sizeof f->unit);
            p->n_panels++;
        }
}

/* Groups in the order of their first result, results in the log's. */
static int place_blocks(struct plot *p)
{
    const struct anser_log *log = p->log;
    const double room = (double)(WIDTH_MIN - LEFT - RIGHT)
                      / (double)(log->n + 1);
    size_t n = 0;
    p->step = fmin(fmax(room, STEP), STEP_MAX);
    double x = LEFT + p->step;
    p->order = malloc(log->n * sizeof *p->order);
    p->x = malloc(log->n * sizeof *p->x);
    char *taken = calloc(log->n, 1);
    if (p->order == NULL || p->x == NULL || taken == NULL) {
        free(taken);
        return -1;
    }
    for (size_t i = 0; i < log->n; i++) {
        for (size_t j = i; !taken[i] && j < log->n; j++)
            if (!taken[j] && strcmp(log->blocks[j].title,
                                    log->blocks[i].title) == 0) {
                taken[j] = j > i;
                p->order[n] = j;
                p->x[n++] = x;
                x += p->step;
            }
        x += taken[i] ? 0 : GROUP_GAP;
    }
    free(taken);
    p->width = x + RIGHT < WIDTH_MIN ? WIDTH_MIN : x + RIGHT;
    return 0;
}

/* A round number near span / TICKS: 1, 2 or 5 times a power of ten. */
static double tick_step(double span)
{
    const double raw = span / TICKS, ten = pow(10, floor(log10(raw)));
    const double part = raw / ten;
    return ten * (part > 5 ? 10 : part > 2 ? 5 : part > 1 ? 2 : 1);
}

/* ------------------------------------------------------------- drawing */

/* Whether the hash of block i differs from the one before it. */
static int hash_changed(const struct anser_log *log, size_t i)
{
    const struct anser_log_block *b = &log->blocks[i];
    const struct anser_log before = { log->blocks, i };
    const struct anser_log_block *last = anser_log_last(&before, b->title,
                                                        b->model, b->device);
    return last != NULL && b->hash[0] != '\0'
           && strcmp(last->hash, b->hash) != 0;
}

struct scale { double top, y0, most; };

static double y_of(const struct scale *s, double value)
{
    return s->y0 - value / s->most * PANEL;
}

static void draw_point(const struct plot *p, size_t i, const char *name,
                       const struct scale *s)
{
    const struct anser_log_block *b = &p->log->blocks[p->order[i]];
    const struct anser_log_figure *f = figure_of(b, name);
    if (f == NULL)
        return;
    const double x = p->x[i], y = y_of(s, f->value);
    anser_text_add(p->out, "<g><title>");
    add_escaped(p->out, b->title, 200);
    anser_text_add(p->out, " &#183; ");
    add_escaped(p->out, b->change, 200);
    anser_text_add(p->out, "\n%s &#183; ", b->date);
    add_escaped(p->out, b->model, 200);
    anser_text_add(p->out, "\n%s %.2f ", name, f->value);
    add_escaped(p->out, f->unit, 20);
    if (f->sd >= 0)
        anser_text_add(p->out, ", sd %.2f", f->sd);
    anser_text_add(p->out, "</title>");
    const double high = y_of(s, f->value + f->sd);
    const double low = y_of(s, fmax(f->value - f->sd, 0));
    if (f->sd > 0)
        anser_text_add(p->out, "<path class=\"bar\" d=\"M%.1f %.1fV%.1fM%.1f "
                       "%.1fh6M%.1f %.1fh6\"/>", x, high, low, x - 3, high,
                       x - 3, low);
    anser_text_add(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" "
                   "r=\"%s\"/></g>\n", hash_changed(p->log, p->order[i])
                   ? "ring" : "dot", x, y, "3.2");
}

static void draw_axis(const struct plot *p, const struct scale *s)
{
    const double step = tick_step(s->most);
    for (double v = 0; v <= s->most * 1.0001; v += step) {
        const double y = y_of(s, v);
        anser_text_add(p->out, "<path class=\"grid\" d=\"M%d %.1fH%.1f\"/>"
                       "<text class=\"tick\" x=\"%d\" y=\"%.1f\">%g</text>\n",
                       LEFT, y, p->width - RIGHT, LEFT - 6, y + 4, v);
    }
}

/* Neighbours of one title are joined. */
static void draw_lines(const struct plot *p, const char *name,
                       const struct scale *s)
{
    for (size_t i = 1; i < p->log->n; i++) {
        const struct anser_log_block *a = &p->log->blocks[p->order[i - 1]];
        const struct anser_log_block *b = &p->log->blocks[p->order[i]];
        const struct anser_log_figure *f = figure_of(a, name);
        const struct anser_log_figure *g = figure_of(b, name);
        if (f != NULL && g != NULL && strcmp(a->title, b->title) == 0)
            anser_text_add(p->out, "<path class=\"line\" d=\"M%.1f %.1fL%.1f "
                           "%.1f\"/>\n", p->x[i - 1], y_of(s, f->value),
                           p->x[i], y_of(s, g->value));
    }
}

static void draw_panel(const struct plot *p, unsigned k)
{
    struct scale s = { .top = TOP + k * (PANEL + GAP), .most = 0 };
    for (size_t i = 0; i < p->log->n; i++) {
        const struct anser_log_figure *f = figure_of(&p->log->blocks[i],
                                                     p->names[k]);
        if (f != NULL && isfinite(f->value))
            s.most = fmax(s.most, f->value + fmax(f->sd, 0));
    }
    s.most = s.most > 0 ? s.most * 1.05 : 1;
    s.y0 = s.top + PANEL;
    draw_axis(p, &s);
    anser_text_add(p->out, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", LEFT,
                   s.top - 8);
    add_escaped(p->out, p->names[k], 40);
    anser_text_add(p->out, " <tspan class=\"unit\">");
    add_escaped(p->out, p->units[k], 20);
    anser_text_add(p->out, "</tspan></text>\n");
    draw_lines(p, p->names[k], &s);
    for (size_t i = 0; i < p->log->n; i++)
        draw_point(p, i, p->names[k], &s);
}

/* Bands behind every second group and the titles, slanted, below. */
static void draw_groups(const struct plot *p, double bottom, int labels)
{
    unsigned group = 0;
    for (size_t i = 0, j; i < p->log->n; i = j, group++) {
        const char *title = p->log->blocks[p->order[i]].title;
        for (j = i + 1; j < p->log->n; j++)
            if (strcmp(p->log->blocks[p->order[j]].title, title) != 0)
                break;
        const double from = p->x[i] - p->step / 2 - GROUP_GAP / 2.0;
        const double to = p->x[j - 1] + p->step / 2 + GROUP_GAP / 2.0;
        const double x = (from + to) / 2;
        if (!labels && group % 2 == 0)
            anser_text_add(p->out, "<path class=\"band\" d=\"M%.1f %dH%.1fV"
                           "%.1fH%.1fz\"/>\n", from, TOP - 4, to, bottom,
                           from);
        if (!labels)
            continue;
        anser_text_add(p->out, "<text class=\"title\" transform=\"translate("
                       "%.1f %.1f) rotate(-55)\">", x + 4, bottom + 14);
        add_escaped(p->out, title, 24);
        anser_text_add(p->out, "</text>\n");
    }
}

static const char style[] =
    "<style>\n"
    "text{font:12px system-ui,sans-serif;fill:#24292f}\n"
    ".name{font-weight:600}.unit{font-weight:400;fill:#57606a}\n"
    ".tick{text-anchor:end;fill:#57606a}.title{text-anchor:end}\n"
    ".grid{stroke:#d0d7de;fill:none}.band{fill:#818b98;fill-opacity:.12}\n"
    ".line{stroke:#0969da;stroke-opacity:.35;fill:none}\n"
    ".bar{stroke:#0969da;fill:none}.dot{fill:#0969da}\n"
    ".ring{fill:#fff;stroke:#cf222e;stroke-width:2}.ground{fill:#fff}\n"
    "@media (prefers-color-scheme:dark){\n"
    "text{fill:#e6edf3}.unit,.tick{fill:#9198a1}.grid{stroke:#3d444d}\n"
    ".line,.bar{stroke:#58a6ff}.dot{fill:#58a6ff}\n"
    ".ring{fill:#0d1117;stroke:#ff7b72}.ground{fill:#0d1117}}\n"
    "</style>\n";

static void draw(struct plot *p)
{
    const double bottom = TOP + p->n_panels * (PANEL + GAP) - GAP;
    const double height = bottom + LABELS;
    anser_text_add(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                   "viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
                   "height=\"%.0f\">\n<title>Benchmark results</title>\n",
                   p->width, height, p->width, height);
    anser_text_bytes(p->out, style, sizeof style - 1);
    anser_text_add(p->out, "<rect class=\"ground\" width=\"100%%\" "
                   "height=\"100%%\"/>\n");
    draw_groups(p, bottom, 0);
    for (unsigned k = 0; k < p->n_panels; k++)
        draw_panel(p, k);
    draw_groups(p, bottom, 1);
    anser_text_add(p->out, "</svg>\n");
}

int anser_bench_plot(const char *path, const char *to)
{
    struct anser_log log;
    struct anser_text out = { .at = NULL };
    struct anser_io_file file;
    int failed = anser_log_read(path, &log) != 0;
    struct plot p = { .log = &log, .out = &out };
    if (!failed) {
        failed = place_blocks(&p) != 0;
        find_panels(&p);
        if (!failed)
            draw(&p);
        failed = failed || out.failed;
        if (failed)
            fprintf(stderr, "anser: out of memory\n");
        failed = failed || anser_io_create(&file, to) != 0;
    }
    if (!failed) {
        fwrite(out.at, 1, out.n, file.file);
        failed = anser_io_finish(&file) != 0;
    }
    if (!failed)
        fprintf(stderr, "drawn    %zu results, %u figures: %s\n", log.n,
                p.n_panels, to);
    anser_text_free(&out);
    free(p.order);
    free(p.x);
    anser_log_free(&log);
    return failed ? -1 : 0;
}
