/* SPDX-License-Identifier: MIT */
/* The result of a benchmark as people read it, and as CSV: one row a figure,
 * the columns that tell what was measured repeated in each. */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void table_head(const struct anser_bench_result *r,
                       struct anser_text *out)
{
    anser_text_add(out, "model      %s (%u layers, embedding %u, %.1f MB)\n",
                   r->model, (unsigned)r->file.n_layer,
                   (unsigned)r->file.n_embd, 1e-6 * (double)r->file.file_bytes);
    anser_text_add(out, "device     %s (%s)\ndriver     %s, %s\n", r->device,
                   r->platform, r->driver, r->opencl);
    anser_text_add(out, "anser      %s, commit %s%s\n",
                   anser_version_string(), anser_bench_commit(),
                   r->precise ? ", precise" : "");
    anser_text_add(out, "bandwidth  read %.2f GB/s, copy %.2f GB/s\n\n",
                   1e-9 * r->read, 1e-9 * r->copy);
    anser_text_add(out, "%-11s %5s %10s %10s %9s %3s %8s %6s %9s %9s\n",
                   "test", "chunk", "median", "mean", "sd", "n", "GB/s",
                   "% read", "GFLOP/s", "kernels/t");
}

static void table_quality(const struct anser_bench_result *r,
                          struct anser_text *out)
{
    if (r->has_hash)
        anser_text_add(out, "hash       %" PRIx64 "%s\n", r->hash,
                       r->comparable ? "" : " (this vocabulary's own: not "
                       "to be compared with files of 65,536 tokens)");
    if (r->old_hash[0] != '\0')
        anser_text_add(out, "HASH CHANGED: it was %s on %s\n", r->old_hash,
                       r->old_date);
    const struct anser_bench_text *q = &r->text;
    if (q->positions > 0)
        anser_text_add(out, "text       %u positions: best token equal %.1f %%"
                       ", KL mean %.3g, max %.3g nats; loss %.3f nats%s\n",
                       (unsigned)q->positions, 100 * q->agreement, q->kl_mean,
                       q->kl_max, q->loss, q->meaningless
                       ? "; means little: the model does not know the text"
                       : "");
}

void anser_bench_table(const struct anser_bench_result *r,
                       struct anser_text *out)
{
    table_head(r, out);
    for (unsigned i = 0; i < r->n_figures; i++) {
        const struct anser_bench_figure *f = &r->figures[i];
        const char *unit = f->kind == BENCH_LOAD ? "ms" : "t/s";
        anser_text_add(out, "%-7s %3s %5u %10.2f %10.2f %9.2f %3u", f->name,
                       unit, (unsigned)f->chunk, f->median, f->mean, f->sd,
                       (unsigned)f->n);
        if (f->kind != BENCH_LOAD)
            anser_text_add(out, " %8.2f %6.1f %9.2f %9.1f", f->gbps,
                           f->percent, f->gflops, f->launches);
        anser_text_add(out, "\n");
    }
    anser_text_add(out, "\nfirst load %.2f ms\n", 1e3 * r->first_load);
    table_quality(r, out);
    const struct anser_stats_info *s = &r->stats;
    anser_text_add(out, "memory     %.1f MB on the device for the model, peak "
                   "%.1f MB\n", 1e-6 * (double)r->device_bytes,
                   1e-6 * (double)s->peak_bytes);
    anser_text_add(out, "buffers    %" PRIu64 " made, %" PRIu64 " reused; "
                   "programs %u compiled, %u from the cache\n",
                   s->pool_misses, s->pool_hits, (unsigned)s->from_source,
                   (unsigned)s->from_cache);
}

/* A CSV field: quoted, quotes doubled. */
static void field(struct anser_text *out, const char *text)
{
    anser_text_add(out, "\"");
    for (; *text != '\0'; text++)
        anser_text_add(out, "%s%c", *text == '"' ? "\"" : "", *text);
    anser_text_add(out, "\",");
}

void anser_bench_csv(const struct anser_bench_result *r,
                     struct anser_text *out)
{
    anser_text_add(out, "date,title,change,model,device,driver,anser,commit,"
                   "test,chunk,unit,n,median,mean,sd,gbps,percent,gflops,"
                   "hash\n");
    for (unsigned i = 0; i < r->n_figures; i++) {
        const struct anser_bench_figure *f = &r->figures[i];
        const char *texts[] = {
            r->date, r->title, r->change, r->model, r->device, r->driver,
            anser_version_string(), anser_bench_commit(), f->name
        };
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++)
            field(out, texts[j] != NULL ? texts[j] : "");
        anser_text_add(out, "%u,%s,%u,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,",
                       (unsigned)f->chunk,
                       f->kind == BENCH_LOAD ? "ms" : "tokens/s",
                       (unsigned)f->n, f->median, f->mean, f->sd, f->gbps,
                       f->percent, f->gflops);
        if (r->has_hash)
            anser_text_add(out, "%" PRIx64, r->hash);
        anser_text_add(out, "\n");
    }
}
