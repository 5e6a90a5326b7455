/* SPDX-License-Identifier: MIT */
/*
 * The state of a sequence: on the device, and in a file.
 *
 * File: the header below, little-endian; the floats of the state; the V
 * logits, if the header says so; SHA-256 of all that.
 */
#include "model/state.h"

#include "base/tempfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "ANSERST"              /* with its NUL: 8 bytes               */
enum { FORMAT = 1 };

struct header {
    char magic[8];
    uint32_t format;
    uint32_t has_logits;
    uint64_t state_bytes;
    uint64_t logits_bytes;           /* 0 without                           */
    unsigned char fingerprint[ANSER_DIGEST];
};
_Static_assert(sizeof(struct header) == 64, "the header has no padding");

static size_t state_bytes(const anser_model *m)
{
    return (size_t)anser_v7_state_bytes(&m->shape);
}

static size_t logits_bytes(const anser_model *m)
{
    return m->shape.V * sizeof(float);
}

enum anser_status anser_state_make(anser_model *model, anser_state **state)
{
    enum anser_status status = ANSER_OK;
    anser_state *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(model->ctx, sizeof *made);
    made->model = model;
    model->states++;
    TRY_OR_FAIL(anser_buf_new(model->device, state_bytes(model),
                              &made->floats));
    if (anser_token_spares(model))
        TRY_OR_FAIL(anser_buf_new(model->device, state_bytes(model),
                                  &made->spare));
    TRY_OR_FAIL(anser_buf_new(model->device, logits_bytes(model),
                              &made->logits));
    TRY_OR_FAIL(anser_state_zero(made));
    *state = made;
    return ANSER_OK;
fail:
    anser_state_drop(made);
    return status;
}

void anser_state_drop(anser_state *state)
{
    anser_buf_free(state->model->device, &state->floats);
    anser_buf_free(state->model->device, &state->spare);
    anser_buf_free(state->model->device, &state->logits);
    state->model->states--;
    free(state);
}

enum anser_status anser_state_zero(anser_state *state)
{
    struct anser_queue *q = state->model->device->queue;
    state->has_logits = false;
    anser_queue_zero(q, state->floats.mem, 0, state_bytes(state->model));
    return anser_queue_finish(q);
}

enum anser_status anser_state_assign(anser_state *to, const anser_state *from)
{
    struct anser_queue *q = to->model->device->queue;
    anser_queue_copy(q, from->floats.mem, 0, to->floats.mem, 0,
                     state_bytes(to->model));
    anser_queue_copy(q, from->logits.mem, 0, to->logits.mem, 0,
                     logits_bytes(to->model));
    to->has_logits = from->has_logits;
    return anser_queue_finish(q);
}

/* ---------------------------------------------------------------- files */

/* The whole file but its digest, in memory owned by the caller. */
static enum anser_status image(const anser_state *state, unsigned char **data,
                               size_t *bytes)
{
    const anser_model *m = state->model;
    struct header h = { .magic = MAGIC, .format = FORMAT,
                        .has_logits = state->has_logits,
                        .state_bytes = state_bytes(m),
                        .logits_bytes = state->has_logits ? logits_bytes(m)
                                                          : 0 };
    memcpy(h.fingerprint, m->fingerprint, sizeof h.fingerprint);
    const size_t n = sizeof h + h.state_bytes + h.logits_bytes;
    unsigned char *made = malloc(n + ANSER_DIGEST);
    if (made == NULL)
        return anser_fail_memory(m->ctx, n);
    memcpy(made, &h, sizeof h);
    anser_queue_read(m->device->queue, state->floats.mem, 0, made + sizeof h,
                     h.state_bytes);
    if (state->has_logits)
        anser_queue_read(m->device->queue, state->logits.mem, 0,
                         made + sizeof h + h.state_bytes, h.logits_bytes);
    const enum anser_status status = anser_queue_finish(m->device->queue);
    if (status != ANSER_OK) {
        free(made);
        return status;
    }
    anser_digest(made, n, made + n);
    *data = made;
    *bytes = n + ANSER_DIGEST;
    return ANSER_OK;
}

