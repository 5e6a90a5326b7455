/* SPDX-License-Identifier: MIT */
/*
 * The cache on disk under hardship: directories that are unsafe, full or not
 * writable, drivers that refuse what they gave, many processes at once,
 * writers killed.
 *
 * As a helper program: `check_cache_hard start` opens a device, runs the
 * probe and saves; `check_cache_hard write` writes entries until it is killed.
 */
#include "cache_util.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---------------------------------------------------- unsafe directories */

START_TEST(a_symlink_for_a_directory)
{
    must_build();
    const char *link = test_path("link");
    ck_assert_int_eq(symlink(dir_path, link), 0);
    setenv("ANSER_CACHE_DIR", link, 1);
    must_build();
    ck_assert_int_eq(anser_cache_list(ctx, NULL, NULL), ANSER_IO);
    rt_must_say("symbolic link");
}
END_TEST

START_TEST(a_symlink_or_fifo_for_a_file)
{
    struct stat st;
    must_build();
    const char *path = the_entry();
    const char *moved = test_path("moved");
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert_int_eq(symlink(moved, path), 0);
    must_build();
    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(S_ISREG(st.st_mode));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    must_build();                        /* and does not hang */
    must_load();
}
END_TEST

START_TEST(a_directory_for_everyone)
{
    must_build();
    ck_assert_int_eq(chmod(dir_path, 0777), 0);
    must_build();
    ck_assert_int_eq(anser_cache_list(ctx, NULL, NULL), ANSER_IO);
    rt_must_say("others may write");
    ck_assert_int_eq(chmod(dir_path, 0770), 0);
    must_build();
    ck_assert_int_eq(chmod(dir_path, 0700), 0);
    must_load();
    char above[1024];
    snprintf(above, sizeof above, "%s", dir_path);
    *strrchr(above, '/') = '\0';
    ck_assert_int_eq(chmod(above, 0777), 0);
    must_build();                        /* it could be replaced */
    ck_assert_int_eq(chmod(above, 0700), 0);
    must_load();
}
END_TEST

START_TEST(no_directory_can_be_made)
{
    setenv("ANSER_CACHE_DIR", "/dev/null/cache", 1);
    must_build();
    must_build();
    unsetenv("ANSER_CACHE_DIR");
    setenv("XDG_CACHE_HOME", "not/absolute", 1);
    setenv("HOME", "", 1);
    must_build();
    uint64_t n;
    ck_assert_int_eq(anser_cache_clear(ctx, &n), ANSER_IO);
}
END_TEST

/* ------------------------------------------------------ no room to write */

START_TEST(an_unwritable_directory)
{
    ck_assert_int_eq(mkdir(dir_path, 0700), 0);
    if (geteuid() != 0) {
        ck_assert_int_eq(chmod(dir_path, 0500), 0);
        must_build();
        must_build();
        return;
    }
    if (!cache_mount("ro,mode=700")) {
        not_here("a read-only file system", "mounting is not allowed");
        return;
    }
    must_build();
    must_build();
}
END_TEST

/* What can't be written whole must not be there at all. */
static void run_without_room(void)
{
    rt_open();
    if (anser_device_probe(device) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    static char large[300000];
    struct anser_cache_key key = { "program", "large", "", "" };
    ck_assert(!anser_cache_save(device, &key, large, sizeof large));
    anser_programs_save(device);
    anser_device_close(device);
    device = NULL;
    verify();
    DIR *dir = opendir(dir_path);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL; )
        ck_assert(strncmp(e->d_name, ".tmp-", 5) != 0);
    closedir(dir);
}

START_TEST(a_full_disk)
{
    ck_assert_int_eq(mkdir(dir_path, 0700), 0);
    if (cache_mount("size=16k,mode=700")) {
        run_without_room();
        return;
    }
    struct rlimit was, small;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    run_once();          /* drivers that write caches of their own do it now */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    run_without_room();
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_DFL);
}
END_TEST

/* ------------------------------------------------ drivers that refuse */

static const cl_int refusals[] = {
    CL_INVALID_VALUE, CL_INVALID_BINARY, CL_INVALID_PROGRAM_EXECUTABLE,
    CL_INVALID_KERNEL, CL_OUT_OF_HOST_MEMORY
};

