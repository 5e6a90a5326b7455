/* SPDX-License-Identifier: MIT */
/* What was measured on what: the parts of a result that no clock tells. */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "commit.h"

const char *anser_bench_commit(void)
{
    return ANSER_COMMIT;
}

/* The elements of matrices, the head's and the others'. */
static int count_weights(struct anser_session *s, struct anser_bench_result *r)
{
    for (uint64_t i = 0; i < anser_file_tensors(s->file); i++) {
        struct anser_tensor_info t = { .size = sizeof t };
        if (anser_session_check(s, anser_file_tensor(s->file, i, &t)) != 0)
            return -1;
        const uint64_t n = t.ne[0] * t.ne[1];
        if (strcmp(t.name, "output.weight") == 0) {
            r->head_weights = n;
            r->head_bytes = t.bytes;
        } else if (t.n_dims == 2 && t.ne[0] > 1 && t.ne[1] > 6
                   && strcmp(t.name, "token_embd.weight") != 0) {
            r->matrix_weights += (double)n;
        }
    }
    return 0;
}

int anser_bench_describe(struct anser_session *s, const char *path,
                         struct anser_bench_result *r)
{
    struct anser_device_info d = { .size = sizeof d };
    const char *slash = strrchr(path, '/');
    const time_t now = time(NULL);
    struct tm utc;
    r->file.size = sizeof r->file;
    if (anser_session_check(s, anser_file_info(s->file, &r->file)) != 0
        || anser_session_check(s, anser_device_describe(s->device, &d)) != 0
        || count_weights(s, r) != 0)
        return -1;
    snprintf(r->name, sizeof r->name, "%s", r->file.name);
    r->file.name = NULL;
    snprintf(r->model, sizeof r->model, "%s",
             slash != NULL ? slash + 1 : path);
    snprintf(r->device, sizeof r->device, "%s", d.name);
    snprintf(r->platform, sizeof r->platform, "%s", d.platform);
    snprintf(r->driver, sizeof r->driver, "%s", d.driver);
    snprintf(r->opencl, sizeof r->opencl, "%s", d.version);
    r->precise = s->values->precise;
    if (gmtime_r(&now, &utc) != NULL)
        strftime(r->date, sizeof r->date, "%Y-%m-%d %H:%M:%S", &utc);
    return 0;
}

static void add_variant(void *user, const char *line)
{
    anser_text_add(user, "%s\n", line);
}

int anser_bench_describe_end(struct anser_session *s,
                             struct anser_bench_result *r)
{
    struct anser_model_info m = { .size = sizeof m };
    r->stats.size = sizeof r->stats;
    if (anser_session_check(s, anser_stats(s->device, &r->stats)) != 0
        || anser_session_check(s, anser_model_info(s->model, &m)) != 0)
        return -1;
    r->device_bytes = m.device_bytes;
    anser_plan_print(s->model, add_variant, &r->variants);
    return 0;
}
