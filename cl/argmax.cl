/* SPDX-License-Identifier: MIT */
/*
 * The lowest index of the largest of x(n): first each of `parts` work-items
 * over its own run, then one over their results.  A NaN never wins; if all
 * are NaN the answer is n.
 */

__kernel void argmax_parts(const struct argmax_args a, __global const float *x,
                           __global float *best, __global uint *where)
{
    const uint part = get_global_id(0);
    const uint run = (a.n + a.parts - 1) / a.parts;
    const uint end = min((part + 1) * run, a.n);
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = part * run; i < end; i++)
        if (x[i] > top || (at == a.n && x[i] == top)) {
            top = x[i];
            at = i;
        }
    best[part] = top;
    where[part] = at;
}

__kernel void argmax_last(const struct argmax_args a, __global const float *best,
                          __global const uint *where, __global uint *id)
{
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = 0; i < a.parts; i++)
        if (where[i] < a.n && (best[i] > top || at == a.n)) {
            top = best[i];
            at = where[i];
        }
    *id = at;
}
