/* SPDX-License-Identifier: MIT */
/*
 * anser synth: a GGUF file with random weights in the shapes and types of a
 * real model, to measure a device without a download.
 */
#include "command.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    const char *preset, *type, *variant, *vocab, *out;
    uint64_t seed;
    int list;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "preset", 'p', "NAME", "tiny 0.1b 0.4b 1.5b 2.9b 7.2b", OPTION_TEXT,
      AT(preset), 0, 0, 0 },
    { "type", 't', "NAME", "q4_k_m (default) q5_k_m q6_k q8_0 f16",
      OPTION_TEXT, AT(type), 0, 0, 0 },
    { "seed", 's', "N", "seed of the weights, 0 if left out", OPTION_U64,
      AT(seed), 0, 0, 0 },
    { "output", 'o', "FILE", "where to write; synth-PRESET-TYPE.gguf if left\n"
      "out", OPTION_TEXT, AT(out), 0, 0, 0 },
    { "variant", 0, "NAME", "a deviation that real files show", OPTION_TEXT,
      AT(variant), 0, 0, 0 },
    { "list-variants", 0, NULL, "the names for --variant", OPTION_FLAG,
      AT(list), 0, 0, 0 },
    { "vocab", 0, "FILE", "the World vocabulary (rwkv_vocab_v20230424.txt);\n"
      "made-up words if left out", OPTION_TEXT, AT(vocab), 0, 0, 0 },
    { .name = NULL }
};

static int write_file(struct anser_session *s, const struct values *v,
                      const char *path)
{
    struct anser_progress progress = PROGRESS("writing");
    struct anser_synth_options synth = {
        .size = sizeof synth, .preset = v->preset, .type = v->type,
        .variant = v->variant, .vocab = v->vocab, .seed = v->seed,
        .progress = anser_progress_step, .progress_user = &progress
    };
    double from = anser_seconds();
    anser_interrupt_watch();
    enum anser_status status = anser_synth(s->ctx, &synth, path);
    anser_progress_end(&progress);
    if (anser_session_check(s, status) != 0)
        return status == ANSER_BAD_ARG ? EXIT_USAGE : EXIT_FAILED;
    fprintf(stderr, "written  %s in %.2f s\n", path, anser_seconds() - from);
    return EXIT_DONE;
}

static int print_variants(void)
{
    const char *name;
    for (unsigned i = 0; (name = anser_synth_variant(i)) != NULL; i++)
        printf("%s\n", name);
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s;
    char path[128];
    if (v->list && n == 0)
        return print_variants();
    if (n != 0)
        return anser_command_misused(&anser_command_synth, "unexpected '%s'",
                                     operands[0]);
    if (v->preset == NULL)
        return anser_command_misused(&anser_command_synth, "which --preset?");
    snprintf(path, sizeof path, "synth-%.32s-%.32s.gguf", v->preset,
             v->type != NULL ? v->type : "q4_k_m");
    int code = EXIT_FAILED;
    if (anser_session_begin(&s, &v->session) == 0)
        code = write_file(&s, v, v->out != NULL ? v->out : path);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_synth = {
    .name = "synth",
    .job = "writes a model of random weights",
    .usage = "--preset NAME [options]",
    .options = options, .shares = SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
