/* SPDX-License-Identifier: MIT */
/*
 * Bytes from the mapped file into buffers, by several threads: each copies
 * pieces into pinned memory, from where the device takes them at the full
 * speed of the bus, and has a queue of its own.  A device that works in the
 * host's memory takes them from the mapping itself.
 */
#ifndef ANSER_MODEL_UPLOAD_H
#define ANSER_MODEL_UPLOAD_H

#include "rt/device.h"

struct anser_upload;

enum anser_status anser_upload_new(anser_device *device, bool pinned,
                                   struct anser_upload **upload);
/* What still runs is ended first. */
void anser_upload_free(struct anser_upload *upload);

/* Before _start.  The data must stay until _finish. */
enum anser_status anser_upload_add(struct anser_upload *upload, cl_mem mem,
                                   size_t at, const unsigned char *data,
                                   size_t bytes);

/* Starts the threads; without one the work is done in here, as that of a few
 * bytes is. */
void anser_upload_start(struct anser_upload *upload);

/* Bytes that were read so far. */
uint64_t anser_upload_done(const struct anser_upload *upload);

/* Whether all were read. */
bool anser_upload_ended(const struct anser_upload *upload);

/* No more pieces are begun. */
void anser_upload_cancel(struct anser_upload *upload);

/* Waits until the device has all, or all that was begun. */
enum anser_status anser_upload_finish(struct anser_upload *upload);

#endif
