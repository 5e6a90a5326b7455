/* SPDX-License-Identifier: MIT */
/*
 * The Markdown side of a log: lines with what CommonMark makes of them as far
 * as headings go, the insertion of a block, and the way back from text to
 * blocks.  Does not know underlined headings: the layout has none.
 */
#include "bench_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char preface[] =
    "# Benchmark Results\n\n"
    "What anser bench measured, a section a title, the newest result last.\n\n"
    "**How to use:**\n\n"
    "1. Measure before a change, with a title.\n"
    "2. Make the change.\n"
    "3. Measure again with the same title; --compare tells what is noise.\n\n"
    "```bash\n"
    "anser bench -m MODEL --title TITLE --change CHANGE --output FILE\n"
    "```\n\n---\n\n";

/* ------------------------------------------------------------- lines */

struct lines {
    const char *next, *end;
    char fence;                      /* '`' or '~' in fenced code, else 0   */
    size_t fence_n;
    const char *closer;              /* of a comment or <pre>, or NULL      */
};

struct line {
    const char *at;                  /* without indent of up to 3 blanks    */
    size_t n;                        /* without "\r" and "\n"               */
    const char *start;               /* with the indent                     */
    int level;                       /* of a heading, else 0                */
    int plain;                       /* neither code nor comment            */
};

static size_t run_of(const struct line *l, char c)
{
    size_t n = 0;
    while (n < l->n && l->at[n] == c)
        n++;
    return n;
}

static int contains(const struct line *l, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= l->n; i++)
        if (memcmp(l->at + i, word, n) == 0)
            return 1;
    return 0;
}

static int begins(const struct line *l, const char *word)
{
    return l->n >= strlen(word) && memcmp(l->at, word, strlen(word)) == 0;
}

static int is_blank(const char *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != ' ' && at[i] != '\t')
            return 0;
    return 1;
}

/* Inside fenced code: whether this line ends it. */
static void in_fence(struct lines *s, const struct line *l)
{
    const size_t n = run_of(l, s->fence);
    if (n >= s->fence_n && is_blank(l->at + n, l->n - n))
        s->fence = 0;
}

/* What a line outside of all that opens; 1 if it opens something. */
static int opens(struct lines *s, const struct line *l)
{
    const char c = l->n > 0 ? l->at[0] : ' ';
    const size_t n = run_of(l, c);
    if ((c == '~' || c == '`') && n >= 3
        && (c == '~' || memchr(l->at + n, '`', l->n - n) == NULL)) {
        s->fence = c;
        s->fence_n = n;
        return 1;
    }
    if (begins(l, "<!--"))
        s->closer = "-->";
    else if (begins(l, "<pre"))
        s->closer = "</pre>";
    else
        return 0;
    if (contains(l, s->closer))
        s->closer = NULL;
    return 1;
}

static int next_line(struct lines *s, struct line *l)
{
    if (s->next >= s->end)
        return 0;
    const char *nl = memchr(s->next, '\n', (size_t)(s->end - s->next));
    const char *end = nl != NULL ? nl : s->end;
    *l = (struct line){ .at = s->next, .start = s->next };
    s->next = nl != NULL ? nl + 1 : s->end;
    if (end > l->at && end[-1] == '\r')
        end--;
    for (int i = 0; i < 3 && l->at < end && *l->at == ' '; i++)
        l->at++;
    l->n = (size_t)(end - l->at);
    if (s->fence != 0) {
        in_fence(s, l);
    } else if (s->closer != NULL) {
        if (contains(l, s->closer))
            s->closer = NULL;
    } else if (!opens(s, l)) {
        const size_t n = run_of(l, '#');
        l->plain = 1;
        if (n >= 1 && n <= 6 && (n == l->n || l->at[n] == ' '
                                 || l->at[n] == '\t'))
            l->level = (int)n;
    }
    return 1;
}

/* ------------------------------------------------------------- insertion */

