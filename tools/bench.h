/* SPDX-License-Identifier: MIT */
/*
 * The result of a benchmark, and who fills it and who writes it: measure and
 * quality run the model; table, markdown, json and csv write.  All of them see
 * the public headers only.
 */
#ifndef ANSER_TOOLS_BENCH_H
#define ANSER_TOOLS_BENCH_H

#include "bench_tokens.h"
#include "session.h"
#include "text.h"

enum { BENCH_MAX_RUNS = 100, BENCH_MAX_FIGURES = 24, BENCH_LIST = 8 };

enum anser_bench_kind { BENCH_LOAD, BENCH_READ, BENCH_WRITE };

/* One figure: n runs of a test. */
struct anser_bench_figure {
    char name[24];                   /* "load", "prefill", "pp512", ...     */
    enum anser_bench_kind kind;      /* loading, prefill or generation      */
    uint32_t tokens, chunk;          /* 0 for loading                       */
    uint32_t n;
    double seconds[BENCH_MAX_RUNS];
    /* Milliseconds for loading, else tokens a second; a mean speed is tokens
     * over mean seconds. */
    double median, mean, sd;
    double bytes, operations;        /* that a run can not do without       */
    double gbps, percent, gflops;    /* at the median; percent of read      */
    double launches;                 /* kernels a token                     */
};

struct anser_bench_text {
    uint32_t positions;              /* 0: not measured                     */
    double agreement;                /* part of equal best tokens           */
    double kl_mean, kl_max;          /* nats, precise against fast          */
    double loss;                     /* nats a token, precise               */
    int meaningless;                 /* the model does not know the text    */
};

struct anser_bench_result {
    char date[20];                   /* UTC, YYYY-MM-DD HH:MM:SS            */
    const char *title, *change;
    char model[256], name[128];      /* file name; general.name             */
    struct anser_file_info file;     /* its name is not valid               */
    double matrix_weights;           /* of the layers, that tokens multiply */
    uint64_t head_weights, head_bytes;
    char device[128], platform[128], driver[128], opencl[128];
    double read, copy;               /* bytes a second                      */
    double first_load;               /* seconds, kernels perhaps compiled   */
    struct anser_bench_figure figures[BENCH_MAX_FIGURES];
    unsigned n_figures;
    int has_hash, comparable;        /* comparable: V is 65536              */
    uint64_t hash;
    uint32_t greedy[BENCH_GREEDY];
    char old_hash[32], old_date[24]; /* of the block before, if it differs  */
    struct anser_bench_text text;
    struct anser_stats_info stats;
    uint64_t device_bytes;           /* of the model                        */
    int precise;
    struct anser_text variants;      /* lines of anser_plan_print           */
};

/* What is to be measured. */
struct anser_bench_plan {
    uint32_t prefill[BENCH_LIST], generate[BENCH_LIST];
    unsigned n_prefill, n_generate;
    uint32_t runs;                   /* 0: 3 of the protocol, 5 of others   */
    uint32_t chunk;                  /* 0: 32 of the protocol, device's own */
    int protocol;
    double warm;                     /* seconds before each test            */
    int compat, text;                /* quality                             */
    const char *text_path;
};

/* Each returns 0, or -1 with the reason told on stderr. */
int anser_bench_describe(struct anser_session *s, const char *path,
                         struct anser_bench_result *result);
int anser_bench_measure(struct anser_session *s,
                        const struct anser_bench_plan *plan,
                        struct anser_bench_result *result);
int anser_bench_compat(struct anser_session *s,
                       struct anser_bench_result *result);
int anser_bench_on_text(struct anser_session *s, const char *path,
                        struct anser_bench_result *result);

/* What can be told only when the tests are done. */
int anser_bench_describe_end(struct anser_session *s,
                             struct anser_bench_result *result);

/* Adds the result to a log: JSON lines where the name ends so, else Markdown.
 * There a hash that differs from the one before is noted in the result. */
int anser_bench_add(const char *path, struct anser_bench_result *result);

/* Writes every format of a list such as "md,json=FILE"; with result NULL only
 * looks whether they are known. */
int anser_bench_write(const char *list,
                      const struct anser_bench_result *result);

/* Measures the bandwidth (its buffers are large: after what tells memory), and
 * fills median, mean, sd and rates of all figures. */
int anser_bench_finish(struct anser_session *s,
                       const struct anser_bench_plan *plan,
                       struct anser_bench_result *result);

/* The commit that the program was built from, or "unknown". */
const char *anser_bench_commit(void);

/* Writers.  A JSON document is one line where `line` is set. */
void anser_bench_table(const struct anser_bench_result *r,
                       struct anser_text *out);
void anser_bench_json(const struct anser_bench_result *r, int line,
                      struct anser_text *out);
void anser_bench_csv(const struct anser_bench_result *r,
                     struct anser_text *out);
void anser_bench_block(const struct anser_bench_result *r,
                       struct anser_text *out);

/* bench --compare A B, with A B A B ... taken `pairs` times if they are
 * commands, and bench --plot OUT LOG. */
int anser_bench_compare(const char *a, const char *b, uint32_t pairs,
                        double confidence);
int anser_bench_plot(const char *log, const char *out);

#endif
