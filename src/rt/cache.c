/* SPDX-License-Identifier: MIT */
/* The cache of a device: which identity, where, and when not. */
#include "rt/cache.h"

#include "rt/cache_dir.h"
#include "rt/cache_file.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/sysctl.h>
#endif

/* Variables that change the code that a driver makes. */
static const char *const variables[] = {
    "AMD_OCL_BUILD_OPTIONS", "AMD_OCL_BUILD_OPTIONS_APPEND",
    "POCL_EXTRA_BUILD_FLAGS", "POCL_WORK_GROUP_METHOD",
    "POCL_MAX_WORK_GROUP_SIZE", "POCL_VECTORIZER_PREFER_VECTOR_WIDTH",
    "POCL_BINARY_SPECIALIZE_WG", "POCL_FAST_INIT",
    "IGC_VectorizerMask", "LP_NATIVE_VECTOR_WIDTH",
};

/* ------------------------------------------------------------- identity */

/* Text that grows; data is NULL after memory ran out. */
struct text {
    char *data;
    size_t bytes, cap;
};

static void append(struct text *t, const char *from, size_t bytes)
{
    if (t->data == NULL)
        return;
    if (t->bytes + bytes > t->cap) {
        size_t cap = 2 * (t->bytes + bytes);
        char *grown = realloc(t->data, cap);
        if (grown == NULL) {
            free(t->data);
            t->data = NULL;
            return;
        }
        t->data = grown;
        t->cap = cap;
    }
    memcpy(t->data + t->bytes, from, bytes);
    t->bytes += bytes;
}

static void append_field(struct text *t, const char *name, const char *value)
{
    char head[80];
    int n = snprintf(head, sizeof head, "%s=%zu:", name, strlen(value));
    append(t, head, (size_t)n);
    append(t, value, strlen(value));
    append(t, "\n", 1);
}

static void append_host(struct text *t)
{
    struct utsname host;
    if (uname(&host) == 0) {
        append_field(t, "system", host.sysname);
        append_field(t, "machine", host.machine);
    }
#ifdef __APPLE__
    /* The driver version does not change with the system's build. */
    char build[64];
    size_t n = sizeof build;
    if (sysctlbyname("kern.osversion", build, &n, NULL, 0) == 0)
        append_field(t, "build", build);
#endif
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = getenv(variables[i]);
        append_field(t, variables[i], value == NULL ? "" : value);
    }
}

/* Everything of the device and the host; data is NULL for want of memory. */
static struct text device_identity(const struct anser_caps *caps)
{
    struct text t = { .data = malloc(1024), .cap = 1024 };
    char number[32];
    append_field(&t, "platform", caps->platform);
    append_field(&t, "platform_vendor", caps->platform_vendor);
    append_field(&t, "platform_version", caps->platform_version);
    append_field(&t, "device", caps->name);
    append_field(&t, "vendor", caps->vendor);
    snprintf(number, sizeof number, "%#x", (unsigned)caps->vendor_id);
    append_field(&t, "vendor_id", number);
    append_field(&t, "version", caps->version);
    append_field(&t, "c_version", caps->c_version);
    append_field(&t, "driver", caps->driver);
    snprintf(number, sizeof number, "%u", (unsigned)caps->address_bits);
    append_field(&t, "address_bits", number);
    append_host(&t);
    return t;
}

/* The whole identity of an entry; its data is owned, NULL without memory. */
static struct text identity(const struct anser_cache *cache,
                            const struct anser_cache_key *key)
{
    struct text t = { .data = malloc(2048), .cap = 2048 };
    append_field(&t, "kind", key->kind);
    append_field(&t, "library", anser_version_string());
    append_field(&t, "name", key->name);
    append_field(&t, "options", key->options);
    append_field(&t, "source", key->source);
    append(&t, cache->device, cache->device_bytes);
    return t;
}

void anser_cache_digest(const char *const *parts, size_t n, char hex[65])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA2_CTX sha;
    SHA256Init(&sha);
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = strlen(parts[i]);
        SHA256Update(&sha, (const uint8_t *)&bytes, sizeof bytes);
        SHA256Update(&sha, (const uint8_t *)parts[i], bytes);
    }
    SHA256Final(hash, &sha);
    for (size_t i = 0; i < sizeof hash; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}

