/* SPDX-License-Identifier: MIT */
/*
 * A file's vocabulary: tokenizer.ggml.tokens holds the inside of Python's
 * repr(bytes) for each id.  \t \n \r and \xHH are escapes, a backslash before
 * any other character stands for that character.
 *
 * Id 0, control and unused entries have no bytes: nothing in a text may turn
 * into them.  Does not compare the number of ids with the embedding's rows.
 */
#include "text/vocab.h"

#include "base/gguf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKENS "tokenizer.ggml.tokens"
#define TYPES "tokenizer.ggml.token_type"

enum { NORMAL = 1, USER_DEFINED = 4, BYTE = 6 };    /* token types of text  */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The escape after a backslash, in at(left): how many characters it takes,
 * 0 if it is none. */
static uint64_t unescape_one(const char *at, uint64_t left, char *out)
{
    if (left == 0)
        return 0;
    if (*at != 'x') {
        *out = *at == 't' ? '\t' : *at == 'n' ? '\n' : *at == 'r' ? '\r' : *at;
        return 1;
    }
    if (left < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
        return 0;
    *out = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
    return 3;
}

/* Writes the bytes of text to out, which has room for text.n; false if an
 * escape is bad. */
static bool unescape(struct anser_gguf_text text, char *out, uint32_t *n)
{
    char *start = out;
    uint64_t i = 0;
    while (i < text.n) {
        if (text.at[i] != '\\') {
            *out++ = text.at[i++];
            continue;
        }
        uint64_t taken = unescape_one(text.at + i + 1, text.n - i - 1, out++);
        if (taken == 0)
            return false;
        i += 1 + taken;
    }
    *n = (uint32_t)(out - start);
    return true;
}

static int32_t type_at(const struct anser_gguf_key *types, uint32_t id)
{
    const unsigned char *p = types->value + (size_t)id * 4;
    return (int32_t)(p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24);
}

/* Does text hold this id?  Without types, the padding is known by its name. */
static bool is_text(const struct anser_gguf_key *types, uint32_t id,
                    struct anser_gguf_text text)
{
    if (id == 0)
        return false;
    if (types == NULL) {
        char pad[24];
        int n = snprintf(pad, sizeof pad, "[PAD%u]", (unsigned)id);
        return text.n != (uint64_t)n || memcmp(text.at, pad, (size_t)n) != 0;
    }
    int32_t type = type_at(types, id);
    return type == NORMAL || type == USER_DEFINED || type == BYTE;
}

static enum anser_status check_model(const anser_file *file)
{
    struct anser_gguf_text model;
    TRY(anser_gguf_string(file, "tokenizer.ggml.model", &model));
    if (model.n != 4 || memcmp(model.at, "rwkv", 4) != 0)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED,
                          "%s: tokenizer.ggml.model is \"%.*s\", and Anser "
                          "knows only the World tokenizer, \"rwkv\"",
                          file->path, model.n > 40 ? 40 : (int)model.n,
                          model.at);
    return ANSER_OK;
}

static enum anser_status check_tokens(const anser_file *file,
                                      const struct anser_gguf_key *tokens)
{
    if (tokens == NULL)
        return anser_fail(file->ctx, ANSER_BAD_FILE,
                          "%s: key " TOKENS " is missing: the file has no "
                          "vocabulary", file->path);
    if (tokens->kind != GGUF_ARRAY || tokens->item != GGUF_STRING
        || tokens->count == 0)
        return anser_fail(file->ctx, ANSER_BAD_FILE,
                          "%s: key " TOKENS " must be an array of strings "
                          "with at least one item", file->path);
    uint64_t texts = tokens->bytes - 8 * tokens->count;
    if (tokens->count > ANSER_VOCAB_MAX_BYTES || texts > ANSER_VOCAB_MAX_BYTES)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED,
                          "%s: key " TOKENS " has %llu items of %llu bytes; "
                          "at most %u of each are supported", file->path,
                          (unsigned long long)tokens->count,
                          (unsigned long long)texts, ANSER_VOCAB_MAX_BYTES);
    return ANSER_OK;
}

static enum anser_status check_types(const anser_file *file,
                                     const struct anser_gguf_key *types,
                                     uint64_t V)
{
    if (types == NULL)
        return ANSER_OK;
    if (types->kind != GGUF_ARRAY || types->count != V
        || (types->item != GGUF_I32 && types->item != GGUF_U32))
        return anser_fail(file->ctx, ANSER_BAD_FILE,
                          "%s: key " TYPES " must be an array of %llu 32-bit "
                          "integers, one for each token", file->path,
                          (unsigned long long)V);
    return ANSER_OK;
}

