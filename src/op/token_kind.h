/* SPDX-License-Identifier: MIT */
/*
 * What kinds of kernels for whole tokens share (op/token.c), and what each
 * brings: nv_token.c, cpu_token.c.
 */
#ifndef ANSER_OP_TOKEN_KIND_H
#define ANSER_OP_TOKEN_KIND_H

#include "op/nv_phase.h"
#include "op/token.h"

/* One launch: how it begins and how many groups, where state and logits go. */
struct anser_token_launch {
    struct token_args args;
    uint32_t groups;
    cl_mem to, logits;
};

struct anser_token_kind {
    /* Whether its kernels serve this model. */
    bool (*fits)(anser_device *device, const struct anser_token_parts *parts,
                 const struct anser_elementary *elementary);
    /* Sets `made` up; what it holds after a failure, too, is freed by
     * anser_token_drop. */
    enum anser_status (*make)(anser_device *device,
                              const struct anser_token_parts *parts,
                              struct anser_token *made);
    /* OK if another process found one launch right; builds its kernel. */
    enum anser_status (*allow)(struct anser_token *token);
    void (*launch)(struct anser_token *token, const struct anser_pass *p,
                   const struct anser_token_launch *launch);
    /* Norm and head by kernels of their own; NULL: the plain ones. */
    void (*begin)(struct anser_token *token, const struct anser_pass *p);
    void (*end)(struct anser_token *token, const struct anser_pass *p,
                cl_mem logits);
    /* A launch leaves the best token's id in work.ids. */
    bool chooses;
    /* Looks of one wait before giving up, in a token and to count groups, of
     * which `count_times` as many as meant are started. */
    uint32_t looks, count_looks, count_times;
    /* Tokens by phases after a launch that gave up, at first; 0: all. */
    uint32_t pause;
};
extern const struct anser_token_kind anser_nv_token, anser_cpu_token;

struct anser_token {
    const struct anser_token_kind *kind;
    anser_device *device;            /* borrowed                            */
    struct anser_buf layers, sync;   /* owned                               */
    struct ends_args ends;
    cl_mem W;                        /* borrowed: all weights               */
    uint32_t told;                   /* NVIDIA: numbers behind sync's words  */
    uint32_t groups;                 /* of one launch                       */
    uint32_t looks;                  /* of one wait before giving up        */
    uint32_t patient;                /* phases that wait (for tests)        */
    uint32_t serial, settled;        /* launches; of them known to be over  */
    uint32_t arrived;                /* at barriers (CPUs), in all of them  */
    bool whole;                      /* one launch serves                   */
    uint32_t rest;                   /* tokens by phases until it is tried  */
    uint32_t pause, streak;          /* of the last rest, and launches since */

    struct anser_nv *nv;             /* NVIDIA: borrowed, the device's      */

    struct anser_kernel *kernel;     /* CPUs: borrowed, the device's        */
    const struct anser_variant *strip;         /* the head's: its form      */
    const struct anser_variant *columns;       /* of a ffn_value, or NULL   */
    uint32_t types;                  /* of the large matrices, a bit each   */
    struct cpu_token_args cpu;       /* all but .token                      */
    struct anser_buf slots;          /* owned: of the work-items            */
};

/* Sets what all kinds have, without buffers. */
void anser_token_init(struct anser_token *made,
                      const struct anser_token_kind *kind,
                      anser_device *device,
                      const struct anser_token_parts *parts);

/* Makes the buffers that all kinds have: the layers' arguments, and what the
 * groups tell each other. */
enum anser_status anser_token_fill(struct anser_token *token,
                                   const void *layers, size_t bytes);
void anser_token_drop(struct anser_token *token);

/* How many groups of the kernel run at once. */
enum anser_status anser_token_count(struct anser_token *token,
                                    const struct anser_pass *p,
                                    uint32_t *seen);

#endif
