/* SPDX-License-Identifier: MIT */
/*
 * The five phases of a layer (op/phase.h) for one token, the token's beginning
 * and the head, as functions of a group; kernels: nv_decode.cl.
 * Matrices are Q4_K, LoRAs F16 or F32 (-D W_TYPE A_TYPE V_TYPE G_TYPE) with
 * ranks DW DA DV DG.
 *
 * Every group repeats the norm of its phase, so that nothing but the residual
 * stream crosses between phases.  What another group may have written in this
 * launch is read by fresh().  Equations: base/ref.c.
 */

#define AT(units) (W + (ulong)(units) * SH_UNIT)
#define ROW_COST (COLS / 256 * 9)            /* of Q4_K, in 16 bytes             */
#define DOWN_COST(type) (COLS / 16 * SIZE(type))

/* What the phases read and write; old and now are the same state where a
 * launch does one phase. */
struct token {
    bytes W;
    floats vecs, old;
    __global float *now, *x, *xn, *r, *k, *v, *low, *v_first, *y, *h;
};

/* A group's local memory. */
struct room {
    __local uint4 *pool;                  /* (POOL)                           */
    __local float *s, *part;              /* (WG), (PART)                     */
};
#define MOST(a, b) ((a) > (b) ? (a) : (b))
#define POOL MOST(VEC8 * PIECES * RUNS, MOST(COLS / 4, 320))

#define ROOM                                                                                \
    __local float s_[WG], part_[PART];                                                      \
    __local uint4 pool_[POOL];                                                              \
    const struct room at = { pool_, s_, part_ }
#define KERNEL __kernel __attribute__((reqd_work_group_size(WG, 1, 1)))

/* The rows of n that are this group's. */
INLINE uint2 even(uint n)
{
    const uint g = get_group_id(0), groups = get_num_groups(0);
    return (uint2)((uint)((ulong)n * g / groups), (uint)((ulong)n * (g + 1) / groups));
}

/* Phase A's work, in units of 16 bytes: r, k, v, then the LoRAs, cut into
 * equal bytes over the groups. */
struct cut {
    uint lo, hi, a0, w0, g0, v1;
};

INLINE struct cut cut_of(uint first)
{
    const uint g = get_group_id(0), groups = get_num_groups(0);
    struct cut c;
    c.v1 = first ? 0 : DV;
    c.a0 = 3 * COLS * ROW_COST + c.v1 * DOWN_COST(V_TYPE);
    c.w0 = c.a0 + DA * DOWN_COST(A_TYPE);
    c.g0 = c.w0 + DW * DOWN_COST(W_TYPE);
    const uint all = c.g0 + DG * DOWN_COST(G_TYPE);
    c.lo = (uint)((ulong)all * g / groups);
    c.hi = (uint)((ulong)all * (g + 1) / groups);
    return c;
}

/* Its rows of r, k or v (m = 0, 1, 2). */
INLINE struct rows rkv(const struct layer_args l, bytes W, struct cut c, uint m)
{
    const uint2 span = share(c.lo, c.hi, m * COLS * ROW_COST, ROW_COST, COLS);
    const struct rows rows = { AT(m == 0 ? l.receptance : m == 1 ? l.key : l.value),
                               span.x, span.y - span.x, 1 };
    return rows;
}

/* Its rows of LoRA m: v, a, w, g. */
INLINE uint2 downs(struct cut c, uint m)
{
    return m == 0 ? share(c.lo, c.hi, 3 * COLS * ROW_COST, DOWN_COST(V_TYPE), c.v1)
           : m == 1 ? share(c.lo, c.hi, c.a0, DOWN_COST(A_TYPE), DA)
           : m == 2 ? share(c.lo, c.hi, c.w0, DOWN_COST(W_TYPE), DW)
                    : share(c.lo, c.hi, c.g0, DOWN_COST(G_TYPE), DG);
}

#define DOWN_LERP(m) ((m) == 0 ? 3 : (m) == 1 ? 4 : (m) == 2 ? 1 : 5)

/* What this group does first: 0 to 2 r, k, v; 3 to 6 the LoRAs. */
INLINE uint first_of(struct cut c)
{
    uint m = c.lo < COLS * ROW_COST ? 0 : c.lo < 2 * COLS * ROW_COST ? 1 : 2;
    const uint2 v = share(c.lo, c.hi, m * COLS * ROW_COST, ROW_COST, COLS);
    if (c.lo < 3 * COLS * ROW_COST && v.x < v.y)
        return m;
    #pragma unroll
    for (m = 0; m < 3; m++) {
        const uint2 rows = downs(c, m);
        if (rows.x < rows.y)
            return 3 + m;
    }
    return 6;
}

