/* SPDX-License-Identifier: MIT */
/*
 * The five phases of a layer (op/phase.h) for one token, the token's beginning
 * and the head, as functions of a group; kernels: nv_decode.cl.
 * Matrices are Q4_K, LoRAs F16 or F32 (-D W_TYPE A_TYPE V_TYPE G_TYPE) with
 * ranks DW DA DV DG.
 *
 * Every group repeats the norm of its phase, so that nothing but the residual
 * stream crosses between phases.  What another group may have written in this
 * launch is heard (nv_prelude.h).  Equations: base/ref.c.
 */

#define AT(units) (W + (ulong)(units) * SH_UNIT)

/* What the phases read and write; old and now are the same state where a
 * launch does one phase. */
struct token {
    bytes W;
    floats vecs, old;
    __global float *now, *x, *xn, *r, *k, *v, *low, *v_first, *y, *h;
    struct told told;
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

/* Where share i of `of` of n rows begins and ends. */
INLINE uint2 share(uint n, uint i, uint of)
{
    return (uint2)(n * i / of, n * (i + 1) / of);
}

/* The rows of n that are this group's. */
INLINE uint2 even(uint n)
{
    return share(n, get_group_id(0), get_num_groups(0));
}

/* The ith of four, by arithmetic: a choice would put all arguments in memory. */
INLINE uint one_of(uint i, uint a, uint b, uint c, uint d)
{
    return (a & -(uint)(i == 0)) | (b & -(uint)(i == 1)) | (c & -(uint)(i == 2))
           | (d & -(uint)(i == 3));
}

INLINE struct norm_at channel_norm(const struct layer_args l)
{
    const struct norm_at at = { l.ln2_w, l.ln2_b, l.state_at + COLS, l.eps, true, l.ffn_lerp };
    return at;
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
    UP_LOAD(up->v, one_of(l.first ? 0 : 1, l.a2, l.v2, 0, 0), V_TYPE, DV);
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
    float rc = look(t.r + c), kc = look(t.k + c), vc = look(t.v + c);
    float taken[(LOWS + WG - 1) / WG];
    #pragma unroll
    for (uint u = 0; u < (LOWS + WG - 1) / WG; u++)
        taken[u] = look(t.low + min(id + u * WG, (uint)(LOWS - 1)));
    rc = heard(rc, t.r + c, t.told.rest, &t.told);
    kc = heard(kc, t.k + c, t.told.rest, &t.told);
    vc = heard(vc, t.v + c, t.told.rest, &t.told);
    const float was = l.first ? vc : t.v_first[c];
    #pragma unroll
    for (uint u = 0; u < (LOWS + WG - 1) / WG; u++) {
        const uint n = id + u * WG;
        const bool none = l.first && n >= DW + DA && n < DW + DA + DV;
        if (n < LOWS)
            lowly[n] = none ? 0.0f : heard(taken[u], t.low + n, t.told.rest, &t.told);
    }
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
    const float mean = head_sum(ly, s) / SH_HEAD, d = out - mean;
    const float d0 = ly[id % 32] - mean, d1 = ly[id % 32 + 32] - mean;
    const float scale = rsqrt(lanes_sum(d0 * d0 + d1 * d1, 32, s) / SH_HEAD + l.head_eps);
    if (e == 0)
        tell(t.y + c, (d * scale * up->ln_w + up->ln_b + bonus * vc) * gc, t.told.rest, &t.told);
}

/* x(n), rounded. */
INLINE void take8(floats x, uint n, struct vec8 v, const struct told *told, __local float *s)
{
    float4 all[HEARD_MOST];
    const uint count = (n / 4 + WG - 1) / WG;
    hear(all, count, x, n / 4 - 1, told->rest, told);
    #pragma unroll
    for (uint u = 0; u < HEARD_MOST; u++)
        if (u < count)
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
    const struct to to = { t.x, SH_ACT_ADD, t.told.x + 1, &t.told };
    take8(t.y, COLS, x8, &t.told, at.s);
    rows_end(run, share_of(t.W, l.output, COLS, 1), x8, to, at.s, at.s);
}

/* Phase D. */
INLINE void channel_in(struct run *run, struct columns *cols, const struct layer_args l,
                       const struct token t, const struct room at)
{
    const struct vec8 x8 = vec8_in(at.pool, PIECES);
    const struct to to = { t.h, SH_ACT_RELU2, t.told.rest, &t.told };
    columns_end(cols, t.x, l.eps, &t.told, at.s);
    store_columns(cols, t.xn);
    blend8(cols, x8, at.s);
    rows_end(run, share_of(t.W, l.ffn_key, HIDDEN, 1), x8, to, at.s, at.s);
}

/* Phase E. */
INLINE void channel_out(struct run *run, const struct layer_args l, const struct token t,
                        const struct room at)
{
    const struct vec8 x8 = vec8_in(at.pool, PIECES * RUNS);
    const struct to to = { t.x, SH_ACT_ADD, t.told.x + 1, &t.told };
    take8(t.h, HIDDEN, x8, &t.told, at.s);
    rows_end(run, share_of(t.W, l.ffn_value, COLS, RUNS), x8, to, at.part, at.s);
}

/* One group: the norm of the embedding. */
INLINE void token_begin(const struct ends_args a, const struct token t, floats embedding,
                        const struct room at)
{
    const struct norm_at norm = { a.ln0_w, a.ln0_b, 0, a.eps, false, 0 };
    const struct told before = { false, 0, 0, 0, 0 };
    const uint id = get_local_id(0);
    struct columns cols;
    columns_begin(&cols, t.vecs, t.old, norm);
    columns_end(&cols, embedding, a.eps, &before, at.s);
    barrier(CLK_GLOBAL_MEM_FENCE);        /* x may be where it was            */
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++)
        if (id + u * WG < COLS / 4) {
            __global float *x = t.x + 4 * (id + u * WG);
            tell(x, cols.now[u].x, t.told.x, &t.told);
            tell(x + 1, cols.now[u].y, t.told.x, &t.told);
            tell(x + 2, cols.now[u].z, t.told.x, &t.told);
            tell(x + 3, cols.now[u].w, t.told.x, &t.told);
        }
}

/* Norm and head. */
INLINE void token_end(const struct ends_args a, const struct token t, __global float *logits,
                      const struct room at)
{
    const struct norm_at norm = { a.ln_out_w, a.ln_out_b, 0, a.eps, false, 0 };
    const struct vec6 x6 = vec6_in(at.pool);
    bytes W = t.W;
    struct columns cols;
    columns_begin(&cols, t.vecs, t.old, norm);
    columns_end(&cols, t.x, a.eps, &t.told, at.s);
    round6(&cols, x6, at.s);
    rows6(AT(a.head), even(a.V), x6, logits, at.s);
}
