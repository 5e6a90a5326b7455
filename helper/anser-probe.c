/* SPDX-License-Identifier: MIT */
/*
 * anser-probe DEVICE OPERATION ROW TYPE: builds one kernel variant and compares
 * it with the reference, or tokens in one launch with tokens by phases; exit
 * status 0 if it is right.  The library starts it
 * (op/probe.c) for variants that can take the process down with them.
 */
#include "op/nv_phase.h"
#include "op/probe.h"
#include "op/select.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A token in one launch: for NVIDIA, TYPE is a shape; for a CPU it names the
 * row for single tokens of those matrices that it fits. */
static enum anser_status probe_token(anser_device *device, char **name)
{
    struct anser_nv_shape shape;
    device->settings.is_probe = true;
    if (strcmp(name[1], "cpu") == 0) {
        snprintf(device->settings.variant, sizeof device->settings.variant,
                 "matmul-few=%s", name[2]);
        return try_whole_token(device);
    }
    if (!anser_nv_shape_read(name[2], &shape))
        return ANSER_BAD_ARG;
    return anser_nv_try_token(device, &shape);
}

static enum anser_status probe(anser_device *device, char **name)
{
    const struct anser_need need = {
        .type = (uint32_t)strtoul(name[2], NULL, 10), .rows = 256, .cols = 256,
        .sparse = true
    };
    const struct anser_op *op = anser_op_named(name[0], strlen(name[0]));
    const struct anser_variant *row
        = op == NULL ? NULL : anser_row_named(op, name[1], strlen(name[1]));
    struct anser_chosen chosen;
    struct anser_error error;
    if (row == NULL || (op->typed && anser_block_find(need.type) == NULL))
        return ANSER_BAD_ARG;
    device->settings.is_probe = true;
    return anser_op_row(device, op, (uint32_t)(row - op->rows), &need,
                        &chosen, &error);
}

/* For a person who meets it in libexec; whether there was something to tell. */
static bool told(const char *option)
{
    if (strcmp(option, "--version") == 0)
        printf("anser-probe (Anser) %s\n", anser_version_string());
    else if (strcmp(option, "--help") == 0)
        puts("usage: anser-probe DEVICE OPERATION ROW TYPE\n\n"
             "Tries one kernel variant in a process of its own; started by "
             "libanser.");
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    if (argc == 2 && told(argv[1]))
        return EXIT_SUCCESS;
    anser_ctx *ctx = NULL;
    anser_device *device = NULL;
    enum anser_status status = ANSER_BAD_ARG;
    if (argc == 5 && anser_ctx_new(&ctx) == ANSER_OK
        && anser_device_open(ctx, argv[1], &device) == ANSER_OK)
        status = strcmp(argv[2], "token") == 0
                 ? probe_token(device, argv + 2) : probe(device, argv + 2);
    anser_device_close(device);
    anser_ctx_free(ctx);
    return status == ANSER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
