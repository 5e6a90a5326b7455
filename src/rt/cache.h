/* SPDX-License-Identifier: MIT */
/*
 * The cache on disk of a device: program binaries, and which self-tests have
 * passed.  One entry is one file, named by the SHA-256 of its identity:
 * everything that could make it wrong elsewhere (library, source, options,
 * platform, device, driver, host).  Nothing here can make a run fail: what
 * does not work is logged at level 2 and counts as absent.
 */
#ifndef ANSER_RT_CACHE_H
#define ANSER_RT_CACHE_H

#include "rt/device.h"

/* Bytes that all entries together may have; the least recently used go. */
#define ANSER_CACHE_MAX ((uint64_t)256 << 20)

struct anser_cache {
    int dir;                     /* owned descriptor                        */
    char *device;                /* owned: the device's part of identities  */
    size_t device_bytes;
    char *passes;                /* owned: a line each, NULL: not yet read  */
    bool passes_changed;         /* since they were read or written         */
};

/* What an entry is, besides the device it belongs to. */
struct anser_cache_key {
    const char *kind;            /* "program" or "pass"                     */
    const char *name, *options;  /* of a program: its file and options      */
    char source[65];             /* anser_cache_digest of the kernel text   */
};

/* SHA-256 of n texts, each with its length before it, in hexadecimal. */
void anser_cache_digest(const char *const *parts, size_t n, char hex[65]);

/* *cache becomes NULL where there is none: switched off, no place for it, or
 * an unsafe one.  Fails only for memory. */
enum anser_status anser_cache_open(anser_device *device,
                                   struct anser_cache **cache);
void anser_cache_close(struct anser_cache *cache);

/* The payload, verified and allocated for the caller; false if there is none
 * that is right (a wrong one is removed). */
bool anser_cache_load(anser_device *device, const struct anser_cache_key *key,
                      unsigned char **data, size_t *bytes);

/* Writes an entry; false if that did not work. */
bool anser_cache_save(anser_device *device, const struct anser_cache_key *key,
                      const void *data, size_t bytes);

/* Removes an entry that the driver refuses. */
void anser_cache_reject(anser_device *device,
                        const struct anser_cache_key *key);

/* Removes the least recently used beyond ANSER_CACHE_MAX, and what writers
 * that were killed left behind. */
void anser_cache_evict(anser_device *device);

/* Whether a self-test has passed before with this device, driver and kernel
 * texts; remembers that it has.  key, one line, names variant and shape. */
bool anser_cache_passed(anser_device *device, const char *key);
void anser_cache_pass(anser_device *device, const char *key);

/* Writes what anser_cache_pass remembers, if there is anything new. */
void anser_cache_keep(anser_device *device);

#endif