/* A code from clCreateProgramWithBinary, then one from clCreateKernel. */
START_TEST(a_refused_binary_is_built_again)
{
    struct anser_program_stats s;
    must_build();
    fault_next(&fault_binary, 1, refusals[_i]);
    s = run_once();
    ck_assert_uint_eq(s.from_source, 1);
    ck_assert_uint_eq(s.rejected, 1);
    must_load();
    fault_next(&fault_kernel, 1, refusals[_i]);
    s = run_once();
    ck_assert_uint_eq(s.from_source, 1);
    ck_assert_uint_eq(s.from_cache, 0);
    ck_assert_uint_eq(s.rejected, 1);
    must_load();
}
END_TEST

START_TEST(an_empty_binary_is_not_saved)
{
    fault_next(&fault_sizes, 1, CL_SUCCESS);
    must_build();
    must_build();
    must_load();
    fault_next(&fault_sizes, 1, CL_INVALID_VALUE);
    setenv("AMD_OCL_BUILD_OPTIONS", "-DOTHER", 1);
    must_build();
    unsetenv("AMD_OCL_BUILD_OPTIONS");
    must_load();
}
END_TEST

/* ------------------------------------------------------ many processes */

enum { PROCESSES = 16, KILLS = 10, KILLS_LONG = 50 };

static const char *self;             /* argv[0] */

static pid_t start(const char *role)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(self, self, role, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

START_TEST(sixteen_cold_starts_at_once)
{
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start("start");
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    }
    verify();
    must_load();
}
END_TEST

START_TEST(killed_writers_leave_nothing_wrong)
{
    const int kills = getenv("ANSER_LONG") != NULL ? KILLS_LONG : KILLS;
    random_seed(4711);
    must_build();
    for (int i = 0; i < kills; i++) {
        struct timespec wait = { .tv_nsec = 2000000 };
        wait.tv_nsec += (long)(random_next() % 30000000);
        int status;
        pid_t pid = start("write");
        nanosleep(&wait, NULL);
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status));
        verify();
    }
    must_load();
    uint64_t n;
    struct anser_cache_stat *list;
    size_t left;
    ck_assert_int_eq(anser_cache_clear(ctx, &n), ANSER_OK);
    int dir = open_dir();
    ck_assert(anser_cache_dir_scan(dir, true, &list, &left));
    ck_assert_uint_eq(left, 0);
    free(list);
    close(dir);
}
END_TEST

/* Role "start": as a program that starts cold. */
static int role_start(void)
{
    anser_ctx *own;
    anser_device *opened;
    if (anser_ctx_new(&own) != ANSER_OK)
        return 1;
    if (anser_device_open(own, NULL, &opened) != ANSER_OK)
        return 2;
    int failed = anser_device_probe(opened) != ANSER_OK;
    anser_programs_save(opened);
    anser_device_close(opened);
    anser_ctx_free(own);
    return failed ? 3 : 0;
}

/* Role "write": entries of 200 KB, the same four again and again. */
static int role_write(void)
{
    static unsigned char payload[200000];
    const char *path = getenv("ANSER_CACHE_DIR");
    int dir = path == NULL ? -1 : open(path, O_RDONLY | O_DIRECTORY);
    if (dir < 0)
        return 1;
    for (unsigned i = 0; ; i++) {
        char identity[32];
        snprintf(identity, sizeof identity, "kind=5:other\nn=1:%u\n", i % 4);
        memset(payload, (int)(i % 251), sizeof payload);
        struct anser_cache_file file = {
            .identity = identity, .identity_bytes = strlen(identity),
            .payload = payload, .payload_bytes = sizeof payload
        };
        if (anser_cache_file_write(dir, &file) != NULL)
            return 2;
    }
}

static Suite *cache_hard_suite(void)
{
    Suite *suite = suite_create("cache_hard");
    TCase *tc = tcase_create("cache_hard");
    tcase_add_checked_fixture(tc, cache_set_up, cache_tear_down);
    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, a_symlink_for_a_directory);
    tcase_add_test(tc, a_symlink_or_fifo_for_a_file);
    tcase_add_test(tc, a_directory_for_everyone);
    tcase_add_test(tc, no_directory_can_be_made);
    tcase_add_test(tc, an_unwritable_directory);
    tcase_add_test(tc, a_full_disk);
    tcase_add_loop_test(tc, a_refused_binary_is_built_again, 0,
                        (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_test(tc, an_empty_binary_is_not_saved);
    tcase_add_test(tc, sixteen_cold_starts_at_once);
    tcase_add_test(tc, killed_writers_leave_nothing_wrong);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1 && strcmp(argv[1], "start") == 0)
        return role_start();
    if (argc > 1 && strcmp(argv[1], "write") == 0)
        return role_write();
    return cache_main(cache_hard_suite);
}
