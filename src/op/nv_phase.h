/* SPDX-License-Identifier: MIT */
/*
 * One token's phases by cl/nv_decode.cl: five launches a layer, matrices of
 * Q4_K times activations in int8.  For NVIDIA, by inline PTX; a model that is
 * to be precise, other block types and odd sizes keep the plain rows.
 */
#ifndef ANSER_OP_NV_PHASE_H
#define ANSER_OP_NV_PHASE_H

#include "op/phase.h"

/* What the kernels are compiled for. */
enum { NV_W, NV_A, NV_V, NV_G, NV_LORAS };
struct anser_nv_shape {
    uint32_t C, F;
    uint32_t rank[NV_LORAS], type[NV_LORAS];
};

/* The kernels of a shape on a device; `right` if they may be used. */
struct anser_nv {
    struct anser_nv *next;           /* owned                               */
    struct anser_nv_shape shape;
    struct anser_kernel *phase[PHASE_COUNT];
    struct anser_kernel *begin, *end, *token;
    uint32_t wg, groups;
    bool right;
};
void anser_nv_free(struct anser_nv *nv);

/* A shape as one word, and back; false if it is none. */
#define ANSER_NV_TEXT 96
void anser_nv_shape_write(const struct anser_nv_shape *shape,
                          char text[ANSER_NV_TEXT]);
bool anser_nv_shape_read(const char *text, struct anser_nv_shape *shape);

/* Builds the kernels of a shape, on any device with groups of 512. */
enum anser_status anser_nv_build(anser_device *device,
                                 const struct anser_nv_shape *shape,
                                 struct anser_nv *nv);

/* The shape of a layer, and whether its matrices can be read: all in one
 * buffer, as in the file, the large ones in Q4_K. */
struct anser_nv_shape anser_nv_shape_of(const struct anser_v7_shape *s,
                                        const struct anser_layer *l);
bool anser_nv_layer_fits(const struct anser_layer *l);

/* Builds the kernel of a token in one launch, too. */
enum anser_status anser_nv_build_token(anser_device *device,
                                       struct anser_nv *nv);

/* Many tokens of a made-up model, in one launch each and by phases: OK if the
 * bits are the same.  It may hang or take the process down. */
enum anser_status anser_nv_try_token(anser_device *device,
                                     const struct anser_nv_shape *shape);

/* Two made-up layers by these kernels and by the plain rows: the largest
 * difference of x and of the state. */
enum anser_status anser_nv_check(anser_device *device,
                                 const struct anser_nv *nv,
                                 struct anser_error *error);

/* The same for T tokens and what runs a phase by some kernels. */
typedef void anser_nv_run_fn(const void *kernels, unsigned phase,
                             const struct anser_pass *p,
                             const struct anser_layer *l);
struct anser_nv_trial {
    const struct anser_nv_shape *shape;
    uint32_t T;
    anser_nv_run_fn *run;
    const void *kernels;
};
enum anser_status anser_nv_compare(anser_device *device,
                                   const struct anser_nv_trial *trial,
                                   struct anser_error *error);

/* Runs phase number `phase` by these kernels. */
void anser_nv_run(const struct anser_nv *nv, unsigned phase,
                  const struct anser_pass *p, const struct anser_layer *l);

/* A layer's arguments; of p only the shape is looked at. */
struct layer_args anser_nv_args(const struct anser_pass *p,
                                const struct anser_layer *l);

/* The kernels of a layer that fits. */
struct anser_nv *anser_nv_of(anser_device *device,
                             const struct anser_v7_shape *shape,
                             const struct anser_layer *l);

/* The rows of the phase tables. */
bool anser_nv_fits(anser_device *device, const struct anser_v7_shape *shape,
                   const struct anser_layer *l, uint32_t T);
void anser_nv_time_in(const struct anser_pass *p, const struct anser_layer *l);
void anser_nv_time_mix(const struct anser_pass *p,
                       const struct anser_layer *l);
void anser_nv_time_out(const struct anser_pass *p,
                       const struct anser_layer *l);
void anser_nv_channel_in(const struct anser_pass *p,
                         const struct anser_layer *l);
void anser_nv_channel_out(const struct anser_pass *p,
                          const struct anser_layer *l);

#endif
