/* SPDX-License-Identifier: MIT */
/* What the token loop needs to know of a sampler beyond anser.h. */
#ifndef ANSER_TEXT_SAMPLER_H
#define ANSER_TEXT_SAMPLER_H

#include <anser.h>
#include <stdbool.h>

/* Whether its choice is the lowest id of the largest logit, whatever was drawn
 * before: then the device may choose. */
bool anser_sampler_is_greedy(const anser_sampler *sampler);

/* Counts an id that was chosen elsewhere. */
void anser_sampler_count(anser_sampler *sampler, uint32_t id);

#endif
