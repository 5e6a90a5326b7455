/* SPDX-License-Identifier: MIT */
/*
 * The environment variables, all of them, read in one place when a device is
 * opened:
 *
 *   ANSER_POOL_ENTRIES  freed buffers that are kept, 0..4096 (default 64;
 *                       0 switches the pool off)
 *   ANSER_WAIT          how the host waits: block (default), poll, thread
 *   ANSER_AHEAD         tokens that may be fed before the host has seen them,
 *                       0 to 8; default by device (model/ahead.h)
 *   ANSER_CACHE         0 switches the program cache off, 1 (default) on
 *   ANSER_CACHE_DIR     its directory instead of the user's (rt/cache_dir.c)
 *   ANSER_VARIANT       rows to prefer, "matmul-few=group,norm=item", or
 *                       "plain": row 0 of every table (op/select.c)
 *   ANSER_TUNING        file of measured choices instead of the one in the
 *                       cache's directory (op/tuning.c); 0: none
 *   ANSER_TOKEN         how a token is run by fused kernels: whole (default),
 *                       in one launch where another process has tried that;
 *                       phases, a launch each; for tests: stall:N, in one
 *                       launch that gives up after N phases; refuse, the
 *                       trial fails (op/token.c)
 *   ANSER_HELPER        the program that tries risky kernels, instead of the
 *                       installed anser-probe (op/probe.c)
 *
 * A value that is none of these is an error and not ignored: a measurement
 * with a misspelt switch would lie.
 */
#ifndef ANSER_RT_SETTINGS_H
#define ANSER_RT_SETTINGS_H

#include "base/ctx.h"

#include <stdbool.h>

enum anser_wait { ANSER_WAIT_BLOCK, ANSER_WAIT_POLL, ANSER_WAIT_THREAD };

#define ANSER_POOL_ENTRIES_MAX 4096
#define ANSER_AHEAD_MAX 8

enum anser_token_how {
    ANSER_TOKEN_WHOLE, ANSER_TOKEN_PHASES, ANSER_TOKEN_STALL,
    ANSER_TOKEN_REFUSE
};

struct anser_settings {
    unsigned pool_entries;
    enum anser_wait wait;
    int ahead;                   /* -1: the device's default                */
    bool cache;
    char cache_dir[1024];        /* "" where there is none: no cache        */
    bool tuning;
    char tuning_file[1024];      /* "": in the cache's directory            */
    char helper[1024];
    bool is_probe;               /* this process is the helper              */
    enum anser_token_how token;
    uint32_t token_stall;        /* phases before a launch gives up         */
    char variant[512];           /* OP=ROW,..., "plain" or ""; op/ knows    */
};

/* BAD_ARG names the variable, its value and what may stand there. */
enum anser_status anser_settings_read(anser_ctx *ctx,
                                      struct anser_settings *settings);

/* The directory of the cache, "" if none is known. */
void anser_settings_cache_dir(char *dir, size_t cap);

#endif
