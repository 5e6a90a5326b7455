/* SPDX-License-Identifier: MIT */
/*
 * [V7:wkv] many steps of the recurrence (cl/wkv7.cl) with a head's rows over
 * two groups: 8 rows a warp, 8 lanes for two rows, each lane with 8 columns of
 * both in registers: what it reads from local memory serves two rows.
 *
 * Steps t and u = t + 1 are done together.  With b = kk a, from S before both:
 *
 *   sa  = S (-kk_t)
 *   sa' = S (-w_t kk_u) + sa (b_t . -kk_u) + v_t (k_t . -kk_u)
 *   y_t = S (w_t r_t) + sa (b_t . r_t) + v_t (k_t . r_t)
 *   S'  = S w_t w_u + sa b_t w_u + v_t k_t w_u + sa' b_u + v_u k_u
 *   y_u = S' r_u
 *
 * so that lanes exchange sums once for two steps, those of both rows side by
 * side, while there are products to do that need none of them.
 *
 * CHUNK tokens' vectors wait in local memory while the next ones are on their
 * way; steps past the last token leave the state as it is.
 */
#define CHUNK 16
#define PAIRS (CHUNK / 2)
#define LANES 8                           /* for two rows                     */
#define STRIDE (32 / LANES)               /* between a row's lanes            */
#define ROWS (WG / LANES * 2)

/* What a work-item brings for the next chunk: four columns of two steps. */
struct stage {
    float4 r[2], w[2], k[2], kk[2], a[2], v;
};

/* What a pair of steps reads of four columns. */
enum { KK, WKK, WR, WW, BW, KW, B, K, R, VECTORS };

/* dots = (b_t . -kk_u, k_t . -kk_u, b_t . r_t, k_t . r_t), the last two divided
 * by LANES: each lane adds its share to its part of y_t. */
struct chunk {
    float4 of[VECTORS][PAIRS * 16];
    float4 v[CHUNK * ROWS / 4];
    float4 dots[PAIRS];
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
    const uint id = get_local_id(0), c0 = get_group_id(0) * ROWS;
    const uint c = c0 / SH_HEAD * SH_HEAD + id % 16 * 4;
    #pragma unroll
    for (uint i = 0; i < 2; i++) {
        const uint t = t0 + id / 16 * 2 + i;
        g->r[i] = four(in.r, t, p, c);
        g->w[i] = four(in.w, t, p, c);
        g->k[i] = four(in.k, t, p, c);
        g->kk[i] = four(in.kk, t, p, c);
        g->a[i] = four(in.a, t, p, c);
    }
    g->v = four(in.v, t0 + id / (ROWS / 4), p, c0 + id % (ROWS / 4) * 4);
}

/* The sums over n lanes, `stride` apart, of n values; the ith lane gets the
 * ith. */
INLINE float lane_of_sums(float *part, uint n, uint stride, __local float *s)
{
    const uint lane = get_local_id(0) / stride;
    #pragma unroll
    for (uint half_n = n / 2; half_n > 0; half_n /= 2)
        #pragma unroll
        for (uint j = 0; j < half_n; j++) {
            const float low = part[j], high = part[j + half_n];
            const bool upper = (lane & half_n) != 0;
            part[j] = (upper ? high : low)
                      + swap_lanes(upper ? low : high, half_n * stride, s);
        }
    return part[0];
}

INLINE void stage_store(const struct stage *g, __local struct chunk *to, uint t0, uint T,
                        __local float *s)
{
    const uint id = get_local_id(0), t = t0 + id / 16 * 2;
    const float4 none = (float4)(0.0f), one = (float4)(1.0f);
    const float4 w = t < T ? g->w[0] : one, w1 = t + 1 < T ? g->w[1] : one;
    const float4 k = t < T ? g->k[0] : none, b = t < T ? g->kk[0] * g->a[0] : none;
    to->of[KK][id] = -g->kk[0];
    to->of[WKK][id] = -w * g->kk[1];
    to->of[WR][id] = w * g->r[0];
    to->of[WW][id] = w * w1;
    to->of[BW][id] = b * w1;
    to->of[KW][id] = k * w1;
    to->of[B][id] = t + 1 < T ? g->kk[1] * g->a[1] : none;
    to->of[K][id] = t + 1 < T ? g->k[1] : none;
    to->of[R][id] = g->r[1];
    to->v[id] = g->v;
    float dots[4] = { -sum4(b * g->kk[1]), -sum4(k * g->kk[1]),
                      sum4(b * g->r[0]) / LANES, sum4(k * g->r[0]) / LANES };
    float dot = lane_of_sums(dots, 4, 1, s);
    dot += swap_lanes(dot, 4, s);
    dot += swap_lanes(dot, 8, s);
    if (id % 16 < 4)
        ((__local float *)to->dots)[id / 16 * 4 + id % 4] = dot;
}

/* A work-item's first row of the group's. */
INLINE uint row_of(void)
{
    return get_local_id(0) / 32 * (2 * STRIDE) + get_local_id(0) % STRIDE * 2;
}

/* Its columns' number among float4s.  Lanes of the same columns are neighbours:
 * a quarter of a warp then reads two places of local memory, not eight. */
INLINE uint column_of(void)
{
    return get_local_id(0) % 32 / STRIDE;
}

/* A lane's part of a state's two rows, and of their products with the next
 * pair's KK and WKK. */
struct rows {
    float4 S[2][2];
    float sa[4];
};

