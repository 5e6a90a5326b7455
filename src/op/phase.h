/* SPDX-License-Identifier: MIT */
/*
 * The five phases of a layer, and the head: the shape of the graph.
 *
 *   A  time_in      norm, shift, r k v and the LoRA-downs
 *   B  time_mix     LoRA-ups, decay, recurrence, head norm, bonus, gate
 *   C  time_out     output projection, added to the residual
 *   D  channel_in   norm, shift, key, relu^2
 *   E  channel_out  value, added to the residual
 *
 * A phase needs all of the one before it.  Each is a table of variants whose
 * row 0 is composed of elementary operations (op/phase.c); fused kernels and
 * kernels for several phases come in as further rows and files.
 */
#ifndef ANSER_OP_PHASE_H
#define ANSER_OP_PHASE_H

#include "base/v7.h"
#include "op/op.h"
#include "rt/buffer.h"

/* The six blends of the shift, in the order of the file. */
enum anser_mix { MIX_R, MIX_W, MIX_K, MIX_V, MIX_A, MIX_G, MIX_COUNT };

/* A layer's weights: matrices in blocks, and where in the vector buffer its
 * float vectors begin. */
struct anser_layer {
    struct anser_matrix receptance, key, value, output;
    struct anser_matrix w1, w2, a1, a2, v1, v2, g1, g2;
    struct anser_matrix ffn_key, ffn_value;
    uint32_t ln1_w, ln1_b, ln2_w, ln2_b, lerp, ffn_lerp;
    uint32_t w0, a0, v0, k_k, k_a, r_k, ln_x_w, ln_x_b;
    uint32_t index;                  /* 0: v_first is made here             */
};

/* What is read in steps of tokens has room for whole ones. */
enum { ANSER_TOKEN_STEP = SH_NV_CHUNK };

/* The work space of a pass over up to `chunk` tokens; (T, C) where nothing is
 * said.  All owned. */
struct anser_work {
    uint32_t chunk;
    struct anser_buf ids;            /* (T)                                 */
    struct anser_buf x, xn;
    struct anser_buf mixed;          /* (MIX_COUNT, T, C)                   */
    struct anser_buf r, w, k, v, kk, a, g, y, v_first, v_lora;
    struct anser_buf low;            /* (T, Dw + Da + Dv + Dg)              */
    struct anser_buf h;              /* (T, F)                              */
    struct anser_buf argmax[2];      /* (ANSER_ARGMAX_PARTS)                */
    struct anser_buf id;             /* (1)                                 */
};

/* What a phase is run with. */
struct anser_pass {
    struct anser_queue *q;
    const struct anser_v7_shape *shape;
    const struct anser_elementary *elementary;
    const struct anser_work *work;
    cl_mem vecs;                     /* all float vectors of the model      */
    cl_mem state;
    uint32_t T;
};

/* One layer's state begins here, in floats. */
uint32_t anser_layer_state(const struct anser_v7_shape *shape, uint32_t layer);

struct anser_phase {
    const char *name;
    void (*run)(const struct anser_pass *p, const struct anser_layer *l);
    /* May this row serve the layer for T tokens? */
    bool (*fits)(anser_device *device, const struct anser_v7_shape *shape,
                 const struct anser_layer *l, uint32_t T);
};

/* The tables; the last row that fits is run. */
enum { PHASE_A, PHASE_B, PHASE_C, PHASE_D, PHASE_E, PHASE_COUNT };
struct anser_phase_table {
    const char *name;
    const struct anser_phase *rows;
    uint32_t n;
};
extern const struct anser_phase_table anser_phases[PHASE_COUNT];

/* The row that serves. */
const struct anser_phase *anser_phase_choose(
    unsigned phase, anser_device *device, const struct anser_v7_shape *shape,
    const struct anser_layer *l, uint32_t T);

#endif
