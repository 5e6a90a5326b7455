/* SPDX-License-Identifier: MIT */
/* Choosing a variant: predicate, build, one check against ref a device. */
#include "op/nv_prefill.h"
#include "op/op.h"

#include "op/probe.h"
#include "op/select.h"
#include "op/tuning.h"
#include "rt/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of a row on a device. */
struct anser_known {
    struct anser_known *next;        /* owned                               */
    const struct anser_variant *variant;
    uint32_t type;
    bool right;                      /* has agreed with ref                 */
    struct anser_kernel *kernel;     /* NULL: didn't build                  */
};

static void memory_free(void *ops)
{
    struct anser_op_memory *m = ops;
    for (struct anser_known *k = m->known, *next; k != NULL; k = next) {
        next = k->next;
        free(k);
    }
    for (struct anser_matmul_plan *p = m->plans, *next; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
    anser_buf_free_exact(m->device, &m->scratch);
    anser_tuning_free(m->tuning);
    anser_nv_free(m->nv);
    anser_nv_prefill_free(m->prefill);
    free(m);
}

struct anser_op_memory *anser_op_memory(anser_device *device)
{
    if (device->ops == NULL) {
        struct anser_op_memory *m = calloc(1, sizeof *m);
        if (m != NULL)
            m->device = device;
        device->ops = m;
        device->ops_free = memory_free;
        if (device->ops != NULL)
            anser_tuning_begin(device, device->ops);
    }
    return device->ops;
}

enum anser_status anser_op_room(anser_device *device, uint64_t bytes)
{
    struct anser_op_memory *m = anser_op_memory(device);
    if (m == NULL)
        return anser_fail_memory(device->ctx, sizeof *m);
    if (m->scratch.bytes >= bytes)
        return ANSER_OK;
    TRY(anser_queue_finish(device->queue));
    anser_buf_free_exact(device, &m->scratch);
    return anser_buf_new_exact(device, bytes, &m->scratch);
}

static struct anser_known *known_find(const struct anser_op_memory *m,
                                      const struct anser_variant *v,
                                      uint32_t type)
{
    struct anser_known *k = m->known;
    while (k != NULL && !(k->variant == v && k->type == type))
        k = k->next;
    return k;
}

static enum anser_status build(anser_device *device, const struct anser_op *op,
                               const struct anser_variant *v, uint32_t type,
                               struct anser_kernel **kernel)
{
    char options[256];
    if (v->risky)
        TRY(anser_op_probe(device, op, v, type));
    if (op->typed)
        snprintf(options, sizeof options, "-D TYPE=%u%s%s", (unsigned)type,
                 v->options != NULL ? " " : "",
                 v->options != NULL ? v->options : "");
    else
        snprintf(options, sizeof options, "%s",
                 v->options != NULL ? v->options : "");
    const struct anser_kernel_key key = { v->file, options, v->kernel };
    TRY(anser_kernel_get(device, &key, kernel));
    if (v->wg > (*kernel)->max_group)
        return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                          "%s: a work-group of %u does not fit (at most %zu)",
                          v->kernel, (unsigned)v->wg, (*kernel)->max_group);
    return ANSER_OK;
}

static enum anser_status judge(anser_device *device, const struct anser_op *op,
                               const struct anser_variant *v,
                               const struct anser_error *e)
{
    if (e->error <= e->bound)
        return ANSER_OK;
    return anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                      "%s %s is wrong on %s (%s: error %.3g, bound %.3g)",
                      op->name, v->name, device->caps.name, e->shape,
                      e->error, e->bound);
}

enum anser_status anser_op_row(anser_device *device, const struct anser_op *op,
                               uint32_t row, const struct anser_need *need,
                               struct anser_chosen *chosen,
                               struct anser_error *error)
{
    struct anser_chosen made = { .variant = &op->rows[row] };
    TRY(build(device, op, made.variant, need->type, &made.kernel));
    TRY(op->check(device, &made, need, error));
    TRY(judge(device, op, made.variant, error));
    *chosen = made;
    return ANSER_OK;
}

/* The name under which a pass is remembered beside the program cache. */
static void pass_name(char *name, size_t n, const struct anser_op *op,
                      const struct anser_variant *v, uint32_t type)
{
    snprintf(name, n, "%s/%s/%u", op->name, v->name, (unsigned)type);
}

