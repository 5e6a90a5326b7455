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
    float4 now[COLUMN4], gap[COLUMN4], lerp[COLUMN4], weight[COLUMN4], bias[COLUMN4];
};

struct norm_at {
    uint weight, bias, before;           /* in vecs, vecs, state              */
    float eps;
    bool shifts;                         /* has a token before                */
    uint lerp;                           /* in vecs: of the first blend       */
};

INLINE uint column_of(uint id, uint u)
{
    return 4 * min(id + u * WG, (uint)(COLS / 4 - 1));
}

/* What no group writes in this launch: asked for before x is there. */
INLINE void columns_begin(struct columns *k, floats vecs, floats state, struct norm_at at)
{
    const uint id = item();
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        const uint c = column_of(id, u);
        k->weight[u] = FOUR(vecs + at.weight + c);
        k->bias[u] = FOUR(vecs + at.bias + c);
        k->gap[u] = at.shifts ? FOUR(state + at.before + c) : (float4)(0.0f);
        k->lerp[u] = at.shifts ? FOUR(vecs + at.lerp + c) : (float4)(0.0f);
    }
}

#define HEARD_MOST ((HIDDEN / 4 + WG - 1) / WG)   /* a literal, for loops to be unrolled */

/* to(n): a work-item's fours of from(4 last + 4), u WG apart: all are asked for at
 * once, then again those that were not there. */
INLINE void hear(float4 *to, uint n, floats from, uint last, uint count, const struct told *told)
{
    const uint id = item();
    uint left = told->limit;
    #pragma unroll
    for (uint u = 0; u < HEARD_MOST; u++)
        if (u < n)
            to[u] = look4(from + 4 * min(id + u * WG, last));
    while (told->counted) {
        uint missing = 0;
        #pragma unroll
        for (uint u = 0; u < HEARD_MOST; u++)
            missing |= u < n ? differs4(to[u], count) : 0;
        if (missing == 0)
            break;
        if (left-- == 0) {
            *told->ok = 0;
            break;
        }
        #pragma unroll
        for (uint u = 0; u < HEARD_MOST; u++)
            if (u < n && differs4(to[u], count) != 0)
                to[u] = look4(from + 4 * min(id + u * WG, last));
    }
    warp_sync();
    #pragma unroll
    for (uint u = 0; u < HEARD_MOST; u++)
        if (u < n)
            to[u] = (float4)(bare(to[u].x), bare(to[u].y), bare(to[u].z), bare(to[u].w));
}

INLINE void columns_end(struct columns *k, floats x, float eps, const struct told *told,
                        __local float *s)
{
    const uint id = item();
    float sum = 0.0f, square = 0.0f;
    hear(k->now, COLUMN4, x, COLS / 4 - 1, told->x, told);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++)
        sum += id + u * WG < COLS / 4 ? sum4(k->now[u]) : 0.0f;
    const float mean = all_sum(sum, s) * (1.0f / COLS);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        k->now[u] -= mean;
        square += id + u * WG < COLS / 4 ? sum4(k->now[u] * k->now[u]) : 0.0f;
    }
    const float scale = rsqrt(all_sum(square, s) * (1.0f / COLS) + eps);
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++) {
        k->now[u] = k->now[u] * scale * k->weight[u] + k->bias[u];
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
        ((__global float4 *)(state + at))[i] = FOUR(xn + 4 * i);
}

/* Other coefficients. */
INLINE void take_lerp(struct columns *k, floats lerp)
{
    const uint id = item();
    #pragma unroll
    for (uint u = 0; u < COLUMN4; u++)
        k->lerp[u] = FOUR(lerp + column_of(id, u));
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
        const uint at = i / 32 * 32 + i % 8 * 4 + i / 8 % 4;
        if (i >= COLS / 4)
            continue;
        v.x[at] = upper(q);
        v.x1[at] = lower(q);
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

#define LOADS (COLS * 2 / 512)            /* of 16 bytes, a lane's of COLS halves */

/* A LoRA's first matrix, where its product goes, and what is done with that. */
struct down {
    bytes W;
    __global float *y;
    uint type, act;
};

/* A warp a row.  Floats are as many loads twice. */
INLINE void lora_down(struct down d, uint2 rows, __local const uint4 *x, const struct told *told,
                      __local float *s)
{
    const uint id = item(), warp = id / 32, lane = id % 32;
    for (uint base = rows.x; base < rows.y; base += WARPS) {
        bytes w = d.W + (ulong)min(base + warp, rows.y - 1) * COLS * SIZE(d.type) + 16 * lane;
        float sum = 0.0f;
        for (uint from = 0; from < SIZE(d.type) / 2; from++) {
            uint4 all[LOADS];
            #pragma unroll
            for (uint k = 0; k < LOADS; k++)
                all[k] = weights16(w + 512 * (from * LOADS + k));
            #pragma unroll
            for (uint k = 0; k < LOADS; k++)
                sum += dot_of(all[k], d.type, lane + 32 * (from * LOADS + k), x);
        }
        sum = lanes_sum(sum, 32, s);
        if (lane == 0 && base + warp < rows.y)
            tell(d.y + base + warp, activate(sum, d.act), told->rest, told);
    }
}
