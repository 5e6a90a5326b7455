/* SPDX-License-Identifier: MIT */
/*
 * The cache's directory.  A program binary is code, on a CPU device native
 * code, so whoever can write here can run code as the user: hence the checks.
 * All later access is relative to the descriptor (openat), so replacing the
 * directory afterwards changes nothing.
 */
#include "rt/cache_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/auxv.h>
#endif

#define SUFFIX ".anser"
#define TEMPORARY ".tmp-"
/* A writer needs milliseconds; what is this old has lost its writer. */
#define TEMPORARY_SECONDS 600

/* Whether the process runs with other rights than its user's (setuid). */
static bool is_privileged(void)
{
#ifdef __linux__
    return getauxval(AT_SECURE) != 0;
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) \
    || defined(__NetBSD__)
    return issetugid() != 0;
#else
    return getuid() != geteuid() || getgid() != getegid();
#endif
}

/* Makes the directory and, if need be, the one above it (~/.cache). */
static void make_dir(const char *path)
{
    char parent[1024];
    if (mkdir(path, 0700) == 0 || errno != ENOENT)
        return;
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return;
    *slash = '\0';
    if (mkdir(parent, 0700) == 0)
        mkdir(path, 0700);
}

/* NULL if only its owner, who is us, can put files into it. */
static const char *unsafe(int dir)
{
    struct stat st, above;
    if (fstat(dir, &st) != 0 || fstatat(dir, "..", &above, 0) != 0)
        return "it can't be examined";
    if (st.st_uid != geteuid())
        return "it belongs to another user";
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return "others may write to it";
    if ((above.st_mode & S_IWOTH) && !(above.st_mode & S_ISVTX))
        return "the directory above it can be written by everyone";
    return NULL;
}

int anser_cache_dir_open(const char *path, bool make, const char **why)
{
    if (*path == '\0' || is_privileged()) {
        *why = *path == '\0' ? "no directory is known for it"
                             : "the program runs with raised rights";
        return -1;
    }
    if (make)
        make_dir(path);
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0) {
        *why = errno == ELOOP || errno == ENOTDIR
            ? "it is a symbolic link or no directory" : strerror(errno);
        return -1;
    }
    *why = unsafe(dir);
    if (*why == NULL)
        return dir;
    close(dir);
    return -1;
}

/* 64 digits and the suffix, or what a writer calls its unfinished file. */
static bool is_ours(const char *name, bool temporary)
{
    if (temporary)
        return strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0;
    return strspn(name, "0123456789abcdef") == 64
           && strcmp(name + 64, SUFFIX) == 0;
}

static int by_use(const void *a, const void *b)
{
    const struct anser_cache_stat *x = a, *y = b;
    if (x->used != y->used)
        return x->used < y->used ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool add(int dir, const char *name, struct anser_cache_stat **list,
                size_t *n)
{
    struct stat st;
    size_t length = strlen(name);
    if (length >= ANSER_CACHE_NAME
        || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return true;             /* gone meanwhile, or none of ours */
    struct anser_cache_stat *grown = realloc(*list, (*n + 1) * sizeof *grown);
    if (grown == NULL)
        return false;
    *list = grown;
    struct anser_cache_stat *new = &grown[(*n)++];
    memcpy(new->name, name, length + 1);
    new->bytes = st.st_size < 0 ? 0 : (uint64_t)st.st_size;
    new->used = st.st_mtime;
    return true;
}

bool anser_cache_dir_scan(int dir, bool temporary,
                          struct anser_cache_stat **found, size_t *n)
{
    struct anser_cache_stat *list = NULL;
    size_t count = 0;
    bool ok = true;
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *walk = copy < 0 ? NULL : fdopendir(copy);
    if (walk == NULL) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    for (struct dirent *e; ok && (e = readdir(walk)) != NULL; )
        if (is_ours(e->d_name, temporary))
            ok = add(dir, e->d_name, &list, &count);
    closedir(walk);
    if (!ok) {
        free(list);
        return false;
    }
    if (count > 0)
        qsort(list, count, sizeof *list, by_use);
    *found = list;
    *n = count;
    return true;
}

static void evict_entries(int dir, uint64_t max)
{
    struct anser_cache_stat *list;
    size_t n;
    uint64_t total = 0;
    if (!anser_cache_dir_scan(dir, false, &list, &n))
        return;
    for (size_t i = 0; i < n; i++)
        total += list[i].bytes;
    for (size_t i = 0; i < n && total > max; i++)
        if (unlinkat(dir, list[i].name, 0) == 0)
            total -= list[i].bytes;
    free(list);
}

void anser_cache_dir_evict(int dir, uint64_t max)
{
    struct anser_cache_stat *list;
    size_t n;
    evict_entries(dir, max);
    if (!anser_cache_dir_scan(dir, true, &list, &n))
        return;
    for (size_t i = 0; i < n; i++)
        if (list[i].used + TEMPORARY_SECONDS < (int64_t)time(NULL))
            unlinkat(dir, list[i].name, 0);
    free(list);
}
