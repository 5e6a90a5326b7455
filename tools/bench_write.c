/* SPDX-License-Identifier: MIT */
/* Where a result goes: a log, with a look at the hash before, and the formats
 * of --format to standard output or files. */
#include "bench.h"
#include "bench_append.h"
#include "bench_log.h"
#include "io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct addition {
    struct anser_bench_result *result;
    int lines;                       /* JSON lines and not Markdown         */
};

/* Notes a hash that differs from the one before. */
static const char *look_back(struct anser_bench_result *r, const char *log,
                             size_t n)
{
    char now[32];
    struct anser_log past;
    const int failed = anser_log_parse(log, n, &past);
    const struct anser_log_block *b = failed ? NULL
        : anser_log_last(&past, r->title, r->model, r->device);
    snprintf(now, sizeof now, "%llx", (unsigned long long)r->hash);
    if (b != NULL && r->has_hash && strcmp(b->hash, now) != 0) {
        snprintf(r->old_hash, sizeof r->old_hash, "%s", b->hash);
        snprintf(r->old_date, sizeof r->old_date, "%s", b->date);
        fprintf(stderr, "anser: HASH CHANGED: %s, and %s on %s\n", now,
                b->hash, b->date);
    }
    anser_log_free(&past);
    return failed ? "out of memory" : NULL;
}

static const char *add_result(void *user, const char *log, size_t n,
                              struct anser_text *out)
{
    struct addition *a = user;
    struct anser_bench_result *r = a->result;
    struct anser_text block = { .at = NULL };
    const char *why = NULL;
    if (a->lines) {
        anser_text_bytes(out, log, n);
        if (n > 0 && log[n - 1] != '\n')
            anser_text_add(out, "\n");
        anser_bench_json(r, 1, out);
        return out->failed ? "out of memory" : NULL;
    }
    why = look_back(r, log, n);
    anser_bench_block(r, &block);
    if (why == NULL)
        why = block.failed ? "out of memory"
            : anser_log_insert(log, n, r->title, block.at, out);
    anser_text_free(&block);
    return why;
}

int anser_bench_add(const char *path, struct anser_bench_result *r)
{
    const size_t n = strlen(path);
    struct addition a = {
        r, n > 6 && strcmp(path + n - 6, ".jsonl") == 0
    };
    return anser_append(path, add_result, &a);
}

static void write_format(const char *name, size_t n,
                         const struct anser_bench_result *r,
                         struct anser_text *out)
{
    if (n == 5 && memcmp(name, "human", n) == 0)
        anser_bench_table(r, out);
    else if (n == 2 && memcmp(name, "md", n) == 0)
        anser_bench_block(r, out);
    else if (n == 4 && memcmp(name, "json", n) == 0)
        anser_bench_json(r, 0, out);
    else if (n == 5 && memcmp(name, "jsonl", n) == 0)
        anser_bench_json(r, 1, out);
    else if (n == 3 && memcmp(name, "csv", n) == 0)
        anser_bench_csv(r, out);
    else
        out->failed = 1;
}

static int put(const char *path, size_t n, const struct anser_text *text)
{
    if (n == 0)
        return anser_io_text(text->at, text->n);
    struct anser_io_file out;
    char *name = strndup(path, n);
    int failed = name == NULL || anser_io_create(&out, name) != 0;
    if (!failed) {
        fwrite(text->at, 1, text->n, out.file);
        failed = anser_io_finish(&out) != 0;
    }
    free(name);
    return failed ? -1 : 0;
}

int anser_bench_write(const char *list, const struct anser_bench_result *r)
{
    static const struct anser_bench_result nothing;
    for (const char *at = list; *at != '\0';) {
        const size_t n = strcspn(at, ","), name = strcspn(at, ",=");
        struct anser_text text = { .at = NULL };
        write_format(at, name, r != NULL ? r : &nothing, &text);
        int failed = text.failed;
        if (failed)
            fprintf(stderr, "anser bench: no format '%.*s'; there are human, "
                    "md, json, jsonl, csv\n", (int)name, at);
        else if (r != NULL)
            failed = put(at + name + 1, n > name ? n - name - 1 : 0,
                         &text) != 0;
        anser_text_free(&text);
        if (failed)
            return -1;
        at += n + (at[n] == ',');
    }
    return 0;
}
