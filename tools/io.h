/* SPDX-License-Identifier: MIT */
/*
 * Input and output of the program: whole files, standard output with its
 * errors told once, and output files that appear only when they are complete.
 */
#ifndef ANSER_TOOLS_IO_H
#define ANSER_TOOLS_IO_H

#include <stddef.h>
#include <stdio.h>

/* All of a file, or of standard input for "-", to *data (owned by the caller,
 * ended by a NUL that is not counted).  Tells an error on stderr, -1. */
int anser_io_read(const char *path, char **data, size_t *n);

/* Writes to standard output and flushes it.  The first error is told on stderr;
 * from then on -1. */
int anser_io_text(const void *text, size_t n);

/* Flushes standard output; -1 if anything written to it was lost. */
int anser_io_close_stdout(void);

/* An output file under a temporary name beside path. */
struct anser_io_file {
    FILE *file;
    const char *path;                /* borrowed                            */
    char *temporary;                 /* owned                               */
};
int anser_io_create(struct anser_io_file *out, const char *path);

/* Renames it to path if all was written (0), else leaves nothing (-1, told). */
int anser_io_finish(struct anser_io_file *out);

/* Leaves nothing of it. */
void anser_io_drop(struct anser_io_file *out);

#endif
