/* SPDX-License-Identifier: MIT */
/*
 * [V7:shift] mixed(n, T, C): n different blends of each token's vector and the
 * one before it; the token before the first stands in the state.
 */

__kernel void shift(const struct shift_args a, __global const float *vecs,
                    __global const float *state, __global const float *xn,
                    __global float *mixed)
{
    const uint c = get_global_id(0) * 4, t = get_global_id(1);
    if (c >= a.C)
        return;
    __global const float *before = t == 0 ? state + a.prev_at
                                          : xn + (ulong)(t - 1) * a.C;
    const float4 now = vload4(0, xn + (ulong)t * a.C + c);
    const float4 d = vload4(0, before + c) - now;
    for (uint i = 0; i < a.n; i++) {
        const float4 lerp = vload4(0, vecs + a.lerp_at + i * a.C + c);
        vstore4(mad(d, lerp, now), 0, mixed + ((ulong)i * a.T + t) * a.C + c);
    }
}
