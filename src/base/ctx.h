/* SPDX-License-Identifier: MIT */
/*
 * The context: the last error's text, the log, and the way to fail.
 *
 * A failure is described once, where it is known:
 *     return anser_fail(ctx, ANSER_BAD_FILE, "%s: ...", path);
 * and callers only pass the status on with TRY.
 */
#ifndef ANSER_BASE_CTX_H
#define ANSER_BASE_CTX_H

#include <anser.h>

#if defined(__GNUC__)
#define ANSER_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ANSER_PRINTF(fmt, args)
#endif

/* Returns the status of a call that failed; falls through on ANSER_OK. */
#define TRY(call)                                   \
    do {                                            \
        enum anser_status status_ = (call);         \
        if (status_ != ANSER_OK)                    \
            return status_;                         \
    } while (0)

/* The same, to the label fail: with the status in `status`. */
#define TRY_OR_FAIL(call)                           \
    do {                                            \
        status = (call);                            \
        if (status != ANSER_OK)                     \
            goto fail;                              \
    } while (0)

struct anser_ctx {
    char error[1024];
    anser_log_fn *log;
    void *log_user;
    void *devices;                  /* owned: rt/device.c's list, or NULL   */
    void (*devices_free)(void *);   /* how to free it                       */
};

/* Keeps the text and returns status.  ctx may be NULL. */
enum anser_status anser_fail(anser_ctx *ctx, enum anser_status status,
                             const char *fmt, ...) ANSER_PRINTF(3, 4);

/* NO_MEMORY with the number of bytes that could not be had. */
enum anser_status anser_fail_memory(anser_ctx *ctx, size_t bytes);

/* Milliseconds of a clock that never goes back. */
double anser_clock_ms(void);

/* A line of the timeline that -v prints: what took the time since `from`. */
void anser_log_time(anser_ctx *ctx, const char *what, double from);

void anser_log(anser_ctx *ctx, int level, const char *fmt, ...)
    ANSER_PRINTF(3, 4);

#endif
