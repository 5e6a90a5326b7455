/* SPDX-License-Identifier: MIT */
/* What the suites of the runtime share: a context and a device per test, and
 * the exit status 77 (skipped) where there is no device. */
#ifndef ANSER_RT_UTIL_H
#define ANSER_RT_UTIL_H

#include "check_util.h"
#include "cl_faults.h"

#include "rt/device.h"

extern anser_ctx *ctx;
extern anser_device *device;         /* NULL until rt_open                  */

/* A checked fixture: no faults, no settings, the cache off. */
void rt_set_up(void);
void rt_tear_down(void);

/* Opens the automatic choice; fails the test if that fails. */
void rt_open(void);

/* Closes and opens again. */
void rt_reopen(void);

/* Fails the test unless anser_error has this in it. */
void rt_must_say(const char *part);

/* main of a suite that needs a device. */
int rt_main(Suite *(*make)(void));

#endif
