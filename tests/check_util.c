/* SPDX-License-Identifier: MIT */
/* Scratch directories, paths and numbers for the suites. */
#include "check_util.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CAP = 1024, PATHS = 4 };

static char scratch[PATH_CAP / 2];

int test_run(Suite *suite, int forked)
{
    SRunner *runner = srunner_create(suite);
    if (!forked)
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static const char *env(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? otherwise : value;
}

/* One of PATHS buffers in turn. */
static char *next_path(void)
{
    static char paths[PATHS][PATH_CAP];
    static unsigned turn;
    return paths[turn++ % PATHS];
}

void test_enter(void)
{
    char parent[PATH_CAP / 4];
    const char *build = getenv("top_builddir");
    if (build != NULL)
        snprintf(parent, sizeof parent, "%s/tests/scratch", build);
    else
        snprintf(parent, sizeof parent, "%s", env("TMPDIR", "/tmp"));
    mkdir(parent, 0777);
    snprintf(scratch, sizeof scratch, "%s/anser-XXXXXX", parent);
    if (mkdtemp(scratch) == NULL)
        ck_abort_msg("no scratch directory %s", scratch);
}

/* Calls fn, if given, for every file of the scratch directory. */
static unsigned each_file(int (*fn)(const char *path))
{
    unsigned n = 0;
    DIR *dir = opendir(scratch);
    if (dir == NULL)
        return 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (fn != NULL)
            fn(test_path(e->d_name));
    }
    closedir(dir);
    return n;
}

void test_leave(void)
{
    each_file(remove);
    rmdir(scratch);
}

unsigned test_count_files(void)
{
    return each_file(NULL);
}

const char *test_path(const char *name)
{
    char *path = next_path();
    snprintf(path, PATH_CAP, "%s/%s", scratch, name);
    return path;
}

const char *test_vector(const char *name)
{
    char *path = next_path();
    snprintf(path, PATH_CAP, "%s/tests/vectors/%s", env("top_srcdir", "."),
             name);
    return path;
}

const char *test_shared(const char *name)
{
    char *path = next_path();
    const char *shared = getenv("ANSER_SHARED");
    if (shared != NULL && *shared != '\0')
        snprintf(path, PATH_CAP, "%s/%s", shared, name);
    else
        snprintf(path, PATH_CAP, "%s/../shared/%s", env("top_srcdir", "."),
                 name);
    return access(path, R_OK) == 0 ? path : NULL;
}

anser_ctx *test_ctx(void)
{
    anser_ctx *ctx = NULL;
    ck_assert_int_eq(anser_ctx_new(&ctx), ANSER_OK);
    return ctx;
}

static FILE *must_open(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);
    if (f == NULL)
        ck_abort_msg("cannot open %s", path);
    return f;
}

unsigned char *test_read_file(const char *path, size_t *n)
{
    struct stat st;
    FILE *f = must_open(path, "rb");
    ck_assert_int_eq(fstat(fileno(f), &st), 0);
    *n = (size_t)st.st_size;
    unsigned char *data = malloc(*n + 1);
    ck_assert_ptr_nonnull(data);
    ck_assert_uint_eq(fread(data, 1, *n, f), *n);
    fclose(f);
    return data;
}

void test_write_file(const char *path, const void *data, size_t n)
{
    FILE *f = must_open(path, "wb");
    if (n > 0)
        ck_assert_uint_eq(fwrite(data, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

float *test_read_floats(const char *path, size_t n)
{
    size_t bytes;
    unsigned char *data = test_read_file(path, &bytes);
    ck_assert_uint_eq(bytes, n * sizeof(float));
    float *values = malloc(bytes);
    ck_assert_ptr_nonnull(values);
    memcpy(values, data, bytes);
    free(data);
    return values;
}

float *test_read_numbers(const char *path, const char *title, size_t n)
{
    char line[256], wanted[64];
    FILE *f = must_open(path, "r");
    snprintf(wanted, sizeof wanted, "# %s\n", title);
    do {
        if (fgets(line, sizeof line, f) == NULL)
            ck_abort_msg("%s: no line \"# %s\"", path, title);
    } while (strcmp(line, wanted) != 0);
    float *values = calloc(n, sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (size_t i = 0; i < n; i++)
        if (fscanf(f, "%f", &values[i]) != 1)
            ck_abort_msg("%s: %s: fewer than %zu numbers", path, title, n);
    fclose(f);
    return values;
}

double test_max_diff(const float *a, const float *b, size_t n)
{
    double max = 0.0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        if (!(d <= max))
            max = isnan(d) ? INFINITY : d;
    }
    return max;
}