/* ----------------------------------------------------------- open, close */

enum anser_status anser_cache_open(anser_device *device,
                                   struct anser_cache **cache)
{
    const char *why = "it is switched off";
    int dir = -1;
    *cache = NULL;
    if (!device->caps.cacheable)
        why = "this driver's binaries are not worth it";
    else if (device->settings.cache)
        dir = anser_cache_dir_open(device->settings.cache_dir, true, &why);
    if (dir < 0) {
        anser_log(device->ctx, 2, "no cache (%s): %s",
                  device->settings.cache_dir, why);
        return ANSER_OK;
    }
    struct anser_cache *made = calloc(1, sizeof *made);
    struct text t = device_identity(&device->caps);
    if (made == NULL || t.data == NULL) {
        close(dir);
        free(made);
        free(t.data);
        return anser_fail_memory(device->ctx, sizeof *made);
    }
    made->dir = dir;
    made->device = t.data;
    made->device_bytes = t.bytes;
    *cache = made;
    return ANSER_OK;
}

void anser_cache_close(struct anser_cache *cache)
{
    if (cache == NULL)
        return;
    close(cache->dir);
    free(cache->device);
    free(cache->passes);
    free(cache);
}

/* ----------------------------------------------------------- load, save */

/* Reads the entry with this identity; a file that is wrong is removed. */
static bool read_entry(anser_device *device, const struct text *t,
                       const char *what, struct anser_cache_file *file)
{
    char name[ANSER_CACHE_NAME];
    anser_cache_file_name(t->data, t->bytes, name);
    const char *why = anser_cache_file_read(device->cache->dir, name, file);
    if (why == anser_cache_file_absent)
        return false;
    if (why == NULL && file->identity_bytes == t->bytes
        && memcmp(file->identity, t->data, t->bytes) == 0)
        return true;
    if (why == NULL)
        anser_cache_file_free(file);
    anser_log(device->ctx, 2, "cache: %s (%s) is refused: %s", name, what,
              why == NULL ? "it is of something else" : why);
    unlinkat(device->cache->dir, name, 0);
    return false;
}

bool anser_cache_load(anser_device *device, const struct anser_cache_key *key,
                      unsigned char **data, size_t *bytes)
{
    struct anser_cache_file file;
    if (device->cache == NULL)
        return false;
    struct text t = identity(device->cache, key);
    bool ok = t.data != NULL && read_entry(device, &t, key->name, &file);
    free(t.data);
    if (!ok)
        return false;
    unsigned char *copy = malloc(file.payload_bytes + 1);
    if (copy != NULL) {
        memcpy(copy, file.payload, file.payload_bytes);
        *data = copy;
        *bytes = file.payload_bytes;
    }
    anser_cache_file_free(&file);
    return copy != NULL;
}

bool anser_cache_save(anser_device *device, const struct anser_cache_key *key,
                      const void *data, size_t bytes)
{
    if (device->cache == NULL)
        return false;
    struct text t = identity(device->cache, key);
    if (t.data == NULL)
        return false;
    struct anser_cache_file file = {
        .identity = t.data, .identity_bytes = t.bytes,
        .payload = data, .payload_bytes = bytes
    };
    const char *why = anser_cache_file_write(device->cache->dir, &file);
    if (why != NULL)
        anser_log(device->ctx, 2, "cache: %s is not saved: %s", key->name,
                  why);
    free(t.data);
    return why == NULL;
}

void anser_cache_reject(anser_device *device,
                        const struct anser_cache_key *key)
{
    char name[ANSER_CACHE_NAME];
    if (device->cache == NULL)
        return;
    struct text t = identity(device->cache, key);
    if (t.data == NULL)
        return;
    anser_cache_file_name(t.data, t.bytes, name);
    unlinkat(device->cache->dir, name, 0);
    free(t.data);
}

void anser_cache_evict(anser_device *device)
{
    if (device->cache != NULL)
        anser_cache_dir_evict(device->cache->dir, ANSER_CACHE_MAX);
}
