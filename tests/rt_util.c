/* SPDX-License-Identifier: MIT */
/* A context and a device per test. */
#include "rt_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

anser_ctx *ctx;
anser_device *device;

void rt_set_up(void)
{
    fault_reset();
    unsetenv("ANSER_POOL_ENTRIES");
    unsetenv("ANSER_WAIT");
    setenv("ANSER_CACHE", "0", 1);
    ctx = test_ctx();
    device = NULL;
}

void rt_tear_down(void)
{
    anser_device_close(device);
    anser_ctx_free(ctx);
    fault_reset();
}

void rt_open(void)
{
    if (anser_device_open(ctx, NULL, &device) != ANSER_OK)
        ck_abort_msg("%s", anser_error(ctx));
}

void rt_reopen(void)
{
    anser_device_close(device);
    device = NULL;
    rt_open();
}

void rt_must_say(const char *part)
{
    if (strstr(anser_error(ctx), part) == NULL)
        ck_abort_msg("'%s' does not say '%s'", anser_error(ctx), part);
}

int rt_main(Suite *(*make)(void))
{
    uint32_t n;
    anser_ctx *own;
    if (anser_ctx_new(&own) != ANSER_OK)
        return EXIT_FAILURE;
    enum anser_status status = anser_device_count(own, &n);
    if (status != ANSER_OK)
        printf("skipped: %s\n", anser_error(own));
    anser_ctx_free(own);
    return status == ANSER_OK ? test_run(make(), 0) : 77;
}
