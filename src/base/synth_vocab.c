/* SPDX-License-Identifier: MIT */
/*
 * A vocabulary for synthetic models, in the tokenizer keys that a converter
 * writes: id 0, the 256 single bytes, then words of consonant and vowel with
 * and without a space in front, and six unused ids as the World list has.
 */
#include "base/synth.h"
#include "base/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 16                      /* bytes of the longest piece          */
#define UNUSED 6                     /* ids at the end                      */
#define FIRST_WORD 257u
#define SYLLABLES 80u                /* 16 consonants, 5 vowels             */

enum token_type { TOKEN_NORMAL = 1, TOKEN_CONTROL = 3, TOKEN_UNUSED = 5 };

/* A byte as Python's repr writes it. */
static void write_byte(char *out, unsigned byte)
{
    if (byte == '\\')
        snprintf(out, ROOM, "\\\\");
    else if (byte == '\t')
        snprintf(out, ROOM, "\\t");
    else if (byte == '\n')
        snprintf(out, ROOM, "\\n");
    else if (byte == '\r')
        snprintf(out, ROOM, "\\r");
    else if (byte < 32 || byte > 126)
        snprintf(out, ROOM, "\\x%02x", byte);
    else
        snprintf(out, ROOM, "%c", (int)byte);
}

/* Word number i: pairs with and without a space, shorter words first.  Every
 * syllable has two letters, so no two words are alike. */
static void write_word(char *out, uint32_t i)
{
    static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aeiou";
    uint32_t word = i / 2, syllables = 1, of_length = SYLLABLES;
    while (word >= of_length) {
        word -= of_length;
        of_length *= SYLLABLES;
        syllables++;
    }
    if (i % 2 == 0)
        *out++ = ' ';
    for (; syllables > 0; syllables--, word /= SYLLABLES) {
        *out++ = consonants[word % SYLLABLES / 5];
        *out++ = vowels[word % 5];
    }
    *out = '\0';
}

static enum token_type write_token(char *out, uint32_t id, uint32_t V)
{
    if (id == 0) {
        snprintf(out, ROOM, "<s>");
        return TOKEN_CONTROL;
    }
    if (id >= V - UNUSED) {
        snprintf(out, ROOM, "[PAD%u]", (unsigned)id);
        return TOKEN_UNUSED;
    }
    if (id < FIRST_WORD)
        write_byte(out, id - 1);
    else
        write_word(out, id - FIRST_WORD);
    return TOKEN_NORMAL;
}

static enum anser_status put_tokens(struct anser_gguf_writer *w, uint32_t V,
                                    const struct anser_gguf_text *texts,
                                    const int32_t *types)
{
    TRY(anser_gguf_put_string(w, "tokenizer.ggml.model", "rwkv"));
    TRY(anser_gguf_put_strings(w, "tokenizer.ggml.tokens", V, texts));
    return anser_gguf_put_i32s(w, "tokenizer.ggml.token_type", V, types);
}

static enum anser_status put_made_up(anser_ctx *ctx,
                                     struct anser_gguf_writer *w, uint32_t V)
{
    enum anser_status status = ANSER_OK;
    struct anser_gguf_text *texts = calloc(V, sizeof *texts);
    int32_t *types = calloc(V, sizeof *types);
    char *arena = calloc(V, ROOM);
    if (texts == NULL || types == NULL || arena == NULL) {
        status = anser_fail_memory(ctx, (size_t)V * (ROOM + sizeof *texts
                                                     + sizeof *types));
        goto done;
    }
    for (uint32_t id = 0; id < V; id++) {
        char *at = arena + (size_t)id * ROOM;
        types[id] = write_token(at, id, V);
        texts[id] = (struct anser_gguf_text){ at, strlen(at) };
    }
    status = put_tokens(w, V, texts, types);
done:
    free(arena);
    free(types);
    free(texts);
    return status;
}

static enum anser_status put_world(anser_ctx *ctx,
                                   struct anser_gguf_writer *w,
                                   const char *path)
{
    struct anser_world world;
    TRY(anser_world_read(ctx, path, &world));
    enum anser_status status = put_tokens(w, ANSER_WORLD_V, world.tokens,
                                          world.types);
    anser_world_free(&world);
    TRY(status);
    /* Two newlines end a turn, which is what real files say. */
    return anser_gguf_put_u32(w, "tokenizer.ggml.eot_token_id", 261);
}

enum anser_status anser_synth_put_vocab(anser_ctx *ctx,
                                        struct anser_gguf_writer *w,
                                        const struct anser_synth_plan *plan,
                                        const char *path)
{
    TRY(path != NULL ? put_world(ctx, w, path)
        : put_made_up(ctx, w, plan->shape.V));
    if (plan->no_eos)
        return ANSER_OK;
    TRY(anser_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", 0));
    return anser_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", 0);
}
