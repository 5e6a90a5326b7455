/* SPDX-License-Identifier: MIT */
/* What a model needs on a device, told before anything is uploaded. */
#ifndef ANSER_MODEL_NEED_H
#define ANSER_MODEL_NEED_H

#include "base/v7.h"

/* Weights as in the file, vectors, the work space of `chunk` tokens at once
 * (0: a GPU's default) and one state, in bytes. */
uint64_t anser_v7_device_bytes(const struct anser_v7_file *v7, uint32_t chunk);

#endif
