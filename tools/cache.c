/* SPDX-License-Identifier: MIT */
/*
 * anser cache: looks after the cache of compiled kernels.  Needs no device.
 * `list` tells each entry, the longest unused first; `verify` reads each whole
 * and fails if one is damaged; `clear` removes all.
 */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct values {
    struct anser_session_values session;
};

struct tally {
    unsigned long n, faults;
    uint64_t bytes;
    int faults_only;                 /* print no sound entry                */
};

static void print_entry(void *user, const struct anser_cache_entry *entry)
{
    struct tally *tally = user;
    char used[32] = "";
    const time_t when = (time_t)entry->used;
    const struct tm *utc = gmtime(&when);
    tally->n++;
    tally->bytes += entry->bytes;
    tally->faults += entry->fault != NULL;
    if (entry->fault != NULL)
        printf("%.12s  damaged: %s\n", entry->file, entry->fault);
    if (entry->fault != NULL || tally->faults_only)
        return;
    if (utc != NULL)
        strftime(used, sizeof used, "%Y-%m-%d %H:%M", utc);
    printf("%.12s  %s  %8" PRIu64 "  %s%s%s  (%s, %s)\n", entry->file, used,
           entry->bytes, entry->name, *entry->options != '\0' ? " " : "",
           entry->options, entry->device, entry->driver);
}

static int list_entries(struct anser_session *s, int verify)
{
    struct tally tally = { .faults_only = verify };
    const enum anser_status status = verify
        ? anser_cache_verify(s->ctx, print_entry, &tally)
        : anser_cache_list(s->ctx, print_entry, &tally);
    if (status == ANSER_OK || status == ANSER_BAD_FILE)
        printf("%lu entries, %" PRIu64 " bytes, %lu damaged\n", tally.n,
               tally.bytes, tally.faults);
    return anser_session_check(s, status) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int clear_entries(struct anser_session *s)
{
    uint64_t n;
    if (anser_session_check(s, anser_cache_clear(s->ctx, &n)) != 0)
        return EXIT_FAILED;
    printf("%" PRIu64 " entries removed\n", n);
    return EXIT_DONE;
}

static int run(void *values, int n, char **operands)
{
    struct values *v = values;
    const char *what = n > 0 ? operands[0] : "list";
    const int verify = strcmp(what, "verify") == 0;
    const int clear = strcmp(what, "clear") == 0;
    struct anser_session s;
    char path[1024];
    if (n > 1 || (!verify && !clear && strcmp(what, "list") != 0))
        return anser_command_misused(&anser_command_cache, "unexpected '%s' "
                                     "(list, verify or clear)",
                                     operands[n - 1]);
    int code = EXIT_FAILED;
    if (anser_session_begin(&s, &v->session) == 0) {
        if (anser_cache_path(path, sizeof path) > 0)
            fprintf(stderr, "cache    %s\n", path);
        code = clear ? clear_entries(&s) : list_entries(&s, verify);
    }
    anser_session_end(&s);
    return code;
}

const struct anser_command anser_command_cache = {
    .name = "cache",
    .job = "lists, checks or empties the cache of kernels",
    .usage = "[list | verify | clear] [options]",
    .shares = SHARE_VERBOSE,
    .size = sizeof(struct values), .run = run
};
