/* SPDX-License-Identifier: MIT */
/*
 * once MODEL PREFILL GENERATE: one run of a model from nothing to the last
 * token, and a line of what it took:
 *
 *     load_ms first_ms prefill_tokens_s generate_tokens_s source cache
 *
 * load is from the start to the open model, first from the start to the first
 * token after a prompt of one; then PREFILL tokens are read and GENERATE are
 * generated greedily.  source and cache: where programs came from.  Settings
 * are those of the environment; bench/runtime_table.sh varies them.
 */
#include <anser.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PREFILL_MAX = 65536 };

struct once {
    anser_ctx *ctx;
    anser_file *file;
    anser_device *device;
    anser_model *model;
    anser_state *state;
    anser_sampler *sampler;
    double load, first, prefill, generate;       /* seconds                 */
    struct anser_stats_info stats;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int go_on(void *user, uint32_t id)
{
    (void)user;
    (void)id;
    return 0;
}

static enum anser_status open_all(struct once *o, const char *path)
{
    enum anser_status status = anser_file_open(o->ctx, path, &o->file);
    if (status == ANSER_OK)
        status = anser_device_open(o->ctx, getenv("ANSER_BENCH_DEVICE"),
                                   &o->device);
    if (status == ANSER_OK)
        status = anser_model_open(o->device, o->file, NULL, &o->model);
    return status;
}

static enum anser_status new_parts(struct once *o)
{
    struct anser_model_info info = { .size = sizeof info };
    struct anser_sampler_options greedy;
    anser_sampler_defaults(&greedy);
    greedy.temperature = greedy.presence = greedy.frequency = 0;
    enum anser_status status = anser_model_info(o->model, &info);
    if (status == ANSER_OK)
        status = anser_sampler_new(o->ctx, info.n_vocab, &greedy,
                                   &o->sampler);
    if (status == ANSER_OK)
        status = anser_state_new(o->model, &o->state);
    return status;
}

/* A prompt of one token, and the one after it. */
static enum anser_status first_token(struct once *o)
{
    const uint32_t id = 0;
    enum anser_status status = anser_feed(o->state, &id, 1);
    if (status == ANSER_OK)
        status = anser_generate(o->state, o->sampler, 1, go_on, NULL);
    return status;
}

static enum anser_status measure(struct once *o, const char *path,
                                 const uint32_t *ids, size_t prefill,
                                 uint64_t generate)
{
    double start = now();
    enum anser_status status = open_all(o, path);
    o->load = now() - start;
    if (status == ANSER_OK)
        status = new_parts(o);
    if (status == ANSER_OK)
        status = first_token(o);
    o->first = now() - start;
    if (status == ANSER_OK)          /* kernels for many tokens are built   */
        status = anser_feed(o->state, ids, prefill);
    start = now();
    if (status == ANSER_OK)
        status = anser_feed(o->state, ids, prefill);
    o->prefill = now() - start;
    start = now();
    if (status == ANSER_OK)
        status = anser_generate(o->state, o->sampler, generate, go_on, NULL);
    o->generate = now() - start;
    o->stats = (struct anser_stats_info){ .size = sizeof o->stats };
    if (status == ANSER_OK)
        status = anser_stats(o->device, &o->stats);
    return status;
}

int main(int argc, char **argv)
{
    struct once o = { .ctx = NULL };
    static uint32_t ids[PREFILL_MAX];
    const long prefill = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    const long generate = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (prefill < 1 || prefill > PREFILL_MAX || generate < 1) {
        fprintf(stderr, "usage: once MODEL PREFILL GENERATE\n");
        return 2;
    }
    for (long i = 0; i < prefill; i++)
        ids[i] = 1 + (uint32_t)(i % 250);
    if (anser_ctx_new(&o.ctx) != ANSER_OK)
        return 1;
    const enum anser_status status = measure(&o, argv[1], ids,
                                             (size_t)prefill,
                                             (uint64_t)generate);
    if (status != ANSER_OK)
        fprintf(stderr, "once: %s\n", anser_error(o.ctx));
    anser_sampler_free(o.sampler);
    anser_state_free(o.state);
    anser_model_close(o.model);
    anser_device_close(o.device);
    anser_file_close(o.file);
    anser_ctx_free(o.ctx);
    if (status == ANSER_OK)
        printf("%.2f %.2f %.1f %.1f %u %u\n", 1e3 * o.load, 1e3 * o.first,
               (double)prefill / o.prefill, (double)generate / o.generate,
               (unsigned)o.stats.from_source, (unsigned)o.stats.from_cache);
    return status == ANSER_OK ? 0 : 1;
}
