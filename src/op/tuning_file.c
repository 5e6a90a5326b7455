/* SPDX-License-Identifier: MIT */
/* The tuning file, read and written; its format stands in op/tuning.h. */
#include "base/tempfile.h"
#include "op/select.h"
#include "op/tuning.h"
#include "rt/cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "anser-tuning 1"
enum { FILE_MAX = 1 << 20, TEXTS_MAX = 64, SHAPE_MAX = 1 << 24 };

/* Of every kernel text of this build. */
static void digest_kernels(char hex[65])
{
    const char *texts[TEXTS_MAX];
    size_t n = 0;
    for (; n < TEXTS_MAX && anser_cl_text[n].name != NULL; n++)
        texts[n] = anser_cl_text[n].text;
    anser_cache_digest(texts, n, hex);
}

/* ----------------------------------------------------------------- read */

struct reader {
    anser_device *device;
    const char *path;
    char *next;                      /* of the lines that are left, or NULL */
    unsigned line;
    struct anser_tuning *made;       /* owned                               */
};

static enum anser_status wrong(const struct reader *r, const char *what)
{
    return anser_fail(r->device->ctx, ANSER_BAD_FILE, "%s:%u: %s; none of it "
                      "is used, `anser tune` writes a new one", r->path,
                      r->line, what);
}

/* The next line without its end; NULL after the last. */
static char *next_line(struct reader *r)
{
    char *line = r->next;
    char *end = line == NULL ? NULL : strchr(line, '\n');
    r->line++;
    if (end == NULL)                 /* a line without an end is cut        */
        return NULL;
    *end = '\0';
    r->next = end + 1;
    return line;
}

/* A line "name value" of the head, with this value. */
static enum anser_status expect(struct reader *r, const char *name,
                                const char *value, const char *otherwise)
{
    const char *line = next_line(r);
    const size_t n = strlen(name);
    if (line == NULL || strncmp(line, name, n) != 0 || line[n] != ' ')
        return wrong(r, "the head is damaged");
    return strcmp(line + n + 1, value) == 0 ? ANSER_OK : wrong(r, otherwise);
}

/* A decimal number of 1..max digits only. */
static bool number(const char *text, uint32_t max, uint32_t *value)
{
    char *end;
    if (*text < '0' || *text > '9' || strlen(text) > 9)
        return false;
    const unsigned long n = strtoul(text, &end, 10);
    *value = (uint32_t)n;
    return *end == '\0' && n > 0 && n <= max;
}

static bool valid_value(const struct anser_tuning_entry *e)
{
    uint32_t tokens;
    if (strcmp(e->op, ANSER_TUNING_CROSSOVER) == 0)
        return number(e->value, ANSER_TUNING_TOKENS_MAX, &tokens);
    const size_t n = strlen(e->op), m = strlen(e->value);
    const struct anser_op *op = anser_op_named(e->op, n);
    const struct anser_phase_table *phase = anser_phase_named(e->op, n);
    return (op != NULL && anser_row_named(op, e->value, m) != NULL)
           || (phase != NULL
               && anser_phase_row_named(phase, e->value, m) != NULL);
}

/* A matrix and a layer have rows; other operations have channels only. */
static bool valid_rows(const struct anser_tuning_entry *e)
{
    const struct anser_op *op = anser_op_named(e->op, strlen(e->op));
    return (e->rows == 0) == (op != NULL && !op->typed);
}

static enum anser_status read_entry(struct reader *r, const char *line)
{
    struct anser_tuning_entry e;
    char type[16], rows[16], cols[16], more;
    memset(&e, 0, sizeof e);
    if (sscanf(line, "%23s %15s %15s %15s %23s%c", e.op, type, rows, cols,
               e.value, &more) != 5)
        return wrong(r, "no line of five words");
    const struct anser_block *block = anser_block_named(type);
    if (block == NULL)
        return wrong(r, "no such type");
    e.type = block->type;
    if ((strcmp(rows, "0") != 0 && !number(rows, SHAPE_MAX, &e.rows))
        || !number(cols, SHAPE_MAX, &e.cols))
        return wrong(r, "no such shape");
    if (!valid_value(&e) || !valid_rows(&e))
        return wrong(r, "no such operation, variant or figure");
    const struct anser_need need = { .type = e.type, .rows = e.rows,
                                     .cols = e.cols };
    if (anser_tuning_find(r->made, e.op, &need) != NULL)
        return wrong(r, "the same operation and shape twice");
    if (r->made != NULL && r->made->n >= ANSER_TUNING_ENTRIES_MAX)
        return wrong(r, "too many lines");
    return anser_tuning_put(r->device->ctx, &r->made, &e);
}

