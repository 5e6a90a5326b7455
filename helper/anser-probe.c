/* SPDX-License-Identifier: MIT */
/*
 * anser-probe DEVICE OPERATION ROW TYPE: builds one kernel variant and compares
 * it with the reference; exit status 0 if it is right.  The library starts it
 * (op/probe.c) for variants that can take the process down with them.
 */
#include "op/probe.h"
#include "op/select.h"

#include <stdlib.h>
#include <string.h>

static enum anser_status probe(anser_device *device, char **name)
{
    const struct anser_need need = {
        .type = (uint32_t)strtoul(name[2], NULL, 10), .rows = 256, .cols = 256
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

int main(int argc, char **argv)
{
    anser_ctx *ctx = NULL;
    anser_device *device = NULL;
    enum anser_status status = ANSER_BAD_ARG;
    if (argc == 5 && anser_ctx_new(&ctx) == ANSER_OK
        && anser_device_open(ctx, argv[1], &device) == ANSER_OK)
        status = probe(device, argv + 2);
    anser_device_close(device);
    anser_ctx_free(ctx);
    return status == ANSER_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
