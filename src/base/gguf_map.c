/* SPDX-License-Identifier: MIT */
/*
 * From a path to mapped bytes.  The file must stay as it is while it is
 * mapped: cutting it short from outside ends the program with SIGBUS.
 */
#include "base/gguf_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum anser_status fail_io(const anser_file *file, const char *verb,
                                 const char *advice)
{
    return anser_fail(file->ctx, ANSER_IO, "%s: cannot %s: %s; %s",
                      file->path, verb, strerror(errno), advice);
}

static enum anser_status check_kind(const anser_file *file,
                                    const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return anser_fail(file->ctx, ANSER_IO, "%s: is a directory; "
                          "name the GGUF file in it", file->path);
    if (!S_ISREG(st->st_mode))
        return anser_fail(file->ctx, ANSER_IO, "%s: is a pipe or a device, "
                          "which cannot be mapped; name a plain file",
                          file->path);
    if (st->st_size == 0)
        return anser_fail(file->ctx, ANSER_BAD_FILE, "%s: is empty; "
                          "download or write it again", file->path);
    if ((uint64_t)st->st_size > SIZE_MAX)
        return anser_fail(file->ctx, ANSER_UNSUPPORTED, "%s: %llu bytes do "
                          "not fit in the address space; use a 64-bit build",
                          file->path, (unsigned long long)st->st_size);
    return ANSER_OK;
}

static enum anser_status map_fd(anser_file *file, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fail_io(file, "read its size", "check the file system");
    TRY(check_kind(file, &st));
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return fail_io(file, "map it", "check the file system and the limit "
                       "of address space (ulimit -v)");
    file->map = map;
    file->bytes = (uint64_t)st.st_size;
    return ANSER_OK;
}

enum anser_status anser_gguf_map(anser_file *file)
{
    /* O_NONBLOCK: a FIFO without a writer would wait for ever. */
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return fail_io(file, "open it", "check the path and its permissions");
    enum anser_status status = map_fd(file, fd);
    close(fd);
    return status;
}

void anser_gguf_unmap(anser_file *file)
{
    /* munmap takes no pointer to const. */
    if (file->map != NULL)
        munmap((void *)(uintptr_t)file->map, (size_t)file->bytes);
    file->map = NULL;
}
