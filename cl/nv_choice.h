/* SPDX-License-Identifier: MIT */
/*
 * How a launch of all phases ends: the group that gets there last takes the best
 * of the logits, or sees to it that nothing can be chosen.
 */

/* A logit and its index; index n: none. */
struct best {
    float top;
    uint at;
};

/* The larger one, of equal ones the first, as cl/argmax.cl has it. */
INLINE struct best better(struct best a, struct best b, uint n)
{
    const bool second = b.at < n && (a.at >= n || b.top > a.top
                                     || (b.top == a.top && b.at < a.at));
    const struct best best = { second ? b.top : a.top, second ? b.at : a.at };
    return best;
}

/* The best of all work-items', in all of them. */
INLINE struct best best_of_group(struct best mine, uint n, const struct room at)
{
    const uint id = get_local_id(0);
    __local float *tops = at.s;
    __local uint *ats = (__local uint *)at.pool;
    barrier(CLK_LOCAL_MEM_FENCE);
    tops[id] = mine.top;
    ats[id] = mine.at;
    for (uint step = WG / 2; step > 0; step /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id >= step)
            continue;
        const struct best other = { tops[id + step], ats[id + step] };
        mine = better(mine, other, n);
        tops[id] = mine.top;
        ats[id] = mine.at;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const struct best best = { tops[0], ats[0] };
    return best;
}

/* The best of x from rows.x to rows.y, which this group has written.  A NaN is
 * none. */
INLINE struct best best_row(__global const float *x, uint2 rows, uint n, const struct room at)
{
    struct best mine = { 0.0f, n };
    for (uint i = rows.x + get_local_id(0); i < rows.y; i += WG) {
        const struct best next = { x[i], isnan(x[i]) ? n : i };
        mine = better(mine, next, n);
    }
    return best_of_group(mine, n, at);
}

/* The best of the groups' own ones, in all work-items. */
INLINE struct best best_told(floats tops, floats ats, uint n, const struct room at)
{
    struct best mine = { 0.0f, n };
    for (uint i = get_local_id(0); i < get_num_groups(0); i += WG) {
        const struct best next = { look(tops + i), as_uint(look(ats + i)) };
        mine = better(mine, next, n);
    }
    return best_of_group(mine, n, at);
}

/* Whether all other groups have got here before; the same in all of a group. */
INLINE bool is_last(__global uint *count, __local uint *here)
{
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (get_local_id(0) == 0)
        *here = arrive(count, get_num_groups(0));
    barrier(CLK_LOCAL_MEM_FENCE);
    return *here == get_num_groups(0) - 1;
}
