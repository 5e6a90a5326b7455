/* SPDX-License-Identifier: MIT */
/* Reading, verifying and writing one entry of the cache; see the header for
 * the layout.  Nothing of a file is used before all of it has been checked:
 * drivers abort the process on a damaged binary. */
#include "rt/cache_file.h"

#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "ANSERC1\n";
const char anser_cache_file_absent[] = "there is none";

#define TRIES 16

void anser_cache_file_name(const char *identity, size_t bytes,
                           char name[ANSER_CACHE_NAME])
{
    unsigned char hash[ANSER_DIGEST];
    anser_digest(identity, bytes, hash);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(name + 2 * i, 3, "%02x", hash[i]);
    strcpy(name + 2 * sizeof hash, ".anser");
}

/* ----------------------------------------------------------------- read */

/* Opens a regular file of ours that only we can write; NULL, or why not. */
static const char *open_entry(int dir, const char *name, int *fd,
                              size_t *bytes)
{
    struct stat st;
    const char *why = NULL;
    int f = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (f < 0)
        return errno == ENOENT ? anser_cache_file_absent
                               : "it can't be opened";
    if (fstat(f, &st) != 0 || !S_ISREG(st.st_mode))
        why = "it is no regular file";
    else if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
        why = "others may have written it";
    else if (st.st_size < ANSER_CACHE_HEADER
             || (uint64_t)st.st_size > ANSER_CACHE_FILE_MAX)
        why = "its size is impossible";
    if (why != NULL) {
        close(f);
        return why;
    }
    *fd = f;
    *bytes = (size_t)st.st_size;
    return NULL;
}

static bool read_all(int fd, unsigned char *data, size_t bytes)
{
    size_t at = 0;
    while (at < bytes) {
        ssize_t n = read(fd, data + at, bytes - at);
        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Every byte of the file is covered: magic, zeros and lengths by comparison,
 * the payload by its hash, the identity by the file's name. */
static const char *check(struct anser_cache_file *file, size_t bytes,
                         const char *name)
{
    uint32_t identity, zero;
    uint64_t payload;
    unsigned char hash[ANSER_DIGEST];
    char right[ANSER_CACHE_NAME];
    memcpy(&identity, file->data + 8, sizeof identity);
    memcpy(&zero, file->data + 12, sizeof zero);
    memcpy(&payload, file->data + 16, sizeof payload);
    if (memcmp(file->data, magic, sizeof magic) != 0 || zero != 0)
        return "it is of another format";
    size_t rest = bytes - ANSER_CACHE_HEADER;
    if (identity > rest || payload != rest - identity)
        return "its lengths are wrong";
    file->identity = (const char *)file->data + ANSER_CACHE_HEADER;
    file->identity_bytes = identity;
    file->payload = file->data + ANSER_CACHE_HEADER + identity;
    file->payload_bytes = (size_t)payload;
    anser_digest(file->payload, file->payload_bytes, hash);
    if (memcmp(hash, file->data + 24, sizeof hash) != 0)
        return "its checksum is wrong";
    anser_cache_file_name(file->identity, identity, right);
    return strcmp(name, right) == 0 ? NULL : "its name is wrong";
}

const char *anser_cache_file_read(int dir, const char *name,
                                  struct anser_cache_file *file)
{
    int fd;
    size_t bytes;
    const char *why = open_entry(dir, name, &fd, &bytes);
    if (why != NULL)
        return why;
    struct anser_cache_file made = { .data = malloc(bytes) };
    if (made.data == NULL)
        why = "no memory";
    else if (!read_all(fd, made.data, bytes))
        why = "it can't be read";
    else
        why = check(&made, bytes, name);
    if (why == NULL) {
        (void)futimens(fd, NULL);    /* used now; a read-only disk may refuse */
        *file = made;
    } else {
        free(made.data);
    }
    close(fd);
    return why;
}

void anser_cache_file_free(struct anser_cache_file *file)
{
    free(file->data);
    *file = (struct anser_cache_file){ .data = NULL };
}

/* ---------------------------------------------------------------- write */

static bool write_all(int fd, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    size_t at = 0;
    while (at < bytes) {
        ssize_t n = write(fd, from + at, bytes - at);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A new file that nobody else has; its name is unique by process and time. */
static int create(int dir, char name[ANSER_CACHE_NAME])
{
    struct timespec now;
    for (int i = 0; i < TRIES; i++) {
        clock_gettime(CLOCK_REALTIME, &now);
        snprintf(name, ANSER_CACHE_NAME, ".tmp-%ld-%lld-%ld-%d",
                 (long)getpid(), (long long)now.tv_sec, now.tv_nsec, i);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
                                       | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static bool write_parts(int fd, const struct anser_cache_file *file)
{
    unsigned char header[ANSER_CACHE_HEADER] = { 0 };
    uint32_t identity = (uint32_t)file->identity_bytes;
    uint64_t payload = file->payload_bytes;
    memcpy(header, magic, sizeof magic);
    memcpy(header + 8, &identity, sizeof identity);
    memcpy(header + 16, &payload, sizeof payload);
    anser_digest(file->payload, file->payload_bytes, header + 24);
    return write_all(fd, header, sizeof header)
           && write_all(fd, file->identity, file->identity_bytes)
           && write_all(fd, file->payload, file->payload_bytes)
           && fsync(fd) == 0;
}

const char *anser_cache_file_write(int dir,
                                   const struct anser_cache_file *file)
{
    char name[ANSER_CACHE_NAME], temporary[ANSER_CACHE_NAME];
    if (file->identity_bytes > ANSER_CACHE_FILE_MAX / 2
        || file->payload_bytes > ANSER_CACHE_FILE_MAX / 2)
        return "it is too large";
    int fd = create(dir, temporary);
    if (fd < 0)
        return strerror(errno);
    anser_cache_file_name(file->identity, file->identity_bytes, name);
    bool ok = write_parts(fd, file);
    ok = close(fd) == 0 && ok;
    if (ok && renameat(dir, temporary, dir, name) == 0)
        return NULL;
    const char *why = strerror(errno);
    unlinkat(dir, temporary, 0);
    return why;
}

/* ------------------------------------------------------------- identity */

/* The start of the line after a field's value, or NULL at a fault. */
static const char *next_field(const char *at, const char *end,
                              const char **value, size_t *bytes)
{
    const char *equals = memchr(at, '=', (size_t)(end - at));
    size_t n = 0;
    if (equals == NULL)
        return NULL;
    const char *c = equals + 1;
    for (; c < end && *c >= '0' && *c <= '9'; c++)
        n = n * 10 + (size_t)(*c - '0');
    if (c >= end || *c != ':' || n >= (size_t)(end - c - 1))
        return NULL;
    *value = c + 1;
    *bytes = n;
    return c + 1 + n + 1;
}

void anser_cache_file_field(const struct anser_cache_file *file,
                            const char *name, char *out, size_t cap)
{
    const char *at = file->identity, *end = at + file->identity_bytes;
    size_t length = strlen(name), bytes;
    const char *value;
    out[0] = '\0';
    while (at != NULL && at < end) {
        const char *next = next_field(at, end, &value, &bytes);
        if (next != NULL && (size_t)(value - at) > length
            && memcmp(at, name, length) == 0 && at[length] == '=') {
            if (bytes >= cap)
                bytes = cap - 1;
            memcpy(out, value, bytes);
            out[bytes] = '\0';
            return;
        }
        at = next;
    }
}
