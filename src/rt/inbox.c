/* SPDX-License-Identifier: MIT */
/* Words from the device: pinned memory is a buffer of the driver's own that
 * stays mapped; words are read into it like into any other memory. */
#include "rt/inbox.h"

#include "rt/buffer.h"

#include <stdlib.h>

struct anser_inbox {
    anser_device *device;        /* borrowed                                */
    cl_mem mem;                  /* owned: what is mapped                   */
    uint32_t *words;             /* (ANSER_INBOX_WORDS), mapped             */
    cl_event done[ANSER_INBOX_WORDS];    /* owned; NULL: taken, never asked */
};

static cl_int map(struct anser_inbox *inbox)
{
    const size_t bytes = ANSER_INBOX_WORDS * sizeof *inbox->words;
    cl_int code;
    inbox->mem = clCreateBuffer(inbox->device->context,
                                CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR,
                                bytes, NULL, &code);
    if (inbox->mem == NULL || code != CL_SUCCESS)
        return code;
    inbox->words = clEnqueueMapBuffer(inbox->device->queue->cl, inbox->mem,
                                      CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                      bytes, 0, NULL, NULL, &code);
    return code;
}

enum anser_status anser_inbox_new(anser_device *device,
                                  struct anser_inbox **inbox)
{
    struct anser_inbox *made = calloc(1, sizeof *made);
    if (made == NULL)
        return anser_fail_memory(device->ctx, sizeof *made);
    made->device = device;
    const cl_int code = map(made);
    if (code != CL_SUCCESS) {
        anser_inbox_free(made);
        return anser_fail_cl(device->ctx, code, "%s: no pinned memory",
                             device->caps.name);
    }
    *inbox = made;
    return ANSER_OK;
}

static void drop(struct anser_inbox *inbox, uint64_t n)
{
    cl_event *done = &inbox->done[n % ANSER_INBOX_WORDS];
    if (*done != NULL)
        clReleaseEvent(*done);
    *done = NULL;
}

void anser_inbox_free(struct anser_inbox *inbox)
{
    if (inbox == NULL)
        return;
    for (unsigned i = 0; i < ANSER_INBOX_WORDS; i++)
        drop(inbox, i);
    if (inbox->words != NULL)
        clEnqueueUnmapMemObject(inbox->device->queue->cl, inbox->mem,
                                inbox->words, 0, NULL, NULL);
    if (inbox->mem != NULL)
        clReleaseMemObject(inbox->mem);
    inbox->device->mem_epoch++;
    free(inbox);
}

void anser_inbox_ask(struct anser_inbox *inbox, uint64_t n, cl_mem mem)
{
    const uint64_t slot = n % ANSER_INBOX_WORDS;
    drop(inbox, n);
    anser_queue_read_later(inbox->device->queue, mem, 0, &inbox->words[slot],
                           sizeof *inbox->words, &inbox->done[slot]);
    anser_queue_flush(inbox->device->queue);
}

enum anser_status anser_inbox_take(struct anser_inbox *inbox, uint64_t n,
                                   uint32_t *word)
{
    const uint64_t slot = n % ANSER_INBOX_WORDS;
    struct anser_queue *q = inbox->device->queue;
    cl_event event = inbox->done[slot];
    inbox->done[slot] = NULL;
    if (event == NULL || !anser_queue_await(q, event))
        return anser_queue_finish(q);
    *word = inbox->words[slot];
    return ANSER_OK;
}

const uint32_t *anser_inbox_word(const struct anser_inbox *inbox, uint64_t n)
{
    return &inbox->words[n % ANSER_INBOX_WORDS];
}
