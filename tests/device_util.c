/* SPDX-License-Identifier: MIT */
/* One context and one device for a suite that is not forked. */
#include "device_util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

anser_ctx *test_device_ctx;
anser_device *test_device;

enum { SKIPPED = 77 };

int test_device_main(Suite *suite)
{
    uint32_t n;
    if (anser_ctx_new(&test_device_ctx) != ANSER_OK)
        return EXIT_FAILURE;
    if (anser_device_count(test_device_ctx, &n) == ANSER_NO_DEVICE) {
        fprintf(stderr, "skipped: %s\n", anser_error(test_device_ctx));
        return SKIPPED;
    }
    if (anser_device_open(test_device_ctx, getenv("ANSER_TEST_DEVICE"),
                          &test_device) != ANSER_OK) {
        fprintf(stderr, "%s\n", anser_error(test_device_ctx));
        return EXIT_FAILURE;
    }
    printf("on %s\n", test_device->caps.name);
    const int result = test_run(suite, 0);
    anser_device_close(test_device);
    anser_ctx_free(test_device_ctx);
    return result;
}

bool test_tiny_only(void)
{
    return getenv("ANSER_TEST_TINY") != NULL;
}

void test_device_ok(enum anser_status status)
{
    if (status != ANSER_OK)
        ck_abort_msg("%s: %s", anser_status_text(status),
                     anser_error(test_device_ctx));
}

bool test_device_tried(enum anser_status status, bool goes_round_long)
{
    const bool leaves = strstr(test_device->caps.name, "llvmpipe") != NULL;
    if (status == ANSER_OK)
        return true;
    if (status != ANSER_UNSUPPORTED
        && !(status == ANSER_DEVICE_FAILED && leaves && goes_round_long))
        test_device_ok(status);
    return false;
}