/* Builds a row and makes sure once that it is right. */
static enum anser_status learn(anser_device *device, const struct anser_op *op,
                               const struct anser_need *need,
                               struct anser_known *k)
{
    const struct anser_variant *v = k->variant;
    struct anser_kernel *kernel;
    char name[128];
    TRY(build(device, op, v, need->type, &kernel));
    pass_name(name, sizeof name, op, v, need->type);
    k->kernel = kernel;
    k->right = anser_cache_passed(device, name);
    if (k->right)
        return ANSER_OK;
    const struct anser_chosen chosen = { .variant = v, .kernel = kernel };
    struct anser_error error;
    TRY(op->check(device, &chosen, need, &error));
    TRY(judge(device, op, v, &error));
    k->right = true;
    anser_cache_pass(device, name);
    return ANSER_OK;
}

/* What is known of a row, found out now if it is asked for the first time;
 * NULL without memory. */
static struct anser_known *known(anser_device *device,
                                 const struct anser_op *op,
                                 const struct anser_variant *v,
                                 const struct anser_need *need)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_known *k = m == NULL ? NULL : known_find(m, v, need->type);
    if (m == NULL || k != NULL)
        return k;
    k = calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    *k = (struct anser_known){ .variant = v, .type = need->type,
                               .next = m->known };
    m->known = k;
    const enum anser_status status = learn(device, op, need, k);
    m->wrong += k->kernel != NULL && status == ANSER_DEVICE_FAILED;
    if (!k->right)                   /* what merely can't run is no news    */
        anser_log(device->ctx, status == ANSER_UNSUPPORTED ? 2 : 1,
                  "%s %s is not used: %s", op->name, v->name,
                  anser_error(device->ctx));
    return k;
}

bool anser_op_try(anser_device *device, const struct anser_op *op,
                  const struct anser_variant *row,
                  const struct anser_need *need, struct anser_chosen *chosen)
{
    if (!row->fits(&device->caps, need)
        || (need->layouts != 0 && (need->layouts >> row->layout & 1) == 0))
        return false;
    const struct anser_known *k = known(device, op, row, need);
    if (k == NULL)
        return false;
    if (!k->right) {
        chosen->failed = row->name;
        return false;
    }
    chosen->variant = row;
    chosen->kernel = k->kernel;
    return true;
}

enum anser_status anser_op_choose(anser_device *device,
                                  const struct anser_op *op,
                                  const struct anser_need *need,
                                  struct anser_chosen *chosen)
{
    struct anser_wishes wishes;
    struct anser_chosen made = { .why = ANSER_WHY_PLAIN };
    TRY(anser_select(device, op, need, &wishes));
    for (unsigned i = 0; i < wishes.n && made.variant == NULL; i++)
        if (anser_op_try(device, op, wishes.row[i], need, &made))
            made.why = wishes.why[i];
    for (uint32_t i = op->n; i-- > 0 && made.variant == NULL;) {
        const struct anser_variant *v = &op->rows[i];
        if ((v->suits == NULL || v->suits(&device->caps))
            && anser_op_try(device, op, v, need, &made))
            made.why = i > 0 ? ANSER_WHY_CLASS : ANSER_WHY_PLAIN;
    }
    if (made.variant != NULL) {
        *chosen = made;
        return ANSER_OK;
    }
    char why[512];
    snprintf(why, sizeof why, "%s", anser_error(device->ctx));
    return anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                      "no kernel for %s works on %s; the last: %s", op->name,
                      device->caps.name, why);
}

void anser_why_text(const struct anser_chosen *chosen, char *text, size_t cap)
{
    static const char *const whys[] = { "plain", "class", "tuned",
                                        "override" };
    snprintf(text, cap, "%s%s%s%s", whys[chosen->why],
             chosen->failed != NULL ? ", " : "",
             chosen->failed != NULL ? chosen->failed : "",
             chosen->failed != NULL ? " failed its self-test" : "");
}

struct anser_grid anser_grid_items(const struct anser_variant *v, uint32_t n,
                                   uint32_t m)
{
    (void)v;
    return (struct anser_grid){ { n, m, 1 }, { 0, 0, 0 } };
}

struct anser_grid anser_grid_groups(const struct anser_variant *v, uint32_t n,
                                    uint32_t m)
{
    return (struct anser_grid){ { (size_t)n * v->wg, m, 1 }, { v->wg, 1, 1 } };
}

bool anser_fits_any(const struct anser_caps *caps,
                    const struct anser_need *need)
{
    (void)caps;
    (void)need;
    return true;
}

bool anser_fits_group64(const struct anser_caps *caps,
                        const struct anser_need *need)
{
    (void)need;
    return caps->max_group >= 64 && caps->max_item[0] >= 64;
}

bool anser_suits_gpu(const struct anser_caps *caps)
{
    return (caps->type & CL_DEVICE_TYPE_GPU) != 0 /* lanes run in step     */
           && caps->local_is_real;                /* and share real memory */
}
