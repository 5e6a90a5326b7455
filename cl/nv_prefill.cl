/* SPDX-License-Identifier: MIT */
/*
 * What stands between the matrix products of a prompt (op/nv_prefill.c):
 * vectors of T tokens in, activations in halves (nv_tile.h) out.  A warp's lanes have four columns each; 16 lanes a
 * head.  WG work-items a group.
 */
#define FOURS ((WIDTH / 4 + WG - 1) / WG)  /* of a token, a work-item          */

/* ------------------------------------------------------ norm and shift */

/* [V7:layernorm] a token's vector, in place; C is WIDTH. */
INLINE void norm_row(float4 *x, const struct nv_shift_args p, floats vecs, __local float *s)
{
    const uint id = get_local_id(0);
    float sum = 0.0f;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        sum += sum4(x[u]);
    const float mean = all_sum(sum, s) / WIDTH;
    sum = 0.0f;
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        if (id + u * WG < WIDTH / 4) {
            x[u] -= mean;
            sum += sum4(x[u] * x[u]);
        }
    const float scale = 1.0f / sqrt(all_sum(sum, s) / WIDTH + p.eps);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        if (id + u * WG < WIDTH / 4)
            x[u] = x[u] * scale * vload4(id + u * WG, vecs + p.weight_at)
                   + vload4(id + u * WG, vecs + p.bias_at);
}

INLINE void load_row(float4 *x, floats from)
{
    const uint id = get_local_id(0);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        x[u] = id + u * WG < WIDTH / 4 ? vload4(id + u * WG, from) : (float4)(0.0f);
}

/* [V7:layernorm] and [V7:shift] of a token a group, n blends in halves.  Group
 * 0 reads what the state has of the token before, then puts the last token's
 * vector there. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_shift(const struct nv_shift_args p, floats vecs, floats x, __global float *state,
              __global uint *mixed)
{
    __local float s[WG];
    const uint id = get_local_id(0), t = get_group_id(0);
    float4 now[FOURS], before[FOURS];
    load_row(now, x + (ulong)t * WIDTH);
    norm_row(now, p, vecs, s);
    load_row(before, t == 0 ? state + p.prev_at : x + (ulong)(t - 1) * WIDTH);
    if (t > 0)
        norm_row(before, p, vecs, s);
    for (uint i = 0; i < p.n; i++) {
        __global uint *to = mixed + (ulong)i * p.T * (WIDTH / 32 * 17);
        #pragma unroll
        for (uint u = 0; u < FOURS; u++) {
            const uint at = id + u * WG, in = min(at, (uint)WIDTH / 4 - 1);
            const float4 lerp = vload4(in, vecs + p.lerp_at + i * WIDTH);
            float sum = 0.0f;
            const uint2 h = pack4(mad(before[u] - now[u], lerp, now[u]), &sum);
            sum = lanes_sum(sum, 8, s);
            if (at < WIDTH / 4) {
                vstore2(h, (ulong)t * (WIDTH / 4) + at, to);
                if (at % 8 == 0)
                    put_sum(to, p.T, WIDTH, t, at / 8, sum);
            }
        }
    }
    if (t > 0)
        return;
    load_row(now, x + (ulong)(p.T - 1) * WIDTH);
    norm_row(now, p, vecs, s);
    #pragma unroll
    for (uint u = 0; u < FOURS; u++)
        if (id + u * WG < WIDTH / 4)
            vstore4(now[u], id + u * WG, state + p.prev_at);
}

/* -------------------------------------------------- around the recurrence */

/* Four columns of a head of a token: c in the row, j in all. */
struct four {
    uint t, c;
    ulong j;
    bool on;
};

INLINE struct four four_of(uint T)
{
    const uint i = get_global_id(0), all = T * (WIDTH / 4), in = min(i, all - 1);
    const struct four f = { in / (WIDTH / 4), in % (WIDTH / 4) * 4, (ulong)in * 4, i < all };
    return f;
}

/* [V7:groupnorm] [V7:bonus] [V7:gate] (cl/finish.cl), to halves. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_finish(const struct finish_args p, floats vecs, floats r, floats k, floats v, floats g,
               floats y, __global uint *halves_)
{
    __local float s[WG];
    const struct four f = four_of(p.T);
    const float4 r_k = vload4(0, vecs + p.r_k_at + f.c);
    const float extra = lanes_sum(sum4(vload4(0, r + f.j) * vload4(0, k + f.j) * r_k), 16, s);
    float4 d = vload4(0, y + f.j);
    d -= lanes_sum(sum4(d), 16, s) / SH_HEAD;
    const float scale = 1.0f / sqrt(lanes_sum(sum4(d * d), 16, s) / SH_HEAD + p.eps);
    const float4 out = (d * scale * vload4(0, vecs + p.weight_at + f.c)
                        + vload4(0, vecs + p.bias_at + f.c) + extra * vload4(0, v + f.j))
                       * vload4(0, g + f.j);
    float sum = 0.0f;
    const uint2 h = pack4(out, &sum);
    sum = lanes_sum(sum, 8, s);
    if (!f.on)
        return;
    vstore2(h, f.j / 4, halves_);
    if (f.c % 32 == 0)
        put_sum(halves_, p.T, WIDTH, f.t, f.c / 32, sum);
}