enum anser_status anser_state_write(const anser_state *state, const char *path)
{
    struct anser_tempfile file = { 0 };
    unsigned char *data = NULL;
    size_t bytes = 0;
    enum anser_status status = image(state, &data, &bytes);
    if (status != ANSER_OK)
        return status;
    TRY_OR_FAIL(anser_tempfile_open(state->model->ctx, path, &file));
    TRY_OR_FAIL(anser_tempfile_write(&file, data, bytes));
    TRY_OR_FAIL(anser_tempfile_finish(&file));
fail:
    if (status != ANSER_OK)
        anser_tempfile_abandon(&file);
    free(data);
    return status;
}

/* Whether the header is one of ours, and of this model. */
static enum anser_status check_header(const anser_model *m, const char *path,
                                      const struct header *h)
{
    if (memcmp(h->magic, MAGIC, sizeof h->magic) != 0)
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: not a saved state (made by --state-save)",
                          path);
    if (h->format != FORMAT)
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: state format %u, this version reads %d", path,
                          (unsigned)h->format, FORMAT);
    if (memcmp(h->fingerprint, m->fingerprint, sizeof h->fingerprint) != 0)
        return anser_fail(m->ctx, ANSER_BAD_STATE,
                          "%s: the state of another model; load it with the "
                          "model that it was saved from", path);
    if (h->state_bytes != state_bytes(m) || h->has_logits > 1
        || h->logits_bytes != (h->has_logits ? logits_bytes(m) : 0))
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: the sizes in the header are damaged", path);
    return ANSER_OK;
}

/* What follows the header, digest included; then the end of the file. */
static enum anser_status read_rest(const anser_model *m, const char *path,
                                   FILE *in, unsigned char *data, size_t have,
                                   size_t bytes)
{
    unsigned char digest[ANSER_DIGEST];
    if (fread(data + have, 1, bytes - have, in) != bytes - have
        || fgetc(in) != EOF)
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: not %zu bytes long; it was cut or extended",
                          path, bytes);
    anser_digest(data, bytes - ANSER_DIGEST, digest);
    if (memcmp(digest, data + bytes - ANSER_DIGEST, sizeof digest) != 0)
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: damaged, its digest differs", path);
    return ANSER_OK;
}

/* Reads and checks a file; its content is the caller's. */
static enum anser_status read_file(const anser_model *m, const char *path,
                                   FILE *in, unsigned char **data)
{
    struct header h;
    if (fread(&h, 1, sizeof h, in) != sizeof h)
        return anser_fail(m->ctx, ANSER_BAD_FILE,
                          "%s: not a saved state, too short", path);
    TRY(check_header(m, path, &h));
    const size_t n = sizeof h + h.state_bytes + h.logits_bytes + ANSER_DIGEST;
    unsigned char *made = malloc(n);
    if (made == NULL)
        return anser_fail_memory(m->ctx, n);
    memcpy(made, &h, sizeof h);
    const enum anser_status status = read_rest(m, path, in, made, sizeof h, n);
    if (status == ANSER_OK)
        *data = made;
    else
        free(made);
    return status;
}

enum anser_status anser_state_read(anser_state *state, const char *path)
{
    const anser_model *m = state->model;
    struct anser_queue *q = m->device->queue;
    unsigned char *data = NULL;
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return anser_fail(m->ctx, ANSER_IO, "%s: %s", path, strerror(errno));
    enum anser_status status = read_file(m, path, in, &data);
    fclose(in);
    if (status != ANSER_OK)
        return status;
    struct header h;
    memcpy(&h, data, sizeof h);
    anser_queue_write(q, state->floats.mem, 0, data + sizeof h,
                      h.state_bytes);
    if (h.has_logits)
        anser_queue_write(q, state->logits.mem, 0,
                          data + sizeof h + h.state_bytes, h.logits_bytes);
    status = anser_queue_finish(q);
    if (status == ANSER_OK)
        state->has_logits = h.has_logits != 0;
    free(data);
    return status;
}
