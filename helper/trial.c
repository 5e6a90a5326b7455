/* SPDX-License-Identifier: MIT */
/* A model is written to a folder of its own, whose name is gone as soon as it
 * is open. */
#include "trial.h"

#include "model/model.h"
#include "op/token_kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Long enough for a barrier that fails now and then. */
enum { TOKENS = 64 };

static enum anser_status write_and_open(anser_ctx *ctx, anser_file **file)
{
    const struct anser_synth_options options = {
        .size = sizeof options, .preset = "tiny", .seed = 1
    };
    const char *tmp = getenv("TMPDIR");
    char folder[256], path[272];
    const int n = snprintf(folder, sizeof folder, "%s/anser-probe-XXXXXX",
                           tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);
    if (n < 0 || (size_t)n >= sizeof folder || mkdtemp(folder) == NULL)
        return ANSER_IO;
    snprintf(path, sizeof path, "%s/m.gguf", folder);
    enum anser_status status = anser_synth(ctx, &options, path);
    if (status == ANSER_OK)
        status = anser_file_open(ctx, path, file);
    unlink(path);
    rmdir(folder);
    return status;
}

/* The logits (TOKENS, V) of a made-up text. */
static enum anser_status write_text(anser_model *model, float *logits)
{
    anser_state *state;
    enum anser_status status = anser_state_new(model, &state);
    if (status != ANSER_OK)
        return status;
    for (uint32_t i = 0; i < TOKENS && status == ANSER_OK; i++) {
        const uint32_t id = 7 * i % model->shape.V;
        status = anser_feed(state, &id, 1);
        if (status == ANSER_OK)
            status = anser_logits(state, logits + (size_t)i * model->shape.V);
    }
    anser_state_free(state);
    return status;
}

/* Allocated logits; `whole` tells whether tokens were run in one launch each to
 * the end. */
static enum anser_status run(anser_device *device, anser_file *file,
                             enum anser_token_how how, float **logits,
                             bool *whole)
{
    anser_model *model;
    device->settings.token = how;
    enum anser_status status = anser_model_open(device, file, NULL, &model);
    if (status != ANSER_OK)
        return status;
    *logits = malloc((size_t)TOKENS * model->shape.V * sizeof **logits);
    status = *logits == NULL ? ANSER_NO_MEMORY : write_text(model, *logits);
    *whole = model->token != NULL && model->token->streak == TOKENS;
    anser_model_close(model);
    return status;
}

enum anser_status try_whole_token(anser_device *device)
{
    anser_file *file = NULL;
    float *a = NULL, *b = NULL;
    bool whole = false;
    struct anser_file_info info = { .size = sizeof info };
    enum anser_status status = write_and_open(device->ctx, &file);
    if (status == ANSER_OK)
        status = run(device, file, ANSER_TOKEN_PHASES, &a, &whole);
    if (status == ANSER_OK)
        status = run(device, file, ANSER_TOKEN_WHOLE, &b, &whole);
    if (status == ANSER_OK)
        status = anser_file_info(file, &info);
    if (status == ANSER_OK
        && (!whole || memcmp(a, b, (size_t)TOKENS * info.n_vocab * sizeof *a)
                      != 0))
        status = ANSER_DEVICE_FAILED;
    free(a);
    free(b);
    anser_file_close(file);
    return status;
}
