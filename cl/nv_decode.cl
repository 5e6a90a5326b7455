/* SPDX-License-Identifier: MIT */
/*
 * One token through the five phases of a layer (op/phase.h), a launch each.
 * Matrices are Q4_K, LoRAs F16 or F32 (-D W_TYPE A_TYPE V_TYPE G_TYPE) with
 * ranks DW DA DV DG, activations of the LoRAs halves (down) or floats (up).
 *
 * Every group repeats the norm of its phase, so that nothing but the residual
 * stream crosses between phases.  Equations: base/ref.c.
 */

/* ------------------------------------------------------------- phase A, D */

#define DECAY -0.606531f                  /* as in prepare.cl                 */
#define L2_FLOOR 1e-12f

#define FOUR(p) (*(__global const float4 *)(p))
#define LOCAL4(p, i) (((__local const float4 *)(p))[i])

/* A work-item's columns of [V7:layernorm] and of the distance to the token
 * before: [V7:shift] is now + gap * lerp. */
struct columns {
    float4 now[COLUMN4], gap[COLUMN4];
};

struct norm_at {
    uint weight, bias, before;           /* in vecs, vecs, state              */
    float eps;
};

INLINE void norm_columns(struct columns *k, floats x, floats vecs, floats state,
                                struct norm_at at, __local float *s)
{
    const uint id = get_local_id(0);
    float4 weight[COLUMN4], bias[COLUMN4];
    float sum = 0.0f, square = 0.0f;
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint c = 4 * min(id + u * WG, (uint)(COLS / 4 - 1));
        k->now[u] = fresh4(x + c);
        weight[u] = FOUR(vecs + at.weight + c);
        bias[u] = FOUR(vecs + at.bias + c);
        k->gap[u] = fresh4(state + at.before + c);
        sum += id + u * WG < COLS / 4 ? sum4(k->now[u]) : 0.0f;
    }
    const float mean = all_sum(sum, s) / COLS;
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        k->now[u] -= mean;
        square += id + u * WG < COLS / 4 ? sum4(k->now[u] * k->now[u]) : 0.0f;
    }
    const float scale = 1.0f / sqrt(all_sum(square, s) / COLS + at.eps);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        k->now[u] = k->now[u] * scale * weight[u] + bias[u];
        k->gap[u] -= k->now[u];
    }
}

/* One group keeps the normalised vector for the state; a later phase, when no
 * group reads the old one any more, moves it there (keep_shift). */
INLINE void store_columns(const struct columns *k, __global float *xn)
{
    for (uint u = 0; u < COLUMN4 && get_group_id(0) == 0; u++)
        if (get_local_id(0) + u * WG < COLS / 4)
            ((__global float4 *)xn)[get_local_id(0) + u * WG] = k->now[u];
}

INLINE void keep_shift(__global float *state, uint at, floats xn)
{
    for (uint i = get_global_id(0); i < COLS / 4; i += get_global_size(0))
        ((__global float4 *)(state + at))[i] = fresh4(xn + 4 * i);
}

/* The blend by the coefficients at lerp, in int8. */
INLINE void blend8(const struct columns *k, floats lerp, struct vec8 v, __local float *s)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint i = get_local_id(0) + u * WG;
        const float4 m = FOUR(lerp + 4 * min(i, (uint)(COLS / 4 - 1)));
        quantise(mad(k->gap[u], m, k->now[u]), i, COLS / 4, v, s);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* The same in half precision. */
INLINE void blend16(const struct columns *k, floats lerp, __local uint4 *v)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint i = get_local_id(0) + u * WG;
        if (i >= COLS / 4)
            continue;
        const float4 x = mad(k->gap[u], FOUR(lerp + 4 * i), k->now[u]);
        ((__local uint2 *)v)[i] = (uint2)(to_halves(x.x, x.y), to_halves(x.z, x.w));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* 8 weights in floats or halves times 8 halves. */
INLINE float dot8(bytes W, uint type, uint i, uint4 x)
{
    const float2 x0 = halves(x.x), x1 = halves(x.y), x2 = halves(x.z), x3 = halves(x.w);
    if (type == SH_F32) {
        const float4 a = as_float4(weights16(W + i * 32));
        const float4 b = as_float4(weights16(W + i * 32 + 16));
        return a.x * x0.x + a.y * x0.y + a.z * x1.x + a.w * x1.y
               + (b.x * x2.x + b.y * x2.y + b.z * x3.x + b.w * x3.y);
    }
    const uint4 w = weights16(W + i * 16);
    const float2 w0 = halves(w.x), w1 = halves(w.y), w2 = halves(w.z), w3 = halves(w.w);
    return w0.x * x0.x + w0.y * x0.y + w1.x * x1.x + w1.y * x1.y
           + (w2.x * x2.x + w2.y * x2.y + w3.x * x3.x + w3.y * x3.y);
}

