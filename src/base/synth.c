/* SPDX-License-Identifier: MIT */
/*
 * anser_synth: writes a GGUF file of random weights after a plan.  The keys are
 * those that converters write and llama.cpp asks for.
 */
#include "base/synth.h"

#include <stdlib.h>

#define BUFFER (4u << 20)            /* bytes given to the writer at once   */

/* ------------------------------------------------------------- keys */

static enum anser_status put_sizes(struct anser_gguf_writer *w,
                                   const struct anser_v7_shape *s)
{
    const struct { const char *key; uint32_t value; } sizes[] = {
        { "rwkv7.context_length", 1048576 },
        { "rwkv7.embedding_length", s->C },
        { "rwkv7.block_count", s->L },
        { "rwkv7.feed_forward_length", s->F },
        { "rwkv7.wkv.head_size", s->N },
        { "rwkv7.attention.decay_lora_rank", s->Dw },
        { "rwkv7.attention.iclr_lora_rank", s->Da },
        { "rwkv7.attention.value_residual_mix_lora_rank", s->Dv },
        { "rwkv7.attention.gate_lora_rank", s->Dg },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        TRY(anser_gguf_put_u32(w, sizes[i].key, sizes[i].value));
    return anser_gguf_put_f32(w, "rwkv7.attention.layer_norm_epsilon",
                              s->ln_eps);
}

static enum anser_status put_keys(struct anser_gguf_writer *w,
                                  const struct anser_synth_plan *plan)
{
    TRY(anser_gguf_put_string(w, "general.architecture", "rwkv7"));
    TRY(put_sizes(w, &plan->shape));
    if (plan->old_keys)
        return ANSER_OK;
    TRY(anser_gguf_put_string(w, "general.type", "model"));
    TRY(anser_gguf_put_string(w, "general.name", plan->name));
    TRY(anser_gguf_put_string(w, "general.size_label", plan->size_label));
    TRY(anser_gguf_put_string(w, "general.description",
                              "random weights, made by anser synth"));
    TRY(anser_gguf_put_u32(w, "general.file_type", plan->file_type));
    TRY(anser_gguf_put_u32(w, "general.quantization_version", 2));
    /* Converters write 0: llama.cpp wants the key for other architectures. */
    return anser_gguf_put_u32(w, "rwkv7.attention.head_count", 0);
}

/* ------------------------------------------------------------- data */

struct writing {
    anser_ctx *ctx;
    const struct anser_synth_options *options;
    struct anser_gguf_writer *writer;
    unsigned char *buffer;           /* (BUFFER)                            */
    uint64_t done, all;              /* bytes                               */
};

static enum anser_status put_piece(struct writing *w, size_t bytes)
{
    const struct anser_synth_options *o = w->options;
    TRY(anser_gguf_put_data(w->writer, w->buffer, bytes));
    w->done += bytes;
    if (o->progress != NULL
        && o->progress(o->progress_user, (double)w->done / (double)w->all))
        return anser_fail(w->ctx, ANSER_CANCELLED, "synth: cancelled");
    return ANSER_OK;
}

static enum anser_status put_data(struct writing *w,
                                  const struct anser_synth_tensor *tensor)
{
    struct anser_synth_fill *fill = NULL;
    TRY(anser_synth_fill_new(w->ctx, tensor, w->options->seed, &fill));
    enum anser_status status = ANSER_OK;
    uint64_t left = tensor->bytes / tensor->block->bytes;
    uint64_t most = BUFFER / tensor->block->bytes;
    while (left > 0 && status == ANSER_OK) {
        uint64_t n = left < most ? left : most;
        anser_synth_fill_next(fill, w->buffer, n);
        status = put_piece(w, (size_t)(n * tensor->block->bytes));
        left -= n;
    }
    anser_synth_fill_free(fill);
    return status;
}

static enum anser_status put_all(struct writing *w,
                                 const struct anser_synth_plan *plan)
{
    TRY(put_keys(w->writer, plan));
    TRY(anser_synth_put_vocab(w->ctx, w->writer, plan, w->options->vocab));
    for (uint64_t i = 0; i < plan->n_tensors; i++) {
        const struct anser_synth_tensor *t = &plan->tensors[i];
        TRY(anser_gguf_put_tensor(w->writer, t->name, t->block->type,
                                  t->n_dims, t->ne));
    }
    for (uint64_t i = 0; i < plan->n_tensors; i++)
        TRY(put_data(w, &plan->tensors[i]));
    return ANSER_OK;
}

static enum anser_status write_plan(anser_ctx *ctx,
                                    const struct anser_synth_options *options,
                                    const struct anser_synth_plan *plan,
                                    const char *path)
{
    struct writing w = { .ctx = ctx, .options = options, .all = plan->bytes };
    w.buffer = malloc(BUFFER);
    if (w.buffer == NULL)
        return anser_fail_memory(ctx, BUFFER);
    enum anser_status status = anser_gguf_create(ctx, path, &w.writer);
    if (status == ANSER_OK) {
        status = put_all(&w, plan);
        if (status == ANSER_OK)
            status = anser_gguf_finish(w.writer);
        else
            anser_gguf_abandon(w.writer);
    }
    free(w.buffer);
    return status;
}

enum anser_status anser_synth(anser_ctx *ctx,
                              const struct anser_synth_options *options,
                              const char *path)
{
    if (ctx == NULL)
        return ANSER_BAD_ARG;
    if (options == NULL || path == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_synth: options and path must be given");
    if (options->size != sizeof *options)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "anser_synth: options.size is %zu, expected %zu",
                          options->size, sizeof *options);
    struct anser_synth_plan plan;
    TRY(anser_synth_plan(ctx, options, &plan));
    enum anser_status status = write_plan(ctx, options, &plan, path);
    anser_synth_unplan(&plan);
    return status;
}
