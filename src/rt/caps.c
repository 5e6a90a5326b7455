/* SPDX-License-Identifier: MIT */
/*
 * What a device says about itself, corrected by a table of known faults.
 *
 * Every query is checked; strings of any length are cut to their field.
 */
#include "rt/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Extension names of half arithmetic and of sub-groups (Khronos, Intel). */
#define EXT_FP16 "cl_khr_fp16"
#define EXT_SUBGROUPS "cl_khr_subgroups"
#define EXT_SUBGROUPS_INTEL "cl_intel_subgroups"

/* One fault each: where it applies, what is changed, who found it. */
struct quirk {
    const char *platform;        /* CL_PLATFORM_NAME begins with it         */
    cl_device_type type;
    cl_ulong max_alloc;          /* upper bound, 0: as reported             */
    bool no_cache;
    const char *source;
};

static const struct quirk quirks[] = {
    { "Apple", CL_DEVICE_TYPE_GPU, ((cl_ulong)1 << 31) - 1, false,
      "buffers over 2^31-1 bytes trap: hashcat src/backend.c" },
    { "Intel", CL_DEVICE_TYPE_GPU, ((cl_ulong)1 << 32) - 1, false,
      "over 4 GiB needs a flag and an option, else garbage: "
      "intel/compute-runtime#627" },
    { "Oclgrind", CL_DEVICE_TYPE_ALL, 0, true,
      "rejects no damaged binary, and builds in 22 ms: measured, 21.10" },
};

/* Vendor ids of PCI, of Khronos for Apple, and words of the vendor's name. */
static const struct {
    cl_uint id;
    const char *word;
    enum anser_class class;
} vendors[] = {
    { 0x10de, "nvidia", ANSER_CLASS_NVIDIA },
    { 0x1002, "advanced micro devices", ANSER_CLASS_AMD },
    { 0x1022, "amd", ANSER_CLASS_AMD },
    { 0x8086, "intel", ANSER_CLASS_INTEL },
    { 0x1027f00, "apple", ANSER_CLASS_APPLE },
    { 0x5143, "qualcomm", ANSER_CLASS_ADRENO },
    { 0x13b5, "arm", ANSER_CLASS_MALI },
};

/* One query by its first failure: later ones do nothing. */
struct query {
    cl_platform_id platform;
    cl_device_id id;
    cl_int code;
};

static void get(struct query *q, cl_device_info what, size_t bytes, void *out)
{
    if (q->code == CL_SUCCESS)
        q->code = clGetDeviceInfo(q->id, what, bytes, out, NULL);
}

/* The whole string of a device or a platform, allocated; NULL on failure. */
static char *get_string(struct query *q, bool of_platform, cl_uint what)
{
    size_t n = 0;
    if (q->code != CL_SUCCESS)
        return NULL;
    q->code = of_platform
        ? clGetPlatformInfo(q->platform, what, 0, NULL, &n)
        : clGetDeviceInfo(q->id, what, 0, NULL, &n);
    if (q->code != CL_SUCCESS)
        return NULL;
    char *text = calloc(1, n + 1);
    if (text == NULL) {
        q->code = CL_OUT_OF_HOST_MEMORY;
        return NULL;
    }
    q->code = of_platform
        ? clGetPlatformInfo(q->platform, what, n, text, NULL)
        : clGetDeviceInfo(q->id, what, n, text, NULL);
    if (q->code == CL_SUCCESS)
        return text;
    free(text);
    return NULL;
}

/* Cut to the field, without the spaces that some drivers put around. */
static void get_text(struct query *q, bool of_platform, cl_uint what,
                     char out[128])
{
    char *text = get_string(q, of_platform, what);
    if (text == NULL)
        return;
    const char *from = text + strspn(text, " ");
    snprintf(out, 128, "%s", from);
    for (size_t n = strlen(out); n > 0 && out[n - 1] == ' '; n--)
        out[n - 1] = '\0';
    free(text);
}

static void get_texts(struct query *q, struct anser_caps *caps)
{
    get_text(q, true, CL_PLATFORM_NAME, caps->platform);
    get_text(q, true, CL_PLATFORM_VENDOR, caps->platform_vendor);
    get_text(q, true, CL_PLATFORM_VERSION, caps->platform_version);
    get_text(q, false, CL_DEVICE_NAME, caps->name);
    get_text(q, false, CL_DEVICE_VENDOR, caps->vendor);
    get_text(q, false, CL_DRIVER_VERSION, caps->driver);
    get_text(q, false, CL_DEVICE_VERSION, caps->version);
    get_text(q, false, CL_DEVICE_OPENCL_C_VERSION, caps->c_version);
    caps->extensions = get_string(q, false, CL_DEVICE_EXTENSIONS);
}

static void get_numbers(struct query *q, struct anser_caps *caps)
{
    cl_bool unified = CL_FALSE;
    cl_device_local_mem_type local_type = CL_GLOBAL;
    size_t max_item[16] = { 0 };         /* OpenCL promises at least 3 */
    get(q, CL_DEVICE_TYPE, sizeof caps->type, &caps->type);
    get(q, CL_DEVICE_VENDOR_ID, sizeof caps->vendor_id, &caps->vendor_id);
    get(q, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof caps->units, &caps->units);
    get(q, CL_DEVICE_ADDRESS_BITS, sizeof caps->address_bits,
        &caps->address_bits);
    get(q, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof caps->max_group,
        &caps->max_group);
    get(q, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof max_item, max_item);
    memcpy(caps->max_item, max_item, sizeof caps->max_item);
    get(q, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof caps->memory, &caps->memory);
    get(q, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof caps->max_alloc,
        &caps->max_alloc);
    get(q, CL_DEVICE_LOCAL_MEM_SIZE, sizeof caps->local_memory,
        &caps->local_memory);
    get(q, CL_DEVICE_LOCAL_MEM_TYPE, sizeof local_type, &local_type);
    get(q, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified);
    caps->local_is_real = local_type == CL_LOCAL;
    caps->unified = unified == CL_TRUE;
}

