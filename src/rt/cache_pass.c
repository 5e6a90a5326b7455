/* SPDX-License-Identifier: MIT */
/*
 * Which self-tests have passed: one entry of the cache, a line a test.  Its
 * identity holds the device, the driver and all kernel texts, so a change of
 * any makes the tests run again.  Of two processes that write at once one may
 * lose its lines; they are then tested once more.
 */
#include "rt/cache.h"

#include "rt/program.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS_MAX 64

static struct anser_cache_key key_of_passes(void)
{
    struct anser_cache_key key = {
        .kind = "pass", .name = "self-tests", .options = ""
    };
    const char *texts[TEXTS_MAX];
    size_t n = 0;
    for (; n < TEXTS_MAX && anser_cl_text[n].name != NULL; n++)
        texts[n] = anser_cl_text[n].text;
    anser_cache_digest(texts, n, key.source);
    return key;
}

/* What the disk has, or ""; allocated, NULL without memory. */
static char *read_passes(anser_device *device)
{
    struct anser_cache_key key = key_of_passes();
    unsigned char *data;
    size_t bytes;
    if (!anser_cache_load(device, &key, &data, &bytes))
        return calloc(1, 1);
    char *text = realloc(data, bytes + 1);
    if (text == NULL) {
        free(data);
        return NULL;
    }
    text[bytes] = '\0';
    return text;
}

/* Whether the lines of text have this one. */
static bool has_line(const char *text, const char *line)
{
    size_t n = strlen(line);
    for (const char *at = text; at != NULL && *at != '\0'; ) {
        if (strncmp(at, line, n) == 0 && at[n] == '\n')
            return true;
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return false;
}

/* Adds a line; without memory the text stays as it is. */
static void add_line(char **text, const char *line, size_t n)
{
    size_t before = strlen(*text);
    char *grown = realloc(*text, before + n + 2);
    if (grown == NULL)
        return;
    memcpy(grown + before, line, n);
    strcpy(grown + before + n, "\n");
    *text = grown;
}

/* The lines known here, read at first; NULL if there are none. */
static char *passes_of(anser_device *device)
{
    struct anser_cache *cache = device->cache;
    if (cache != NULL && cache->passes == NULL)
        cache->passes = read_passes(device);
    return cache == NULL ? NULL : cache->passes;
}

bool anser_cache_passed(anser_device *device, const char *key)
{
    const char *text = passes_of(device);
    return text != NULL && has_line(text, key);
}

void anser_cache_pass(anser_device *device, const char *key)
{
    const char *text = passes_of(device);
    if (text == NULL || has_line(text, key))
        return;
    add_line(&device->cache->passes, key, strlen(key));
    device->cache->passes_changed = true;
}

void anser_cache_keep(anser_device *device)
{
    struct anser_cache *cache = device->cache;
    if (cache == NULL || !cache->passes_changed)
        return;
    cache->passes_changed = false;
    char *now = read_passes(device);
    for (char *next, *line = now; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next == NULL)
            break;
        *next++ = '\0';
        if (!has_line(cache->passes, line))
            add_line(&cache->passes, line, strlen(line));
    }
    free(now);
    struct anser_cache_key key = key_of_passes();
    anser_cache_save(device, &key, cache->passes, strlen(cache->passes));
}
