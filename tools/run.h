/* SPDX-License-Identifier: MIT */
/* The options of anser run, which its conversation reads too. */
#ifndef ANSER_TOOLS_RUN_H
#define ANSER_TOOLS_RUN_H

#include "chat_format.h"
#include "generate.h"

struct anser_run_values {
    struct anser_session_values session;
    struct anser_sampler_options sampler;
    const char *prompt, *file;
    int64_t n;
    int greedy, echo, ignore_eos;
    struct anser_option_texts stops;
    const char *state_load, *state_save;
    int chat;
    const char *system, *think;
};

/* Holds a conversation: turns are prompt (or NULL), then lines of standard
 * input.  0, or -1 with the reason told. */
int anser_chat(struct anser_generator *g, const struct anser_run_values *v,
               const char *prompt);

/* The form of thinking that text (or NULL: none) names; 0, or -1. */
int anser_chat_think(const char *text, enum anser_think *think);

#endif