static int is_utf8(const unsigned char *c)
{
    while (*c != '\0') {
        const int n = *c < 0x80 ? 0 : *c >= 0xc2 && *c < 0xe0 ? 1
            : (*c & 0xf0) == 0xe0 ? 2 : *c >= 0xf0 && *c < 0xf5 ? 3 : -1;
        const unsigned char first = *c++;
        for (int i = 0; i < n; i++, c++)
            if ((*c & 0xc0) != 0x80
                || (i == 0 && ((first == 0xe0 && *c < 0xa0)
                               || (first == 0xed && *c > 0x9f)
                               || (first == 0xf0 && *c < 0x90)
                               || (first == 0xf4 && *c > 0x8f))))
                return 0;
        if (n < 0)
            return 0;
    }
    return 1;
}

const char *anser_log_title_fault(const char *title)
{
    const size_t n = strlen(title);
    if (n == 0)
        return "is empty";
    if (strchr(" \t", title[0]) != NULL || strchr(" \t", title[n - 1]) != NULL)
        return "begins or ends with a blank";
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)title[i] < ' ' || title[i] == 127)
            return "holds a control character or a new line";
    return is_utf8((const unsigned char *)title) ? NULL : "is no UTF-8";
}

/* Where a block of the title belongs: *at bytes into the log, and whether the
 * section is there. */
static const char *find_place(const char *log, size_t n, const char *title,
                              size_t *at, int *found)
{
    struct lines s = { .next = log, .end = log + n };
    struct line l;
    *found = 0;
    *at = n;
    while (next_line(&s, &l)) {
        if (l.level == 0 || l.level > 2)
            continue;
        if (*found && *at == n)
            *at = (size_t)(l.start - log);
        if (!*found && l.level == 2 && l.at == l.start
            && l.n == strlen(title) + 3 && l.at[2] == ' '
            && memcmp(l.at + 3, title, l.n - 3) == 0)
            *found = 1;
    }
    if (s.fence != 0)
        return "it ends inside fenced code, which hides what follows: close "
               "it first";
    return s.closer == NULL ? NULL
        : "it ends inside a comment or <pre>: close it first";
}

/* Adds text with the log's own line ends. */
static void add_lines(struct anser_text *out, const char *text, int crlf)
{
    for (size_t n; *text != '\0'; text += n + 1) {
        n = strcspn(text, "\n");
        anser_text_bytes(out, text, n);
        if (text[n] == '\0')
            return;
        anser_text_add(out, crlf ? "\r\n" : "\n");
    }
}

/* Ends the last line and leaves an empty one before what comes. */
static void part(struct anser_text *out, int crlf)
{
    const char *end = crlf ? "\r\n" : "\n", *two = crlf ? "\r\n\r\n" : "\n\n";
    const size_t n = strlen(two);
    if (out->n == 0)
        return;
    if (out->at[out->n - 1] != '\n')
        anser_text_add(out, "%s", end);
    if (out->failed || out->n < n
        || memcmp(out->at + out->n - n, two, n) != 0)
        anser_text_add(out, "%s", end);
}

const char *anser_log_insert(const char *log, size_t n, const char *title,
                             const char *block, struct anser_text *out)
{
    size_t at;
    int found;
    const char *fault = find_place(log, n, title, &at, &found);
    const char *nl = memchr(log, '\n', n);
    const int crlf = nl != NULL && nl > log && nl[-1] == '\r';
    if (fault != NULL)
        return fault;
    anser_text_bytes(out, log, at);
    if (n == 0)
        anser_text_add(out, "%s", preface);
    if (out->failed)
        return "out of memory";
    part(out, crlf);
    if (!found) {
        add_lines(out, "## ", crlf);
        add_lines(out, title, crlf);
        add_lines(out, "\n\n", crlf);
    }
    add_lines(out, block, crlf);
    anser_text_bytes(out, log + at, n - at);
    return out->failed ? "out of memory" : NULL;
}

/* ------------------------------------------------------------- reading */

struct cell { const char *at; size_t n; };

/* The cell that begins behind a bar at *at, trimmed; *at goes to the next
 * bar. */
static struct cell next_cell(const struct line *l, size_t *at)
{
    size_t from = *at + 1, to = from;
    while (to < l->n && !(l->at[to] == '|' && l->at[to - 1] != '\\'))
        to++;
    *at = to;
    while (from < to && l->at[from] == ' ')
        from++;
    while (to > from && l->at[to - 1] == ' ')
        to--;
    return (struct cell){ l->at + from, to - from };
}

