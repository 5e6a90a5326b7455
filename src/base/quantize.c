/* SPDX-License-Identifier: MIT */
/*
 * anser_quantize: writes a model with the types of a plan.  Keys and tensors
 * keep their order; of the keys only general.file_type and
 * general.quantization_version change.
 */
#include "base/quantize.h"

#include "base/gguf_write.h"
#include "base/v7.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW (4u << 20)            /* elements between two writes         */
#define VERSION 2                    /* of the block layouts, ggml's        */

struct job {
    anser_ctx *ctx;
    const anser_file *file;
    const struct anser_quantize_options *options;
    const struct anser_quantize_plan *plan;
    struct anser_gguf_writer *writer;
    unsigned char *out;              /* WINDOW elements of any type         */
    unsigned threads;
    uint64_t done, all;              /* elements                            */
};

/* ------------------------------------------------------------- warnings */

/* Types that lose more than Q4_K: the tales model's perplexity on its held-out
 * slices is 21.41 in F16, 21.48 in q4_k_m, 21.49 in q4_1 (with more bytes),
 * 21.55 in q4_0 (with as many) and 22.97 in q2_k. */
static int harms(enum anser_type type)
{
    return type == ANSER_Q4_0 || type == ANSER_Q4_1 || type == ANSER_Q2_K;
}

static void warn(anser_ctx *ctx, const struct anser_quantize_plan *plan)
{
    uint64_t again = 0, harmed = 0;
    for (uint64_t i = 0; i < plan->n_tensors; i++) {
        const struct anser_quantize_tensor *t = &plan->tensors[i];
        int changes = t->to != t->from->block;
        again += changes && t->from->block->length > 1;
        harmed += changes && harms(t->to->type);
    }
    if (again > 0)
        anser_log(ctx, 1, "quantize: %llu tensors are quantised already and "
                  "lose twice; F16 or F32 is a better source",
                  (unsigned long long)again);
    if (harmed > 0)
        anser_log(ctx, 1, "quantize: %llu tensors become Q4_0, Q4_1 or Q2_K, "
                  "which harm RWKV-7 more than q4_k_m does",
                  (unsigned long long)harmed);
    if (plan->n_fallen > 0)
        anser_log(ctx, 1, "quantize: the rows of %llu tensors don't fit the "
                  "blocks of their type; they get one with smaller blocks",
                  (unsigned long long)plan->n_fallen);
}

/* ------------------------------------------------------------- keys */

/* Whether the key is one of ours; then it is written with our value. */
static enum anser_status put_own(const struct job *job, const char *name,
                                 int *own)
{
    int type = strcmp(name, "general.file_type") == 0;
    *own = type || strcmp(name, "general.quantization_version") == 0;
    if (!*own)
        return ANSER_OK;
    return anser_gguf_put_u32(job->writer, name,
                              type ? job->plan->file_type : VERSION);
}

static enum anser_status put_keys(const struct job *job)
{
    static const char *const ours[] = {
        "general.file_type", "general.quantization_version"
    };
    int own;
    for (uint64_t i = 0; i < job->file->n_keys; i++) {
        TRY(put_own(job, job->file->keys[i].name, &own));
        if (!own)
            TRY(anser_gguf_put_key(job->writer, &job->file->keys[i]));
    }
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (anser_gguf_find_key(job->file, ours[i]) == NULL)
            TRY(put_own(job, ours[i], &own));
    return ANSER_OK;
}

/* ------------------------------------------------------------- data */

static enum anser_status put_piece(struct job *job, const void *data,
                                   size_t bytes, uint64_t n)
{
    const struct anser_quantize_options *o = job->options;
    TRY(anser_gguf_put_data(job->writer, data, bytes));
    job->done += n;
    if (o->progress != NULL
        && o->progress(o->progress_user,
                       (double)job->done / (double)job->all))
        return anser_fail(job->ctx, ANSER_CANCELLED, "quantize: cancelled");
    return ANSER_OK;
}

