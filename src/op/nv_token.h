/* SPDX-License-Identifier: MIT */
/* What a token by cl/nv_token.cl holds; for its trial. */
#ifndef ANSER_OP_NV_TOKEN_H
#define ANSER_OP_NV_TOKEN_H

#include "op/nv_phase.h"
#include "op/token.h"

struct anser_token {
    anser_device *device;            /* borrowed                            */
    const struct anser_nv *nv;       /* borrowed: the device's              */
    struct anser_buf layers, sync;   /* owned                               */
    struct ends_args ends;
    cl_mem W;
    uint32_t groups;                 /* of one launch                       */
    uint32_t patient;                /* barriers that wait (for tests)      */
    uint32_t serial, settled;        /* launches; of them known to be over  */
    uint32_t arrived;                /* at barriers, in all of them         */
    bool whole;
};

/* A token without any trial, its buffers owned by the caller. */
enum anser_status anser_nv_token_make(anser_device *device,
                                      const struct anser_nv *nv,
                                      const struct anser_token_parts *parts,
                                      struct anser_token *made);
void anser_nv_token_drop(struct anser_token *token);

/* How many groups of the kernel run at once, at most 4 times what is meant. */
enum anser_status anser_nv_count_groups(struct anser_token *token,
                                        const struct anser_pass *p,
                                        uint32_t *seen);

#endif
