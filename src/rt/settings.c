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

static enum anser_status read_ahead(anser_ctx *ctx, int *ahead)
{
    const char *text = getenv("ANSER_AHEAD");
    *ahead = -1;
    if (text == NULL || *text == '\0')
        return ANSER_OK;
    char *end;
    long n = strtol(text, &end, 10);
    if (*end != '\0' || n < 0 || n > ANSER_AHEAD_MAX)
        return anser_fail(ctx, ANSER_BAD_ARG,
                          "ANSER_AHEAD is '%s'; expected 0 to %d", text,
                          ANSER_AHEAD_MAX);
    *ahead = (int)n;
    return ANSER_OK;
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

static void read_helper(char *helper, size_t cap)
{
    const char *text = getenv("ANSER_HELPER");
    join(helper, cap, text != NULL ? text : ANSER_LIBEXECDIR "/anser-probe",
         "");
}

/* 0, or a file. */
static enum anser_status read_tuning(anser_ctx *ctx,
                                     struct anser_settings *s)
{
    const char *text = getenv("ANSER_TUNING");
    s->tuning = text == NULL || strcmp(text, "0") != 0;
    s->tuning_file[0] = '\0';
    if (text == NULL || !s->tuning)
        return ANSER_OK;
    if (strlen(text) >= sizeof s->tuning_file)
        return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_TUNING is longer than "
                          "%zu bytes", sizeof s->tuning_file - 1);
    strcpy(s->tuning_file, text);
    return ANSER_OK;
}

static enum anser_status read_token(anser_ctx *ctx, struct anser_settings *s)
{
    static const char *const names[] = { "whole", "phases", "stall:",
                                         "refuse" };
    const char *text = getenv("ANSER_TOKEN");
    char *end;
    s->token = ANSER_TOKEN_WHOLE;
    s->token_stall = UINT32_MAX;
    if (text == NULL || *text == '\0')
        return ANSER_OK;
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0 && i != ANSER_TOKEN_STALL) {
            s->token = (enum anser_token_how)i;
            return ANSER_OK;
        }
    if (strncmp(text, names[ANSER_TOKEN_STALL], 6) == 0 && text[6] != '\0') {
        s->token = ANSER_TOKEN_STALL;
        s->token_stall = (uint32_t)strtoul(text + 6, &end, 10);
        if (*end == '\0')
            return ANSER_OK;
    }
    return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_TOKEN is '%.100s'; expected "
                      "whole, phases, stall:N or refuse", text);
}

/* Only the form: OP=ROW, separated by commas, of letters, digits, - and _. */
static bool is_variant_list(const char *text)
{
    static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
                               "STUVWXYZ0123456789-_";
    if (*text == '\0' || strcmp(text, "plain") == 0)
        return true;
    for (const char *at = text;; at++) {
        size_t n = strspn(at, word);
        size_t row = n > 0 && at[n] == '=' ? strspn(at + n + 1, word) : 0;
        if (row == 0)
            return false;
        at += n + 1 + row;
        if (*at != ',')
            return *at == '\0';
    }
}

static enum anser_status read_variant(anser_ctx *ctx,
                                      struct anser_settings *s)
{
    const char *text = getenv("ANSER_VARIANT");
    text = text == NULL ? "" : text;
    if (strlen(text) >= sizeof s->variant || !is_variant_list(text))
        return anser_fail(ctx, ANSER_BAD_ARG, "ANSER_VARIANT is '%.100s'; "
                          "expected plain, or OPERATION=VARIANT with commas "
                          "between", text);
    strcpy(s->variant, text);
    return ANSER_OK;
}

enum anser_status anser_settings_read(anser_ctx *ctx,
                                      struct anser_settings *settings)
{
    struct anser_settings s;
    TRY(read_pool(ctx, &s.pool_entries));
    TRY(read_wait(ctx, &s.wait));
    TRY(read_ahead(ctx, &s.ahead));
    TRY(read_cache(ctx, &s.cache));
    TRY(read_tuning(ctx, &s));
    TRY(read_variant(ctx, &s));
    TRY(read_token(ctx, &s));
    read_helper(s.helper, sizeof s.helper);
    s.is_probe = false;
    anser_settings_cache_dir(s.cache_dir, sizeof s.cache_dir);
    *settings = s;
    return ANSER_OK;
}
