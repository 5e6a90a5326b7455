/* SPDX-License-Identifier: MIT */
/* The cache's directory, opened safely, and the walk over its files. */
#ifndef ANSER_RT_CACHE_DIR_H
#define ANSER_RT_CACHE_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A descriptor of the directory, made (0700) if it is absent and `make`; or
 * -1, and *why a static text.  Refused: a symlink, another owner, a group or
 * the world may write to it or replace it, a process with raised rights. */
int anser_cache_dir_open(const char *path, bool make, const char **why);

/* Longest name of an entry: 64 digits and ".anser". */
#define ANSER_CACHE_NAME 80

struct anser_cache_stat {
    char name[ANSER_CACHE_NAME];
    uint64_t bytes;
    int64_t used;                /* last use, seconds since 1970            */
};

/* The entries (temporary == false) or unfinished files of killed writers
 * (true), the longest unused first, allocated; *n of them.  False: not
 * readable or no memory. */
bool anser_cache_dir_scan(int dir, bool temporary,
                          struct anser_cache_stat **found, size_t *n);

/* Unlinks the longest unused entries until at most max bytes are left, and
 * unfinished files older than 10 minutes. */
void anser_cache_dir_evict(int dir, uint64_t max);

#endif
