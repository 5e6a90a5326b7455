/* SPDX-License-Identifier: MIT */
/* Reading documents of schema anser-bench-1; see bench_read.h. */
#include "bench_read.h"

#include <stdio.h>
#include <string.h>

static int fault(const char *name, const char *what)
{
    fprintf(stderr, "anser: %s: %s\n", name, what);
    return -1;
}

static int take(const char *name, json_t *document, json_t *array)
{
    const char *schema = json_string_value(json_object_get(document,
                                                           "schema"));
    if (schema == NULL || strcmp(schema, "anser-bench-1") != 0)
        return fault(name, "no document of schema anser-bench-1");
    return json_array_append(array, document) == 0 ? 0
        : fault(name, "out of memory");
}

static int take_all(const char *name, json_t *value, json_t *array)
{
    size_t i;
    json_t *one;
    if (!json_is_array(value))
        return take(name, value, array);
    json_array_foreach(value, i, one)
        if (take(name, one, array) != 0)
            return -1;
    return 0;
}

int anser_bench_documents(const char *name, const char *text, size_t n,
                          json_t **documents)
{
    json_t *array = json_array();
    int failed = array == NULL ? fault(name, "out of memory") : 0;
    const char *end = text + n;
    while (failed == 0) {
        json_error_t error;
        text += strspn(text, " \t\r\n");
        if (text >= end)
            break;
        json_t *value = json_loadb(text, (size_t)(end - text),
                                   JSON_DISABLE_EOF_CHECK, &error);
        if (value == NULL) {
            fprintf(stderr, "anser: %s: line %d: %s\n", name, error.line,
                    error.text);
            failed = -1;
            break;
        }
        text += error.position;
        failed = take_all(name, value, array);
        json_decref(value);
    }
    if (failed == 0 && json_array_size(array) == 0)
        failed = fault(name, "is empty");
    if (failed != 0) {
        json_decref(array);
        return -1;
    }
    *documents = array;
    return 0;
}
