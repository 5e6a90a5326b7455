/* SPDX-License-Identifier: MIT */
/*
 * A whole token of a model, from the embedding's row to the logits, by kernels
 * that know of each other: as launches of its own beginning, the phases
 * (op/phase.h) and the end; or in one launch with the same arithmetic in the
 * same order, where another process has tried that (op/nv_token.c, cpu_token.c).
 *
 * One launch may give up, when a group of it does not run.  It and those after
 * it then leave the state that they were to read as it was, and logits of
 * which nothing can be chosen (all NaN); anser_token_settle tells.
 */
#ifndef ANSER_OP_TOKEN_H
#define ANSER_OP_TOKEN_H

#include "op/phase.h"

/* What a token is made of; all borrowed from the model. */
struct anser_token_parts {
    const struct anser_v7_shape *shape;
    const struct anser_layer *layers;
    const struct anser_matrix *head;
    uint32_t ln0_w, ln0_b, ln_out_w, ln_out_b;   /* in the vector buffer    */
    uint32_t n_plain;                /* phases of all layers by row 0       */
    uint64_t bytes;                  /* of weights, about what it reads     */
};

struct anser_token;

/* NULL if no kernels serve this model here.  The buffers of p are those of
 * later passes, or as good. */
enum anser_status anser_token_new(anser_device *device,
                                  const struct anser_token_parts *parts,
                                  const struct anser_pass *p,
                                  struct anser_token **token);
void anser_token_free(struct anser_token *token);

/* The norm of the embedding's row in work.x; norm and head of row 0 there.
 * Where it has no kernels for these, the plain ones serve. */
bool anser_token_has_ends(const struct anser_token *token);
void anser_token_begin(struct anser_token *token, const struct anser_pass *p);
void anser_token_end(struct anser_token *token, const struct anser_pass *p,
                     cl_mem logits);

/* Whether _run serves at all; whether it serves the next token, which is then
 * counted: after a launch that gave up, some are done by phases. */
bool anser_token_is_whole(const struct anser_token *token);
bool anser_token_is_next(struct anser_token *token);

/* Enqueues one launch from the embedding's row in work.x to the logits; the
 * id in work.ids is kept for _settle.  The state p->state is read and stays,
 * the new one is written to `to`.  True if the best token's id is left in
 * work.ids, as by anser_op_argmax. */
bool anser_token_run(struct anser_token *token, const struct anser_pass *p,
                     cl_mem to, cl_mem logits);

/* Waits for all launches since the last call; n of them, the last ones, did
 * nothing, and were fed ids(n).  After a failure _run serves no more, or not
 * for some tokens. */
#define ANSER_TOKEN_RING 64
struct anser_token_lost {
    uint32_t n, ids[ANSER_TOKEN_RING];
};
enum anser_status anser_token_settle(struct anser_token *token,
                                     struct anser_token_lost *lost);

#endif
