/* SPDX-License-Identifier: MIT */
/*
 * How fast a device reads and copies its own memory: what no kernel that
 * reads weights can beat, measured and not looked up.
 */
#ifndef ANSER_RT_BANDWIDTH_H
#define ANSER_RT_BANDWIDTH_H

#include "rt/device.h"

/* Bytes a second.  Each figure is the best of passes over one buffer (of the
 * whole device, at most 1 GiB and an eighth of its memory) that go on for at
 * least `seconds`; a copy counts the bytes read and those written. */
enum anser_status anser_bandwidth_measure(anser_device *device, double seconds,
                                          double *read, double *copy);

#endif
