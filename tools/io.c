/* SPDX-License-Identifier: MIT */
/* Input and output of the program; see io.h. */
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int output_lost;              /* standard output failed and was told */

/* ------------------------------------------------------------- input */

static int read_all(FILE *file, const char *name, char **data, size_t *n)
{
    size_t have = 0, room = 65536;
    char *bytes = malloc(room);
    while (bytes != NULL) {
        have += fread(bytes + have, 1, room - have - 1, file);
        if (have + 1 < room)
            break;
        char *more = room > (size_t)-1 / 2 ? NULL : realloc(bytes, room * 2);
        if (more == NULL)
            free(bytes);
        bytes = more;
        room *= 2;
    }
    if (bytes == NULL || ferror(file)) {
        fprintf(stderr, "anser: %s: %s\n", name,
                bytes == NULL ? "out of memory" : strerror(errno));
        free(bytes);
        return -1;
    }
    bytes[have] = '\0';
    *data = bytes;
    *n = have;
    return 0;
}

int anser_io_read(const char *path, char **data, size_t *n)
{
    if (strcmp(path, "-") == 0)
        return read_all(stdin, "standard input", data, n);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "anser: %s: %s\n", path, strerror(errno));
        return -1;
    }
    int failed = read_all(file, path, data, n);
    fclose(file);
    return failed;
}

/* ------------------------------------------------------------- stdout */

static int lose_output(void)
{
    if (!output_lost)
        fprintf(stderr, "anser: standard output: %s\n", strerror(errno));
    output_lost = 1;
    return -1;
}

int anser_io_text(const void *text, size_t n)
{
    if (output_lost)
        return -1;
    if (fwrite(text, 1, n, stdout) != n || fflush(stdout) != 0)
        return lose_output();
    return 0;
}

int anser_io_close_stdout(void)
{
    if (output_lost)
        return -1;
    if (fflush(stdout) != 0 || ferror(stdout))
        return lose_output();
    return 0;
}

/* ------------------------------------------------------------- files */

int anser_io_create(struct anser_io_file *out, const char *path)
{
    size_t room = strlen(path) + 32;
    out->path = path;
    out->file = NULL;
    out->temporary = malloc(room);
    if (out->temporary != NULL) {
        snprintf(out->temporary, room, "%s.%ld.part", path, (long)getpid());
        out->file = fopen(out->temporary, "wb");
    }
    if (out->file != NULL)
        return 0;
    fprintf(stderr, "anser: %s: %s\n", path, strerror(errno));
    free(out->temporary);
    return -1;
}

int anser_io_finish(struct anser_io_file *out)
{
    int lost = ferror(out->file) != 0 || fflush(out->file) != 0
        || fsync(fileno(out->file)) != 0;
    lost |= fclose(out->file) != 0;
    if (lost || rename(out->temporary, out->path) != 0) {
        fprintf(stderr, "anser: %s: %s\n", out->path, strerror(errno));
        remove(out->temporary);
        lost = 1;
    }
    free(out->temporary);
    return lost ? -1 : 0;
}

void anser_io_drop(struct anser_io_file *out)
{
    fclose(out->file);
    remove(out->temporary);
    free(out->temporary);
}
