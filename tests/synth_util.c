/* SPDX-License-Identifier: MIT */
/* Tiny random models for the suites. */
#include "synth_util.h"

const char *const synth_types[SYNTH_TYPES] = {
    "q4_k_m", "q5_k_m", "q6_k", "q8_0", "f16"
};

struct anser_synth_options synth_tiny(void)
{
    return (struct anser_synth_options) {
        .size = sizeof(struct anser_synth_options), .preset = "tiny"
    };
}

void synth_write_tiny(const char *path, const char *type, const char *variant,
                      uint64_t seed)
{
    anser_ctx *ctx = test_ctx();
    struct anser_synth_options options = synth_tiny();
    options.type = type;
    options.variant = variant;
    options.seed = seed;
    if (anser_synth(ctx, &options, path) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
    anser_ctx_free(ctx);
}