#define SIZE(type) ((type) == SH_F32 ? 4u : 2u)

/* A warp a row; y is of the first row. */
INLINE void lora_down(bytes W, uint type, uint2 rows, __local const uint4 *x,
                             __global float *y, uint act, __local float *s)
{
    const uint warp = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    for (uint base = rows.x; base < rows.y; base += WARPS) {
        const uint row = min(base + warp, rows.y - 1);
        bytes w = W + (ulong)row * COLS * SIZE(type);
        float sum = 0.0f;
        #pragma unroll 5
        for (uint i = 0; i < COLS / 256; i++)
            sum += dot8(w, type, lane + 32 * i, x[lane + 32 * i]);
        sum = lanes_sum(sum, 32, s);
        if (lane == 0 && base + warp < rows.y)
            y[row] = activate(sum, act);
    }
}

/* The rows of a matrix whose first byte (in units of 16) lies in [lo, hi), when
 * the matrix begins at base and has n rows of cost each. */
INLINE uint2 share(uint lo, uint hi, uint base, uint cost, uint n)
{
    const uint first = lo > base ? min((lo - base + cost - 1) / cost, n) : 0;
    const uint end = hi > base ? min((hi - base + cost - 1) / cost, n) : 0;
    return (uint2)(first, end);
}

/* ---------------------------------------------------------------- phases */

#define KERNEL __kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
#define AT(units) (W + (ulong)(units) * SH_UNIT)
#define ROW_COST (COLS / 256 * 9)            /* of Q4_K, in 16 bytes             */
#define DOWN_COST(type) (COLS / 16 * SIZE(type))

/* The rows of n that are this group's. */
INLINE uint2 even(uint n)
{
    const uint g = get_group_id(0), groups = get_num_groups(0);
    return (uint2)((uint)((ulong)n * g / groups), (uint)((ulong)n * (g + 1) / groups));
}

/* Phase A: r, k, v, then the LoRAs, cut into equal bytes over the groups. */
KERNEL void nv_time_in(const struct layer_args l, bytes W, floats vecs, floats state, floats x,
                       __global float *xn, __global float *r, __global float *k,
                       __global float *v, __global float *low)
{
    __local float s[WG];
    __local uint4 pool[3 * PIECES > COLS / 8 ? 3 * PIECES : COLS / 8];
    const uint v1 = l.first ? 0 : DV, down0 = 3 * COLS * ROW_COST;
    const uint a0 = down0 + v1 * DOWN_COST(V_TYPE), w0 = a0 + DA * DOWN_COST(A_TYPE);
    const uint g0 = w0 + DW * DOWN_COST(W_TYPE), all = g0 + DG * DOWN_COST(G_TYPE);
    const uint g = get_group_id(0), groups = get_num_groups(0);
    const uint lo = (uint)((ulong)all * g / groups), hi = (uint)((ulong)all * (g + 1) / groups);
    const struct vec8 x8 = vec8_in(pool, PIECES);
    const struct norm_at at = { l.ln1_w, l.ln1_b, l.state_at, l.eps };
    struct columns cols;
    struct run run;
    uint asked = 3;
    for (uint m = 0; m < 3 && asked == 3; m++) {
        const uint2 span = share(lo, hi, m * COLS * ROW_COST, ROW_COST, COLS);
        const struct rows rows = { AT(m == 0 ? l.receptance : m == 1 ? l.key : l.value),
                                   span.x, span.y - span.x, 1 };
        if (rows.n > 0) {
            rows_begin(&run, rows);
            asked = m;
        }
    }
    norm_columns(&cols, x, vecs, state, at, s);
    store_columns(&cols, xn);
    for (uint m = 0; m < 3; m++) {
        const uint2 span = share(lo, hi, m * COLS * ROW_COST, ROW_COST, COLS);
        const struct rows rows = { AT(m == 0 ? l.receptance : m == 1 ? l.key : l.value),
                                   span.x, span.y - span.x, 1 };
        if (rows.n == 0)
            continue;
        if (m != asked)
            rows_begin(&run, rows);
        blend8(&cols, vecs + l.lerp + (m == 0 ? 0 : m + 1) * COLS, x8, s);
        rows_end(&run, rows, x8, m == 0 ? r : m == 1 ? k : v, SH_ACT_NONE, s, s);
    }
    const uint2 sv = share(lo, hi, down0, DOWN_COST(V_TYPE), v1);
    const uint2 sa = share(lo, hi, a0, DOWN_COST(A_TYPE), DA);
    const uint2 sw = share(lo, hi, w0, DOWN_COST(W_TYPE), DW);
    const uint2 sg = share(lo, hi, g0, DOWN_COST(G_TYPE), DG);
    if (sv.x < sv.y) {
        blend16(&cols, vecs + l.lerp + 3 * COLS, pool);
        lora_down(AT(l.v1), V_TYPE, sv, pool, low + DW + DA, SH_ACT_NONE, s);
    }
    if (sa.x < sa.y) {
        blend16(&cols, vecs + l.lerp + 4 * COLS, pool);
        lora_down(AT(l.a1), A_TYPE, sa, pool, low + DW, SH_ACT_NONE, s);
    }
    if (sw.x < sw.y) {
        blend16(&cols, vecs + l.lerp + COLS, pool);
        lora_down(AT(l.w1), W_TYPE, sw, pool, low, SH_ACT_TANH, s);
    }
    if (sg.x < sg.y) {
        blend16(&cols, vecs + l.lerp + 5 * COLS, pool);
        lora_down(AT(l.g1), G_TYPE, sg, pool, low + DW + DA + DV, SH_ACT_SIGMOID, s);
    }
}

