/* SPDX-License-Identifier: MIT */
/* Waiting for an event in three ways. */
#include "rt/wait.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct anser_waiter {
    enum anser_wait how;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t asked, answered;
    cl_event event;              /* to wait for, or NULL; under lock        */
    cl_int code;                 /* its answer; under lock                  */
    bool quit;
};

/* Queued, submitted and running are positive, complete is 0. */
static cl_int poll_event(cl_event event)
{
    for (;;) {
        cl_int state = CL_QUEUED;
        cl_int code = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS,
                                     sizeof state, &state, NULL);
        if (code != CL_SUCCESS)
            return code;
        if (state <= CL_COMPLETE)
            return state;
        sched_yield();
    }
}

static void *serve(void *arg)
{
    struct anser_waiter *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->event == NULL && !w->quit)
            pthread_cond_wait(&w->asked, &w->lock);
        if (w->quit)
            break;
        cl_event event = w->event;
        pthread_mutex_unlock(&w->lock);
        cl_int code = poll_event(event);
        pthread_mutex_lock(&w->lock);
        w->code = code;
        w->event = NULL;
        pthread_cond_signal(&w->answered);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* Signals stay with the caller's threads. */
static bool start(struct anser_waiter *w)
{
    sigset_t all, before;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->asked, NULL);
    pthread_cond_init(&w->answered, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&w->thread, NULL, serve, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0;
}

enum anser_status anser_waiter_new(anser_ctx *ctx, enum anser_wait how,
                                   struct anser_waiter **waiter)
{
    struct anser_waiter *w = calloc(1, sizeof *w);
    if (w == NULL)
        return anser_fail_memory(ctx, sizeof *w);
    w->how = how;
    if (how == ANSER_WAIT_THREAD && !start(w)) {
        anser_log(ctx, 1, "no thread for ANSER_WAIT=thread; polling");
        w->how = ANSER_WAIT_POLL;
    }
    *waiter = w;
    return ANSER_OK;
}

void anser_waiter_free(struct anser_waiter *w)
{
    if (w == NULL)
        return;
    if (w->how == ANSER_WAIT_THREAD) {
        pthread_mutex_lock(&w->lock);
        w->quit = true;
        pthread_cond_signal(&w->asked);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
        pthread_cond_destroy(&w->answered);
        pthread_cond_destroy(&w->asked);
        pthread_mutex_destroy(&w->lock);
    }
    free(w);
}

enum anser_wait anser_waiter_how(const struct anser_waiter *w)
{
    return w->how;
}

static cl_int ask_thread(struct anser_waiter *w, cl_event event)
{
    pthread_mutex_lock(&w->lock);
    w->event = event;
    pthread_cond_signal(&w->asked);
    while (w->event != NULL)
        pthread_cond_wait(&w->answered, &w->lock);
    cl_int code = w->code;
    pthread_mutex_unlock(&w->lock);
    return code;
}

cl_int anser_waiter_wait(struct anser_waiter *w, cl_event event)
{
    switch (w->how) {
    case ANSER_WAIT_POLL:
        return poll_event(event);
    case ANSER_WAIT_THREAD:
        return ask_thread(w, event);
    case ANSER_WAIT_BLOCK:
        break;
    }
    return clWaitForEvents(1, &event);
}
