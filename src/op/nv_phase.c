/* SPDX-License-Identifier: MIT */
/* The kernels of cl/nv_decode.cl: which layers they serve, their options, and
 * the launches. */
#include "op/nv_phase.h"

#include "rt/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Work-items of a group; there are as many groups as units. */
enum { GROUP = 512, OPTIONS = 320 };

void anser_nv_free(struct anser_nv *nv)
{
    for (struct anser_nv *next; nv != NULL; nv = next) {
        next = nv->next;
        free(nv);
    }
}

/* ----------------------------------------------------------- what it fits */

static bool is_q4_k(const struct anser_matrix *W, cl_mem mem)
{
    return W->block->type == ANSER_Q4_K && W->n_parts == 1
           && W->parts[0].mem == mem           /* one buffer for all        */
           && W->plan->layout == ANSER_LAYOUT_FILE
           && !W->plan->need.precise;          /* int8 activations          */
}

/* A LoRA's two matrices: of one type, floats or halves. */
static bool is_lora(const struct anser_matrix *down,
                    const struct anser_matrix *up, cl_mem mem)
{
    const uint32_t type = down->block->type;
    return (type == ANSER_F32 || type == ANSER_F16)
           && up->block->type == type && down->n_parts == 1
           && up->n_parts == 1 && down->parts[0].mem == mem
           && up->parts[0].mem == mem
           && down->rows % 32 == 0;            /* whole loads of 8 lanes    */
}

bool anser_nv_layer_fits(const struct anser_layer *l)
{
    const cl_mem mem = l->receptance.n_parts == 1 ? l->receptance.parts[0].mem
                                                  : NULL;
    const uint32_t C = l->receptance.rows, F = l->ffn_key.rows;
    return mem != NULL && C % 256 == 0 && F % C == 0
           && is_q4_k(&l->receptance, mem) && is_q4_k(&l->key, mem)
           && is_q4_k(&l->value, mem) && is_q4_k(&l->output, mem)
           && is_q4_k(&l->ffn_key, mem) && is_q4_k(&l->ffn_value, mem)
           && is_lora(&l->w1, &l->w2, mem) && is_lora(&l->a1, &l->a2, mem)
           && is_lora(&l->g1, &l->g2, mem)
           && (l->index == 0 || is_lora(&l->v1, &l->v2, mem));
}

/* Layer 0 has no LoRA of v; a's type stands in. */
struct anser_nv_shape anser_nv_shape_of(const struct anser_v7_shape *s,
                                        const struct anser_layer *l)
{
    const uint32_t a = l->a1.block->type;
    return (struct anser_nv_shape){
        .C = s->C, .F = s->F, .rank = { s->Dw, s->Da, s->Dv, s->Dg },
        .type = { l->w1.block->type, a,
                  l->index == 0 ? a : l->v1.block->type, l->g1.block->type }
    };
}

/* ----------------------------------------------------------------- build */

/* Lanes that share a run of C columns: each has up to 5 pieces of 32. */
static uint32_t lanes(uint32_t C)
{
    const uint32_t pieces = C / 32;
    if (pieces % 16 == 0 && pieces / 16 <= 5)
        return 16;
    return pieces % 32 == 0 ? 32 : 8;
}

/* What a program is compiled for. */
static void options(anser_device *device, const struct anser_nv_shape *s,
                    char text[OPTIONS])
{
    const uint32_t part = (s->C / device->caps.units + 1) * (s->F / s->C);
    snprintf(text, OPTIONS,
             "-D WG=%d -D COLS=%u -D HIDDEN=%u -D LANES=%u -D DW=%u -D DA=%u "
             "-D DV=%u -D DG=%u -D W_TYPE=%u -D A_TYPE=%u -D V_TYPE=%u "
             "-D G_TYPE=%u -D PART=%u%s", GROUP, s->C, s->F, lanes(s->C),
             s->rank[NV_W], s->rank[NV_A], s->rank[NV_V], s->rank[NV_G],
             s->type[NV_W], s->type[NV_A], s->type[NV_V], s->type[NV_G], part,
             device->caps.class == ANSER_CLASS_NVIDIA ? " -D PTX" : "");
}

/* NVIDIA's driver 580 says that a group of 256 fits, also of kernels compiled
 * for 512, which it then runs. */
static enum anser_status get(anser_device *device, const char *file,
                             const char *text, const char *name,
                             struct anser_kernel **kernel)
{
    const struct anser_kernel_key key = { file, text, name };
    TRY(anser_kernel_get(device, &key, kernel));
    if ((*kernel)->max_group >= GROUP || (*kernel)->compiled_group == GROUP)
        return ANSER_OK;
    return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                      "%s: a work-group of %d does not fit (at most %zu)",
                      name, GROUP, (*kernel)->max_group);
}

