/* SPDX-License-Identifier: MIT */
/*
 * What the phases of nv_phase.h begin with: the norm of the residual stream
 * and its blends with the token before, in the work-items' registers, then
 * rounded or as floats in local memory; and the LoRAs' first matrices.
 */
/* ------------------------------------------------------------- phase A, D */

#define DECAY -0.606531f                  /* as in prepare.cl                 */
#define L2_FLOOR 1e-12f

#define FOUR(p) (*(__global const float4 *)(p))
#define LOCAL4(p, i) (((__local const float4 *)(p))[i])

/* A work-item's columns of [V7:layernorm] and of the distance to the token
 * before: [V7:shift] is now + gap * lerp. */
struct columns {
    float4 now[COLUMN4], gap[COLUMN4], lerp[COLUMN4];
};

struct norm_at {
    uint weight, bias, before;           /* in vecs, vecs, state              */
    float eps;
    bool shifts;                         /* has a token before                */
    uint lerp;                           /* in vecs: of the first blend       */
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
        k->gap[u] = at.shifts ? FOUR(state + at.before + c) : (float4)(0.0f);
        k->lerp[u] = at.shifts ? FOUR(vecs + at.lerp + c) : (float4)(0.0f);
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
    const uint n = get_global_size(0);     /* the last groups have least to do */
    for (uint i = n - 1 - get_global_id(0); i < COLS / 4; i += n)
        ((__global float4 *)(state + at))[i] = fresh4(xn + 4 * i);
}

/* Other coefficients. */
INLINE void take_lerp(struct columns *k, floats lerp)
{
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++)
        k->lerp[u] = FOUR(lerp + 4 * min((uint)get_local_id(0) + u * WG, (uint)(COLS / 4 - 1)));
}

/* The blend, rounded. */
INLINE void blend8(const struct columns *k, struct vec8 v, __local float *s)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++)
        quantise(mad(k->gap[u], k->lerp[u], k->now[u]), get_local_id(0) + u * WG, COLS / 4, v, s);
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* The blend in floats. */
INLINE void blend32(const struct columns *k, __local uint4 *v)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint i = get_local_id(0) + u * WG;
        if (i < COLS / 4)
            v[i] = as_uint4(mad(k->gap[u], k->lerp[u], k->now[u]));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* The normalised vector itself, for the head. */
INLINE void round6(const struct columns *k, struct vec6 v, __local float *s)
{
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint i = get_local_id(0) + u * WG;
        float scale;
        const int4 q = round16(k->now[u], &scale, s);
        if (i >= COLS / 4)
            continue;
        v.x[i] = upper(q);
        v.x1[i] = lower(q);
        if (i % 8 == 0)
            v.sc[i / 8] = scale;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

#define SIZE(type) ((type) == SH_F32 ? 4u : 2u)

/* 4 weights in floats or 8 in halves times as many floats. */
INLINE float dot_of(uint4 w, uint type, uint i, __local const uint4 *x)
{
    if (type == SH_F32)
        return sum4(as_float4(w) * as_float4(x[i]));
    const float2 w0 = halves(w.x), w1 = halves(w.y), w2 = halves(w.z), w3 = halves(w.w);
    const float4 a = as_float4(x[2 * i]), b = as_float4(x[2 * i + 1]);
    return w0.x * a.x + w0.y * a.y + w1.x * a.z + w1.y * a.w
           + (w2.x * b.x + w2.y * b.y + w3.x * b.z + w3.y * b.w);
}

#define LOADS(type) (COLS * SIZE(type) / 512)   /* of 16 bytes, a lane's of a row */

/* A warp a row; y is of the first row. */
INLINE void lora_down(bytes W, uint type, uint2 rows, __local const uint4 *x,
                      __global float *y, uint act, __local float *s)
{
    const uint warp = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    for (uint base = rows.x; base < rows.y; base += WARPS) {
        bytes w = W + (ulong)min(base + warp, rows.y - 1) * COLS * SIZE(type) + 16 * lane;
        uint4 all[LOADS(SH_F32)];
        float sum = 0.0f;
        #pragma unroll
        for (uint k = 0; k < LOADS(type); k++)
            all[k] = weights16(w + 512 * k);
        #pragma unroll
        for (uint k = 0; k < LOADS(type); k++)
            sum += dot_of(all[k], type, lane + 32 * k, x);
        sum = lanes_sum(sum, 32, s);
        if (lane == 0 && base + warp < rows.y)
            y[base + warp] = activate(sum, act);
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
