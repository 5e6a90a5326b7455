/* SPDX-License-Identifier: MIT */
/* A token in one launch, tried on a small model of random weights. */
#ifndef ANSER_HELPER_TRIAL_H
#define ANSER_HELPER_TRIAL_H

#include "rt/device.h"

/* Tokens by phases and in one launch each: OK if all of the latter ran and the
 * logits have the same bits.  It may take the process down. */
enum anser_status try_whole_token(anser_device *device);

#endif