enum anser_status anser_nv_build(anser_device *device,
                                 const struct anser_nv_shape *s,
                                 struct anser_nv *nv)
{
    static const char *const names[PHASE_COUNT] = {
        "nv_time_in", "nv_time_mix", "nv_time_out", "nv_channel_in",
        "nv_channel_out"
    };
    struct anser_nv made = { .shape = *s, .wg = GROUP,
                             .groups = device->caps.units };
    char text[OPTIONS];
    options(device, s, text);
    for (int i = 0; i < PHASE_COUNT; i++)
        TRY(get(device, "nv_decode.cl", text, names[i], &made.phase[i]));
    TRY(get(device, "nv_decode.cl", text, "nv_begin", &made.begin));
    TRY(get(device, "nv_decode.cl", text, "nv_end", &made.end));
    *nv = made;
    return ANSER_OK;
}

/* A group that writes no row of x would be waited for by nobody, and might miss
 * a number. */
enum anser_status anser_nv_build_token(anser_device *device,
                                       struct anser_nv *nv)
{
    char text[OPTIONS];
    if (nv->shape.C < device->caps.units)
        return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                          "fewer rows than compute units");
    options(device, &nv->shape, text);
    return get(device, "nv_token.cl", text, "nv_token", &nv->token);
}

void anser_nv_shape_write(const struct anser_nv_shape *s,
                          char text[ANSER_NV_TEXT])
{
    snprintf(text, ANSER_NV_TEXT, "%u/%u/%u.%u/%u.%u/%u.%u/%u.%u", s->C, s->F,
             s->rank[0], s->type[0], s->rank[1], s->type[1], s->rank[2],
             s->type[2], s->rank[3], s->type[3]);
}

bool anser_nv_shape_read(const char *text, struct anser_nv_shape *s)
{
    char again[ANSER_NV_TEXT];
    if (sscanf(text, "%u/%u/%u.%u/%u.%u/%u.%u/%u.%u", &s->C, &s->F,
               &s->rank[0], &s->type[0], &s->rank[1], &s->type[1],
               &s->rank[2], &s->type[2], &s->rank[3], &s->type[3]) != 10)
        return false;
    anser_nv_shape_write(s, again);
    return strcmp(text, again) == 0 && s->C > 0 && s->F % s->C == 0;
}

static bool passes(anser_device *device, const struct anser_nv *nv)
{
    struct anser_error error;
    char name[ANSER_NV_TEXT + 16], shape[ANSER_NV_TEXT];
    anser_nv_shape_write(&nv->shape, shape);
    snprintf(name, sizeof name, "nv-phases/%s", shape);
    if (anser_cache_passed(device, name))
        return true;
    if (anser_nv_check(device, nv, &error) != ANSER_OK)
        return false;
    if (!(error.error <= error.bound)) {
        anser_op_memory(device)->wrong++;
        anser_fail(device->ctx, ANSER_DEVICE_FAILED,
                   "%s is wrong (%s: error %.3g, bound %.3g)", name,
                   error.shape, error.error, error.bound);
        return false;
    }
    anser_cache_pass(device, name);
    return true;
}

static struct anser_nv *find(anser_device *device,
                             const struct anser_nv_shape *shape)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_nv *nv = m == NULL ? NULL : m->nv;
    while (nv != NULL && memcmp(&nv->shape, shape, sizeof *shape) != 0)
        nv = nv->next;
    return nv;
}

/* Builds and checks at the first question, and remembers the answer. */
static bool learn(anser_device *device, const struct anser_nv_shape *shape)
{
    struct anser_op_memory *m = anser_op_memory(device);
    struct anser_nv *nv = m == NULL ? NULL : calloc(1, sizeof *nv);
    if (nv == NULL)
        return false;
    bool right = anser_nv_build(device, shape, nv) == ANSER_OK
                 && passes(device, nv);
    if (!right)
        anser_log(device->ctx, 1, "nv-int8 phases are not used: %s",
                  anser_error(device->ctx));
    nv->shape = *shape;
    nv->right = right;
    nv->next = m->nv;
    m->nv = nv;
    return right;
}