/* Four weights of a row of rank D. */
INLINE float4 weights4(bytes W, uint type, uint i)
{
    if (type == SH_F32)
        return FOUR(W + i * 4);
    const uint2 w = *(__global const uint2 *)(W + i * 2);
    return (float4)(halves(w.x), halves(w.y));
}

/* A lane's part of row c of a LoRA's second matrix: asked for before its
 * input is there. */
#define UP_LOAD(w, units, type, D)                                                          \
    float4 w[D / 4 / EACH];                                                                 \
    _Pragma("unroll") for (uint u_ = 0; u_ < D / 4 / EACH; u_++)                                  \
        w[u_] = weights4(AT(units) + (ulong)c * D * SIZE(type), type, 4 * (e + EACH * u_))
#define UP_DOT(sum, w, D, from)                                                             \
    float sum = 0.0f;                                                                       \
    _Pragma("unroll") for (uint u_ = 0; u_ < D / 4 / EACH; u_++)                                  \
        sum += sum4(w[u_] * LOCAL4(lowly + from, e + EACH * u_));                              \
    sum = lanes_sum(sum, EACH, s)

/* The sum of 64 values in every warp. */
INLINE float head_sum(__local const float *x, __local float *s)
{
    const uint lane = get_local_id(0) % 32;
    return lanes_sum(x[lane] + x[lane + 32], 32, s);
}

#define EACH (WG / 64)                    /* lanes of a row of the state      */
#define FOURS (16 / EACH)                 /* fours of columns each has        */

