/* SPDX-License-Identifier: MIT */
/* Environment variables to settings; the table is in the header. */
#include "rt/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_ENTRIES 64

static enum anser_status read_pool(anser_ctx *ctx, unsigned *entries)
{
    const char *text = getenv("ANSER_POOL_ENTRIES");
    *entries = POOL_ENTRIES;
    if (text == NULL || *text == '\0')
        return ANSER_OK;
    char *end;
    long n = strtol(text, &end, 10);
    if (*end != '\0' || n < 0 || n > ANSER_POOL_ENTRIES_MAX)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "ANSER_POOL_ENTRIES is '%s'; expected 0 to %d",
                          text, ANSER_POOL_ENTRIES_MAX);
    *entries = (unsigned)n;
    return ANSER_OK;
}

static enum anser_status read_wait(anser_ctx *ctx, enum anser_wait *wait)
{
    static const char *const names[] = { "block", "poll", "thread" };
    const char *text = getenv("ANSER_WAIT");
    *wait = ANSER_WAIT_BLOCK;
    if (text == NULL || *text == '\0')
        return ANSER_OK;
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *wait = (enum anser_wait)i;
            return ANSER_OK;
        }
    return anser_fail(ctx, ANSER_BAD_ARG,
                      "ANSER_WAIT is '%s'; expected block, poll or thread",
                      text);
}

static enum anser_status read_cache(anser_ctx *ctx, bool *cache)
{
    const char *text = getenv("ANSER_CACHE");
    *cache = true;
    if (text == NULL || *text == '\0' || strcmp(text, "1") == 0)
        return ANSER_OK;
    *cache = false;
    if (strcmp(text, "0") == 0)
        return ANSER_OK;
    return anser_fail(ctx, ANSER_BAD_ARG,
                      "ANSER_CACHE is '%s'; expected 0 or 1", text);
}

/* dir = a + b, or "" if it does not fit. */
static void join(char *dir, size_t cap, const char *a, const char *b)
{
    int n = snprintf(dir, cap, "%s%s", a, b);
    if (n < 0 || (size_t)n >= cap)
        dir[0] = '\0';
}

/* $XDG_CACHE_HOME counts only if absolute (XDG Base Directory 0.8). */
void anser_settings_cache_dir(char *dir, size_t cap)
{
    const char *own = getenv("ANSER_CACHE_DIR");
    const char *home = getenv("HOME");
    dir[0] = '\0';
    if (own != NULL && *own != '\0') {
        join(dir, cap, own, "");
        return;
    }
#ifdef __APPLE__
    if (home != NULL && home[0] == '/')
        join(dir, cap, home, "/Library/Caches/anser");
#else
    const char *xdg = getenv("XDG_CACHE_HOME");
    if (xdg != NULL && xdg[0] == '/')
        join(dir, cap, xdg, "/anser");
    else if (home != NULL && home[0] == '/')
        join(dir, cap, home, "/.cache/anser");
#endif
}

enum anser_status anser_settings_read(anser_ctx *ctx,
                                      struct anser_settings *settings)
{
    struct anser_settings s;
    TRY(read_pool(ctx, &s.pool_entries));
    TRY(read_wait(ctx, &s.wait));
    TRY(read_cache(ctx, &s.cache));
    anser_settings_cache_dir(s.cache_dir, sizeof s.cache_dir);
    *settings = s;
    return ANSER_OK;
}
