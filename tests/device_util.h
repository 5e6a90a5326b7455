/* SPDX-License-Identifier: MIT */
/*
 * What the device suites share: one context and one device for the process,
 * opened by _main, which exits with 77 (skipped) only where no OpenCL device
 * is there at all.
 */
#ifndef ANSER_DEVICE_UTIL_H
#define ANSER_DEVICE_UTIL_H

#include "check_util.h"
#include "rt/device.h"

extern anser_ctx *test_device_ctx;
extern anser_device *test_device;

/* Opens the device (ANSER_TEST_DEVICE or automatic), runs the suite unforked,
 * closes it.  For `return test_device_main(suite());`. */
int test_device_main(Suite *suite);

/* Whether a simulator runs the suite (ANSER_TEST_TINY is set): then only what
 * is small. */
bool test_tiny_only(void);

/* Fails the test with the error's text. */
void test_device_ok(enum anser_status status);

/* Whether a row passed its trial.  It may be UNSUPPORTED and, where the device
 * leaves loops early (Mesa's llvmpipe, after 65,535 rounds of a work-item),
 * refused if it `goes_round_long`; else the test fails. */
bool test_device_tried(enum anser_status status, bool goes_round_long);

#endif
