/* SPDX-License-Identifier: MIT */
/* What the token loop needs to know of a sampler beyond anser.h. */
#ifndef ANSER_TEXT_SAMPLER_H
#define ANSER_TEXT_SAMPLER_H

#include "shared.h"

#include <anser.h>
#include <stdbool.h>

/* Whether its choice is the lowest id of the largest logit, whatever was drawn
 * before. */
bool anser_sampler_is_greedy(const anser_sampler *sampler);

/* The number of ids that it was made for. */
uint32_t anser_sampler_size(const anser_sampler *sampler);

/* Counts an id that was chosen elsewhere. */
void anser_sampler_count(anser_sampler *sampler, uint32_t id);

/* What another place needs to draw the next id as _sample would: the numbers,
 * and counts(V), which the next _count changes. */
void anser_sampler_args(const anser_sampler *sampler,
                        struct sample_args *args);
const float *anser_sampler_counts(const anser_sampler *sampler);

/* Fails as _sample does where nothing may be drawn. */
enum anser_status anser_sampler_refuse(const anser_sampler *sampler);

#endif
