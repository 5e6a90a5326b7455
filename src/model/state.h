/* SPDX-License-Identifier: MIT */
/* The state of a sequence; anser.h tells what each does. */
#ifndef ANSER_MODEL_STATE_H
#define ANSER_MODEL_STATE_H

#include "model/model.h"

enum anser_status anser_state_make(anser_model *model, anser_state **state);
void anser_state_drop(anser_state *state);
enum anser_status anser_state_zero(anser_state *state);
enum anser_status anser_state_assign(anser_state *to, const anser_state *from);
enum anser_status anser_state_write(const anser_state *state,
                                    const char *path);
enum anser_status anser_state_read(anser_state *state, const char *path);

#endif