/* Takes off what a cell is wrapped in; 1 if it was. */
static int unwrap(struct cell *c, const char *mark)
{
    const size_t n = strlen(mark);
    if (c->n < 2 * n || memcmp(c->at, mark, n) != 0
        || memcmp(c->at + c->n - n, mark, n) != 0)
        return 0;
    c->at += n;
    c->n -= 2 * n;
    return 1;
}

/* A cell as text, "\|" as "|". */
static void copy_cell(char *to, size_t cap, const struct cell *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n && n + 1 < cap; i++)
        if (!(c->at[i] == '\\' && i + 1 < c->n && c->at[i + 1] == '|'))
            to[n++] = c->at[i];
    to[n] = '\0';
}

/* "12.34 ms" of a bold row. */
static void read_figure(struct anser_log_block *b, const char *name,
                        const char *value)
{
    char *end = NULL;
    const double v = strtod(value, &end);
    if (end == value || b->n_figures == LOG_FIGURES)
        return;
    struct anser_log_figure *f = &b->figures[b->n_figures++];
    *f = (struct anser_log_figure){ .value = v, .sd = -1 };
    snprintf(f->name, sizeof f->name, "%.31s", name);
    snprintf(f->unit, sizeof f->unit, "%.15s", end + strspn(end, " "));
}

/* "... sd 1.23 ..." of the row "NAME Runs". */
static void read_runs(struct anser_log_block *b, const char *key,
                      const char *value)
{
    const char *sd = strstr(value, "sd ");
    for (unsigned i = 0; i < b->n_figures && sd != NULL; i++) {
        struct anser_log_figure *f = &b->figures[i];
        const size_t n = strlen(f->name);
        if (strncmp(key, f->name, n) == 0 && strcmp(key + n, " Runs") == 0)
            f->sd = strtod(sd + 3, NULL);
    }
}

static void read_row(struct anser_log_block *b, const struct line *l)
{
    size_t at = 0;
    char name[64], text[256];
    struct cell key = next_cell(l, &at), value = { NULL, 0 };
    if (at < l->n)
        value = next_cell(l, &at);
    const int figure = unwrap(&key, "**") && unwrap(&value, "**");
    unwrap(&value, "`");
    copy_cell(name, sizeof name, &key);
    copy_cell(text, sizeof text, &value);
    if (figure)
        read_figure(b, name, text);
    else if (strcmp(name, "Model") == 0)
        snprintf(b->model, sizeof b->model, "%s", text);
    else if (strcmp(name, "GPU") == 0)
        snprintf(b->device, sizeof b->device, "%s", text);
    else if (strcmp(name, "Quality Hash") == 0)
        snprintf(b->hash, sizeof b->hash, "%.31s", text);
    else
        read_runs(b, name, text);
}

/* "### DATE - CHANGE" under a title; anything else ends the block. */
static int read_heading(struct anser_log *log, const struct line *l,
                        const char *title, struct anser_log_block **block)
{
    enum { DATE = 19, SKIP = 4 };
    *block = NULL;
    if (title == NULL || l->level != 3 || l->n < SKIP + DATE + 3
        || memcmp(l->at + SKIP + DATE, " - ", 3) != 0)
        return 0;
    char date[DATE + 1];
    char *change = strndup(l->at + SKIP + DATE + 3, l->n - SKIP - DATE - 3);
    if (change == NULL)
        return -1;
    memcpy(date, l->at + SKIP, DATE);
    date[DATE] = '\0';
    *block = anser_log_add(log, title, date, change);
    free(change);
    return *block != NULL ? 0 : -1;
}

int anser_log_parse(const char *text, size_t n, struct anser_log *log)
{
    struct lines s = { .next = text, .end = text + n };
    struct line l;
    struct anser_log_block *block = NULL;
    char *title = NULL;
    int failed = 0;
    *log = (struct anser_log){ NULL, 0 };
    while (!failed && next_line(&s, &l)) {
        if (l.level == 1 || l.level == 2) {
            free(title);
            title = l.level == 2 && l.n > 3 ? strndup(l.at + 3, l.n - 3)
                                            : NULL;
            block = NULL;
        } else if (l.level == 3) {
            failed = read_heading(log, &l, title, &block);
        } else if (l.plain && block != NULL && begins(&l, "|")) {
            read_row(block, &l);
        }
    }
    free(title);
    return failed;
}