bool anser_nv_fits(anser_device *device, const struct anser_v7_shape *shape,
                   const struct anser_layer *l, uint32_t T)
{
    if (T != 1                                 /* one token                 */
        || device->caps.class != ANSER_CLASS_NVIDIA  /* inline PTX          */
        || device->caps.max_group < GROUP || !anser_nv_layer_fits(l))
        return false;
    const struct anser_nv_shape s = anser_nv_shape_of(shape, l);
    const struct anser_nv *nv = find(device, &s);
    return nv != NULL ? nv->right : learn(device, &s);
}

/* ------------------------------------------------------------------- run */

static uint32_t at(const struct anser_matrix *W)
{
    return W->n_parts == 1 ? W->parts[0].at : 0;
}

struct layer_args anser_nv_args(const struct anser_pass *p,
                                const struct anser_layer *l)
{
    return (struct layer_args){
        .receptance = at(&l->receptance), .key = at(&l->key),
        .value = at(&l->value), .output = at(&l->output),
        .ffn_key = at(&l->ffn_key), .ffn_value = at(&l->ffn_value),
        .w1 = at(&l->w1), .w2 = at(&l->w2), .a1 = at(&l->a1),
        .a2 = at(&l->a2), .v1 = at(&l->v1), .v2 = at(&l->v2),
        .g1 = at(&l->g1), .g2 = at(&l->g2), .ln1_w = l->ln1_w,
        .ln1_b = l->ln1_b, .ln2_w = l->ln2_w, .ln2_b = l->ln2_b,
        .lerp = l->lerp, .ffn_lerp = l->ffn_lerp, .w0 = l->w0, .a0 = l->a0,
        .v0 = l->v0, .k_k = l->k_k, .k_a = l->k_a, .r_k = l->r_k,
        .ln_x_w = l->ln_x_w, .ln_x_b = l->ln_x_b,
        .state_at = anser_layer_state(p->shape, l->index),
        .first = l->index == 0, .eps = p->shape->ln_eps, .head_eps = V7_GN_EPS
    };
}

void anser_nv_run(const struct anser_nv *nv, unsigned phase,
                  const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct layer_args args = anser_nv_args(p, l);
    const cl_mem W = l->receptance.parts[0].mem;
    const size_t groups = phase == PHASE_B ? nv->shape.C / SH_HEAD
                                           : nv->groups;
    const struct anser_grid grid = { { groups * nv->wg, 1, 1 },
                                     { nv->wg, 1, 1 } };
    struct anser_kernel *kernel = nv->phase[phase];
    switch (phase) {
    case PHASE_A:
        ANSER_RUN(p->q, kernel, grid, args, W, p->vecs, p->state, w->x.mem,
                  w->xn.mem, w->r.mem, w->k.mem, w->v.mem, w->low.mem);
        break;
    case PHASE_B:
        ANSER_RUN(p->q, kernel, grid, args, W, p->vecs, p->state, w->xn.mem,
                  w->r.mem, w->k.mem, w->v.mem, w->low.mem, w->v_first.mem,
                  w->y.mem);
        break;
    case PHASE_C:
        ANSER_RUN(p->q, kernel, grid, args, W, w->y.mem, w->x.mem);
        break;
    case PHASE_D:
        ANSER_RUN(p->q, kernel, grid, args, W, p->vecs, p->state, w->x.mem,
                  w->xn.mem, w->h.mem);
        break;
    default:
        ANSER_RUN(p->q, kernel, grid, args, W, p->state, w->xn.mem, w->h.mem,
                  w->x.mem);
    }
}

struct anser_nv *anser_nv_of(anser_device *device,
                             const struct anser_v7_shape *shape,
                             const struct anser_layer *l)
{
    const struct anser_nv_shape s = anser_nv_shape_of(shape, l);
    return find(device, &s);
}

static void run(unsigned phase, const struct anser_pass *p,
                const struct anser_layer *l)
{
    const struct anser_nv_shape shape = anser_nv_shape_of(p->shape, l);
    anser_nv_run(find(p->q->device, &shape), phase, p, l);
}

void anser_nv_time_in(const struct anser_pass *p, const struct anser_layer *l)
{
    run(PHASE_A, p, l);
}

void anser_nv_time_mix(const struct anser_pass *p, const struct anser_layer *l)
{
    run(PHASE_B, p, l);
}

void anser_nv_time_out(const struct anser_pass *p, const struct anser_layer *l)
{
    run(PHASE_C, p, l);
}

void anser_nv_channel_in(const struct anser_pass *p,
                         const struct anser_layer *l)
{
    run(PHASE_D, p, l);
}

void anser_nv_channel_out(const struct anser_pass *p,
                          const struct anser_layer *l)
{
    run(PHASE_E, p, l);
}
