/* SPDX-License-Identifier: MIT */
/* Texts of the status codes, and the version. */
#include <anser.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

int anser_version(void)
{
    return ANSER_VERSION;
}

const char *anser_version_string(void)
{
    return TEXT(ANSER_VERSION_MAJOR) "." TEXT(ANSER_VERSION_MINOR) "."
           TEXT(ANSER_VERSION_PATCH);
}

const char *anser_status_text(enum anser_status status)
{
    switch (status) {
    case ANSER_OK:            return "done";
    case ANSER_NO_MEMORY:     return "out of memory";
    case ANSER_BAD_ARG:       return "bad argument";
    case ANSER_BAD_FILE:      return "bad file";
    case ANSER_UNSUPPORTED:   return "not supported";
    case ANSER_NO_DEVICE:     return "no device";
    case ANSER_DEVICE_FAILED: return "device failed";
    case ANSER_IO:            return "input or output failed";
    case ANSER_BAD_STATE:     return "state of another model";
    case ANSER_CANCELLED:     return "cancelled";
    }
    return "unknown status";
}
