/* SPDX-License-Identifier: MIT */
/*
 * opbench: read and copy bandwidth, the cost of a launch, and the time of each
 * operation and phase, each variant of it that runs on the device.  A variant
 * is timed only after it agreed with base/ref.c in the same run; one that does
 * not is told, gets no time, and fails the program.
 *
 * With --json it prints a document of schema anser-bench-1 instead of the
 * table, with --save FILE it adds one to a file of JSON lines, so that
 *     anser bench --compare "A/bench/opbench --json" "B/bench/opbench --json"
 * tells which operations of build B differ from those of build A.
 */
#include "op/tables.h"
#include "opbench.h"
#include "rt/bandwidth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct opbench_sizes opbench_sizes[2] = {
    { "0.1b", 768, 3072, 65536, 12, { 64, 64, 32, 128 } },
    { "2.9b", 2560, 10240, 65536, 32, { 96, 96, 64, 320 } },
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const double *x)
{
    double sorted[OPBENCH_SAMPLES];
    memcpy(sorted, x, sizeof sorted);
    qsort(sorted, OPBENCH_SAMPLES, sizeof *sorted, ascending);
    return sorted[OPBENCH_SAMPLES / 2];
}

/* Seconds of one of n runs in a row. */
static enum anser_status time_runs(const struct opbench *b,
                                   struct opbench_work *w, unsigned n,
                                   double *time)
{
    const double start = now();
    for (unsigned i = 0; i < n; i++)
        w->run(w);
    TRY(anser_queue_finish(b->device->queue));
    *time = (now() - start) / n;
    return ANSER_OK;
}

/* Samples of as many runs in a row as fill b->seconds. */
enum anser_status opbench_time(const struct opbench *b, struct opbench_work *w,
                               struct opbench_time *time)
{
    double away[OPBENCH_SAMPLES], *t = time->samples;
    unsigned n = 1;
    TRY(time_runs(b, w, n, &t[0]));  /* the first run may set things up     */
    TRY(time_runs(b, w, n, &t[0]));
    while (t[0] * n < b->seconds) {
        n *= 2;
        TRY(time_runs(b, w, n, &t[0]));
    }
    for (unsigned k = 0; k < OPBENCH_SAMPLES; k++)
        TRY(time_runs(b, w, n, &t[k]));
    time->median = median_of(t);
    for (unsigned k = 0; k < OPBENCH_SAMPLES; k++)
        away[k] = fabs(t[k] - time->median);
    time->spread = median_of(away);
    return ANSER_OK;
}

/* ------------------------------------------------------------- telling */

static void write_figure(struct opbench *b, const struct opbench_work *w,
                         const struct opbench_time *t)
{
    fprintf(b->json, "%s\"%s %s %s\": {\"unit\": \"ms\", \"tokens\": 0, "
            "\"n\": %d, \"median\": %.9g, \"seconds\": [",
            b->figures++ == 0 ? "" : ", ", w->op, w->variant, w->shape,
            OPBENCH_SAMPLES, 1e3 * t->median);
    for (int k = 0; k < OPBENCH_SAMPLES; k++)
        fprintf(b->json, "%s%.9g", k == 0 ? "" : ", ", t->samples[k]);
    fprintf(b->json, "]}");
}

enum anser_status opbench_tell(struct opbench *b, struct opbench_work *w)
{
    struct opbench_time t;
    TRY(opbench_time(b, w, &t));
    fprintf(b->table, "%-12s %-16s %-26s %10.2f %5.1f%% %8.2f %6.1f", w->op,
            w->variant, w->shape, 1e6 * t.median, 100 * t.spread / t.median,
            1e-9 * w->bytes / t.median, 100 * w->bytes / t.median / b->read);
    if (w->operations > 0)
        fprintf(b->table, " %9.2f", 1e-9 * w->operations / t.median);
    fputc('\n', b->table);
    fflush(b->table);
    if (b->json != NULL)
        write_figure(b, w, &t);
    return ANSER_OK;
}

void opbench_wrong(struct opbench *b, const char *op, const char *variant,
                   const char *why)
{
    fprintf(stderr, "%-12s %-16s WRONG, not timed: %s\n", op, variant, why);
    b->wrong++;
}

int opbench_is_right(struct opbench *b, const struct anser_op *op,
                     uint32_t row, const struct anser_need *need,
                     struct anser_chosen *chosen)
{
    struct anser_error error = { .error = NAN };
    if (!op->rows[row].fits(&b->device->caps, need))
        return 0;
    const enum anser_status status = anser_op_row(b->device, op, row, need,
                                                  chosen, &error);
    if (status != ANSER_OK && status != ANSER_UNSUPPORTED)
        opbench_wrong(b, op->name, op->rows[row].name,
                      anser_error(b->device->ctx));
    return status == ANSER_OK;
}

uint32_t opbench_tokens(const struct opbench *b)
{
    return (b->device->caps.type & CL_DEVICE_TYPE_GPU) != 0 ? 1024
           : b->quick ? 32 : 128;
}

int opbench_wanted(const struct opbench *b, const char *name)
{
    return b->only == NULL || strstr(name, b->only) != NULL;
}

/* ------------------------------------------------------------- launches */

struct tiny {
    struct anser_trial trial;
    struct anser_chosen chosen;
};