/* Elements at..at + n of a tensor, as they are or in its new type. */
static enum anser_status put_window(struct job *job,
                                    const struct anser_quantize_tensor *t,
                                    uint64_t at, uint64_t n)
{
    const struct anser_block *from = t->from->block;
    struct anser_quantize_work work = {
        .from = from, .to = t->to, .out = job->out, .n = n,
        .data = t->from->data + anser_block_bytes(from, at),
        .threads = job->threads
    };
    size_t bytes = (size_t)anser_block_bytes(t->to, n);
    if (from == t->to)
        return put_piece(job, work.data, bytes, n);
    if (anser_quantize_run(&work) != 0)
        return anser_fail(job->ctx, ANSER_BAD_FILE, "%s: tensor %s holds a "
                          "value that is no number or too large for %s; the "
                          "model is damaged", job->file->path, t->from->name,
                          t->to->name);
    return put_piece(job, job->out, bytes, n);
}

static uint64_t elements(const struct anser_gguf_tensor *t)
{
    return t->ne[0] * t->ne[1] * t->ne[2] * t->ne[3];
}

static enum anser_status put_all(struct job *job)
{
    const struct anser_quantize_plan *plan = job->plan;
    TRY(put_keys(job));
    for (uint64_t i = 0; i < plan->n_tensors; i++) {
        const struct anser_gguf_tensor *from = plan->tensors[i].from;
        TRY(anser_gguf_put_tensor(job->writer, from->name,
                                  plan->tensors[i].to->type, from->n_dims,
                                  from->ne));
        job->all += elements(from);
    }
    for (uint64_t i = 0; i < plan->n_tensors; i++) {
        uint64_t n = elements(plan->tensors[i].from);
        for (uint64_t at = 0; at < n; at += WINDOW)
            TRY(put_window(job, &plan->tensors[i], at,
                           n - at < WINDOW ? n - at : WINDOW));
    }
    return ANSER_OK;
}

static enum anser_status write_file(struct job *job, const char *path)
{
    size_t most = (size_t)WINDOW * sizeof(float);
    job->out = malloc(most);
    if (job->out == NULL)
        return anser_fail_memory(job->ctx, most);
    enum anser_status status = anser_gguf_create(job->ctx, path, &job->writer);
    if (status == ANSER_OK) {
        status = put_all(job);
        if (status == ANSER_OK)
            status = anser_gguf_finish(job->writer);
        else
            anser_gguf_abandon(job->writer);
    }
    free(job->out);
    return status;
}

/* ------------------------------------------------------------- checks */

/* The input is mapped while the output grows, under whatever name. */
static enum anser_status check_paths(const anser_file *file, const char *path)
{
    struct stat in, out;
    if (stat(file->path, &in) == 0 && stat(path, &out) == 0
        && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
        return anser_fail(file->ctx, ANSER_BAD_ARG, "%s: is the input; choose "
                          "another name for the output", path);
    return ANSER_OK;
}

/* What is no RWKV-7 model is refused here, before a byte is written. */
static enum anser_status check_model(const anser_file *file)
{
    struct anser_v7_file v7;
    TRY(anser_v7_bind(file, &v7));
    anser_v7_unbind(&v7);
    return ANSER_OK;
}

static unsigned thread_count(const struct anser_quantize_options *options)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (options->threads > 0)
        return options->threads;
    return online > 0 ? (unsigned)online : 1;
}

enum anser_status
anser_quantize(const anser_file *file,
               const struct anser_quantize_options *options, const char *path)
{
    if (file == NULL)
        return ANSER_BAD_ARG;
    if (options == NULL || path == NULL)
        return anser_fail(file->ctx, ANSER_BAD_ARG,
                          "anser_quantize: options and path must be given");
    if (options->size != sizeof *options
        || (options->n_overrides > 0 && options->overrides == NULL))
        return anser_fail(file->ctx, ANSER_BAD_ARG, "anser_quantize: "
                          "options.size is %zu, expected %zu, or overrides "
                          "are missing", options->size, sizeof *options);
    struct anser_quantize_plan plan;
    TRY(check_paths(file, path));
    TRY(check_model(file));
    TRY(anser_quantize_plan(file, options, &plan));
    warn(file->ctx, &plan);
    struct job job = {
        .ctx = file->ctx, .file = file, .options = options, .plan = &plan,
        .threads = thread_count(options)
    };
    enum anser_status status = write_file(&job, path);
    anser_quantize_unplan(&plan);
    return status;
}
