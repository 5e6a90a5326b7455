/* SPDX-License-Identifier: MIT */
/* [V7:embed] x(T, C) = rows ids(T) of the embedding, 32 weights a work-item.
 * A part of a split matrix writes the tokens that it holds. */

__kernel void embed(const struct embed_args a, __global const uchar *W,
                    __global const uint *ids, __global float *x)
{
    const uint i = get_global_id(0) * 32, t = get_global_id(1);
    const uint id = ids[t];
    if (i >= a.C || id < a.row0 || id >= a.row0 + a.rows)
        return;
    float16 lo, hi;
    unpack32(row_at(W, a.w_at, id - a.row0, a.row_bytes), i, &lo, &hi);
    vstore16(lo, 0, x + (ulong)t * a.C + i);
    vstore16(hi, 1, x + (ulong)t * a.C + i);
}
