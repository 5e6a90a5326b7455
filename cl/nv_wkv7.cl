/* SPDX-License-Identifier: MIT */
/*
 * [V7:wkv] many steps of the recurrence (cl/wkv7.cl) with a head's rows over
 * four groups: 16 rows a group, 8 lanes for two rows, each lane with 8 columns
 * of both in registers: what it reads from local memory serves two rows.
 *
 * The product of the state and the next step's kk does not wait for this
 * step's sum:  S' kk' = S (w kk') + sa (b . kk') + v (k . kk'), with b = kk a;
 * the two dot products on the right are the same for all rows.  So lanes add
 * up one step's products during the next step.
 *
 * CHUNK tokens' vectors wait in local memory while the next ones are on their
 * way; steps past the last token leave the state as it is.
 */
#define CHUNK 16
#define ROWS 16
#define LANES 8
#define FOURS (CHUNK * 16 / WG)           /* float4 of a vector a work-item   */

struct stage {
    float4 r[FOURS], w[FOURS], k[FOURS], kk[FOURS], next[FOURS], a[FOURS];
    float4 v;
};

/* What a chunk's steps read: z = w kk', dots = (b . kk', k . kk'). */
struct chunk {
    float4 r[CHUNK * 16], w[CHUNK * 16], k[CHUNK * 16], b[CHUNK * 16], z[CHUNK * 16];
    float v[CHUNK * ROWS];
    float2 dots[CHUNK];
};

INLINE float4 four(floats x, uint t, const struct wkv_args p, uint c)
{
    return *(__global const float4 *)(x + (ulong)min(t, p.T - 1) * p.C + c);
}

struct inputs {
    floats r, w, k, v, kk, a;
};

INLINE void stage_load(struct stage *g, const struct wkv_args p, struct inputs in, uint t0)
{
    const uint id = get_local_id(0), c0 = get_group_id(0) * ROWS, head = c0 / SH_HEAD * SH_HEAD;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++) {
        const uint i = id + u * WG, t = t0 + i / 16, c = head + i % 16 * 4;
        g->r[u] = four(in.r, t, p, c);
        g->w[u] = four(in.w, t, p, c);
        g->k[u] = four(in.k, t, p, c);
        g->kk[u] = four(in.kk, t, p, c);
        g->next[u] = four(in.kk, t + 1, p, c);
        g->a[u] = four(in.a, t, p, c);
    }
    g->v = four(in.v, t0 + id / (ROWS / 4), p, c0 + id % (ROWS / 4) * 4);
}

/* Nothing is done with what was loaded before it is stored: a warp would wait
 * for it. */
INLINE void stage_store(const struct stage *g, __local struct chunk *to, uint t0, uint T,
                        __local float *s)
{
    const uint id = get_local_id(0);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++) {
        const uint i = id + u * WG;
        const bool on = t0 + i / 16 < T;
        const float4 none = (float4)(0.0f), w = on ? g->w[u] : (float4)(1.0f);
        const float4 b = on ? g->kk[u] * g->a[u] : none, k = on ? g->k[u] : none;
        to->r[i] = g->r[u];
        to->w[i] = w;
        to->k[i] = k;
        to->b[i] = b;
        to->z[i] = w * g->next[u];
        const float2 dots = (float2)(lanes_sum(sum4(b * g->next[u]), 16, s),
                                     lanes_sum(sum4(k * g->next[u]), 16, s));
        if (i % 16 == 0)
            to->dots[i / 16] = dots;
    }
    ((__local float4 *)to->v)[id] = g->v;
}

/* A lane's part of what a step reads. */
struct vectors {
    float4 r[2], w[2], k[2], b[2], z[2];
    float2 dots, v;
};

INLINE void vectors_load(struct vectors *x, __local const struct chunk *from, uint i)
{
    const uint at = i * 16 + get_local_id(0) % LANES;
    #pragma unroll
    for (uint u = 0; u < 2; u++) {
        x->z[u] = from->z[at + 8 * u];
        x->w[u] = from->w[at + 8 * u];
        x->k[u] = from->k[at + 8 * u];
        x->b[u] = from->b[at + 8 * u];
        x->r[u] = from->r[at + 8 * u];
    }
    x->dots = from->dots[i];
    x->v.x = from->v[i * ROWS + get_local_id(0) / LANES];
    x->v.y = from->v[i * ROWS + ROWS / 2 + get_local_id(0) / LANES];
}

/* What passes from a step to the next: part is the sum over 2 lanes of the
 * products for sa, rest what the step's own sa adds to them. */
struct carry {
    float4 S0, S1;
    float part, rest;
};

