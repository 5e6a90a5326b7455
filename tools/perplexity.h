/* SPDX-License-Identifier: MIT */
/*
 * Losses of predicted tokens, and logits on disk to which others are compared:
 * "ANSERKL1", u32 V, u32 0, then for each position u32 token and V float32,
 * all little-endian.
 */
#ifndef ANSER_TOOLS_PERPLEXITY_H
#define ANSER_TOOLS_PERPLEXITY_H

#include "io.h"

#include <stdint.h>

/* log of the sum of exp(x(n)), with the first of the largest in *best. */
double anser_log_sum(const float *x, uint32_t n, uint32_t *best);

struct anser_loss {
    uint64_t n;
    double sum, squares;             /* of losses, and about the mean       */
};

/* -log softmax(logits(V))[id] */
void anser_loss_add(struct anser_loss *loss, const float *logits, uint32_t V,
                    uint32_t id);
/* The standard error of the mean, losses taken as independent. */
double anser_loss_error(const struct anser_loss *loss);

/* Divergence of this run (Q) from the saved one (P), sum of P log(P / Q). */
struct anser_kl {
    struct anser_io_file out;        /* being saved                         */
    FILE *base;                      /* being compared with                 */
    const char *path;
    float *row;                      /* owned (V)                           */
    uint64_t n, equal;               /* equal: positions with one best token */
    double sum, most;
};

/* Either path may be NULL; each returns 0, or -1 with the reason told. */
int anser_kl_open(struct anser_kl *kl, const char *save, const char *base,
                  uint32_t V);
int anser_kl_add(struct anser_kl *kl, const float *logits, uint32_t V,
                 const uint32_t *ids, size_t n);
/* keep: the saved file is complete. */
int anser_kl_close(struct anser_kl *kl, int keep);

#endif
