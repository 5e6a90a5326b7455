/* SPDX-License-Identifier: MIT */
/*
 * anser quantize: a model in smaller types.
 */
#include "command.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    const char *type;
    struct anser_option_texts tensors;
    uint32_t threads;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "type", 't', "NAME", "q4_k_m (default) q4_k_s q5_k_m q5_k_s q6_k q8_0\n"
      "q5_0 q5_1 q4_0 q4_1 q3_k_m q2_k f16", OPTION_TEXT, AT(type), 0, 0, 0 },
    { "tensor", 0, "PATTERN=TYPE", "another type, such as Q6_K, for matrices "
      "whose\nnames match a shell pattern; may be repeated,\nthe first that "
      "matches counts", OPTION_TEXTS_KIND, AT(tensors), 0, 0, 0 },
    { "threads", 0, "N", "one for each processor if left out", OPTION_U32,
      AT(threads), 1, 256, 0 },
    { .name = NULL }
};

static void init(void *values)
{
    ((struct values *)values)->type = "q4_k_m";
}

static int write_file(struct anser_session *s, const struct values *v,
                      const char *path)
{
    struct anser_progress progress = PROGRESS("quantising");
    struct anser_quantize_options quantize = {
        .size = sizeof quantize, .type = v->type,
        .overrides = v->tensors.at, .n_overrides = v->tensors.n,
        .threads = v->threads,
        .progress = anser_progress_step, .progress_user = &progress
    };
    double from = anser_seconds();
    anser_interrupt_watch();
    enum anser_status status = anser_quantize(s->file, &quantize, path);
    anser_progress_end(&progress);
    if (anser_session_check(s, status) != 0)
        return status == ANSER_BAD_ARG ? EXIT_USAGE : EXIT_FAILED;
    fprintf(stderr, "written  %s in %.2f s\n", path, anser_seconds() - from);
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct anser_session s;
    if (n != 2)
        return anser_command_misused(&anser_command_quantize, "expected the "
                                     "files IN and OUT, not %d", n);
    int code = EXIT_FAILED;
    const struct values *v = values;
    if (anser_session_begin(&s, &v->session) == 0
        && anser_session_file(&s, operands[0]) == 0)
        code = write_file(&s, v, operands[1]);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_quantize = {
    .name = "quantize",
    .job = "writes a model in smaller types",
    .usage = "IN OUT [options]",
    .options = options, .shares = SHARE_VERBOSE,
    .size = sizeof(struct values), .init = init, .run = run
};