/* S . x, and what is there. */
INLINE float product(float sum, const float4 *S, const float4 *x)
{
    const float4 a = S[0], b = x[0], c = S[1], d = x[1];
    const float even = mad(c.z, d.z, mad(c.x, d.x, mad(a.z, b.z, a.x * b.x)));
    return even + mad(c.w, d.w, mad(c.y, d.y, mad(a.w, b.w, mad(a.y, b.y, sum))));
}

INLINE void load(float4 *x, __local const struct chunk *from, uint vector, uint pair)
{
    const uint at = pair * 16 + column_of();
    x[0] = from->of[vector][at];
    x[1] = from->of[vector][at + LANES];
}

INLINE void start(struct rows *c, __local const struct chunk *from, uint pair)
{
    float4 kk[2], wkk[2];
    load(kk, from, KK, pair);
    load(wkk, from, WKK, pair);
    #pragma unroll
    for (uint i = 0; i < 2; i++) {
        c->sa[i] = product(0.0f, c->S[i], kk);
        c->sa[2 + i] = product(0.0f, c->S[i], wkk);
    }
}

/* All four are on their way before the first is waited for. */
INLINE void sums_over(struct rows *c, uint mask, __local float *s)
{
    float other[4];
    #pragma unroll
    for (uint i = 0; i < 4; i++)
        other[i] = swap_lanes(c->sa[i], mask, s);
    #pragma unroll
    for (uint i = 0; i < 4; i++)
        c->sa[i] += other[i];
}

/* Two steps; the lane's parts of y: of row i at step t in y[i][0]. */
INLINE void pair_of_steps(struct rows *c, __local const struct chunk *from, uint pair,
                          float (*y)[LANES], uint at, __local float *s)
{
    float4 x[VECTORS][2], T[2][2];
    __local const float2 *v = (__local const float2 *)from->v + (pair * 2 * ROWS + row_of()) / 2;
    const float2 vt = v[0], vu = v[ROWS / 2];
    const float v0[2] = { vt.x, vt.y }, v1[2] = { vu.x, vu.y };
    const float4 dots = from->dots[pair];
    #pragma unroll
    for (uint i = WR; i < VECTORS; i++)
        load(x[i], from, i, pair);
    #pragma unroll
    for (uint mask = STRIDE; mask < 32; mask *= 2)
        sums_over(c, mask, s);
    #pragma unroll
    for (uint i = 0; i < 2; i++) {
        const float4 a0 = (float4)(v0[i]), a1 = (float4)(v1[i]);
        y[i][at] = product(v0[i] * dots.w, c->S[i], x[WR]);
        #pragma unroll
        for (uint j = 0; j < 2; j++)
            T[i][j] = mad(c->S[i][j], x[WW][j], mad(a0, x[KW][j], a1 * x[K][j]));
    }
    #pragma unroll
    for (uint i = 0; i < 2; i++) {
        const float sa0 = c->sa[i], sa1 = mad(sa0, dots.x, mad(v0[i], dots.y, c->sa[2 + i]));
        y[i][at] = mad(sa0, dots.z, y[i][at]);
        #pragma unroll
        for (uint j = 0; j < 2; j++)
            c->S[i][j] = mad((float4)(sa1), x[B][j], mad((float4)(sa0), x[BW][j], T[i][j]));
        y[i][at + 1] = product(0.0f, c->S[i], x[R]);
    }
}

INLINE void eight_steps(struct rows *c, __local const struct chunk *from, uint first, uint t0,
                        const struct wkv_args p, __global float *y, __local float *s)
{
    float part[2][LANES];
    #pragma unroll
    for (uint i = 0; i < LANES / 2; i++) {
        start(c, from, first + i);
        pair_of_steps(c, from, first + i, part, 2 * i, s);
    }
    const float2 sums = { lane_of_sums(part[0], LANES, STRIDE, s),
                          lane_of_sums(part[1], LANES, STRIDE, s) };
    const uint t = t0 + 2 * first + column_of();
    if (t < p.T)
        *(__global float2 *)(y + (ulong)t * p.C + get_group_id(0) * ROWS + row_of()) = sums;
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_wkv7(const struct wkv_args p, floats r, floats w, floats k, floats v, floats kk,
             floats a, __global float *y, __global float *state)
{
    __local struct chunk chunks[2];
    __local float s[WG];
    const struct inputs in = { r, w, k, v, kk, a };
    __global float4 *S = (__global float4 *)(state + p.s_at)
        + (ulong)(get_group_id(0) * ROWS + row_of()) * (SH_HEAD / 4) + column_of();
    struct stage g;
    struct rows c = { { { S[0], S[LANES] }, { S[SH_HEAD / 4], S[SH_HEAD / 4 + LANES] } },
                      { 0.0f } };
    stage_load(&g, p, in, 0);
    /* The barrier keeps the loads of the next chunk ahead of this one's steps:
     * the assembler would move them behind, next to what waits for them. */
    for (uint t0 = 0; t0 < p.T; t0 += CHUNK) {
        __local struct chunk *now = &chunks[t0 / CHUNK % 2];
        stage_store(&g, now, t0, p.T, s);
        stage_load(&g, p, in, t0 + CHUNK);
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll 1
        for (uint first = 0; first < PAIRS; first += LANES / 2)
            eight_steps(&c, now, first, t0, p, y, s);
    }
    S[0] = c.S[0][0];
    S[LANES] = c.S[0][1];
    S[SH_HEAD / 4] = c.S[1][0];
    S[SH_HEAD / 4 + LANES] = c.S[1][1];
}