/* Whether a version text "OpenCL 1.1 ..." or "OpenCL C 1.2 ..." is at least
 * 1.2; what can't be read counts as old. */
static bool at_least_1_2(const char *text)
{
    int major = 0, minor = 0;
    const char *digits = text + strcspn(text, "0123456789");
    if (sscanf(digits, "%d.%d", &major, &minor) != 2)
        return false;
    return major > 1 || (major == 1 && minor >= 2);
}

/* NULL if the device can be used, else why not. */
static const char *refusal(struct query *q, const struct anser_caps *caps)
{
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little = CL_FALSE;
    get(q, CL_DEVICE_AVAILABLE, sizeof available, &available);
    get(q, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler);
    get(q, CL_DEVICE_ENDIAN_LITTLE, sizeof little, &little);
    if (q->code != CL_SUCCESS)
        return "it does not answer queries";
    if (!available)
        return "the driver says that it is not available";
    if (!compiler)
        return "its driver has no compiler";
    if (!little)
        return "it is big-endian";
    if (!at_least_1_2(caps->platform_version) || !at_least_1_2(caps->version)
        || !at_least_1_2(caps->c_version))
        return "it is older than OpenCL 1.2";
    if (strstr(caps->c_version, "EMBEDDED") != NULL
        && !anser_caps_has(caps, "cles_khr_int64"))
        return "it has no 64-bit integers";
    return NULL;
}

static enum anser_class class_of(const struct anser_caps *caps)
{
    if (caps->type & CL_DEVICE_TYPE_CPU)
        return ANSER_CLASS_CPU;
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++)
        if (caps->vendor_id == vendors[i].id
            || strncasecmp(caps->vendor, vendors[i].word,
                           strlen(vendors[i].word)) == 0)
            return vendors[i].class;
    return ANSER_CLASS_OTHER;
}

static void apply_quirks(struct anser_caps *caps)
{
    for (size_t i = 0; i < sizeof quirks / sizeof quirks[0]; i++) {
        const struct quirk *row = &quirks[i];
        if (strncmp(caps->platform, row->platform, strlen(row->platform)) != 0
            || !(caps->type & row->type))
            continue;
        if (row->max_alloc != 0 && caps->max_alloc > row->max_alloc)
            caps->max_alloc = row->max_alloc;
        if (row->no_cache)
            caps->cacheable = false;
    }
}

enum anser_status anser_caps_init(struct anser_caps *caps,
                                  cl_platform_id platform, cl_device_id id)
{
    struct query q = { .platform = platform, .id = id, .code = CL_SUCCESS };
    memset(caps, 0, sizeof *caps);
    caps->cacheable = true;
    get_texts(&q, caps);
    get_numbers(&q, caps);
    const char *why = refusal(&q, caps);
    if (q.code == CL_OUT_OF_HOST_MEMORY) {
        anser_caps_free(caps);
        return ANSER_NO_MEMORY;
    }
    caps->usable = why == NULL;
    if (q.code != CL_SUCCESS)
        snprintf(caps->why_not, sizeof caps->why_not, "%s: %s (%d)", why,
                 anser_cl_name(q.code), (int)q.code);
    else if (why != NULL)
        snprintf(caps->why_not, sizeof caps->why_not, "%s", why);
    caps->class = class_of(caps);
    caps->fp16 = anser_caps_has(caps, EXT_FP16);
    caps->subgroups = anser_caps_has(caps, EXT_SUBGROUPS)
                      || anser_caps_has(caps, EXT_SUBGROUPS_INTEL);
    apply_quirks(caps);
    return ANSER_OK;
}

void anser_caps_free(struct anser_caps *caps)
{
    free(caps->extensions);
    caps->extensions = NULL;
}

const char *anser_caps_kind(const struct anser_caps *caps)
{
    if (caps->type & CL_DEVICE_TYPE_CPU)
        return "cpu";
    if (caps->type & CL_DEVICE_TYPE_GPU)
        return caps->unified ? "igpu" : "gpu";
    return "accelerator";
}

const char *anser_caps_tier(const struct anser_caps *caps, const char **why)
{
    if (!caps->usable) {
        *why = caps->why_not;
        return "none";
    }
    if (caps->class == ANSER_CLASS_CPU) {
        *why = "a CPU: one row a work-item, vectors, no barriers";
        return "cpu";
    }
    *why = caps->local_is_real
        ? "a GPU: sums in local memory"
        : "no CPU; sums in local memory, which this device emulates";
    return "gpu";
}

bool anser_caps_has(const struct anser_caps *caps, const char *extension)
{
    size_t n = strlen(extension);
    const char *at = caps->extensions;
    while (at != NULL && (at = strstr(at, extension)) != NULL) {
        bool begins = at == caps->extensions || at[-1] == ' ';
        if (begins && (at[n] == ' ' || at[n] == '\0'))
            return true;
        at += n;
    }
    return false;
}