INLINE uint lerp_of(uint m)
{
    return (m == 0 ? 0 : m < 3 ? m + 1 : DOWN_LERP(m - 3)) * COLS;
}

/* Constants for the loops within to be unrolled. */
#define DOWN(m, at_, type, to, act_)                                                        \
    if (downs(c, m).x < downs(c, m).y) {                                                    \
        if (3 + m != asked)                                                                 \
            take_lerp(&cols, t.vecs + l.lerp + lerp_of(3 + m));                             \
        blend32(&cols, at.pool);                                                            \
        lora_down(AT(at_), type, downs(c, m), at.pool, to, act_, at.s);                     \
    }

INLINE void time_in_begin(struct run *run, const struct layer_args l, bytes W)
{
    const struct cut c = cut_of(l.first);
    const uint asked = first_of(c);
    if (asked < 3)
        rows_begin(run, rkv(l, W, c, asked));
}

/* Phase A. */
INLINE void time_in(struct run *run, const struct layer_args l, const struct token t,
                    const struct room at)
{
    bytes W = t.W;
    const struct cut c = cut_of(l.first);
    const struct vec8 x8 = vec8_in(at.pool, PIECES);
    const uint asked = first_of(c);
    const struct norm_at norm = { l.ln1_w, l.ln1_b, l.state_at, l.eps, true,
                                  l.lerp + lerp_of(asked) };
    struct columns cols;
    norm_columns(&cols, t.x, t.vecs, t.old, norm, at.s);
    store_columns(&cols, t.xn);
    for (uint m = 0; m < 3; m++) {
        const struct rows rows = rkv(l, W, c, m);
        if (rows.n == 0)
            continue;
        if (m != asked) {
            rows_begin(run, rows);
            take_lerp(&cols, t.vecs + l.lerp + lerp_of(m));
        }
        blend8(&cols, x8, at.s);
        rows_end(run, rows, x8, m == 0 ? t.r : m == 1 ? t.k : t.v, SH_ACT_NONE, at.s, at.s);
    }
    DOWN(0, l.v1, V_TYPE, t.low + DW + DA, SH_ACT_NONE);
    DOWN(1, l.a1, A_TYPE, t.low + DW, SH_ACT_NONE);
    DOWN(2, l.w1, W_TYPE, t.low, SH_ACT_TANH);
    DOWN(3, l.g1, G_TYPE, t.low + DW + DA + DV, SH_ACT_SIGMOID);
}

/* Four weights as they are: RAW(type), of type 0 or 1. */
#define RAW_0 uint4
#define RAW_1 uint2
#define RAW_(type) RAW_##type
#define RAW(type) RAW_(type)
INLINE float4 raw_0(uint4 w)
{
    return as_float4(w);
}

INLINE float4 raw_1(uint2 w)
{
    return (float4)(halves(w.x), halves(w.y));
}
#define FLOATS_(type, w) raw_##type(w)
#define FLOATS(type, w) FLOATS_(type, w)

#define LOWS (DW + DA + DV + DG)
#define HEADS (COLS / SH_HEAD)
#define EACH (WG / 64)                    /* lanes of a row of the state      */
#define FOURS (16 / EACH)                 /* fours of columns each has        */

/* A lane's part of row c of the LoRAs' second matrices and of the state: asked
 * for before their input is there. */
struct ups {
    RAW(W_TYPE) w[DW / 4 / EACH];
    RAW(A_TYPE) a[DA / 4 / EACH];
    RAW(V_TYPE) v[DV / 4 / EACH];
    RAW(G_TYPE) g[DG / 4 / EACH];
    float4 S[FOURS];
    float w0, a0, v0, k_k, k_a, r_k, ln_w, ln_b;
};

/* Nothing, as run_clear. */
INLINE void ups_clear(struct ups *up)
{
    #pragma unroll
    for (uint u = 0; u < DW / 4 / EACH; u++)
        up->w[u] = 0;
    #pragma unroll
    for (uint u = 0; u < DA / 4 / EACH; u++)
        up->a[u] = 0;
    #pragma unroll
    for (uint u = 0; u < DV / 4 / EACH; u++)
        up->v[u] = 0;
    #pragma unroll
    for (uint u = 0; u < DG / 4 / EACH; u++)
        up->g[u] = 0;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        up->S[u] = (float4)(0.0f);
    up->w0 = up->a0 = up->v0 = up->k_k = up->k_a = up->r_k = up->ln_w = up->ln_b = 0.0f;
}

