/* SPDX-License-Identifier: MIT */
/* Reads n times 16 bytes once, for rt/bandwidth.c: work-item i sums vectors
 * i, i + items, i + 2 items ..., so that neighbours read side by side (the
 * way that a GPU likes), or a run of its own (the way that a CPU does).  The
 * sum is written, or the compiler would leave the reads out. */

__kernel void read_strided(const uint n, __global const uint4 *x,
                           __global uint *sums)
{
    const uint items = get_global_size(0);
    uint4 sum = (uint4)(0);
    for (uint i = get_global_id(0); i < n; i += items)
        sum += x[i];
    sums[get_global_id(0)] = sum.x + sum.y + sum.z + sum.w;
}

__kernel void read_runs(const uint n, __global const uint4 *x,
                        __global uint *sums)
{
    const uint run = n / get_global_size(0);
    __global const uint4 *mine = x + (size_t)get_global_id(0) * run;
    uint4 sum = (uint4)(0);
    for (uint i = 0; i < run; i++)
        sum += mine[i];
    sums[get_global_id(0)] = sum.x + sum.y + sum.z + sum.w;
}
