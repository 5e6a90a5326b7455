/* SPDX-License-Identifier: MIT */
/*
 * opbench: read and copy bandwidth, the cost of a launch, and the time of each
 * operation: every variant of matmul for every block type at the shapes of a
 * 2.9B model, and of the recurrence.  A variant is timed only after it agreed
 * with base/ref.c in the same run; one that does not is told, gets no time, and
 * fails the program.
 */
#include "op/check.h"
#include "op/op.h"
#include "op/tables.h"
#include "rt/bandwidth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 9 };

struct bench {
    anser_device *device;
    double seconds;                  /* for each sample                     */
    double read;                     /* bytes a second                      */
    unsigned wrong;
    int quick;
    const char *only;                /* part of an operation's name, or NULL */
};

/* What is timed: enqueues one run. */
struct work {
    void (*run)(struct work *w);
    struct anser_queue *q;
    const struct anser_chosen *chosen;
    struct anser_matrix W;
    struct anser_part part;
    struct anser_matmul_plan plan;
    struct anser_matmul_call call;
    struct wkv_args wkv;
    struct anser_heads heads;
    cl_mem state;
    double bytes, operations;
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

/* Seconds of one of n runs in a row. */
static enum anser_status time_runs(struct work *w, unsigned n, double *time)
{
    const double start = now();
    for (unsigned i = 0; i < n; i++)
        w->run(w);
    TRY(anser_queue_finish(w->q));
    *time = (now() - start) / n;
    return ANSER_OK;
}

/* Seconds of one run: samples of as many runs in a row as fill `seconds`,
 * their median to *time and the median's absolute deviation to *spread. */
static enum anser_status time_work(const struct bench *b, struct work *w,
                                   double *time, double *spread)
{
    double t[SAMPLES], away[SAMPLES];
    unsigned n = 1;
    TRY(time_runs(w, n, &t[0]));     /* the first run may set things up     */
    TRY(time_runs(w, n, &t[0]));
    while (t[0] * n < b->seconds) {
        n *= 2;
        TRY(time_runs(w, n, &t[0]));
    }
    for (unsigned k = 0; k < SAMPLES; k++)
        TRY(time_runs(w, n, &t[k]));
    qsort(t, SAMPLES, sizeof *t, ascending);
    *time = t[SAMPLES / 2];
    for (unsigned k = 0; k < SAMPLES; k++)
        away[k] = fabs(t[k] - *time);
    qsort(away, SAMPLES, sizeof *away, ascending);
    *spread = away[SAMPLES / 2];
    return ANSER_OK;
}

/* Whether the row can run here and is right; tells one that is wrong. */
static int is_right(struct bench *b, const struct anser_op *op, uint32_t row,
                    const struct anser_need *need,
                    struct anser_chosen *chosen)
{
    struct anser_error error = { .error = NAN };
    if (!op->rows[row].fits(&b->device->caps, need))
        return 0;
    const enum anser_status status = anser_op_row(b->device, op, row, need,
                                                  chosen, &error);
    if (status == ANSER_OK)
        return 1;
    if (status != ANSER_UNSUPPORTED) {
        printf("%-12s %-16s WRONG, not timed: %s\n", op->name,
               op->rows[row].name, anser_error(b->device->ctx));
        b->wrong++;
    }
    return 0;
}

static void tell(const struct bench *b, struct work *w, const char *op,
                 const char *shape)
{
    double time, spread;
    if (time_work(b, w, &time, &spread) != ANSER_OK) {
        printf("%-12s %-16s %s: %s\n", op, w->chosen->variant->name, shape,
               anser_error(b->device->ctx));
        return;
    }
    printf("%-12s %-16s %-26s %10.2f %5.1f%% %8.2f %6.1f %9.2f\n", op,
           w->chosen->variant->name, shape, 1e6 * time, 100 * spread / time,
           1e-9 * w->bytes / time, 100 * w->bytes / time / b->read,
           1e-9 * w->operations / time);
    fflush(stdout);
}

/* ------------------------------------------------------------- matmul */

struct shape { uint32_t rows, cols; };

static void run_matmul(struct work *w)
{
    anser_op_matmul(w->q, &w->W, &w->call);
}

/* The chosen row as a plan of its own, for T tokens. */
static void set_matmul(struct work *w, const struct anser_block *block,
                       const struct shape *s, uint32_t T)
{
    const uint64_t row = anser_block_bytes(block, s->cols);
    w->run = run_matmul;
    w->plan = (struct anser_matmul_plan){ .few = *w->chosen,
        .many = *w->chosen, .need = { .type = block->type, .rows = s->rows,
                                   .cols = s->cols } };
    w->plan.layout = (enum anser_layout)w->chosen->variant->layout;
    w->part = (struct anser_part){ .mem = w->state, .rows = s->rows };
    w->W = (struct anser_matrix){ .block = block, .rows = s->rows,
        .cols = s->cols, .row_bytes = (uint32_t)row,
        .layout = w->plan.layout, .n_parts = 1,
        .parts = &w->part, .plan = &w->plan };
    w->call.T = T;
    w->call.y_stride = s->rows;
    w->bytes = (double)row * s->rows + 4.0 * T * (s->rows + s->cols);
    w->operations = 2.0 * T * s->rows * s->cols;
}

/* Random blocks, repeated: what they hold does not change the time. */
static enum anser_status fill_file(struct bench *b, cl_mem mem,
                                   const struct anser_block *block,
                                   uint64_t bytes)
{
    enum { BLOCKS = 64 };
    unsigned char *data = malloc(bytes);
    if (data == NULL)
        return anser_fail_memory(b->device->ctx, bytes);
    const uint64_t run = (uint64_t)BLOCKS * block->bytes;
    const uint64_t first = bytes < run ? bytes : run;
    anser_check_blocks(block, data, first / block->bytes, 1);
    for (uint64_t at = first; at < bytes; at += first)
        memcpy(data + at, data, bytes - at < first ? bytes - at : first);
    anser_queue_write(b->device->queue, mem, 0, data, bytes);
    const enum anser_status status = anser_queue_finish(b->device->queue);
    free(data);
    return status;
}

/* A matrix in the layout that the variant reads, in a buffer of its own. */
static enum anser_status make_matrix(struct bench *b,
                                     const struct anser_variant *v,
                                     const struct anser_block *block,
                                     const struct shape *s,
                                     struct anser_buf *W)
{
    const struct anser_layout_info *layout = &anser_layouts[v->layout];
    const uint64_t bytes = anser_block_bytes(block, s->cols) * s->rows;
    struct anser_buf file;
    TRY(anser_buf_new(b->device, layout->bytes(block, s->rows, s->cols), W));
    if (layout->repack == NULL)
        return fill_file(b, W->mem, block, bytes);
    TRY(anser_buf_new(b->device, bytes, &file));
    const struct anser_repack repack = { .block = block, .rows = s->rows,
        .cols = s->cols, .from = file.mem, .to = W->mem };
    enum anser_status status = fill_file(b, file.mem, block, bytes);
    if (status == ANSER_OK)
        status = layout->repack(b->device->queue, &repack);
    const enum anser_status done = anser_queue_finish(b->device->queue);
    anser_buf_free(b->device, &file);
    return status != ANSER_OK ? status : done;
}

static enum anser_status bench_shape(struct bench *b, const struct anser_op *op,
                                     const struct anser_chosen *chosen,
                                     const struct anser_block *block,
                                     const struct shape *s, uint32_t T)
{
    struct anser_buf W, x, y;
    struct work w = { .q = b->device->queue, .chosen = chosen };
    char shape[64];
    TRY(make_matrix(b, chosen->variant, block, s, &W));
    TRY(anser_buf_new(b->device, (size_t)4 * T * s->cols, &x));
    TRY(anser_buf_new(b->device, (size_t)4 * T * s->rows, &y));
    anser_queue_zero(w.q, x.mem, 0, (size_t)4 * T * s->cols);
    w.state = W.mem;
    w.call.x.mem = x.mem;
    w.call.y.mem = y.mem;
    set_matmul(&w, block, s, T);
    snprintf(shape, sizeof shape, "%s %ux%u T %u", block->name,
             (unsigned)s->rows, (unsigned)s->cols, (unsigned)T);
    tell(b, &w, op->name, shape);
    anser_buf_free(b->device, &y);
    anser_buf_free(b->device, &x);
    anser_buf_free(b->device, &W);
    return ANSER_OK;
}

/* The shapes of a 2.9B model: attention, feed-forward both ways, head. */
static const struct shape shapes[] = {
    { 2560, 2560 }, { 10240, 2560 }, { 2560, 10240 }, { 65536, 2560 },
};

static enum anser_status bench_matmul(struct bench *b,
                                      const struct anser_op *op, uint32_t T)
{
    const size_t n = b->quick ? 1 : sizeof shapes / sizeof *shapes;
    for (const struct anser_block *block = anser_blocks; block->name != NULL;
         block++)
        for (uint32_t row = 0; row < op->n; row++) {
            struct anser_chosen chosen;
            const struct anser_need need = { .type = block->type,
                .rows = shapes[0].rows, .cols = shapes[0].cols };
            if (!is_right(b, op, row, &need, &chosen))
                continue;
            for (size_t i = 0; i < n; i++)
                TRY(bench_shape(b, op, &chosen, block, &shapes[i], T));
        }
    return ANSER_OK;
}

/* ------------------------------------------------------------- recurrence */

static void run_wkv(struct work *w)
{
    anser_op_wkv7(w->q, w->chosen, &w->wkv, w->state, &w->heads);
}

static enum anser_status bench_wkv(struct bench *b, uint32_t T)
{
    enum { C = 2560, STATE = C * SH_HEAD };
    const struct anser_need need = { .cols = C };
    for (uint32_t row = 0; row < anser_op_recurrence.n; row++) {
        struct anser_chosen chosen;
        struct anser_trial t;
        char shape[64];
        if (!is_right(b, &anser_op_recurrence, row, &need, &chosen))
            continue;
        anser_trial_init(&t, b->device);
        for (int i = 0; i < 7; i++)  /* r w k v kk a y; w is a decay        */
            anser_trial_add(&t, (size_t)T * C, i == 1 ? 0.75f : 0, 0.1f);
        const unsigned state = anser_trial_add(&t, STATE, 0, 1);
        struct work w = { .run = run_wkv, .q = b->device->queue,
            .chosen = &chosen, .wkv = { .C = C, .T = T },
            .state = t.buf[state].mem, .bytes = 8.0 * STATE + 28.0 * T * C,
            .operations = 9.0 * T * STATE };
        w.heads = (struct anser_heads){ .r = t.buf[0].mem, .w = t.buf[1].mem,
            .k = t.buf[2].mem, .v = t.buf[3].mem, .kk = t.buf[4].mem,
            .a = t.buf[5].mem, .y = t.buf[6].mem };
        snprintf(shape, sizeof shape, "C %d T %u", C, (unsigned)T);
        if (t.status == ANSER_OK)
            tell(b, &w, anser_op_recurrence.name, shape);
        TRY(anser_trial_free(&t));
    }
    return ANSER_OK;
}

/* ------------------------------------------------------------- launches */

static void run_tiny(struct work *w)
{
    static const struct norm_args args = { .C = 64, .T = 1, .eps = 1e-5f };
    anser_op_norm(w->q, w->chosen, &args, w->state, w->call.x.mem,
                  w->call.y.mem);
}

/* A kernel with next to nothing to do: what enqueueing one costs in a row, and
 * with a wait after each. */
static enum anser_status bench_launch(struct bench *b)
{
    const struct anser_need need = { .cols = 64 };
    struct anser_chosen chosen;
    struct anser_trial t;
    double time, spread;
    TRY(anser_op_choose(b->device, &anser_op_layer_norm, &need, &chosen));
    anser_trial_init(&t, b->device);
    for (int i = 0; i < 3; i++)
        anser_trial_add(&t, 256, 0, 1);
    TRY(t.status);
    struct work w = { .run = run_tiny, .q = b->device->queue,
                      .chosen = &chosen, .state = t.buf[0].mem };
    w.call.x.mem = t.buf[1].mem;
    w.call.y.mem = t.buf[2].mem;
    TRY(time_work(b, &w, &time, &spread));
    const double start = now();
    enum { WAITS = 200 };
    for (int i = 0; i < WAITS; i++) {
        run_tiny(&w);
        TRY(anser_queue_finish(w.q));
    }
    printf("launch       %.2f us in a row, %.2f us with a wait after each\n\n",
           1e6 * time, 1e6 * (now() - start) / WAITS);
    return anser_trial_free(&t);
}

/* ------------------------------------------------------------- all */

static int wanted(const struct bench *b, const char *name)
{
    return b->only == NULL || strstr(name, b->only) != NULL;
}

static enum anser_status bench_all(struct bench *b)
{
    double copy;
    TRY(anser_bandwidth_measure(b->device, b->quick ? 0.3 : 1.0, &b->read,
                                &copy));
    printf("device       %s\nbandwidth    read %.2f GB/s, copy %.2f GB/s\n",
           b->device->caps.name, 1e-9 * b->read, 1e-9 * copy);
    TRY(bench_launch(b));
    printf("%-12s %-16s %-26s %10s %6s %8s %6s %9s\n", "operation", "variant",
           "shape", "us", "spread", "GB/s", "% read", "GFLOP/s");
    if (wanted(b, anser_op_matmul_few.name))
        TRY(bench_matmul(b, &anser_op_matmul_few, 1));
    if (wanted(b, anser_op_matmul_many.name))
        TRY(bench_matmul(b, &anser_op_matmul_many, b->quick ? 32 : 128));
    if (wanted(b, anser_op_recurrence.name)) {
        TRY(bench_wkv(b, 1));
        TRY(bench_wkv(b, b->quick ? 32 : 128));
    }
    return ANSER_OK;
}

/* opbench [--quick] [--only PART] [DEVICE] */
int main(int argc, char **argv)
{
    struct bench b = { .seconds = 0.05 };
    const char *device = NULL;
    anser_ctx *ctx;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            b.quick = 1;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            b.only = argv[++i];
        else
            device = argv[i];
    }
    b.seconds = b.quick ? 0.002 : b.seconds;
    if (anser_ctx_new(&ctx) != ANSER_OK)
        return EXIT_FAILURE;
    enum anser_status status = anser_device_open(ctx, device, &b.device);
    if (status == ANSER_OK)
        status = bench_all(&b);
    if (status != ANSER_OK)
        fprintf(stderr, "opbench: %s\n", anser_error(ctx));
    anser_device_close(b.device);
    anser_ctx_free(ctx);
    if (b.wrong > 0)
        printf("%u variants are wrong and were not timed\n", b.wrong);
    return status == ANSER_OK && b.wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
