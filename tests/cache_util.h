/* SPDX-License-Identifier: MIT */
/* What the two suites of the cache share: a cache directory per test, whole
 * runs of a tiny kernel, and looking into the directory. */
#ifndef ANSER_CACHE_UTIL_H
#define ANSER_CACHE_UTIL_H

#include "rt_util.h"

#include "rt/cache.h"
#include "rt/cache_file.h"
#include "rt/program.h"

extern char dir_path[1024];          /* the cache of the test, not yet made */
extern char last_entry[ANSER_CACHE_NAME];    /* found by the_entry          */

/* A checked fixture. */
void cache_set_up(void);
void cache_tear_down(void);

/* Mounts a file system on dir_path with these options, until the test ends;
 * 0 where this process may not. */
int cache_mount(const char *options);

/* Opens, runs the probe, saves, closes; how the program came about. */
struct anser_program_stats run_once(void);
void must_build(void);               /* ... from source                     */
void must_load(void);                /* ... from the cache                  */

/* The path of the only program in the cache. */
const char *the_entry(void);

int open_dir(void);

/* Every entry is sound. */
void verify(void);

/* Numbers of a seed. */
void random_seed(uint64_t seed);
uint64_t random_next(void);

/* Where a test can't be done, it says so. */
void not_here(const char *what, const char *why);

/* main of a suite of the cache: skipped on a device that has none. */
int cache_main(Suite *(*make)(void));

#endif
