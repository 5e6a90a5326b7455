/* SPDX-License-Identifier: MIT */
/*
 * The result of a benchmark as JSON, schema "anser-bench-1", which anser(1)
 * documents: members are only ever added.  One line where asked for, so that
 * a log of lines can grow by appending.
 */
#include "bench.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Where a document is: what separates its members. */
struct writer {
    struct anser_text *out;
    const char *next;                /* between two members                 */
    int first;                       /* of an object                        */
};

/* Members are text as it came; JSON wants UTF-8, so a byte that is none
 * becomes U+FFFD. */
static size_t utf8_length(const unsigned char *c)
{
    size_t n = c[0] < 0x80 ? 1 : c[0] >= 0xc2 && c[0] < 0xe0 ? 2
        : (c[0] & 0xf0) == 0xe0 ? 3 : c[0] >= 0xf0 && c[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    const int bad = n == 3 && ((c[0] == 0xe0 && c[1] < 0xa0)
                               || (c[0] == 0xed && c[1] > 0x9f));
    const int far = n == 4 && ((c[0] == 0xf0 && c[1] < 0x90)
                               || (c[0] == 0xf4 && c[1] > 0x8f));
    return bad || far ? 0 : n;
}

static void quoted(struct anser_text *out, const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    anser_text_add(out, "\"");
    while (*c != '\0') {
        const size_t n = utf8_length(c);
        if (n == 0)
            anser_text_add(out, "\\ufffd");
        else if (*c == '"' || *c == '\\')
            anser_text_add(out, "\\%c", *c);
        else if (*c < 0x20)
            anser_text_add(out, "\\u%04x", *c);
        else
            anser_text_bytes(out, c, n);
        c += n > 0 ? n : 1;
    }
    anser_text_add(out, "\"");
}

static void key(struct writer *w, const char *name)
{
    anser_text_add(w->out, "%s\"%s\": ", w->first ? "" : w->next, name);
    w->first = 0;
}

static void text(struct writer *w, const char *name, const char *value)
{
    key(w, name);
    quoted(w->out, value != NULL ? value : "");
}

static void number(struct writer *w, const char *name, double value)
{
    key(w, name);
    if (isfinite(value))
        anser_text_add(w->out, "%.9g", value);
    else
        anser_text_add(w->out, "null");
}

static void whole(struct writer *w, const char *name, uint64_t value)
{
    key(w, name);
    anser_text_add(w->out, "%" PRIu64, value);
}

static void open_in(struct writer *w, const char *name)
{
    key(w, name);
    anser_text_add(w->out, "{");
    w->first = 1;
}

static void close_in(struct writer *w)
{
    anser_text_add(w->out, "}");
    w->first = 0;
}

static void write_model(struct writer *w, const struct anser_bench_result *r)
{
    open_in(w, "model");
    text(w, "file", r->model);
    text(w, "name", r->name);
    text(w, "version", "V7");
    whole(w, "layers", r->file.n_layer);
    whole(w, "embedding", r->file.n_embd);
    whole(w, "vocabulary", r->file.n_vocab);
    whole(w, "parameters", r->file.n_params);
    whole(w, "file_bytes", r->file.file_bytes);
    whole(w, "token_bytes", r->file.token_bytes);
    whole(w, "state_bytes", r->file.state_bytes);
    whole(w, "precise", r->precise != 0);
    close_in(w);
}

static void write_device(struct writer *w, const struct anser_bench_result *r)
{
    open_in(w, "device");
    text(w, "name", r->device);
    text(w, "platform", r->platform);
    text(w, "driver", r->driver);
    text(w, "opencl", r->opencl);
    number(w, "read_gbps", 1e-9 * r->read);
    number(w, "copy_gbps", 1e-9 * r->copy);
    close_in(w);
    open_in(w, "anser");
    text(w, "version", anser_version_string());
    text(w, "commit", anser_bench_commit());
    close_in(w);
}

static void write_figure(struct writer *w, const struct anser_bench_figure *f)
{
    open_in(w, f->name);
    text(w, "unit", f->kind == BENCH_LOAD ? "ms" : "tokens/s");
    whole(w, "tokens", f->tokens);
    whole(w, "chunk", f->chunk);
    whole(w, "n", f->n);
    number(w, "median", f->median);
    number(w, "mean", f->mean);
    number(w, "sd", f->sd);
    number(w, "bytes", f->bytes);
    number(w, "operations", f->operations);
    number(w, "gbps", f->gbps);
    number(w, "percent_of_read", f->percent);
    number(w, "gflops", f->gflops);
    number(w, "kernels_a_token", f->launches);
    key(w, "seconds");
    for (uint32_t i = 0; i < f->n; i++)
        anser_text_add(w->out, "%s%.9g", i == 0 ? "[" : ", ", f->seconds[i]);
    anser_text_add(w->out, "]");
    close_in(w);
}

static void write_quality(struct writer *w, const struct anser_bench_result *r)
{
    const struct anser_bench_text *q = &r->text;
    open_in(w, "quality");
    if (r->has_hash) {
        struct anser_text *out = w->out;
        anser_text_add(out, "\"hash\": \"%" PRIx64 "\", \"tokens\": ", r->hash);
        for (int i = 0; i < BENCH_GREEDY; i++)
            anser_text_add(out, "%s%u", i == 0 ? "[" : ", ",
                           (unsigned)r->greedy[i]);
        anser_text_add(out, "]");
        w->first = 0;
        whole(w, "comparable", r->comparable != 0);
    }
    if (r->old_hash[0] != '\0')
        text(w, "hash_before", r->old_hash);
    if (q->positions > 0) {
        whole(w, "positions", q->positions);
        number(w, "agreement", q->agreement);
        number(w, "kl_mean", q->kl_mean);
        number(w, "kl_max", q->kl_max);
        number(w, "loss", q->loss);
        whole(w, "meaningless", q->meaningless != 0);
    }
    close_in(w);
}

static void write_stats(struct writer *w, const struct anser_bench_result *r)
{
    const struct anser_stats_info *s = &r->stats;
    open_in(w, "memory");
    whole(w, "model_bytes", r->device_bytes);
    whole(w, "used_bytes", s->used_bytes);
    whole(w, "held_bytes", s->held_bytes);
    whole(w, "peak_bytes", s->peak_bytes);
    whole(w, "buffers_made", s->pool_misses);
    whole(w, "buffers_reused", s->pool_hits);
    close_in(w);
    open_in(w, "programs");
    whole(w, "from_source", s->from_source);
    whole(w, "from_cache", s->from_cache);
    whole(w, "rejected", s->rejected);
    close_in(w);
}

/* The lines of the plan, without the blanks that indent them. */
static void write_variants(struct writer *w,
                           const struct anser_bench_result *r)
{
    const char *at = r->variants.at != NULL ? r->variants.at : "";
    const char *between = "[";
    key(w, "variants");
    while (*at != '\0') {
        char line[256];
        size_t n = strcspn(at, "\n");
        const size_t skip = strspn(at, " ");
        const size_t cut = n - skip < sizeof line ? n - skip : sizeof line - 1;
        memcpy(line, at + skip, cut);
        line[cut] = '\0';
        anser_text_add(w->out, "%s", between);
        quoted(w->out, line);
        between = ", ";
        at += n + (at[n] == '\n');
    }
    anser_text_add(w->out, "%s]", *between == '[' ? "[" : "");
}

void anser_bench_json(const struct anser_bench_result *r, int line,
                      struct anser_text *out)
{
    struct writer w = { out, line ? ", " : ",\n ", 1 };
    anser_text_add(out, "{");
    text(&w, "schema", "anser-bench-1");
    text(&w, "date", r->date);
    text(&w, "title", r->title);
    text(&w, "change", r->change);
    write_model(&w, r);
    write_device(&w, r);
    number(&w, "first_load_ms", 1e3 * r->first_load);
    open_in(&w, "figures");
    for (unsigned i = 0; i < r->n_figures; i++)
        write_figure(&w, &r->figures[i]);
    close_in(&w);
    write_quality(&w, r);
    write_stats(&w, r);
    write_variants(&w, r);
    anser_text_add(out, "}\n");
}
