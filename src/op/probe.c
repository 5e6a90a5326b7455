/* SPDX-License-Identifier: MIT */
/* Trying a variant in another process. */
#include "op/probe.h"

#include "rt/cache.h"
#include "rt/device_list.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* A compile takes about a second; beyond this the helper hangs. */
enum { PATIENCE_MS = 120000, LOOK_MS = 5 };

/* The exit status, or -1 if it was killed or did not end in time. */
static int wait_for(pid_t pid)
{
    const struct timespec look = { 0, LOOK_MS * 1000000L };
    int status;
    for (int ms = 0; ms < PATIENCE_MS; ms += LOOK_MS) {
        const pid_t done = waitpid(pid, &status, WNOHANG);
        if (done == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (done < 0)                /* the application reaps children itself */
            return -1;
        nanosleep(&look, NULL);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

/* Runs the helper in silence. */
static int spawn(const char *path, char *const *argv)
{
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    if (posix_spawn_file_actions_init(&quiet) != 0)
        return -1;
    for (int fd = 0; fd <= 2; fd++)
        posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    const int code = posix_spawn(&pid, path, &quiet, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return code != 0 ? -1 : wait_for(pid);
}

/* The device's number, as anser_device_open counts; false if it is not in the
 * list (a caller's own). */
static bool number(anser_device *device, char text[16])
{
    const struct anser_device_list *list;
    if (anser_device_list(device->ctx, &list) != ANSER_OK)
        return false;
    for (uint32_t i = 0; i < list->n; i++)
        if (list->entries[i].id == device->id) {
            snprintf(text, 16, "%u", (unsigned)i);
            return true;
        }
    return false;
}

enum answer { UNTRIED, RIGHT, REFUSED };

static enum answer ask(anser_device *device, const char *name,
                       const char *what, const char *text)
{
    const char *path = device->settings.helper;
    char which[16];
    if (access(path, X_OK) != 0 || !number(device, which))
        return UNTRIED;
    /* posix_spawn takes char * for historical reasons and changes nothing. */
    char *const argv[] = { (char *)(uintptr_t)path, which,
                           (char *)(uintptr_t)name, (char *)(uintptr_t)what,
                           (char *)(uintptr_t)text, NULL };
    return spawn(path, argv) == 0 ? RIGHT : REFUSED;
}

enum anser_status anser_probe(anser_device *device, const char *name,
                              const char *what, const char *text)
{
    char right[160], refused[168];
    snprintf(right, sizeof right, "probe/%s/%s/%s", name, what, text);
    snprintf(refused, sizeof refused, "no-%s", right);
    if (device->settings.is_probe || anser_cache_passed(device, right))
        return ANSER_OK;
    const enum answer answer = anser_cache_passed(device, refused)
                               ? REFUSED : ask(device, name, what, text);
    if (answer != UNTRIED)
        anser_cache_pass(device, answer == RIGHT ? right : refused);
    if (answer == RIGHT)
        return ANSER_OK;
    return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                      "%s %s did not pass in %s", name, what,
                      device->settings.helper);
}

enum anser_status anser_op_probe(anser_device *device,
                                 const struct anser_op *op,
                                 const struct anser_variant *row,
                                 uint32_t type)
{
    char kind[16];
    snprintf(kind, sizeof kind, "%u", (unsigned)type);
    return anser_probe(device, op->name, row->name, kind);
}