static void run_tiny(struct opbench_work *w)
{
    static const struct norm_args args = { .C = 64, .T = 1, .eps = 1e-5f };
    const struct tiny *t = w->data;
    anser_op_norm(t->trial.device->queue, &t->chosen, &args,
                  t->trial.buf[0].mem, t->trial.buf[1].mem,
                  t->trial.buf[2].mem);
}

/* A kernel with next to nothing to do: what enqueueing one costs in a row, and
 * with a wait after each. */
static enum anser_status bench_launch(struct opbench *b)
{
    enum { WAITS = 200 };
    const struct anser_need need = { .cols = 64 };
    struct opbench_time time;
    struct tiny t;
    TRY(anser_op_choose(b->device, &anser_op_layer_norm, &need, &t.chosen));
    anser_trial_init(&t.trial, b->device);
    for (int i = 0; i < 3; i++)
        anser_trial_add(&t.trial, 256, 0, 1);
    struct opbench_work w = { .run = run_tiny, .data = &t };
    enum anser_status status = t.trial.status;
    if (status == ANSER_OK)
        status = opbench_time(b, &w, &time);
    const double start = now();
    for (int i = 0; i < WAITS && status == ANSER_OK; i++) {
        run_tiny(&w);
        status = anser_queue_finish(b->device->queue);
    }
    if (status == ANSER_OK)
        fprintf(b->table, "launch       %.2f us in a row, %.2f us with a wait "
                "after each\n\n", 1e6 * time.median,
                1e6 * (now() - start) / WAITS);
    const enum anser_status left = anser_trial_free(&t.trial);
    return status != ANSER_OK ? status : left;
}

/* ------------------------------------------------------------- all */

static enum anser_status bench_all(struct opbench *b)
{
    double copy;
    TRY(anser_bandwidth_measure(b->device, b->quick ? 0.3 : 1.0, &b->read,
                                &copy));
    fprintf(b->table, "device       %s\nbandwidth    read %.2f GB/s, copy "
            "%.2f GB/s\n", b->device->caps.name, 1e-9 * b->read, 1e-9 * copy);
    TRY(bench_launch(b));
    fprintf(b->table, "%-12s %-16s %-26s %10s %6s %8s %6s %9s\n", "operation",
            "variant", "shape", "us", "spread", "GB/s", "% read", "GFLOP/s");
    TRY(opbench_matmul(b));
    for (int i = b->quick ? 1 : 0; i < 2; i++)
        TRY(opbench_small(b, &opbench_sizes[i]));
    for (int i = 0; i < (b->quick ? 1 : 2); i++)
        TRY(opbench_phases(b, &opbench_sizes[i]));
    return ANSER_OK;
}

/* All, with the document around the figures; a name may hold a quote. */
static enum anser_status bench_document(struct opbench *b)
{
    if (b->json == NULL)
        return bench_all(b);
    fputs("{\"schema\": \"anser-bench-1\", \"device\": {\"name\": \"", b->json);
    for (const char *c = b->device->caps.name; *c != '\0'; c++)
        fputc(*c == '"' || *c == '\\' || *c < ' ' ? '_' : *c, b->json);
    fputs("\"}, \"figures\": {", b->json);
    const enum anser_status status = bench_all(b);
    fputs("}}\n", b->json);
    return status;
}

struct asked {
    struct opbench b;
    const char *device, *save;
    int json;
};

static void read_arguments(struct asked *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            a->b.quick = 1;
        else if (strcmp(argv[i], "--json") == 0)
            a->json = 1;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            a->b.only = argv[++i];
        else if (strcmp(argv[i], "--save") == 0 && i + 1 < argc)
            a->save = argv[++i];
        else
            a->device = argv[i];
    }
    a->b.seconds = a->b.quick ? 0.002 : 0.05;
}

/* The table to stdout unless the document goes there. */
static int open_output(struct asked *a)
{
    a->b.table = stdout;
    if (a->json)
        a->b.table = fopen("/dev/null", "w");
    a->b.json = a->json ? stdout : NULL;
    if (a->save != NULL)
        a->b.json = fopen(a->save, "a");
    if (a->b.table != NULL && (a->save == NULL || a->b.json != NULL))
        return 0;
    fprintf(stderr, "opbench: can't write %s\n", a->save);
    return -1;
}

/* opbench [--quick] [--only PART] [--json] [--save FILE] [DEVICE] */
int main(int argc, char **argv)
{
    struct asked a = { .json = 0 };
    anser_ctx *ctx;
    read_arguments(&a, argc, argv);
    if (open_output(&a) != 0 || anser_ctx_new(&ctx) != ANSER_OK)
        return EXIT_FAILURE;
    enum anser_status status = anser_device_open(ctx, a.device, &a.b.device);
    if (status == ANSER_OK)
        status = bench_document(&a.b);
    if (status != ANSER_OK)
        fprintf(stderr, "opbench: %s\n", anser_error(ctx));
    anser_device_close(a.b.device);
    anser_ctx_free(ctx);
    if (a.save != NULL && fclose(a.b.json) != 0)
        status = ANSER_IO;
    if (a.b.wrong > 0)
        fprintf(stderr, "%u variants are wrong and were not timed\n",
                a.b.wrong);
    return status == ANSER_OK && a.b.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
