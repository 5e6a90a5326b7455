/* SPDX-License-Identifier: MIT */
/*
 * [V7:wkv] many steps of the recurrence (cl/wkv7.cl) with a head's rows over
 * four groups: 16 rows a group, 4 lanes a row, each lane with 16 columns in
 * registers.  CHUNK tokens' vectors wait in local memory while the next ones
 * are on their way, so that a step has no barrier.
 */
#define CHUNK 16
#define ROWS 16
#define FOURS (CHUNK * 16 / WG)           /* float4 of a vector a work-item   */

struct stage {
    float4 r[FOURS], w[FOURS], k[FOURS], kk[FOURS], a[FOURS], v;
};

INLINE float4 four(floats x, uint t, const struct wkv_args p, uint c)
{
    return *(__global const float4 *)(x + (ulong)min(t, p.T - 1) * p.C + c);
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_wkv7(const struct wkv_args p, floats r, floats w, floats k, floats v, floats kk,
             floats a, __global float *y, __global float *state)
{
    __local float4 lr[CHUNK * 16], lw[CHUNK * 16], lk[CHUNK * 16], lkk[CHUNK * 16];
    __local float4 lb[CHUNK * 16], lv[CHUNK * ROWS / 4];
    __local float s[WG];
    const uint id = get_local_id(0), lane = id % 4, row = id / 4;
    const uint head = get_group_id(0) / 4 * SH_HEAD, c0 = get_group_id(0) * ROWS;
    __global float4 *S_at = (__global float4 *)(state + p.s_at + (ulong)(c0 + row) * SH_HEAD);
    float4 S[4];
    struct stage g;
    #pragma unroll
    for (uint u = 0; u < 4; u++)
        S[u] = S_at[lane + 4 * u];
    for (uint t0 = 0; t0 < p.T + CHUNK; t0 += CHUNK) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (t0 > 0) {
            #pragma unroll
            for (uint u = 0; u < FOURS; u++) {
                const uint i = id + u * WG;
                lr[i] = g.r[u];
                lw[i] = g.w[u];
                lk[i] = g.k[u];
                lkk[i] = g.kk[u];
                lb[i] = g.kk[u] * g.a[u];
            }
            lv[id] = g.v;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        #pragma unroll
        for (uint u = 0; u < FOURS; u++) {
            const uint i = id + u * WG, t = t0 + i / 16, c = head + i % 16 * 4;
            g.r[u] = four(r, t, p, c);
            g.w[u] = four(w, t, p, c);
            g.k[u] = four(k, t, p, c);
            g.kk[u] = four(kk, t, p, c);
            g.a[u] = four(a, t, p, c);
        }
        g.v = four(v, t0 + id / 4, p, c0 + id % 4 * 4);
        for (uint i = 0; t0 > 0 && i < CHUNK && t0 - CHUNK + i < p.T; i++) {
            const float vi = ((__local const float *)lv)[i * ROWS + row];
            float4 acc = (float4)(0.0f);
            #pragma unroll
            for (uint u = 0; u < 4; u++)
                acc = mad(S[u], lkk[i * 16 + lane + 4 * u], acc);
            const float sa = -lanes_sum(sum4(acc), 4, s);
            acc = (float4)(0.0f);
            #pragma unroll
            for (uint u = 0; u < 4; u++) {
                const uint j = i * 16 + lane + 4 * u;
                S[u] = S[u] * lw[j] + sa * lb[j] + vi * lk[j];
                acc = mad(S[u], lr[j], acc);
            }
            const float out = lanes_sum(sum4(acc), 4, s);
            if (lane == 0)
                y[(ulong)(t0 - CHUNK + i) * p.C + c0 + row] = out;
        }
    }
    #pragma unroll
    for (uint u = 0; u < 4; u++)
        S_at[lane + 4 * u] = S[u];
}