static enum anser_status read_head(struct reader *r)
{
    const struct anser_caps *caps = &r->device->caps;
    char digest[65];
    const char *line = next_line(r);
    if (line == NULL || strcmp(line, FIRST_LINE) != 0)
        return wrong(r, "no tuning file of this version");
    digest_kernels(digest);
    TRY(expect(r, "device", caps->name, "it is of another device"));
    TRY(expect(r, "driver", caps->driver, "it is of another driver"));
    return expect(r, "kernels", digest, "it is of other kernels");
}

static enum anser_status read_lines(struct reader *r)
{
    TRY(read_head(r));
    for (uint32_t n = 0;; n++) {
        uint32_t said;
        const char *line = next_line(r);
        if (line == NULL)
            return wrong(r, "it has no end");
        if (strncmp(line, "end ", 4) != 0) {
            TRY(read_entry(r, line));
            continue;
        }
        if (!number(line + 4, ANSER_TUNING_ENTRIES_MAX, &said) || said != n
            || *r->next != '\0')
            return wrong(r, "the end does not fit");
        return ANSER_OK;
    }
}

/* The whole file, ended by NUL; owned by the caller. */
static enum anser_status read_text(anser_ctx *ctx, const char *path,
                                   char **text)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return anser_fail(ctx, ANSER_IO, "%s: %s", path, strerror(errno));
    char *data = malloc(FILE_MAX + 1);
    const size_t n = data == NULL ? 0 : fread(data, 1, FILE_MAX, in);
    const bool failed = ferror(in) != 0;
    fclose(in);
    if (data == NULL)
        return anser_fail_memory(ctx, FILE_MAX + 1);
    data[n] = '\0';
    if (!failed && n < FILE_MAX && strlen(data) == n) {
        *text = data;
        return ANSER_OK;
    }
    free(data);
    return anser_fail(ctx, failed ? ANSER_IO : ANSER_BAD_FILE,
                      "%s: %s", path, failed ? "it can't be read"
                                             : "no text of at most a MiB");
}

enum anser_status anser_tuning_read(anser_device *device, const char *path,
                                    struct anser_tuning **tuning)
{
    char *text = NULL;
    TRY(read_text(device->ctx, path, &text));
    struct reader r = { .device = device, .path = path, .next = text };
    const enum anser_status status = read_lines(&r);
    free(text);
    if (status != ANSER_OK) {
        anser_tuning_free(r.made);
        return status;
    }
    anser_tuning_free(*tuning);
    *tuning = r.made;
    return ANSER_OK;
}

/* ---------------------------------------------------------------- write */

static enum anser_status write_all(struct anser_tempfile *t,
                                   const anser_device *device,
                                   const struct anser_tuning *tuning)
{
    char line[512], digest[65];
    digest_kernels(digest);
    int n = snprintf(line, sizeof line, FIRST_LINE "\ndevice %s\ndriver %s\n"
                     "kernels %s\n", device->caps.name, device->caps.driver,
                     digest);
    TRY(anser_tempfile_write(t, line, (size_t)n));
    for (uint32_t i = 0; i < tuning->n; i++) {
        const struct anser_tuning_entry *e = &tuning->entries[i];
        n = snprintf(line, sizeof line, "%s %s %u %u %s\n", e->op,
                     anser_block_find(e->type)->name, (unsigned)e->rows,
                     (unsigned)e->cols, e->value);
        TRY(anser_tempfile_write(t, line, (size_t)n));
    }
    n = snprintf(line, sizeof line, "end %u\n", (unsigned)tuning->n);
    return anser_tempfile_write(t, line, (size_t)n);
}

enum anser_status anser_tuning_write(const anser_device *device,
                                     const struct anser_tuning *tuning,
                                     const char *path)
{
    struct anser_tempfile t;
    TRY(anser_tempfile_open(device->ctx, path, &t));
    const enum anser_status status = write_all(&t, device, tuning);
    if (status == ANSER_OK)
        return anser_tempfile_finish(&t);
    anser_tempfile_abandon(&t);
    return status;
}
