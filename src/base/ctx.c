/* SPDX-License-Identifier: MIT */
/* The context: the last error's text and the log. */
#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum anser_status anser_ctx_new(anser_ctx **ctx)
{
    if (ctx == NULL)
        return ANSER_BAD_ARG;
    anser_ctx *made = calloc(1, sizeof *made);
    if (made == NULL)
        return ANSER_NO_MEMORY;
    *ctx = made;
    return ANSER_OK;
}

void anser_ctx_free(anser_ctx *ctx)
{
    if (ctx == NULL)
        return;
    if (ctx->devices != NULL)
        ctx->devices_free(ctx->devices);
    free(ctx);
}

const char *anser_error(const anser_ctx *ctx)
{
    return ctx == NULL ? "" : ctx->error;
}

void anser_log_to(anser_ctx *ctx, anser_log_fn *fn, void *user)
{
    if (ctx == NULL)
        return;
    ctx->log = fn;
    ctx->log_user = user;
}

enum anser_status anser_fail(anser_ctx *ctx, enum anser_status status,
                             const char *fmt, ...)
{
    if (ctx == NULL)
        return status;
    va_list args;
    va_start(args, fmt);
    vsnprintf(ctx->error, sizeof ctx->error, fmt, args);
    va_end(args);
    return status;
}

enum anser_status anser_fail_memory(anser_ctx *ctx, size_t bytes)
{
    return anser_fail(ctx, ANSER_NO_MEMORY,
                      "out of memory: %zu bytes could not be allocated",
                      bytes);
}

void anser_log(anser_ctx *ctx, int level, const char *fmt, ...)
{
    if (ctx == NULL || ctx->log == NULL)
        return;
    char line[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    ctx->log(ctx->log_user, level, line);
}

double anser_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

void anser_log_time(anser_ctx *ctx, const char *what, double from)
{
    anser_log(ctx, 2, "time     %8.1f ms  %s", anser_clock_ms() - from, what);
}