static enum anser_status read_tokens(const anser_file *file,
                                     const struct anser_gguf_key *tokens,
                                     const struct anser_gguf_key *types,
                                     anser_vocab *vocab)
{
    const unsigned char *at = tokens->value;
    uint32_t used = 0;
    for (uint32_t id = 0; id < vocab->V; id++) {
        struct anser_gguf_text text = anser_gguf_next_string(&at);
        uint32_t n = 0;
        if (is_text(types, id, text)
            && !unescape(text, vocab->bytes + used, &n))
            return anser_fail(file->ctx, ANSER_BAD_FILE,
                              "%s: key " TOKENS ": token %u has a bad escape; "
                              "a backslash must be followed by x and two hex "
                              "digits, or by one character", file->path,
                              (unsigned)id);
        vocab->start[id] = used;
        used += n;
    }
    vocab->start[vocab->V] = used;
    return ANSER_OK;
}

static enum anser_status read_eos(const anser_file *file, anser_vocab *vocab)
{
    static const char key[] = "tokenizer.ggml.eos_token_id";
    uint64_t eos = 0;
    if (anser_gguf_find_key(file, key) != NULL)
        TRY(anser_gguf_u64(file, key, &eos));
    if (eos >= vocab->V)
        return anser_fail(file->ctx, ANSER_BAD_FILE,
                          "%s: key %s is %llu, but there are only %u tokens",
                          file->path, key, (unsigned long long)eos,
                          (unsigned)vocab->V);
    vocab->eos = (uint32_t)eos;
    return ANSER_OK;
}

static enum anser_status fill(const anser_file *file,
                              const struct anser_gguf_key *tokens,
                              const struct anser_gguf_key *types,
                              anser_vocab *vocab)
{
    size_t arena = (size_t)tokens->bytes;       /* unescaping only shrinks  */
    size_t starts = ((size_t)tokens->count + 1) * sizeof *vocab->start;
    vocab->ctx = file->ctx;
    vocab->V = (uint32_t)tokens->count;
    vocab->bytes = malloc(arena);
    vocab->start = malloc(starts);
    if (vocab->bytes == NULL || vocab->start == NULL)
        return anser_fail_memory(file->ctx, arena + starts);
    TRY(read_tokens(file, tokens, types, vocab));
    TRY(read_eos(file, vocab));
    return anser_trie_build(vocab);
}

enum anser_status anser_vocab_new(const anser_file *file, anser_vocab **vocab)
{
    if (file == NULL)
        return ANSER_BAD_ARG;
    if (vocab == NULL)
        return anser_fail(file->ctx, ANSER_BAD_ARG,
                          "anser_vocab_new: vocab is NULL");
    const struct anser_gguf_key *tokens = anser_gguf_find_key(file, TOKENS);
    const struct anser_gguf_key *types = anser_gguf_find_key(file, TYPES);
    TRY(check_model(file));
    TRY(check_tokens(file, tokens));
    TRY(check_types(file, types, tokens->count));
    anser_vocab *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(file->ctx, sizeof *made);
    enum anser_status status;
    TRY_OR_FAIL(fill(file, tokens, types, made));
    *vocab = made;
    return ANSER_OK;
fail:
    anser_vocab_free(made);
    return status;
}

void anser_vocab_free(anser_vocab *vocab)
{
    if (vocab == NULL)
        return;
    anser_trie_free(&vocab->trie);
    free(vocab->start);
    free(vocab->bytes);
    free(vocab);
}

uint32_t anser_vocab_size(const anser_vocab *vocab)
{
    return vocab == NULL ? 0 : vocab->V;
}

uint32_t anser_vocab_eos(const anser_vocab *vocab)
{
    return vocab == NULL ? 0 : vocab->eos;
}

enum anser_status anser_decode(const anser_vocab *vocab, uint32_t id,
                               const char **bytes, size_t *n)
{
    if (vocab == NULL)
        return ANSER_BAD_ARG;
    if (bytes == NULL || n == NULL)
        return anser_fail(vocab->ctx, ANSER_BAD_ARG,
                          "anser_decode: bytes or n is NULL");
    if (id >= vocab->V)
        return anser_fail(vocab->ctx, ANSER_BAD_ARG,
                          "anser_decode: id %u is out of range; this "
                          "vocabulary has %u ids", (unsigned)id,
                          (unsigned)vocab->V);
    *bytes = vocab->bytes + vocab->start[id];
    *n = vocab->start[id + 1] - vocab->start[id];
    return ANSER_OK;
}
