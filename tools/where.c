/* SPDX-License-Identifier: MIT */
/*
 * Where the model is if -m doesn't say: $ANSER_MODEL, the folder models/ of a
 * build tree around the program, the installed data folder.  And where a build
 * tree's helper is.
 */
#include "session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

#define DEFAULT_MODEL "tales-q4_k_m.gguf"

static const char *program = "anser";

static int program_folder(char *folder);

/* In a build tree the helper that tries risky kernels isn't installed yet, but
 * stands beside the program (or above .libs, where libtool puts it). */
static void find_helper(void)
{
    static const char *const places[] = { "", "/.." };
    char folder[PATH_MAX], path[PATH_MAX + 32];
    if (getenv("ANSER_HELPER") != NULL || program_folder(folder) != 0)
        return;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s/anser-probe", folder, places[i]);
        if (access(path, X_OK) == 0) {
            setenv("ANSER_HELPER", path, 0);
            return;
        }
    }
}

void anser_session_program(const char *argv0)
{
    if (argv0 != NULL)
        program = argv0;
    find_helper();
}

/* The program's folder to folder(PATH_MAX), links resolved; 0 or -1. */
static int program_folder(char *folder)
{
    char *real = NULL;
    if (strchr(program, '/') != NULL)
        real = realpath(program, NULL);
    else
        real = realpath("/proc/self/exe", NULL);
    if (real == NULL)
        return -1;
    char *slash = strrchr(real, '/');
    int ok = slash != NULL && (size_t)(slash - real) < PATH_MAX;
    if (ok) {
        *slash = '\0';
        memcpy(folder, real, (size_t)(slash - real) + 1);
    }
    free(real);
    return ok ? 0 : -1;
}

int anser_session_data(const char *tree, const char *name, char *path,
                       size_t cap)
{
    /* A build tree has the program in it or in .libs, and may itself stand in
     * the source tree. */
    static const char *const trees[] = { "", "/..", "/../.." };
    char folder[PATH_MAX];
    int near = program_folder(folder) == 0;
    for (size_t i = 0; near && i < sizeof trees / sizeof trees[0]; i++) {
        snprintf(path, cap, "%s%s/%s", folder, trees[i], tree);
        if (access(path, R_OK) == 0)
            return 0;
    }
    snprintf(path, cap, "%s/%s", ANSER_DATADIR, name);
    return access(path, R_OK) == 0 ? 0 : -1;
}

const char *anser_session_path(const struct anser_session_values *values)
{
    static char path[PATH_MAX + 64];
    const char *named = getenv("ANSER_MODEL");
    if (values->model != NULL)
        return values->model;
    if (named != NULL && *named != '\0')
        return named;
    if (anser_session_data("models/" DEFAULT_MODEL, DEFAULT_MODEL, path,
                           sizeof path) == 0)
        return path;
    fprintf(stderr, "anser: no model: give one with -m FILE or in "
            "$ANSER_MODEL; there is no default model near the program or at "
            "%s\n", path);
    return NULL;
}
