/* SPDX-License-Identifier: MIT */
/* Losses, and logits saved and compared; see perplexity.h. */
#include "perplexity.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = { 'A', 'N', 'S', 'E', 'R', 'K', 'L', '1' };

double anser_log_sum(const float *x, uint32_t n, uint32_t *best)
{
    double sum = 0;
    *best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (x[i] > x[*best])
            *best = i;
    for (uint32_t i = 0; i < n; i++)
        sum += exp((double)x[i] - (double)x[*best]);
    return (double)x[*best] + log(sum);
}

void anser_loss_add(struct anser_loss *l, const float *logits, uint32_t V,
                    uint32_t id)
{
    uint32_t best;
    const double loss = anser_log_sum(logits, V, &best) - (double)logits[id];
    /* Welford: squares about the mean so far. */
    const double before = l->n > 0 ? l->sum / (double)l->n : 0;
    l->n++;
    l->sum += loss;
    l->squares += (loss - before) * (loss - l->sum / (double)l->n);
}

double anser_loss_error(const struct anser_loss *l)
{
    const double n = (double)l->n;
    return l->n > 1 ? sqrt(l->squares / (n - 1) / n) : 0;
}

/* ------------------------------------------------------------- files */

static int fault(const char *path, const char *what)
{
    fprintf(stderr, "anser: %s: %s\n", path, what);
    return -1;
}

static int open_base(struct anser_kl *kl, const char *base, uint32_t V)
{
    char head[sizeof magic];
    uint32_t sizes[2] = { 0, 0 };
    kl->base = fopen(base, "rb");
    if (kl->base == NULL)
        return fault(base, strerror(errno));
    if (fread(head, sizeof head, 1, kl->base) != 1
        || memcmp(head, magic, sizeof magic) != 0
        || fread(sizes, sizeof sizes, 1, kl->base) != 1)
        return fault(base, "no logits that anser perplexity saved");
    if (sizes[0] != V)
        return fault(base, "belongs to another vocabulary");
    return 0;
}

int anser_kl_open(struct anser_kl *kl, const char *save, const char *base,
                  uint32_t V)
{
    const uint32_t sizes[2] = { V, 0 };
    kl->path = save != NULL ? save : base;
    if (kl->path == NULL)
        return 0;
    kl->row = malloc(V * sizeof *kl->row);
    if (kl->row == NULL)
        return fault(kl->path, "out of memory");
    if (base != NULL)
        return open_base(kl, base, V);
    if (anser_io_create(&kl->out, save) != 0) {
        kl->out.file = NULL;
        return -1;
    }
    fwrite(magic, sizeof magic, 1, kl->out.file);
    fwrite(sizes, sizeof sizes, 1, kl->out.file);
    return 0;
}

static void compare(struct anser_kl *kl, const float *p, const float *q,
                    uint32_t V)
{
    uint32_t a, b;
    const double lp = anser_log_sum(p, V, &a), lq = anser_log_sum(q, V, &b);
    double sum = 0;
    for (uint32_t i = 0; i < V; i++) {
        const double x = (double)p[i] - lp;
        sum += exp(x) * (x - ((double)q[i] - lq));
    }
    kl->n++;
    kl->equal += a == b;
    kl->sum += sum;
    kl->most = sum > kl->most ? sum : kl->most;
}

int anser_kl_add(struct anser_kl *kl, const float *logits, uint32_t V,
                 const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n && kl->path != NULL; i++) {
        uint32_t id;
        if (kl->base == NULL) {
            fwrite(&ids[i], sizeof ids[i], 1, kl->out.file);
            fwrite(logits + i * V, sizeof *logits, V, kl->out.file);
            continue;
        }
        if (fread(&id, sizeof id, 1, kl->base) != 1
            || fread(kl->row, sizeof *kl->row, V, kl->base) != V)
            return fault(kl->path, "ends before the text does");
        if (id != ids[i])
            return fault(kl->path, "was saved from another text");
        compare(kl, kl->row, logits + i * V, V);
    }
    return 0;
}

int anser_kl_close(struct anser_kl *kl, int keep)
{
    int failed = 0;
    free(kl->row);
    if (kl->base != NULL)
        fclose(kl->base);
    if (kl->out.file == NULL)
        return 0;
    if (keep)
        failed = anser_io_finish(&kl->out);
    else
        anser_io_drop(&kl->out);
    return failed;
}
