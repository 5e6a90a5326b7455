/* SPDX-License-Identifier: MIT */
/*
 * Files under a temporary name.  The name is taken with O_EXCL, so that two
 * writers of one target never share a file; the last one to finish wins.
 */
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (1 << 20)             /* bytes of stdio's buffer             */
#define TRIES 100                    /* temporary names                     */

static enum anser_status fail_io(const struct anser_tempfile *t,
                                 const char *verb)
{
    return anser_fail(t->ctx, ANSER_IO, "%s: cannot %s: %s; check the path, "
                      "its permissions and the free space", t->path, verb,
                      strerror(errno));
}

/* A rename would replace a device or a pipe by a file. */
static enum anser_status check_target(const struct anser_tempfile *t)
{
    struct stat st;
    if (stat(t->path, &st) != 0 || S_ISREG(st.st_mode))
        return ANSER_OK;
    return anser_fail(t->ctx, ANSER_IO, "%s: exists and is no plain file; "
                      "choose another name", t->path);
}

/* Makes the file; t->temporary is set only when the file is ours. */
static enum anser_status make(struct anser_tempfile *t, int *made)
{
    size_t cap = strlen(t->path) + 40;
    char *name = malloc(cap);
    if (name == NULL)
        return anser_fail_memory(t->ctx, cap);
    for (int i = 0; i < TRIES; i++) {
        snprintf(name, cap, "%s.%ld-%d.tmp", t->path, (long)getpid(), i);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            t->temporary = name;
            *made = fd;
            return ANSER_OK;
        }
        if (errno != EEXIST)
            break;
    }
    free(name);
    return fail_io(t, "make a file beside it");
}

static enum anser_status open_out(struct anser_tempfile *t)
{
    int fd = -1;
    TRY(check_target(t));
    TRY(make(t, &fd));
    t->out = fdopen(fd, "wb");
    if (t->out == NULL) {
        enum anser_status status = fail_io(t, "open it for writing");
        close(fd);
        return status;
    }
    setvbuf(t->out, NULL, _IOFBF, BUFFER);
    return ANSER_OK;
}

enum anser_status anser_tempfile_open(anser_ctx *ctx, const char *path,
                                      struct anser_tempfile *t)
{
    size_t n = strlen(path) + 1;
    *t = (struct anser_tempfile){ .ctx = ctx, .path = malloc(n) };
    if (t->path == NULL)
        return anser_fail_memory(ctx, n);
    memcpy(t->path, path, n);
    enum anser_status status = open_out(t);
    if (status != ANSER_OK)
        anser_tempfile_abandon(t);
    return status;
}

enum anser_status anser_tempfile_write(struct anser_tempfile *t,
                                       const void *data, size_t n)
{
    if (n > 0 && fwrite(data, 1, n, t->out) != n)
        return fail_io(t, "write");
    return ANSER_OK;
}

static enum anser_status rename_out(struct anser_tempfile *t)
{
    if (fflush(t->out) != 0 || fsync(fileno(t->out)) != 0)
        return fail_io(t, "write it to the disk");
    FILE *out = t->out;
    t->out = NULL;
    if (fclose(out) != 0)
        return fail_io(t, "close it");
    if (rename(t->temporary, t->path) != 0)
        return fail_io(t, "give it its name");
    free(t->temporary);
    t->temporary = NULL;
    return ANSER_OK;
}

enum anser_status anser_tempfile_finish(struct anser_tempfile *t)
{
    enum anser_status status = rename_out(t);
    anser_tempfile_abandon(t);
    return status;
}

void anser_tempfile_abandon(struct anser_tempfile *t)
{
    if (t->out != NULL)
        fclose(t->out);
    if (t->temporary != NULL)
        unlink(t->temporary);
    free(t->temporary);
    free(t->path);
    *t = (struct anser_tempfile){ .ctx = t->ctx };
}
