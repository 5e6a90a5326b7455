/* SPDX-License-Identifier: MIT */
/*
 * anser info: what a GGUF file holds, and what its model needs.  Needs no
 * device.  The groups are those by which quantised files choose types.
 */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct values {
    struct anser_session_values session;
    int tensors, keys;
};

#define AT(member) offsetof(struct values, member)

static const struct anser_option options[] = {
    { "tensors", 0, NULL, "list every tensor", OPTION_FLAG, AT(tensors),
      0, 0, 0 },
    { "keys", 0, NULL, "list every key with its value", OPTION_FLAG, AT(keys),
      0, 0, 0 },
    { .name = NULL }
};

/* A tensor belongs to the first group with a part that is in its name. */
struct group {
    const char *name;
    const char *parts[9];
};

static const struct group groups[] = {
    { "embedding", { "token_embd." } },
    { "time mix", { "time_mix_receptance.", "time_mix_key.",
                    "time_mix_value.", "time_mix_output." } },
    { "channel mix", { "channel_mix_key.", "channel_mix_value." } },
    { "low rank", { "_w1.", "_w2.", "_a1.", "_a2.", "_v1.", "_v2.", "_g1.",
                    "_g2." } },
    { "output", { "output." } },
    { "vectors", { "" } },
};

#define N_GROUPS (sizeof groups / sizeof groups[0])
#define N_TYPES 16                   /* kinds counted in a group            */

struct count {
    const char *type;
    uint64_t tensors, bytes;
};

static size_t group_of(const char *name)
{
    for (size_t g = 0; g < N_GROUPS; g++)
        for (const char *const *part = groups[g].parts; *part != NULL; part++)
            if (strstr(name, *part) != NULL)
                return g;
    return N_GROUPS - 1;
}

static void add(struct count *counts, const struct anser_tensor_info *tensor)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (counts[i].type == NULL)
            counts[i].type = tensor->type;
        if (strcmp(counts[i].type, tensor->type) == 0) {
            counts[i].tensors++;
            counts[i].bytes += tensor->bytes;
            return;
        }
    }
}

static void print_groups(const anser_file *file)
{
    struct count counts[N_GROUPS][N_TYPES];
    memset(counts, 0, sizeof counts);
    for (uint64_t i = 0; i < anser_file_tensors(file); i++) {
        struct anser_tensor_info tensor = { .size = sizeof tensor };
        if (anser_file_tensor(file, i, &tensor) == ANSER_OK)
            add(counts[group_of(tensor.name)], &tensor);
    }
    for (size_t g = 0; g < N_GROUPS; g++)
        for (size_t i = 0; i < N_TYPES && counts[g][i].type != NULL; i++)
            printf("%-16s %-5s %5" PRIu64 " tensors %14" PRIu64 " bytes\n",
                   i == 0 ? groups[g].name : "", counts[g][i].type,
                   counts[g][i].tensors, counts[g][i].bytes);
}

static void print_shape(const struct anser_tensor_info *tensor)
{
    char text[96];
    int n = 0;
    for (uint32_t d = 0; d < tensor->n_dims && d < 4; d++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%" PRIu64,
                      d > 0 ? "x" : "", tensor->ne[d]);
    printf(" %-14s", text);
}

static void print_tensors(const anser_file *file)
{
    printf("\n");
    for (uint64_t i = 0; i < anser_file_tensors(file); i++) {
        struct anser_tensor_info tensor = { .size = sizeof tensor };
        if (anser_file_tensor(file, i, &tensor) != ANSER_OK)
            continue;
        printf("%-36s %-5s", tensor.name, tensor.type);
        print_shape(&tensor);
        printf(" %12" PRIu64 "\n", tensor.bytes);
    }
}

/* A value in one line, as far as it fits. */
static void print_value(const anser_file *file, const char *key, int width)
{
    char text[200];
    if (anser_file_value(file, key, text, sizeof text) == 0)
        return;
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    printf("%-*s %s\n", width, key, text);
}

static void print_keys(const anser_file *file)
{
    printf("\n");
    for (uint64_t i = 0; i < anser_file_keys(file); i++)
        print_value(file, anser_file_key(file, i), 46);
}

static void print_origin(const anser_file *file)
{
    static const char *const about[] = {
        "general.architecture", "general.name", "general.description",
        "general.author", "general.organization", "general.license",
        "general.license.name", "general.license.link", "general.url",
        "general.repo_url", "general.source.url",
        "general.source.huggingface.repository",
    };
    for (size_t i = 0; i < sizeof about / sizeof about[0]; i++)
        print_value(file, about[i], 27);
    /* Base models and data sets are numbered. */
    for (uint64_t i = 0; i < anser_file_keys(file); i++) {
        const char *key = anser_file_key(file, i);
        if (strncmp(key, "general.base_model.", 19) == 0
            || strncmp(key, "general.dataset.", 16) == 0)
            print_value(file, key, 27);
    }
}

static void print_model(const struct anser_file_info *m)
{
    const char *big = " bytes";
    printf("layers           %" PRIu32 "\n", m->n_layer);
    printf("embedding        %" PRIu32 "\n", m->n_embd);
    printf("heads            %" PRIu32 " of %" PRIu32 "\n", m->n_head,
           m->head_size);
    printf("feed forward     %" PRIu32 "\n", m->n_ff);
    printf("vocabulary       %" PRIu32 "\n", m->n_vocab);
    printf("low ranks        decay %" PRIu32 ", iclr %" PRIu32 ", value %"
           PRIu32 ", gate %" PRIu32 "\n", m->lora_decay, m->lora_iclr,
           m->lora_value, m->lora_gate);
    printf("parameters       %" PRIu64 "\n", m->n_params);
    printf("file             %" PRIu64 "%s\n", m->file_bytes, big);
    printf("read per token   %" PRIu64 "%s\n", m->token_bytes, big);
    printf("state            %" PRIu64 "%s\n", m->state_bytes, big);
    printf("device memory    %" PRIu64 "%s\n", m->device_bytes, big);
}

static int print_file(struct anser_session *s, const struct values *v,
                      const char *path)
{
    if (anser_session_file(s, path) != 0)
        return EXIT_FAILED;
    struct anser_file_info info = { .size = sizeof info };
    enum anser_status status = anser_file_info(s->file, &info);
    print_origin(s->file);
    if (status == ANSER_OK)
        print_model(&info);
    print_groups(s->file);
    if (v->keys)
        print_keys(s->file);
    if (v->tensors)
        print_tensors(s->file);
    return anser_session_check(s, status) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s;
    if (n != 1)
        return anser_command_misused(&anser_command_info,
                                     n == 0 ? "which file?"
                                     : "one file at a time");
    int code = EXIT_FAILED;
    if (anser_session_begin(&s, &v->session) == 0)
        code = print_file(&s, v, operands[0]);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_info = {
    .name = "info",
    .job = "what a GGUF file holds and needs",
    .usage = "FILE [options]",
    .options = options, .shares = SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
