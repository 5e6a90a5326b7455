/* SPDX-License-Identifier: MIT */
/*
 * One result as a block of a Markdown log.  The first rows, their order and
 * their number formats are those of web-rwkv-gguf's examples/benchmark.rs
 * (commit 3143cb4), so that its logs can be continued; ours follow them.
 */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A value in a table: bars escaped, on one line. */
static void cell(struct anser_text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char c = (unsigned char)*text < ' ' ? ' ' : *text;
        anser_text_add(out, "%s%c", c == '|' ? "\\" : "", c);
    }
}

static void row(struct anser_text *out, const char *key, const char *value)
{
    anser_text_add(out, "| %s | ", key);
    cell(out, value);
    anser_text_add(out, " |\n");
}

static const struct anser_bench_figure *
find(const struct anser_bench_result *r, const char *name)
{
    for (unsigned i = 0; i < r->n_figures; i++)
        if (strcmp(r->figures[i].name, name) == 0)
            return &r->figures[i];
    return NULL;
}

/* The rows of the original that are figures: their means. */
static const char *const inherited[][3] = {
    { "load", "Load Time", "ms" },
    { "prefill", "Prefill", "tok/s" },
    { "generation", "Generation", "tok/s" },
};
enum { INHERITED = sizeof inherited / sizeof *inherited };

static void original_rows(const struct anser_bench_result *r,
                          struct anser_text *out)
{
    anser_text_add(out, "| Metric | Value |\n|--------|-------|\n");
    row(out, "Model", r->model);
    row(out, "Version", "V7");
    anser_text_add(out, "| Layers | %u |\n| Embedding | %u |\n",
                   (unsigned)r->file.n_layer, (unsigned)r->file.n_embd);
    row(out, "GPU", r->device);
    for (size_t i = 0; i < INHERITED; i++) {
        const struct anser_bench_figure *f = find(r, inherited[i][0]);
        if (f != NULL)
            anser_text_add(out, "| **%s** | **%.2f %s** |\n", inherited[i][1],
                           f->mean, inherited[i][2]);
    }
    if (r->has_hash)
        anser_text_add(out, "| Quality Hash | `%" PRIx64 "` |\n", r->hash);
}

static void runs_row(struct anser_text *out, const char *name,
                     const struct anser_bench_figure *f)
{
    const char *unit = f->kind == BENCH_LOAD ? "ms" : "tok/s";
    anser_text_add(out, "| %s Runs | median %.2f, mean %.2f, sd %.2f %s, n %u",
                   name, f->median, f->mean, f->sd, unit, (unsigned)f->n);
    if (f->kind != BENCH_LOAD)
        anser_text_add(out, "; chunk %u, %.2f GB/s, %.1f %% of read, "
                       "%.2f GFLOP/s, %.1f kernels a token",
                       (unsigned)f->chunk, f->gbps, f->percent, f->gflops,
                       f->launches);
    anser_text_add(out, " |\n");
}

static void figure_rows(const struct anser_bench_result *r,
                        struct anser_text *out)
{
    for (unsigned i = 0; i < r->n_figures; i++) {
        const struct anser_bench_figure *f = &r->figures[i];
        const char *name = f->name;
        for (size_t j = 0; j < INHERITED; j++)
            if (strcmp(name, inherited[j][0]) == 0)
                name = inherited[j][1];
        if (name == f->name)
            anser_text_add(out, "| **%s** | **%.2f tok/s** |\n", name,
                           f->mean);
        runs_row(out, name, f);
    }
}

static void environment_rows(const struct anser_bench_result *r,
                             struct anser_text *out)
{
    const struct anser_stats_info *s = &r->stats;
    anser_text_add(out, "| First Load | %.2f ms |\n", 1e3 * r->first_load);
    row(out, "Platform", r->platform);
    row(out, "Driver", r->driver);
    row(out, "OpenCL", r->opencl);
    anser_text_add(out, "| Anser | %s, commit %s%s |\n",
                   anser_version_string(), anser_bench_commit(),
                   r->precise ? ", precise" : "");
    anser_text_add(out, "| Bandwidth | read %.2f GB/s, copy %.2f GB/s |\n",
                   1e-9 * r->read, 1e-9 * r->copy);
    anser_text_add(out, "| A Token Reads | %.2f MB, state %.2f MB |\n",
                   1e-6 * (double)r->file.token_bytes,
                   1e-6 * (double)r->file.state_bytes);
    anser_text_add(out, "| Device Memory | model %.2f MB, peak %.2f MB |\n",
                   1e-6 * (double)r->device_bytes,
                   1e-6 * (double)s->peak_bytes);
    anser_text_add(out, "| Buffers | %" PRIu64 " made, %" PRIu64
                   " reused |\n", s->pool_misses, s->pool_hits);
    anser_text_add(out, "| Programs | %u compiled, %u from the cache, %u "
                   "refused |\n", (unsigned)s->from_source,
                   (unsigned)s->from_cache, (unsigned)s->rejected);
}

static void quality_rows(const struct anser_bench_result *r,
                         struct anser_text *out)
{
    const struct anser_bench_text *q = &r->text;
    if (r->old_hash[0] != '\0')
        anser_text_add(out, "| Hash Changed | was `%s` on %s |\n",
                       r->old_hash, r->old_date);
    if (q->positions > 0)
        anser_text_add(out, "| Text Quality | %u positions, best token equal "
                       "%.1f %%, KL mean %.3g, max %.3g nats, loss %.3f nats"
                       "%s |\n", (unsigned)q->positions, 100 * q->agreement,
                       q->kl_mean, q->kl_max, q->loss, q->meaningless
                       ? "; means little, the model does not know the text"
                       : "");
}

static void folded(struct anser_text *out, const char *summary,
                   const char *text)
{
    anser_text_add(out, "<details><summary>%s</summary>\n\n```\n%s\n```\n\n"
                   "</details>\n\n", summary, text);
}

static void folded_tokens(const struct anser_bench_result *r,
                          struct anser_text *out)
{
    enum { SHOWN = 16 };
    struct anser_text list = { .at = NULL };
    for (int i = 0; i < SHOWN; i++)
        anser_text_add(&list, "%s%u", i == 0 ? "[" : ", ",
                       (unsigned)r->greedy[i]);
    anser_text_add(&list, "]");
    if (list.failed)
        out->failed = 1;
    else
        folded(out, "Quality tokens (first 16)", list.at);
    anser_text_free(&list);
}

void anser_bench_block(const struct anser_bench_result *r,
                       struct anser_text *out)
{
    anser_text_add(out, "### %s - %s\n\n", r->date, r->change);
    original_rows(r, out);
    quality_rows(r, out);
    figure_rows(r, out);
    environment_rows(r, out);
    anser_text_add(out, "\n");
    if (r->has_hash)
        folded_tokens(r, out);
    if (r->variants.n > 0) {
        struct anser_text lines = { .at = NULL };
        anser_text_bytes(&lines, r->variants.at, r->variants.n - 1);
        if (!lines.failed)
            folded(out, "Kernels", lines.at);
        anser_text_free(&lines);
    }
}