/* Phase B: a head a group, EACH lanes a row i. */
KERNEL void nv_time_mix(const struct layer_args l, bytes W, floats vecs, __global float *state,
                        floats xn, floats r, floats k, floats v, floats low,
                        __global float *v_first, __global float *y)
{
    __local float s[WG], lowly[DW + DA + DV + DG] __attribute__((aligned(16)));
    __local float lr[64] __attribute__((aligned(16))), lw[64] __attribute__((aligned(16)));
    __local float lk[64] __attribute__((aligned(16))), lkk[64] __attribute__((aligned(16)));
    __local float lb[64] __attribute__((aligned(16))), lbonus[64], square[64], ly[64];
    const uint id = get_local_id(0), i = id / EACH, e = id % EACH;
    const uint c = get_group_id(0) * SH_HEAD + i;
    __global float *row = state + l.state_at + 2 * COLS + (ulong)c * SH_HEAD + 4 * FOURS * e;
    UP_LOAD(w2, l.w2, W_TYPE, DW);
    UP_LOAD(a2, l.a2, A_TYPE, DA);
    UP_LOAD(g2, l.g2, G_TYPE, DG);
    UP_LOAD(v2, l.first ? l.a2 : l.v2, V_TYPE, DV);
    float4 S[FOURS];
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        S[u] = FOUR(row + 4 * u);
    const float rc = fresh(r + c), kc = fresh(k + c);
    float vc = fresh(v + c);
    const float was = l.first ? vc : fresh(v_first + c);
    for (uint j = id; j < DW + DA + DV + DG; j += WG)
        lowly[j] = fresh(low + j);
    keep_shift(state, l.state_at, xn);
    barrier(CLK_LOCAL_MEM_FENCE);
    UP_DOT(wc, w2, DW, 0);
    UP_DOT(ac, a2, DA, DW);
    UP_DOT(mix, v2, DV, DW + DA);
    UP_DOT(gc, g2, DG, DW + DA + DV);
    const float a = sigmoid(ac + vecs[l.a0 + c]);
    const float kkc = kc * vecs[l.k_k + c];
    const float kx = kc * (1.0f + (a - 1.0f) * vecs[l.k_a + c]);
    if (!l.first)
        vc += (was - vc) * sigmoid(mix + vecs[l.v0 + c]);
    if (e == 0) {
        if (l.first)
            v_first[c] = vc;
        lr[i] = rc;
        lw[i] = exp(DECAY * sigmoid(wc + vecs[l.w0 + c]));
        lk[i] = kx;
        lkk[i] = kkc;
        square[i] = kkc * kkc;
        lb[i] = kkc * a;
        lbonus[i] = rc * kx * vecs[l.r_k + c];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const float unit = 1.0f / fmax(sqrt(head_sum(square, s)), L2_FLOOR);
    const float bonus = head_sum(lbonus, s);
    float sa = 0.0f, out = 0.0f;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        sa -= dot(S[u], LOCAL4(lkk, e * FOURS + u));
    sa = unit * unit * lanes_sum(sa, EACH, s);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++) {
        const uint j = e * FOURS + u;
        S[u] = S[u] * LOCAL4(lw, j) + sa * LOCAL4(lb, j) + vc * LOCAL4(lk, j);
        ((__global float4 *)row)[u] = S[u];
        out += dot(S[u], LOCAL4(lr, j));
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
        y[c] = (d * scale * vecs[l.ln_x_w + c] + vecs[l.ln_x_b + c] + bonus * vc) * gc;
}

/* x(n) in int8. */
INLINE void take8(floats x, uint n, struct vec8 v, __local float *s)
{
    for (uint base = 0; base < n / 4; base += WG) {
        const uint i = base + get_local_id(0);
        quantise(fresh4(x + 4 * min(i, n / 4 - 1)), i, n / 4, v, s);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* Phase COLS. */
KERNEL void nv_time_out(const struct layer_args l, bytes W, floats y, __global float *x)
{
    __local float s[WG];
    __local uint4 pool[3 * PIECES];
    const struct vec8 x8 = vec8_in(pool, PIECES);
    const uint2 mine = even(COLS);
    const struct rows rows = { AT(l.output), mine.x, mine.y - mine.x, 1 };
    struct run run;
    rows_begin(&run, rows);
    take8(y, COLS, x8, s);
    rows_end(&run, rows, x8, x, SH_ACT_ADD, s, s);
}

/* Phase D. */
KERNEL void nv_channel_in(const struct layer_args l, bytes W, floats vecs, floats state, floats x,
                          __global float *xn, __global float *h)
{
    __local float s[WG];
    __local uint4 pool[3 * PIECES];
    const struct vec8 x8 = vec8_in(pool, PIECES);
    const struct norm_at at = { l.ln2_w, l.ln2_b, l.state_at + COLS, l.eps };
    const uint2 mine = even(HIDDEN);
    const struct rows rows = { AT(l.ffn_key), mine.x, mine.y - mine.x, 1 };
    struct columns cols;
    struct run run;
    rows_begin(&run, rows);
    norm_columns(&cols, x, vecs, state, at, s);
    store_columns(&cols, xn);
    blend8(&cols, vecs + l.ffn_lerp, x8, s);
    rows_end(&run, rows, x8, h, SH_ACT_RELU2, s, s);
}

/* Phase E. */
KERNEL void nv_channel_out(const struct layer_args l, bytes W, __global float *state, floats xn,
                           floats h, __global float *x)
{
    __local float s[WG], part[PART];
    __local uint4 pool[3 * PIECES * RUNS];
    const struct vec8 x8 = vec8_in(pool, PIECES * RUNS);
    const uint2 mine = even(COLS);
    const struct rows rows = { AT(l.ffn_value), mine.x, mine.y - mine.x, RUNS };
    struct run run;
    rows_begin(&run, rows);
    keep_shift(state, l.state_at + COLS, xn);
    take8(h, HIDDEN, x8, s);
    rows_end(&run, rows, x8, x, SH_ACT_ADD, part, s);
}
