/* SPDX-License-Identifier: MIT */
/*
 * generate MODEL TEXT: goes on with TEXT for 32 tokens on the best device.
 *
 *     cc generate.c $(pkg-config --cflags --libs anser) -o generate
 */
#include <anser.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
    const anser_vocab *vocab;
    struct anser_utf8 utf8;
};

static int print_token(void *user, uint32_t id)
{
    struct out *out = user;
    const char *bytes;
    char text[256 + 4];
    size_t n;

    if (id == anser_vocab_eos(out->vocab)
        || anser_decode(out->vocab, id, &bytes, &n) != ANSER_OK || n > 256)
        return 1;
    fwrite(text, 1, anser_utf8_push(&out->utf8, bytes, n, text), stdout);
    return 0;
}

static void must(anser_ctx *ctx, enum anser_status status)
{
    if (status == ANSER_OK)
        return;
    fprintf(stderr, "generate: %s\n", anser_error(ctx));
    exit(1);
}

int main(int argc, char **argv)
{
    anser_ctx *ctx;
    anser_file *file;
    anser_device *device;
    anser_model *model;
    anser_state *state;
    anser_vocab *vocab;
    anser_sampler *sampler;
    struct anser_sampler_options options = { .size = sizeof options };
    uint32_t ids[256];
    size_t n;

    if (argc != 3 || anser_ctx_new(&ctx) != ANSER_OK)
        return 2;
    must(ctx, anser_file_open(ctx, argv[1], &file));
    must(ctx, anser_vocab_new(file, &vocab));
    must(ctx, anser_device_open(ctx, NULL, &device));
    must(ctx, anser_model_open(device, file, NULL, &model));
    must(ctx, anser_state_new(model, &state));
    anser_sampler_defaults(&options);
    must(ctx, anser_sampler_new(ctx, anser_vocab_size(vocab), &options,
                                &sampler));

    must(ctx, anser_encode(vocab, argv[2], strlen(argv[2]), ids, 256, &n));
    if (n == 0 || n > 256) {
        fprintf(stderr, "generate: TEXT must have 1 to 256 tokens\n");
        return 2;
    }
    must(ctx, anser_feed(state, ids, n));
    struct out out = { .vocab = vocab };
    must(ctx, anser_generate(state, sampler, 32, print_token, &out));
    putchar('\n');

    anser_sampler_free(sampler);
    anser_state_free(state);
    anser_model_close(model);
    anser_device_close(device);
    anser_vocab_free(vocab);
    anser_file_close(file);
    anser_ctx_free(ctx);
    return 0;
}
