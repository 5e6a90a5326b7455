/* SPDX-License-Identifier: MIT */
/*
 * Replacing a log under a lock.  The lock (fcntl) is on the file itself; since
 * it is replaced by a rename, whoever gets the lock looks whether the name
 * still stands for the locked file, and begins anew if not.  The lock goes
 * with the process, so nothing has to be cleaned up.
 */
#include "bench_append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fault(const char *path, const char *what)
{
    fprintf(stderr, "anser: %s: %s\n", path, what);
    return -1;
}

/* The name behind links, owned by the caller; the path itself where it does
 * not exist yet. */
static char *real_name(const char *path)
{
    char *real = realpath(path, NULL);
    if (real == NULL && errno == ENOENT)
        real = strdup(path);
    return real;
}

/* An open descriptor of the file that the name stands for, locked; made if
 * need be.  -1 with errno. */
static int open_locked(const char *name)
{
    for (;;) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        struct stat locked, named;
        int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return -1;
        int code;
        do
            code = fcntl(fd, F_SETLKW, &lock);
        while (code != 0 && errno == EINTR);
        if (code == 0 && fstat(fd, &locked) == 0 && stat(name, &named) == 0
            && locked.st_ino == named.st_ino
            && locked.st_dev == named.st_dev)
            return fd;
        const int why = code != 0 ? errno : 0;
        close(fd);
        if (why != 0) {
            errno = why;
            return -1;
        }
    }
}

static int read_locked(int fd, char **data, size_t *n)
{
    struct stat s;
    if (fstat(fd, &s) != 0)
        return -1;
    if (!S_ISREG(s.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    const size_t bytes = (size_t)s.st_size;
    char *text = malloc(bytes + 1);
    size_t have = 0;
    while (text != NULL && have < bytes) {
        ssize_t got = read(fd, text + have, bytes - have);
        if (got <= 0 && !(got < 0 && errno == EINTR)) {
            free(text);
            return -1;
        }
        have += got > 0 ? (size_t)got : 0;
    }
    if (text == NULL)
        return -1;
    text[bytes] = '\0';
    *data = text;
    *n = bytes;
    return 0;
}

static int write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, data, n);
        if (put < 0 && errno != EINTR)
            return -1;
        data += put > 0 ? put : 0;
        n -= put > 0 ? (size_t)put : 0;
    }
    return fsync(fd);
}

/* A new file with the old one's mode takes its name. */
static int replace(const char *name, int old, const struct anser_text *text)
{
    struct stat s;
    const size_t room = strlen(name) + 32;
    char *part = malloc(room);
    if (part == NULL || fstat(old, &s) != 0) {
        free(part);
        return -1;
    }
    snprintf(part, room, "%s.%ld.part", name, (long)getpid());
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int failed = fd < 0 || write_all(fd, text->at, text->n) != 0
        || fchmod(fd, s.st_mode & 07777) != 0 || rename(part, name) != 0;
    const int why = errno;
    if (fd >= 0)
        close(fd);
    if (failed && fd >= 0)
        unlink(part);
    errno = why;
    free(part);
    return failed ? -1 : 0;
}

static int append_to(const char *name, int fd, anser_append_fn *fn,
                     void *user)
{
    struct anser_text out = { .at = NULL };
    char *log = NULL;
    size_t n = 0;
    if (read_locked(fd, &log, &n) != 0)
        return fault(name, strerror(errno));
    const char *why = fn(user, log, n, &out);
    int failed = why != NULL ? fault(name, why) : 0;
    if (failed == 0 && replace(name, fd, &out) != 0)
        failed = fault(name, strerror(errno));
    free(log);
    anser_text_free(&out);
    return failed;
}

int anser_append(const char *path, anser_append_fn *fn, void *user)
{
    char *name = real_name(path);
    int fd = name == NULL ? -1 : open_locked(name);
    int failed = fd < 0 ? fault(path, strerror(errno))
                        : append_to(name, fd, fn, user);
    if (fd >= 0)
        close(fd);
    free(name);
    return failed;
}
