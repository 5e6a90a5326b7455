/* SPDX-License-Identifier: MIT */
/* The kernels for many tokens at once: their tiles, and a layer's launches. */
#include "op/nv_prefill.h"

#include <stdio.h>

enum { GROUP = 256 };                /* of what stands between the products */

/* ------------------------------------------------------------------ tiles */

/* clang-format off */
#define FEW(mt, nt, warps, wg_, out, type) \
    { "nv_few.cl", "nv_few", "-D TYPE=" #type " -D WG=" #wg_ " -D WARPS_K=" #warps \
      " -D WM=1 -D MT=" #mt " -D NT=" #nt " -D OUT=" #out, wg_, 16 * mt, 8 * nt }
#define GEMM(mt, nt, wn, wk, wg_, out) \
    { "nv_gemm.cl", "nv_gemm", "-D TYPE=12 -D WG=" #wg_ " -D WM=2 -D WN=" #wn " -D WK=" #wk \
      " -D MT=" #mt " -D NT=" #nt " -D OUT=" #out, wg_, 32 * mt, 8 * wn * nt }

/* Up to 64 tokens the weights are what costs; above, C rows want 160 rows by
 * 64 tokens, which fill 132 units evenly for C 2560 and 512 tokens, and more
 * rows tiles of which two fit a unit. */
static const struct anser_nv_tile tiles[TILE_KINDS][TILE_SIZES] = {
    [TILE_FLOATS] = { FEW(2, 1, 4, 128, 0, 12), FEW(2, 2, 4, 128, 0, 12),
                      FEW(2, 4, 4, 128, 0, 12), GEMM(4, 2, 4, 1, 256, 0) },
    [TILE_ADD] =    { FEW(1, 1, 8, 256, 0, 12), FEW(1, 2, 8, 256, 0, 12),
                      FEW(2, 4, 8, 256, 0, 12), GEMM(5, 4, 2, 2, 256, 0) },
    [TILE_HALVES] = { FEW(2, 1, 4, 128, 2, 12), FEW(2, 2, 4, 128, 2, 12),
                      FEW(2, 4, 4, 128, 2, 12), GEMM(4, 2, 4, 1, 256, 2) },
    [TILE_DOWN] =   { FEW(2, 1, 8, 256, 1, 0), FEW(2, 2, 8, 256, 1, 0),
                      FEW(2, 4, 8, 256, 1, 0), FEW(2, 8, 8, 256, 1, 0) },
    [TILE_UP] =     { FEW(2, 1, 2, 64, 0, 0), FEW(2, 2, 2, 64, 0, 0),
                      FEW(2, 4, 2, 64, 0, 0), FEW(2, 8, 1, 32, 0, 0) },
};

/* Without PTX, where they are merely checked: few programs, small ones. */
#define SMALL(out, type) FEW(2, 1, 2, 64, out, type)
static const struct anser_nv_tile small[TILE_KINDS][TILE_SIZES] = {
    [TILE_FLOATS] = { SMALL(0, 12), SMALL(0, 12), SMALL(0, 12), GEMM(1, 2, 2, 1, 128, 0) },
    [TILE_ADD] =    { SMALL(0, 12), SMALL(0, 12), SMALL(0, 12), GEMM(1, 2, 2, 1, 128, 0) },
    [TILE_HALVES] = { SMALL(2, 12), SMALL(2, 12), SMALL(2, 12), GEMM(1, 2, 2, 1, 128, 2) },
    [TILE_DOWN] =   { SMALL(1, 0), SMALL(1, 0), SMALL(1, 0), SMALL(1, 0) },
    [TILE_UP] =     { SMALL(0, 0), SMALL(0, 0), SMALL(0, 0), SMALL(0, 0) },
};
/* clang-format on */

static unsigned size_of(uint32_t T)
{
    static const uint32_t most[TILE_SIZES - 1] = { 8, 16, 64 };
    unsigned i = 0;
    while (i < TILE_SIZES - 1 && T > most[i])
        i++;
    return i;
}

static enum anser_status get(anser_device *device, const char *file,
                             const char *kernel, const char *options,
                             uint32_t wg, struct anser_kernel **made)
{
    char all[320];
    snprintf(all, sizeof all, "%s%s", options,
             device->caps.class == ANSER_CLASS_NVIDIA ? " -D PTX" : "");
    const struct anser_kernel_key key = { file, all, kernel };
    TRY(anser_kernel_get(device, &key, made));
    if ((*made)->max_group < wg)
        return anser_fail(device->ctx, ANSER_UNSUPPORTED,
                          "%s: a work-group of %u does not fit (at most %zu)",
                          kernel, (unsigned)wg, (*made)->max_group);
    return ANSER_OK;
}

enum anser_status anser_nv_prefill_build(anser_device *device,
                                         const struct anser_nv_shape *shape,
                                         struct anser_nv_prefill *made)
{
    static const char *const names[PREFILL_BETWEEN] = {
        "nv_shift", "nv_finish"
    };
    struct anser_nv_prefill k = {
        .shape = *shape,
        .tiles = device->caps.class == ANSER_CLASS_NVIDIA ? tiles : small
    };
    char options[64];
    snprintf(options, sizeof options, "-D WG=%d -D WIDTH=%u", GROUP,
             shape->C);
    for (int i = 0; i < PREFILL_BETWEEN; i++)
        TRY(get(device, "nv_prefill.cl", names[i], options, GROUP,
                &k.between[i]));
    TRY(anser_nv_chunk_build(device, &k.chunk));
    for (int i = 0; i < TILE_KINDS; i++)
        for (int j = 0; j < TILE_SIZES; j++) {
            const struct anser_nv_tile *t = &k.tiles[i][j];
            TRY(get(device, t->file, t->kernel, t->options, t->wg,
                    &k.tile[i][j]));
        }
    *made = k;
    return ANSER_OK;
}

/* --------------------------------------------------------------- products */

/* Up to four products in one launch: their arguments and results. */
struct products {
    struct gemm_args args;
    cl_mem y[4];
    uint32_t groups;                 /* along the rows                      */
    const struct anser_nv_tile *tile;
    struct anser_kernel *kernel;
};

static struct products products(const struct anser_nv_prefill *k,
                                unsigned kind, uint32_t T)
{
    const unsigned size = size_of(T);
    return (struct products){ .args = { .T = T }, .tile = &k->tiles[kind][size],
                              .kernel = k->tile[kind][size] };
}

/* x_at, and y_at of halves, count 8 halves; y_at of floats is 0. */
static void add(struct products *s, const struct anser_matrix *W,
                uint32_t x_at, cl_mem y, uint32_t y_at, uint32_t act)
{
    const uint32_t i = s->args.n++;
    s->args.job[i] = (struct gemm_job){
        .w_at = W->parts[0].at, .x_at = x_at, .y_at = y_at, .rows = W->rows,
        .cols = W->cols, .act = act, .group0 = s->groups,
        .in_halves = W->block->type == ANSER_F16
    };
    s->y[i] = y;
    s->groups += (W->rows + s->tile->rows - 1) / s->tile->rows;
}

static void run(const struct anser_pass *p, const struct products *s,
                cl_mem W, cl_mem x)
{
    const struct anser_nv_tile *t = s->tile;
    const uint32_t last = s->args.n - 1;
    const struct anser_grid grid = {
        { (size_t)s->groups * t->wg, (p->T + t->tokens - 1) / t->tokens, 1 },
        { t->wg, 1, 1 }
    };
    ANSER_RUN(p->q, s->kernel, grid, s->args, W, x, s->y[0],
              s->y[last < 1 ? last : 1], s->y[last < 2 ? last : 2],
              s->y[last]);
}

static cl_mem weights(const struct anser_layer *l)
{
    return l->receptance.parts[0].mem;
}

/* ----------------------------------------------------------------- phases */

/* T groups. */
static struct anser_grid tokens(const struct anser_pass *p)
{
    return (struct anser_grid){ { (size_t)p->T * GROUP, 1, 1 },
                                { GROUP, 1, 1 } };
}

/* Four columns of a token a work-item. */
static struct anser_grid fours(const struct anser_pass *p)
{
    const size_t n = (size_t)p->T * p->shape->C / 4;
    return (struct anser_grid){ { (n + GROUP - 1) / GROUP * GROUP, 1, 1 },
                                { GROUP, 1, 1 } };
}

/* Where the blends of a coefficient begin, in 8 halves: the means behind each
 * take a 16th. */
static uint32_t blend(const struct anser_pass *p, enum anser_mix mix)
{
    return (uint32_t)mix * p->T * (p->shape->C / 128) * 17;
}

static void shift(const struct anser_nv_prefill *k, const struct anser_pass *p,
                  struct nv_shift_args args)
{
    args.C = p->shape->C;
    args.T = p->T;
    args.eps = p->shape->ln_eps;
    ANSER_RUN(p->q, k->between[PREFILL_SHIFT], tokens(p), args, p->vecs,
              p->work->x.mem, p->state, p->work->mixed.mem);
}

/* Where the inner vectors of the LoRAs begin, in 8 halves. */
struct lows {
    uint32_t w, a, v, g;
};

static struct lows lows(const struct anser_pass *p)
{
    const struct anser_v7_shape *s = p->shape;
    const uint32_t a = p->T * s->Dw / 8, v = a + p->T * s->Da / 8;
    return (struct lows){ 0, a, v, v + p->T * s->Dv / 8 };
}

static void time_in(const struct anser_nv_prefill *k,
                    const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct lows at = lows(p);
    const cl_mem low = w->low.mem;
    shift(k, p, (struct nv_shift_args){
        .n = MIX_COUNT, .lerp_at = l->lerp, .weight_at = l->ln1_w,
        .bias_at = l->ln1_b, .prev_at = anser_layer_state(p->shape, l->index)
                                        + (uint32_t)V7_STATE_ATT(p->shape) });
    struct products big = products(k, TILE_FLOATS, p->T);
    add(&big, &l->receptance, blend(p, MIX_R), w->r.mem, 0, SH_ACT_NONE);
    add(&big, &l->key, blend(p, MIX_K), w->k.mem, 0, SH_ACT_NONE);
    add(&big, &l->value, blend(p, MIX_V), w->v.mem, 0, SH_ACT_NONE);
    run(p, &big, weights(l), w->mixed.mem);
    struct products down = products(k, TILE_DOWN, p->T);
    add(&down, &l->w1, blend(p, MIX_W), low, at.w, SH_ACT_TANH);
    add(&down, &l->a1, blend(p, MIX_A), low, at.a, SH_ACT_NONE);
    add(&down, &l->g1, blend(p, MIX_G), low, at.g, SH_ACT_SIGMOID);
    if (l->index > 0)
        add(&down, &l->v1, blend(p, MIX_V), low, at.v, SH_ACT_NONE);
    run(p, &down, weights(l), w->mixed.mem);
}

/* The records take the place of the blends. */
static void recurrence(const struct anser_nv_prefill *k,
                       const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct anser_nv_recurrence r = {
        .prepare = { .C = p->shape->C, .T = p->T, .w0_at = l->w0,
                     .a0_at = l->a0, .v0_at = l->v0, .k_k_at = l->k_k,
                     .k_a_at = l->k_a, .first = l->index == 0 },
        .s_at = anser_layer_state(p->shape, l->index)
                + (uint32_t)V7_STATE_S(p->shape),
        .heads = { .r = w->r.mem, .w = w->w.mem, .k = w->k.mem,
                   .v = w->v.mem, .a = w->a.mem, .v_lora = w->v_lora.mem,
                   .v_first = w->v_first.mem, .y = w->y.mem },
        .vecs = p->vecs, .state = p->state, .records = w->mixed.mem
    };
    anser_nv_chunk_run(p->q, &k->chunk, &r);
}

static void time_mix(const struct anser_nv_prefill *k,
                     const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    const struct lows at = lows(p);
    const uint32_t C = p->shape->C, T = p->T;
    struct products up = products(k, TILE_UP, T);
    add(&up, &l->w2, at.w, w->w.mem, 0, SH_ACT_NONE);
    add(&up, &l->a2, at.a, w->a.mem, 0, SH_ACT_NONE);
    add(&up, &l->g2, at.g, w->g.mem, 0, SH_ACT_NONE);
    if (l->index > 0)
        add(&up, &l->v2, at.v, w->v_lora.mem, 0, SH_ACT_NONE);
    run(p, &up, weights(l), w->low.mem);
    recurrence(k, p, l);
    const struct finish_args finish = {
        .C = C, .T = T, .weight_at = l->ln_x_w, .bias_at = l->ln_x_b,
        .r_k_at = l->r_k, .eps = V7_GN_EPS
    };
    ANSER_RUN(p->q, k->between[PREFILL_FINISH], fours(p), finish, p->vecs,
              w->r.mem, w->k.mem, w->v.mem, w->g.mem, w->y.mem, w->xn.mem);
}

static void channel_in(const struct anser_nv_prefill *k,
                       const struct anser_pass *p, const struct anser_layer *l)
{
    const struct anser_work *w = p->work;
    shift(k, p, (struct nv_shift_args){
        .n = 1, .lerp_at = l->ffn_lerp, .weight_at = l->ln2_w,
        .bias_at = l->ln2_b, .prev_at = anser_layer_state(p->shape, l->index)
                                        + (uint32_t)V7_STATE_FFN(p->shape) });
    struct products key = products(k, TILE_HALVES, p->T);
    add(&key, &l->ffn_key, 0, w->h.mem, 0, SH_ACT_RELU2);
    run(p, &key, weights(l), w->mixed.mem);
}

/* The residual stream plus W x. */
static void add_to_x(const struct anser_nv_prefill *k,
                     const struct anser_pass *p, const struct anser_matrix *W,
                     cl_mem x)
{
    struct products s = products(k, TILE_ADD, p->T);
    add(&s, W, 0, p->work->x.mem, 0, SH_ACT_ADD);
    run(p, &s, W->parts[0].mem, x);
}

void anser_nv_prefill_run(const struct anser_nv_prefill *k, unsigned phase,
                          const struct anser_pass *p,
                          const struct anser_layer *l)
{
    switch (phase) {
    case PHASE_A: time_in(k, p, l); break;
    case PHASE_B: time_mix(k, p, l); break;
    case PHASE_C: add_to_x(k, p, &l->output, p->work->xn.mem); break;
    case PHASE_D: channel_in(k, p, l); break;
    default: add_to_x(k, p, &l->ffn_value, p->work->h.mem);
    }
}