/* One step of a row, whose v is v1.  The lane's part of the output. */
INLINE float step(struct carry *c, const struct vectors *x, float v1, __local float *s)
{
    const float4 v = (float4)(v1);
    const float four_lanes = c->part + swap_lanes(c->part, 2, s);
    const float4 d = mad(c->S1, x->z[1], c->S0 * x->z[0]);
    const float dot = sum4(d);
    const float all = four_lanes + swap_lanes(four_lanes, 4, s);
    const float4 T0 = mad(v, x->k[0], c->S0 * x->w[0]);
    const float4 T1 = mad(v, x->k[1], c->S1 * x->w[1]);
    c->part = dot + swap_lanes(dot, 1, s);
    const float sa = -(all + c->rest);
    c->S0 = mad((float4)(sa), x->b[0], T0);
    c->S1 = mad((float4)(sa), x->b[1], T1);
    c->rest = mad(sa, x->dots.x, v1 * x->dots.y);
    return sum4(mad(c->S1, x->r[1], c->S0 * x->r[0]));
}

/* The sums over 8 lanes of 8 values; lane i gets the ith. */
INLINE float lane_of_sums(float *part, __local float *s)
{
    const uint lane = get_local_id(0) % LANES;
    #pragma unroll
    for (uint n = LANES / 2; n > 0; n /= 2)
        #pragma unroll
        for (uint j = 0; j < n; j++) {
            const float low = part[j], high = part[j + n];
            const bool upper = (lane & n) != 0;
            part[j] = (upper ? high : low) + swap_lanes(upper ? low : high, n, s);
        }
    return part[0];
}

INLINE void eight_steps(struct carry *c, struct carry *d, __local const struct chunk *from,
                        uint first, uint t0, const struct wkv_args p, __global float *y,
                        __local float *s)
{
    const uint lane = get_local_id(0) % LANES, row = get_local_id(0) / LANES;
    float low[LANES], high[LANES];
    struct vectors x[2];
    vectors_load(&x[0], from, first);
    #pragma unroll
    for (uint i = 0; i < LANES; i++) {
        if (i + 1 < LANES)
            vectors_load(&x[(i + 1) % 2], from, first + i + 1);
        low[i] = step(c, &x[i % 2], x[i % 2].v.x, s);
        high[i] = step(d, &x[i % 2], x[i % 2].v.y, s);
    }
    const float y0 = lane_of_sums(low, s), y1 = lane_of_sums(high, s);
    const uint t = t0 + first + lane;
    __global float *to = y + (ulong)t * p.C + get_group_id(0) * ROWS + row;
    if (t < p.T) {
        to[0] = y0;
        to[ROWS / 2] = y1;
    }
}

/* The row's state, and its product with the first kk. */
INLINE struct carry carry_of(__global const float4 *S_at, float4 k0, float4 k1, __local float *s)
{
    struct carry c = { S_at[0], S_at[8], 0.0f, 0.0f };
    c.part = lanes_sum(sum4(mad(c.S1, k1, c.S0 * k0)), 2, s);
    return c;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_wkv7(const struct wkv_args p, floats r, floats w, floats k, floats v, floats kk,
             floats a, __global float *y, __global float *state)
{
    __local struct chunk chunks[2];
    __local float s[WG];
    const struct inputs in = { r, w, k, v, kk, a };
    const uint lane = get_local_id(0) % LANES, row = get_local_id(0) / LANES;
    const uint c0 = get_group_id(0) * ROWS, at = c0 / SH_HEAD * SH_HEAD + lane * 4;
    __global float4 *low = (__global float4 *)(state + p.s_at + (ulong)(c0 + row) * SH_HEAD) + lane;
    __global float4 *high = low + ROWS / 2 * SH_HEAD / 4;
    struct stage g;
    stage_load(&g, p, in, 0);
    stage_store(&g, &chunks[0], 0, p.T, s);
    stage_load(&g, p, in, CHUNK);
    const float4 k0 = four(kk, 0, p, at), k1 = four(kk, 0, p, at + 32);
    struct carry c = carry_of(low, k0, k1, s), d = carry_of(high, k0, k1, s);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint t0 = 0; t0 < p.T; t0 += CHUNK) {
        __local const struct chunk *from = &chunks[t0 / CHUNK % 2];
        eight_steps(&c, &d, from, 0, t0, p, y, s);
        stage_store(&g, &chunks[(t0 / CHUNK + 1) % 2], t0 + CHUNK, p.T, s);
        stage_load(&g, p, in, t0 + 2 * CHUNK);
        eight_steps(&c, &d, from, 8, t0, p, y, s);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    low[0] = c.S0;
    low[8] = c.S1;
    high[0] = d.S0;
    high[8] = d.S1;
}
