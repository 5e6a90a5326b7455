/* SPDX-License-Identifier: MIT */
/* A cache directory per test, and whole runs of a tiny kernel. */
#include "cache_util.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char dir_path[1024];
static bool mounted;

void cache_set_up(void)
{
    rt_set_up();
    test_enter();
    snprintf(dir_path, sizeof dir_path, "%s", test_path("cache"));
    setenv("ANSER_CACHE_DIR", dir_path, 1);
    setenv("ANSER_CACHE", "1", 1);
}

static void umount_it(void)
{
    char command[1200];
    snprintf(command, sizeof command, "umount '%s'", dir_path);
    mounted = system(command) != 0;
}

int cache_mount(const char *options)
{
    char command[1200];
    snprintf(command, sizeof command,
             "mount -t tmpfs -o %s none '%s' 2>/dev/null", options, dir_path);
    mounted = geteuid() == 0 && system(command) == 0;
    return mounted;
}

/* Removes a directory of files, and it. */
static void remove_dir(const char *path)
{
    char name[2048];
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL; ) {
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            remove(name);
    }
    closedir(dir);
    rmdir(path);
}

void cache_tear_down(void)
{
    rt_tear_down();
    if (mounted)
        umount_it();
    chmod(dir_path, 0700);
    remove_dir(dir_path);
    test_leave();
}

struct anser_program_stats run_once(void)
{
    struct anser_program_stats s;
    rt_open();
    if (anser_device_probe(device) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    anser_programs_stats(device, &s);
    anser_programs_save(device);
    anser_device_close(device);
    device = NULL;
    return s;
}

void must_build(void)
{
    struct anser_program_stats s = run_once();
    ck_assert_uint_eq(s.from_source, 1);
    ck_assert_uint_eq(s.from_cache, 0);
}

void must_load(void)
{
    struct anser_program_stats s = run_once();
    ck_assert_uint_eq(s.from_source, 0);
    ck_assert_uint_eq(s.from_cache, 1);
    ck_assert_uint_eq(s.rejected, 0);
}

static unsigned n_entries;
char last_entry[ANSER_CACHE_NAME];
static void count_entry(void *user, const struct anser_cache_entry *entry)
{
    (void)user;
    if (strcmp(entry->kind, "program") == 0 || entry->fault != NULL) {
        n_entries++;
        snprintf(last_entry, sizeof last_entry, "%s", entry->file);
    }
}

const char *the_entry(void)
{
    static char path[1200];
    n_entries = 0;
    ck_assert_int_eq(anser_cache_list(ctx, count_entry, NULL), ANSER_OK);
    ck_assert_uint_eq(n_entries, 1);
    snprintf(path, sizeof path, "%s/%s", dir_path, last_entry);
    return path;
}

int open_dir(void)
{
    int dir = open(dir_path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(dir, 0);
    return dir;
}

void verify(void)
{
    if (anser_cache_verify(ctx, NULL, NULL) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
}

/* Marsaglia's xorshift64. */
static uint64_t random_state;
void random_seed(uint64_t seed)
{
    random_state = seed;
}

uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

void not_here(const char *what, const char *why)
{
    fprintf(stderr, "not tested here: %s (%s)\n", what, why);
}

int cache_main(Suite *(*make)(void))
{
    anser_ctx *own;
    anser_device *opened;
    bool has_cache = true;
    if (anser_ctx_new(&own) != ANSER_OK)
        return EXIT_FAILURE;
    if (anser_device_open(own, NULL, &opened) == ANSER_OK) {
        has_cache = opened->caps.cacheable;
        anser_device_close(opened);
    }
    anser_ctx_free(own);
    if (!has_cache)
        printf("skipped: the device has no cache\n");
    return has_cache ? rt_main(make) : 77;
}
