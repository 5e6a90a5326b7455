/* SPDX-License-Identifier: MIT */
/*
 * Many tokens' phases on tensor cores: cl/nv_gemm.cl, cl/nv_few.cl,
 * cl/nv_chunk.cl and cl/nv_prefill.cl.  Between the phases y and h are halves (in work->xn and
 * work->h), so a layer has all five of these rows or none.  For NVIDIA, by
 * inline PTX, and for the layers that op/nv_phase.h serves.
 */
#ifndef ANSER_OP_NV_PREFILL_H
#define ANSER_OP_NV_PREFILL_H

#include "op/nv_chunk.h"
#include "op/nv_phase.h"

/* Products by where they read and what they write. */
enum { TILE_FLOATS, TILE_ADD, TILE_HALVES, TILE_DOWN, TILE_UP, TILE_KINDS };

/* By the number of tokens. */
enum { TILE_SIZES = 4 };

/* A kernel of nv_few.cl or nv_gemm.cl: rows and tokens of a group. */
struct anser_nv_tile {
    const char *file, *kernel, *options;
    uint32_t wg, rows, tokens;
};

/* What else stands between the products. */
enum { PREFILL_SHIFT, PREFILL_FINISH, PREFILL_BETWEEN };

/* The kernels for a shape on a device; `right` if they may be used. */
struct anser_nv_prefill {
    struct anser_nv_prefill *next;   /* owned                               */
    struct anser_nv_shape shape;
    const struct anser_nv_tile (*tiles)[TILE_SIZES];
    struct anser_kernel *tile[TILE_KINDS][TILE_SIZES];
    struct anser_kernel *between[PREFILL_BETWEEN];
    struct anser_nv_chunk chunk;
    bool right;
};
void anser_nv_prefill_free(struct anser_nv_prefill *list);

/* Builds the kernels, on any device with groups of 256. */
enum anser_status anser_nv_prefill_build(anser_device *device,
                                         const struct anser_nv_shape *shape,
                                         struct anser_nv_prefill *made);

/* Runs phase number `phase` by these kernels. */
void anser_nv_prefill_run(const struct anser_nv_prefill *k, unsigned phase,
                          const struct anser_pass *p,
                          const struct anser_layer *l);

/* Two made-up layers by these kernels and by the plain rows. */
enum anser_status anser_nv_prefill_check(anser_device *device,
                                         const struct anser_nv_prefill *k,
                                         struct anser_error *error);

/* The rows of the phase tables. */
bool anser_nv_prefill_fits(anser_device *device,
                           const struct anser_v7_shape *shape,
                           const struct anser_layer *l, uint32_t T);
void anser_nv_prefill_time_in(const struct anser_pass *p,
                              const struct anser_layer *l);
void anser_nv_prefill_time_mix(const struct anser_pass *p,
                               const struct anser_layer *l);
void anser_nv_prefill_time_out(const struct anser_pass *p,
                               const struct anser_layer *l);
void anser_nv_prefill_channel_in(const struct anser_pass *p,
                                 const struct anser_layer *l);
void anser_nv_prefill_channel_out(const struct anser_pass *p,
                                  const struct anser_layer *l);

#endif
