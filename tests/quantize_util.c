/* SPDX-License-Identifier: MIT */
/* Small models to quantise, and the context they are quantised in. */
#include "quantize_util.h"

#include <string.h>

static anser_ctx *ctx;
static unsigned n_notices;

static void count_notice(void *user, int level, const char *line)
{
    (void)user;
    ck_assert(strchr(line, '\n') == NULL);
    n_notices += level == 1;
}

void test_quantize_enter(void)
{
    test_enter();
    ctx = test_ctx();
    n_notices = 0;
    anser_log_to(ctx, count_notice, NULL);
}

void test_quantize_leave(void)
{
    anser_ctx_free(ctx);
    test_leave();
}

anser_file *test_quantize_open(const char *path)
{
    anser_file *file = NULL;
    if (anser_gguf_open(ctx, path, &file) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    return file;
}

anser_file *test_quantize_model(const char *name, uint32_t C,
                                const char *type)
{
    struct test_tiny tiny;
    test_tiny_defaults(&tiny);
    tiny.C = C;
    tiny.F = 4 * C;
    tiny.Dw = tiny.Da = tiny.Dv = tiny.Dg = 32;
    tiny.type = type;
    test_make_tiny(test_path(name), &tiny);
    return test_quantize_open(test_path(name));
}

struct anser_quantize_options test_quantize_options(const char *type)
{
    return (struct anser_quantize_options) {
        .size = sizeof(struct anser_quantize_options), .type = type
    };
}

anser_ctx *test_quantize_ctx(void)
{
    return ctx;
}

unsigned test_quantize_notices(void)
{
    return n_notices;
}

void test_quantize(const anser_file *file,
                   const struct anser_quantize_options *options,
                   const char *path)
{
    if (anser_quantize(file, options, path) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
}

const char *test_quantize_type(const anser_file *file, const char *name)
{
    const struct anser_gguf_tensor *t = anser_gguf_find(file, name);
    ck_assert_ptr_nonnull(t);
    return t->block->name;
}