#define UP_LOAD(to, units, type, D)                                                         \
    _Pragma("unroll") for (uint u_ = 0; u_ < D / 4 / EACH; u_++)                            \
        to[u_] = ((__global const RAW(type) *)(AT(units) + (ulong)c * D * SIZE(type)))      \
            [e + EACH * u_]
#define UP_DOT(sum, w, type, D, from)                                                       \
    float sum = 0.0f;                                                                       \
    _Pragma("unroll") for (uint u_ = 0; u_ < D / 4 / EACH; u_++)                            \
        sum += sum4(FLOATS(type, w[u_]) * LOCAL4(lowly + from, e + EACH * u_));             \
    sum = lanes_sum(sum, EACH, s)

INLINE uint state_row(const struct layer_args l, uint c, uint e)
{
    return l.state_at + 2 * COLS + c * SH_HEAD + 4 * FOURS * e;
}

INLINE void time_mix_begin(struct ups *up, const struct layer_args l, bytes W, floats vecs,
                           floats old, uint head)
{
    const uint c = head * SH_HEAD + get_local_id(0) / EACH;
    const uint e = get_local_id(0) % EACH;
    floats row = old + state_row(l, c, e);
    UP_LOAD(up->w, l.w2, W_TYPE, DW);
    UP_LOAD(up->a, l.a2, A_TYPE, DA);
    UP_LOAD(up->v, l.first ? l.a2 : l.v2, V_TYPE, DV);
    UP_LOAD(up->g, l.g2, G_TYPE, DG);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        up->S[u] = FOUR(row + 4 * u);
    up->w0 = vecs[l.w0 + c];
    up->a0 = vecs[l.a0 + c];
    up->v0 = l.first ? 0.0f : vecs[l.v0 + c];
    up->k_k = vecs[l.k_k + c];
    up->k_a = vecs[l.k_a + c];
    up->r_k = vecs[l.r_k + c];
    up->ln_w = vecs[l.ln_x_w + c];
    up->ln_b = vecs[l.ln_x_b + c];
}

/* The sum of 64 values in every warp. */
INLINE float head_sum(__local const float *x, __local float *s)
{
    const uint lane = get_local_id(0) % 32;
    return lanes_sum(x[lane] + x[lane + 32], 32, s);
}

/* Phase B of a head, EACH lanes a row i. */
INLINE void time_mix(struct ups *up, const struct layer_args l, const struct token t,
                     const struct room at, uint head)
{
    __local float *s = at.s, *lowly = (__local float *)at.pool, *lr = lowly + LOWS;
    __local float *lw = lr + 64, *lk = lw + 64, *lkk = lk + 64, *lb = lkk + 64;
    __local float *lbonus = lb + 64, *square = lbonus + 64, *ly = square + 64;
    const uint id = get_local_id(0), i = id / EACH, e = id % EACH;
    const uint c = head * SH_HEAD + i;
    __global float *row = t.now + state_row(l, c, e);
    const float rc = fresh(t.r + c), kc = fresh(t.k + c);
    float vc = fresh(t.v + c);
    const float was = l.first ? vc : fresh(t.v_first + c);
    float taken[(LOWS + WG - 1) / WG];
    #pragma unroll
    for (uint u = 0; u < (LOWS + WG - 1) / WG; u++)
        taken[u] = fresh(t.low + min(id + u * WG, (uint)(LOWS - 1)));
    #pragma unroll
    for (uint u = 0; u < (LOWS + WG - 1) / WG; u++)
        if (id + u * WG < LOWS)
            lowly[id + u * WG] = taken[u];
    barrier(CLK_LOCAL_MEM_FENCE);
    UP_DOT(wc, up->w, W_TYPE, DW, 0);
    UP_DOT(ac, up->a, A_TYPE, DA, DW);
    UP_DOT(mix, up->v, V_TYPE, DV, DW + DA);
    UP_DOT(gc, up->g, G_TYPE, DG, DW + DA + DV);
    const float a = sigmoid(ac + up->a0);
    const float kkc = kc * up->k_k;
    const float kx = kc * (1.0f + (a - 1.0f) * up->k_a);
    if (!l.first)
        vc += (was - vc) * sigmoid(mix + up->v0);
    if (e == 0) {
        if (l.first)
            t.v_first[c] = vc;
        lr[i] = rc;
        lw[i] = exp(DECAY * sigmoid(wc + up->w0));
        lk[i] = kx;
        lkk[i] = kkc;
        square[i] = kkc * kkc;
        lb[i] = kkc * a;
        lbonus[i] = rc * kx * up->r_k;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const float unit = 1.0f / fmax(sqrt(head_sum(square, s)), L2_FLOOR);
    const float bonus = head_sum(lbonus, s);
    float sa = 0.0f, out = 0.0f;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        sa -= dot(up->S[u], LOCAL4(lkk, e * FOURS + u));
    sa = unit * unit * lanes_sum(sa, EACH, s);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++) {
        const uint j = e * FOURS + u;
        up->S[u] = up->S[u] * LOCAL4(lw, j) + sa * LOCAL4(lb, j) + vc * LOCAL4(lk, j);
        ((__global float4 *)row)[u] = up->S[u];
        out += dot(up->S[u], LOCAL4(lr, j));
    }
    out = lanes_sum(out, EACH, s);
    if (e == 0)
        ly[i] = out;
    barrier(CLK_LOCAL_MEM_FENCE);
    const float d = out - head_sum(ly, s) / SH_HEAD;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (e == 0)
        square[i] = d * d;
    barrier(CLK_LOCAL_MEM_FENCE);
    const float scale = 1.0f / sqrt(head_sum(square, s) / SH_HEAD + l.head_eps);
    if (e == 0)
        t.y[c] = (d * scale * up->ln_w + up->ln_b + bonus * vc) * gc;
}

