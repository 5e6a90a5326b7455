/* SPDX-License-Identifier: MIT */
/* [V7:wkv] of many tokens by cl/nv_chunk.cl: a chunk of steps at once, and what
 * it reads, from the projections on.  For NVIDIA, by inline PTX. */
#ifndef ANSER_OP_NV_CHUNK_H
#define ANSER_OP_NV_CHUNK_H

#include "op/op.h"

struct anser_nv_chunk {
    struct anser_kernel *prepare, *steps;
};

/* Builds the kernels, on any device with groups of 128. */
enum anser_status anser_nv_chunk_build(anser_device *device,
                                       struct anser_nv_chunk *made);

/* One layer's: heads' v_lora, v_first, k and v as anser_op_prepare has them, w
 * and a are read only, kk is not touched.  records has room for SH_NV_RECORD
 * words a head and SH_NV_CHUNK tokens. */
struct anser_nv_recurrence {
    struct prepare_args prepare;
    uint32_t s_at;                   /* as in struct wkv_args               */
    struct anser_heads heads;
    cl_mem vecs, state, records;
};
void anser_nv_chunk_run(struct anser_queue *q,
                        const struct anser_nv_chunk *kernels,
                        const struct anser_nv_recurrence *r);

/* Made-up heads, more than one chunk of them, against ref. */
enum anser_status anser_nv_chunk_check(anser_device *device,
                                       const struct anser_nv_chunk *kernels,
                                       struct anser_error *error);

#endif
