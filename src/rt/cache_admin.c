/* SPDX-License-Identifier: MIT */
/* Looking after the cache: list, verify, clear.  Needs no device. */
#include "rt/cache_dir.h"
#include "rt/cache_file.h"
#include "rt/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest texts shown of an identity. */
struct shown {
    char kind[16], name[128], options[256], device[128], driver[128];
};

size_t anser_cache_path(char *buf, size_t cap)
{
    char dir[1024];
    anser_settings_cache_dir(dir, sizeof dir);
    int n = snprintf(buf, cap, "%s", dir);
    return n < 0 ? 0 : (size_t)n;
}

/* *dir is -1 where there is none yet. */
static enum anser_status open_dir(anser_ctx *ctx, int *dir)
{
    char path[1024];
    const char *why;
    size_t n = anser_cache_path(path, sizeof path);
    *dir = -1;
    if (n > 0 && access(path, F_OK) != 0)
        return ANSER_OK;
    *dir = anser_cache_dir_open(path, false, &why);
    if (*dir < 0)
        return anser_fail(ctx, ANSER_IO, "the cache %s is not used: %s; "
                          "ANSER_CACHE_DIR names another place", path, why);
    return ANSER_OK;
}

static void tell(int dir, const struct anser_cache_stat *stat,
                 anser_cache_fn *fn, void *user, uint64_t *faults)
{
    struct anser_cache_file file;
    struct shown s = { .kind = "" };
    const char *fault = anser_cache_file_read(dir, stat->name, &file);
    if (fault == anser_cache_file_absent)
        return;                  /* removed by another process meanwhile */
    if (fault == NULL) {
        anser_cache_file_field(&file, "kind", s.kind, sizeof s.kind);
        anser_cache_file_field(&file, "name", s.name, sizeof s.name);
        anser_cache_file_field(&file, "options", s.options,
                               sizeof s.options);
        anser_cache_file_field(&file, "device", s.device, sizeof s.device);
        anser_cache_file_field(&file, "driver", s.driver, sizeof s.driver);
        anser_cache_file_free(&file);
    }
    *faults += fault != NULL;
    struct anser_cache_entry entry = {
        .size = sizeof entry, .file = stat->name, .kind = s.kind,
        .name = s.name, .options = s.options, .device = s.device,
        .driver = s.driver, .bytes = stat->bytes, .used = stat->used,
        .fault = fault
    };
    if (fn != NULL)
        fn(user, &entry);
}

static enum anser_status walk(anser_ctx *ctx, anser_cache_fn *fn, void *user,
                              uint64_t *faults)
{
    struct anser_cache_stat *list;
    size_t n;
    int dir;
    *faults = 0;
    TRY(open_dir(ctx, &dir));
    if (dir < 0)
        return ANSER_OK;
    bool ok = anser_cache_dir_scan(dir, false, &list, &n);
    for (size_t i = 0; ok && i < n; i++)
        tell(dir, &list[i], fn, user, faults);
    if (ok)
        free(list);
    close(dir);
    return ok ? ANSER_OK
              : anser_fail(ctx, ANSER_IO, "the cache can't be listed");
}

enum anser_status anser_cache_list(anser_ctx *ctx, anser_cache_fn *fn,
                                   void *user)
{
    uint64_t faults;
    if (ctx == NULL)
        return ANSER_BAD_ARG;
    return walk(ctx, fn, user, &faults);
}

enum anser_status anser_cache_verify(anser_ctx *ctx, anser_cache_fn *fn,
                                     void *user)
{
    uint64_t faults;
    if (ctx == NULL)
        return ANSER_BAD_ARG;
    TRY(walk(ctx, fn, user, &faults));
    if (faults == 0)
        return ANSER_OK;
    return anser_fail(ctx, ANSER_BAD_FILE, "entries of the cache that are "
                      "damaged: %llu; they are never used, `anser cache "
                      "clear` removes them", (unsigned long long)faults);
}

static uint64_t remove_all(int dir, bool temporary)
{
    struct anser_cache_stat *list;
    size_t n;
    uint64_t removed = 0;
    if (!anser_cache_dir_scan(dir, temporary, &list, &n))
        return 0;
    for (size_t i = 0; i < n; i++)
        removed += unlinkat(dir, list[i].name, 0) == 0;
    free(list);
    return removed;
}

enum anser_status anser_cache_clear(anser_ctx *ctx, uint64_t *n)
{
    int dir;
    if (ctx == NULL || n == NULL)
        return anser_fail(ctx, ANSER_BAD_ARG, "anser_cache_clear: NULL");
    TRY(open_dir(ctx, &dir));
    *n = 0;
    if (dir < 0)
        return ANSER_OK;
    *n = remove_all(dir, false);
    remove_all(dir, true);
    close(dir);
    return ANSER_OK;
}
