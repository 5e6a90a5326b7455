/* SPDX-License-Identifier: MIT */
/*
 * A matrix from the mapped file to its parts on the device, in a layout other
 * than the file's (those go by upload.h).  The device makes it from a staging
 * buffer, or from the mapping itself where the device is a CPU.
 */
#ifndef ANSER_MODEL_STAGE_H
#define ANSER_MODEL_STAGE_H

#include "op/op.h"
#include "rt/buffer.h"

struct anser_stage {
    anser_device *device;            /* borrowed                            */
    struct anser_queue *q;           /* borrowed                            */
    struct anser_buf buf;            /* owned: as large as any part so far  */
};
void anser_stage_free(struct anser_stage *s);

/* Enqueues it; data, blocks as in the file, must stay until q is finished. */
enum anser_status anser_stage_matrix(struct anser_stage *s,
                                     const struct anser_matrix *W,
                                     const unsigned char *data);

/* Gives the pages of the mapped file back, when the queue is finished: they
 * are read again from the page cache if someone asks. */
void anser_stage_forget(const void *data, size_t bytes);

#endif
