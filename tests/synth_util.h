/* SPDX-License-Identifier: MIT */
/* What the suites of random models share: the types, and tiny files. */
#ifndef ANSER_SYNTH_UTIL_H
#define ANSER_SYNTH_UTIL_H

#include "check_util.h"

/* The types that anser_synth knows. */
enum { SYNTH_TYPES = 5 };
extern const char *const synth_types[SYNTH_TYPES];

/* Options of the preset "tiny". */
struct anser_synth_options synth_tiny(void);
void synth_write_tiny(const char *path, const char *type, const char *variant,
                      uint64_t seed);

#endif
