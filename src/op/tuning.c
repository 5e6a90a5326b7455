/* SPDX-License-Identifier: MIT */
/* The table of measured choices, and where its file lies. */
#include "op/tuning.h"

#include "rt/cache.h"
#include "rt/cache_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void anser_tuning_free(struct anser_tuning *tuning)
{
    if (tuning == NULL)
        return;
    free(tuning->entries);
    free(tuning);
}

static struct anser_tuning_entry *find(const struct anser_tuning *tuning,
                                       const char *op, uint32_t type,
                                       uint32_t rows, uint32_t cols)
{
    for (uint32_t i = 0; tuning != NULL && i < tuning->n; i++) {
        struct anser_tuning_entry *e = &tuning->entries[i];
        if (e->type == type && e->rows == rows && e->cols == cols
            && strcmp(e->op, op) == 0)
            return e;
    }
    return NULL;
}

const char *anser_tuning_find(const struct anser_tuning *tuning,
                              const char *op, const struct anser_need *need)
{
    const struct anser_tuning_entry *e = find(tuning, op, need->type,
                                              need->rows, need->cols);
    return e == NULL ? NULL : e->value;
}

enum anser_status anser_tuning_put(anser_ctx *ctx,
                                   struct anser_tuning **tuning,
                                   const struct anser_tuning_entry *entry)
{
    struct anser_tuning_entry *e = find(*tuning, entry->op, entry->type,
                                        entry->rows, entry->cols);
    if (e != NULL) {
        *e = *entry;
        return ANSER_OK;
    }
    if (*tuning == NULL)
        *tuning = calloc(1, sizeof **tuning);
    const size_t bytes = ((*tuning == NULL ? 0 : (*tuning)->n) + 1)
                         * sizeof *e;
    e = *tuning == NULL ? NULL : realloc((*tuning)->entries, bytes);
    if (e == NULL)
        return anser_fail_memory(ctx, bytes);
    (*tuning)->entries = e;
    e[(*tuning)->n++] = *entry;
    return ANSER_OK;
}

/* One file a device, driver and platform. */
void anser_tuning_place(const anser_device *device, char *path, size_t cap)
{
    const struct anser_settings *s = &device->settings;
    const struct anser_caps *caps = &device->caps;
    const char *const parts[] = { caps->platform, caps->name, caps->driver };
    char digest[65];
    path[0] = '\0';
    if (!s->tuning || (*s->tuning_file == '\0' && *s->cache_dir == '\0'))
        return;
    anser_cache_digest(parts, 3, digest);
    int n = *s->tuning_file != '\0'
            ? snprintf(path, cap, "%s", s->tuning_file)
            : snprintf(path, cap, "%s/tuning-%.16s.txt", s->cache_dir, digest);
    if (n < 0 || (size_t)n >= cap)
        path[0] = '\0';
}

/* A directory that others may write to is not read; a file that the user
 * names is. */
static bool is_safe(const anser_device *device)
{
    const char *why;
    if (*device->settings.tuning_file != '\0')
        return true;
    const int dir = anser_cache_dir_open(device->settings.cache_dir, false,
                                         &why);
    if (dir >= 0)
        close(dir);
    return dir >= 0;
}

void anser_tuning_begin(anser_device *device, struct anser_op_memory *m)
{
    char path[1200];
    anser_tuning_place(device, path, sizeof path);
    if (*path == '\0' || access(path, F_OK) != 0 || !is_safe(device))
        return;
    if (anser_tuning_read(device, path, &m->tuning) != ANSER_OK)
        anser_log(device->ctx, 1, "no tuning: %s", anser_error(device->ctx));
    else
        anser_log(device->ctx, 2, "tuning: %u entries of %s",
                  (unsigned)m->tuning->n, path);
}
