/* SPDX-License-Identifier: MIT */
/*
 * What was measured on a device: the fastest row of an operation or phase by
 * type and shape, and up to how many tokens the matrix-vector kernel wins.  A text file
 * a device, beside the program cache (ANSER_TUNING moves it):
 *
 *     anser-tuning 1
 *     device NAME
 *     driver VERSION
 *     kernels SHA-256 of all kernel texts
 *     matmul-few Q4_K 1024 768 group
 *     crossover Q4_K 1024 768 5
 *     norm F32 0 768 group
 *     time-in Q4_K 3072 768 plain
 *     end 4
 *
 * An operation without a matrix has 0 rows; a phase has F rows, C columns and
 * receptance's type, and holds for one token.
 * It is taken whole or not at all: one wrong line, another device, driver or
 * kernel text, and the table stays as it was.
 */
#ifndef ANSER_OP_TUNING_H
#define ANSER_OP_TUNING_H

#include "op/variant.h"

#define ANSER_TUNING_CROSSOVER "crossover"   /* the "operation" of a figure */
#define ANSER_TUNING_ENTRIES_MAX 4096
#define ANSER_TUNING_TOKENS_MAX 65536

struct anser_tuning_entry {
    char op[24];
    uint32_t type, rows, cols;
    char value[24];                  /* a row's name, or a number           */
};

struct anser_tuning {
    struct anser_tuning_entry *entries;      /* owned (n)                   */
    uint32_t n;
};

void anser_tuning_free(struct anser_tuning *tuning);

/* The value for an operation, type and shape; NULL if none was measured.
 * tuning may be NULL. */
const char *anser_tuning_find(const struct anser_tuning *tuning,
                              const char *op, const struct anser_need *need);

/* Adds or replaces an entry of *tuning, which is made if it is NULL. */
enum anser_status anser_tuning_put(anser_ctx *ctx,
                                   struct anser_tuning **tuning,
                                   const struct anser_tuning_entry *entry);

/* The device's own file in path(cap), "" if there is no place for one. */
void anser_tuning_place(const anser_device *device, char *path, size_t cap);

/* IO, or BAD_FILE that names the line; *tuning is then untouched. */
enum anser_status anser_tuning_read(anser_device *device, const char *path,
                                    struct anser_tuning **tuning);
enum anser_status anser_tuning_write(const anser_device *device,
                                     const struct anser_tuning *tuning,
                                     const char *path);

/* Imports the device's own file, if it has one; what is wrong with it goes to
 * the log, and nothing is imported then. */
void anser_tuning_begin(anser_device *device, struct anser_op_memory *m);

#endif
