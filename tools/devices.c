/* SPDX-License-Identifier: MIT */
/* anser devices: every OpenCL device, and which kernels Anser would use. */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>

struct values {
    struct anser_session_values session;
};

static const char *yes(int fact)
{
    return fact ? "yes" : "no";
}

static void print_device(uint32_t i, const struct anser_device_info *d)
{
    double mib = 1.0 / (1024 * 1024);
    printf("%s%" PRIu32 ": %s\n", i > 0 ? "\n" : "", i, d->name);
    printf("   platform      %s\n", d->platform);
    printf("   vendor        %s\n", d->vendor);
    printf("   kind          %s\n", d->kind);
    printf("   driver        %s\n", d->driver);
    printf("   version       %s\n", d->version);
    printf("   language      %s\n", d->c_version);
    printf("   memory        %.0f MiB\n", (double)d->memory * mib);
    printf("   one buffer    %.0f MiB\n", (double)d->max_alloc * mib);
    printf("   local memory  %.0f KiB\n", (double)d->local_memory / 1024);
    printf("   compute units %" PRIu32 ", work-groups of up to %" PRIu32 "\n",
           d->units, d->max_group);
    printf("   fp16          %s\n", yes(d->fp16));
    printf("   sub-groups    %s\n", yes(d->subgroups));
    printf("   host memory   %s\n", d->unified ? "shared" : "apart");
    printf("   %-13s %s: %s\n", d->usable ? "tier" : "refused", d->tier,
           d->why);
}

static int print_devices(const struct anser_session *s)
{
    uint32_t n = 0;
    if (anser_session_check(s, anser_device_count(s->ctx, &n)) != 0)
        return EXIT_FAILED;
    for (uint32_t i = 0; i < n; i++) {
        struct anser_device_info info = { .size = sizeof info };
        if (anser_session_check(s, anser_device_info(s->ctx, i, &info)) != 0)
            return EXIT_FAILED;
        print_device(i, &info);
    }
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    struct anser_session s;
    if (n != 0)
        return anser_command_misused(&anser_command_devices,
                                     "unexpected '%s'", operands[0]);
    int code = EXIT_FAILED;
    if (anser_session_begin(&s, &v->session) == 0)
        code = print_devices(&s);
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_devices = {
    .name = "devices",
    .job = "the OpenCL devices that are there",
    .usage = "[options]",
    .shares = SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
