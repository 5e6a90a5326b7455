/* SPDX-License-Identifier: MIT */
/*
 * What the kernels of drawing share: bins, sums over a group of WG work-items,
 * penalties.  Only sums of integers are shared among work-items, so their
 * order does not matter.  WG 1 is for devices without groups worth the name.
 */
#ifndef ANSER_CL_SAMPLE_H
#define ANSER_CL_SAMPLE_H

#pragma OPENCL FP_CONTRACT OFF

/* What a group of one shares is its own. */
#if WG == 1
#define SHARED __private
#define GROUP get_global_id(0)
#define LANE 0
#define MEET
#define GROUP_OF_WG
/* Bins of a work-item.  The offset is 0; PoCL would unroll what it can count,
 * and compile for half a minute. */
#define OWN (BINS + (uint)get_global_offset(0))
#else
#define SHARED __local
#define GROUP get_group_id(0)
#define LANE get_local_id(0)
#define MEET barrier(CLK_LOCAL_MEM_FENCE)
#define GROUP_OF_WG __attribute__((reqd_work_group_size(WG, 1, 1)))
#define OWN (BINS / WG)
#endif

#define BINS 256

/* A sum of 64 bits in two words, for local memory. */
struct bins {
    uint lo[BINS], hi[BINS];
};

static inline void add(SHARED struct bins *b, uint i, ulong x)
{
#if WG == 1
    const ulong sum = ((ulong)b->hi[i] << 32 | b->lo[i]) + x;
    b->lo[i] = (uint)sum;
    b->hi[i] = (uint)(sum >> 32);
#else
    const uint lo = (uint)x, before = atomic_add(&b->lo[i], lo);
    const uint hi = (uint)(x >> 32) + (before + lo < before);
    if (hi > 0)
        atomic_add(&b->hi[i], hi);
#endif
}

static inline ulong bin_sum(SHARED const struct bins *b, uint i)
{
    return (ulong)b->hi[i] << 32 | b->lo[i];
}

static inline void clear(SHARED struct bins *b)
{
    for (uint i = LANE; i < BINS; i += WG)
        b->lo[i] = b->hi[i] = 0;
    MEET;
}

/* The sum of x over the work-items before this one; *total over all. */
static inline ulong sum_before(ulong x, SHARED ulong *scratch, ulong *total)
{
    const uint lane = LANE;
    ulong sum = x;
    for (uint step = 1; step < WG; step *= 2) {
        MEET;
        scratch[lane] = sum;
        MEET;
        sum += lane >= step ? scratch[lane - step] : 0;
    }
    MEET;
    scratch[lane] = sum;
    MEET;
    *total = scratch[WG - 1];
    MEET;
    return sum - x;
}

/* Where a running sum over bins reaches `need`: its bin and the sum before,
 * left as it was if need is 0.  Down from the last bin, or up. */
struct place {
    uint bin;
    ulong before;
};

static inline uint bin_of_own(uint i, bool down)
{
    const uint at = LANE * OWN + i;
    return down ? BINS - 1 - at : at;
}

static inline void find(SHARED const struct bins *b, ulong need, bool down,
                        SHARED ulong *scratch, SHARED struct place *place)
{
    ulong own = 0, total;
    for (uint i = 0; i < OWN; i++)
        own += bin_sum(b, bin_of_own(i, down));
    ulong sum = sum_before(own, scratch, &total);
    if (need > sum && need <= sum + own) {
        uint i = 0;
        while (sum + bin_sum(b, bin_of_own(i, down)) < need)
            sum += bin_sum(b, bin_of_own(i++, down));
        place->bin = bin_of_own(i, down);
        place->before = sum;
    }
    MEET;
}

static inline ulong bins_total(SHARED const struct bins *b,
                               SHARED ulong *scratch)
{
    ulong own = 0, total;
    for (uint i = 0; i < OWN; i++)
        own += bin_sum(b, bin_of_own(i, false));
    sum_before(own, scratch, &total);
    return total;
}

static inline uint bin_of(ulong weight)
{
    if (weight < 256)
        return 0;
    const uint exponent = 63 - (uint)clz(weight);
    return (exponent - 8) * 8 + ((uint)(weight >> (exponent - 3)) & 7);
}

static inline uint run_of(uint n)
{
    return (n + PARTS - 1) / PARTS;
}

static inline float penalised(const struct sample_args a, float x, float count)
{
    if (!isfinite(x) || count == SH_BANNED)
        return -INFINITY;
    return count < 0 ? x : x - fma(count, a.frequency, a.presence);
}

static inline float largest_of(__global const float *best)
{
    float largest = -INFINITY;
    for (uint i = 0; i < PARTS; i++)
        largest = fmax(largest, best[i]);
    return largest;
}

#endif