/* x(n), rounded: all of it is asked for at once. */
INLINE void take8(floats x, uint n, struct vec8 v, __local float *s)
{
    float4 all[(HIDDEN / 4 + WG - 1) / WG];
    #pragma unroll
    for (uint u = 0; u * WG < n / 4; u++)
        all[u] = fresh4(x + 4 * min((uint)get_local_id(0) + u * WG, n / 4 - 1));
    #pragma unroll
    for (uint u = 0; u * WG < n / 4; u++)
        quantise(all[u], get_local_id(0) + u * WG, n / 4, v, s);
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* This group's rows of the phases that have one matrix. */
INLINE struct rows share_of(bytes W, uint at, uint n, uint runs)
{
    const uint2 mine = even(n);
    const struct rows rows = { AT(at), mine.x, mine.y - mine.x, runs };
    return rows;
}

/* Phase C. */
INLINE void time_out(struct run *run, const struct layer_args l, const struct token t,
                     const struct room at)
{
    const struct vec8 x8 = vec8_in(at.pool, PIECES);
    take8(t.y, COLS, x8, at.s);
    rows_end(run, share_of(t.W, l.output, COLS, 1), x8, t.x, SH_ACT_ADD, at.s, at.s);
}

/* Phase D. */
INLINE void channel_in(struct run *run, const struct layer_args l, const struct token t,
                       const struct room at)
{
    const struct vec8 x8 = vec8_in(at.pool, PIECES);
    const struct norm_at norm = { l.ln2_w, l.ln2_b, l.state_at + COLS, l.eps, true, l.ffn_lerp };
    struct columns cols;
    norm_columns(&cols, t.x, t.vecs, t.old, norm, at.s);
    store_columns(&cols, t.xn);
    blend8(&cols, x8, at.s);
    rows_end(run, share_of(t.W, l.ffn_key, HIDDEN, 1), x8, t.h, SH_ACT_RELU2, at.s, at.s);
}

/* Phase E. */
INLINE void channel_out(struct run *run, const struct layer_args l, const struct token t,
                        const struct room at)
{
    const struct vec8 x8 = vec8_in(at.pool, PIECES * RUNS);
    take8(t.h, HIDDEN, x8, at.s);
    rows_end(run, share_of(t.W, l.ffn_value, COLS, RUNS), x8, t.x, SH_ACT_ADD, at.part, at.s);
}

/* One group: the norm of the embedding. */
INLINE void token_begin(const struct ends_args a, const struct token t, const struct room at)
{
    const struct norm_at norm = { a.ln0_w, a.ln0_b, 0, a.eps, false, 0 };
    struct columns cols;
    norm_columns(&cols, t.x, t.vecs, t.old, norm, at.s);
    for (uint u = 0; u < COLUMN4; u++)
        if (get_local_id(0) + u * WG < COLS / 4)
            ((__global float4 *)t.x)[get_local_id(0) + u * WG] = cols.now[u];
}

/* Norm and head. */
INLINE void token_end(const struct ends_args a, const struct token t, __global float *logits,
                      const struct room at)
{
    const struct norm_at norm = { a.ln_out_w, a.ln_out_b, 0, a.eps, false, 0 };
    const struct vec6 x6 = vec6_in(at.pool);
    bytes W = t.W;
    struct columns cols;
    norm_columns(&cols, t.x, t.vecs, t.old, norm, at.s);
    round6(&cols, x6, at.s);
    rows6(AT(a.head), even(a.V), x6, logits, at.s);
}
