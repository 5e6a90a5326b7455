/* SPDX-License-Identifier: MIT */
/*
 * How the host waits for an event (ANSER_WAIT):
 *   block   clWaitForEvents, the driver's own way
 *   poll    asks for the event's status, giving way in between
 *   thread  a thread of ours polls; the caller sleeps on a condition
 */
#ifndef ANSER_RT_WAIT_H
#define ANSER_RT_WAIT_H

#include "rt/settings.h"
#include "rt/cl.h"

struct anser_waiter;

/* Starts the thread if the setting asks for one. */
enum anser_status anser_waiter_new(anser_ctx *ctx, enum anser_wait how,
                                   struct anser_waiter **waiter);
void anser_waiter_free(struct anser_waiter *waiter);
enum anser_wait anser_waiter_how(const struct anser_waiter *waiter);

/* Returns when the event is complete: CL_SUCCESS, or the negative code with
 * which its command ended.  The queue must have been flushed. */
cl_int anser_waiter_wait(struct anser_waiter *waiter, cl_event event);

#endif
