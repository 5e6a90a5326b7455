/* SPDX-License-Identifier: MIT */
/* A tiny known answer, x = 3 x + add, for rt/probe.c: shows that a driver
 * compiles and runs at all. */

__kernel void probe(const uint add, __global uint *x)
{
    const uint i = get_global_id(0);
    x[i] = 3 * x[i] + add;
}
