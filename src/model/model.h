/* SPDX-License-Identifier: MIT */
/*
 * A model on a device, and the state of a sequence.  weights.c fills the
 * weights, v7.c runs the graph, state.c keeps states.
 */
#ifndef ANSER_MODEL_MODEL_H
#define ANSER_MODEL_MODEL_H

#include "base/digest.h"
#include "op/token.h"

/* The rows of the five phases, for one token and for many. */
struct anser_layer_plan {
    const struct anser_phase *one[PHASE_COUNT], *many[PHASE_COUNT];
};

struct anser_model {
    anser_ctx *ctx;                  /* borrowed                            */
    anser_device *device;            /* borrowed                            */
    struct anser_v7_shape shape;
    bool precise;
    unsigned char fingerprint[ANSER_DIGEST];

    struct anser_matrix embd, head;
    uint32_t ln0_w, ln0_b, ln_out_w, ln_out_b;   /* in vecs                 */
    struct anser_layer *layers;      /* owned, (L)                          */
    struct anser_layer_plan *plans;  /* owned, (L)                          */
    struct anser_buf vecs;           /* owned                               */
    struct anser_buf *weights;       /* owned, (n_weights): few and large   */
    uint32_t n_weights;

    struct anser_elementary elementary;
    struct anser_chosen embed;
    struct anser_work work;          /* owned                               */
    struct anser_token *token;       /* owned; NULL: by phases only         */
    uint64_t device_bytes;
    unsigned states;                 /* that live                           */
    struct anser_ahead *ahead;       /* owned: model/ahead.h, at first use  */
};

struct anser_state {
    anser_model *model;              /* borrowed                            */
    struct anser_buf floats;         /* owned: (L, V7_STATE_FLOATS)         */
    struct anser_buf spare;          /* owned: the next or last one, or NULL */
    struct anser_buf logits;         /* owned: (V)                          */
    bool has_logits;                 /* after the last token fed            */
};

/* Puts all weights on the device, in two steps: when the first is done they
 * may still be on their way, and what needs only their places can be made
 * meanwhile; v7 and o must stay until the second, which frees `loading`.  The
 * model's device, ctx and precise are set; on failure what was made is freed
 * by anser_weights_free. */
struct anser_loading;
enum anser_status anser_weights_begin(anser_model *model,
                                      const struct anser_v7_file *v7,
                                      const struct anser_model_options *o,
                                      struct anser_loading **loading);
enum anser_status anser_weights_end(struct anser_loading *loading);
void anser_weights_free(anser_model *model);

/* The buffers of a pass over up to chunk tokens. */
enum anser_status anser_work_new(anser_device *device,
                                 const struct anser_v7_shape *shape,
                                 uint32_t chunk, struct anser_work *work);
void anser_work_free(anser_device *device, struct anser_work *work);
uint64_t anser_work_bytes(const struct anser_v7_shape *shape, uint32_t chunk);

/* Chooses the rows of the phases for every layer. */
enum anser_status anser_model_plan(anser_model *model);

/* Enqueues one pass: the T <= chunk ids in work.ids through all layers; the
 * state is advanced, work.x holds the residual stream. */
void anser_v7_forward(anser_state *state, uint32_t T);

/* Enqueues norm and head for the n tokens from `first` of the last pass, to
 * logits(n, V) in a buffer. */
void anser_v7_head(anser_state *state, uint32_t first, uint32_t n,
                   cl_mem logits);

/* What a phase over T tokens is run with; enqueues what comes before the
 * phases of layer 0. */
struct anser_pass anser_v7_pass(const anser_state *state, uint32_t T);
void anser_v7_begin(anser_state *state, const struct anser_pass *pass);

/* How large a part of relu^2's results is not zero while the model writes n
 * tokens from id 0 on, always the likeliest; 1 where phases are fused. */
enum anser_status anser_v7_density(anser_state *state, uint32_t n,
                                   double *density);

/* Chooses how single tokens are run; after the rows of the phases. */
enum anser_status anser_token_plan(anser_model *model);

/* Whether single tokens go from one buffer of the state to the other. */
bool anser_token_spares(const anser_model *model);

/* Enqueues one token, the first of work.ids, to the logits of the state.  True
 * if the id of the best next one is left in work.ids. */
bool anser_v7_token(anser_state *state);

/* Waits, as anser_queue_finish, and does again what a launch that gave up did
 * not do: the tokens in their order up to the first whose id was chosen by
 * the device after the failure (then `redone` tells that the last choices were
 * void).  Needed before the host relies on logits or state. */
enum anser_status anser_v7_settle(anser_state *state, bool *redone);

/* Tokens at once where the caller says nothing. */
uint32_t anser_default_chunk(const struct anser_caps *caps);

#endif
