/* SPDX-License-Identifier: MIT */
/*
 * The lowest index of the largest of x(n): first each of `parts` work-items
 * over its own run, then one over their results.  A NaN never wins; if all
 * are NaN the answer is n.  The _group kernels do the same with a group of WG
 * work-items for a run, and one for the results.
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

#ifdef WG
/* The best of the group's own bests, in work-item 0. */
static inline void group_best(__local float *tops, __local uint *ats, uint n)
{
    const uint lane = get_local_id(0);
    for (uint step = WG / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        const uint from = lane + step;
        if (lane < step && ats[from] < n
            && (ats[lane] == n || tops[from] > tops[lane]
                || (tops[from] == tops[lane] && ats[from] < ats[lane]))) {
            tops[lane] = tops[from];
            ats[lane] = ats[from];
        }
    }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void argmax_parts_group(const struct argmax_args a, __global const float *x,
                        __global float *best, __global uint *where)
{
    __local float tops[WG];
    __local uint ats[WG];
    const uint part = get_group_id(0), lane = get_local_id(0);
    const uint run = (a.n + a.parts - 1) / a.parts;
    const uint end = min((part + 1) * run, a.n);
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = part * run + lane; i < end; i += WG)
        if (x[i] > top || (at == a.n && x[i] == top)) {
            top = x[i];
            at = i;
        }
    tops[lane] = top;
    ats[lane] = at;
    group_best(tops, ats, a.n);
    if (lane == 0) {
        best[part] = tops[0];
        where[part] = ats[0];
    }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void argmax_last_group(const struct argmax_args a, __global const float *best,
                       __global const uint *where, __global uint *id)
{
    __local float tops[WG];
    __local uint ats[WG];
    const uint lane = get_local_id(0);
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = lane; i < a.parts; i += WG)
        if (where[i] < a.n && (best[i] > top || at == a.n)) {
            top = best[i];
            at = where[i];
        }
    tops[lane] = top;
    ats[lane] = at;
    group_best(tops, ats, a.n);
    if (lane == 0)
        *id = ats[0];
}
#endif
