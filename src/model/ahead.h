/* SPDX-License-Identifier: MIT */
/*
 * Running ahead of the host: the device chooses a token and feeds it before
 * the host has seen it.  A caller may stop at any token, so state and logits
 * before every eighth are kept by copies on the device, the last two of them;
 * going back to token n is the kept state at or before n, and feeding the
 * tokens in between again, which gives the same bits.
 *
 * Keeping all of them would cost 2 % of a token (a state is read and written
 * once more); an eighth of that is paid on each token, up to eight tokens
 * once at a stop.
 */
#ifndef ANSER_MODEL_AHEAD_H
#define ANSER_MODEL_AHEAD_H

#include "model/model.h"
#include "op/sample.h"
#include "rt/inbox.h"

struct anser_ahead {
    anser_model *model;              /* borrowed                            */
    struct anser_buf floats[2], logits[2];       /* owned: kept             */
    struct anser_inbox *inbox;       /* owned: the ids of tokens            */
    struct anser_sampling *sampling; /* owned, made at first use            */
};

/* How many tokens may run ahead on this device: ANSER_AHEAD, or 2; 0 on a CPU,
 * which has nothing to overlap. */
uint32_t anser_ahead_depth(const anser_device *device);

/* What is needed, made at the model's first use, and how many tokens may run
 * ahead: 0 without memory for kept states.  NO_MEMORY. */
enum anser_status anser_ahead_get(anser_model *model,
                                  struct anser_ahead **ahead, uint32_t *depth);
enum anser_status anser_ahead_sampling(struct anser_ahead *ahead,
                                       struct anser_sampling **sampling);
void anser_ahead_free(struct anser_ahead *ahead);

/* Before token n is fed: keeps state and logits if n's turn has come. */
void anser_ahead_keep(struct anser_ahead *ahead, const anser_state *state,
                      uint64_t n);

/* Enqueues going back to before token n, at most ANSER_AHEAD_MAX behind the
 * last token fed; the ids are in the inbox. */
void anser_ahead_rewind(struct anser_ahead *ahead, anser_state *state,
                        uint64_t n);

#endif
