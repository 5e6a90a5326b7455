/* SPDX-License-Identifier: MIT */
/*
 * Words from the device that the host reads while the queue goes on: a ring
 * of them in pinned memory, each with its event.  Pinned, since drivers make
 * a read to other memory wait for the queue.
 */
#ifndef ANSER_RT_INBOX_H
#define ANSER_RT_INBOX_H

#include "rt/queue.h"

#define ANSER_INBOX_WORDS 32     /* word n is kept until n + 32 is asked for */

struct anser_inbox;
enum anser_status anser_inbox_new(anser_device *device,
                                  struct anser_inbox **inbox);
void anser_inbox_free(struct anser_inbox *inbox);

/* Enqueues reading the first word of mem as word n, and hands the queue to the
 * device. */
void anser_inbox_ask(struct anser_inbox *inbox, uint64_t n, cl_mem mem);

/* Waits for word n.  A failure of the queue before it is told and cleared, as
 * by anser_queue_finish. */
enum anser_status anser_inbox_take(struct anser_inbox *inbox, uint64_t n,
                                   uint32_t *word);

/* Where word n lies, to be written back to the device. */
const uint32_t *anser_inbox_word(const struct anser_inbox *inbox, uint64_t n);

#endif
