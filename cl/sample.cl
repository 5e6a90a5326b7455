/* SPDX-License-Identifier: MIT */
/*
 * Logits to a token [V7:sample], as base/draw.c does it, with the same
 * integers: four kernels of PARTS groups of WG work-items, the last of one.
 *
 *   sample_top   counts the last id, penalises, the best of each part
 *   sample_best  temperature 0: the best of all, and nothing else is run
 *   sample_sums  weights, and their sum and number by part and bin
 *   sample_keep  the bin in which the cut is: what is above it stays, what is
 *                in it is open; both are listed, a part's in its own place
 *   sample_pick  cuts what is open, draws, walks through one part
 *
 * A bin holds the weights of a common exponent and three bits more.  The last
 * two kernels are in sample_cut.cl.
 */

/* ------------------------------------------------------------------ top */

static inline float count_last(const struct sample_args a, float count,
                               bool is_last)
{
    const float decayed = count >= 0 ? count * a.decay : count;
    return is_last ? fmax(decayed, 0.0f) + 1.0f : decayed;
}

static inline bool is_better(float x, uint at, float top, uint top_at)
{
    return x > top || (x == top && at < top_at);
}

__kernel GROUP_OF_WG
void sample_top(const struct sample_args a, __global const float *logits,
                __global float *count, __global const uint *id,
                __global float *best, __global uint *where)
{
    SHARED float tops[WG];
    SHARED uint ats[WG];
    const uint part = GROUP, lane = LANE;
    const uint run = run_of(a.n), end = min((part + 1) * run, a.n);
    const uint last = a.first ? a.n : *id;
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = part * run + lane; i < end; i += WG) {
        float c = count[i];
        if (!a.first && c != SH_BANNED)
            count[i] = c = count_last(a, c, i == last);
        const float x = penalised(a, logits[i], c);
        if (x > top) {
            top = x;
            at = i;
        }
    }
    for (uint step = WG / 2; step > 0; step /= 2) {
        tops[lane] = top;
        ats[lane] = at;
        MEET;
        if (lane < step
            && is_better(tops[lane + step], ats[lane + step], top, at)) {
            top = tops[lane + step];
            at = ats[lane + step];
        }
        MEET;
    }
    if (lane == 0) {
        best[part] = top;
        where[part] = at;
    }
}

/* Temperature 0: the best of all parts, by one work-item. */
__kernel void sample_best(const struct sample_args a,
                          __global const float *best,
                          __global const uint *where, __global uint *id)
{
    float top = -INFINITY;
    uint at = a.n;
    for (uint i = 0; i < PARTS; i++)
        if (best[i] > top) {
            top = best[i];
            at = where[i];
        }
    *id = at;
}

/* ----------------------------------------------------------------- sums */

__kernel GROUP_OF_WG
void sample_sums(const struct sample_args a, __global const float *logits,
                 __global const float *count, __global const float *best,
                 __global ulong *sums, __global uint *numbers)
{
    SHARED struct bins weights, number;
    const uint part = GROUP, lane = LANE;
    const uint run = run_of(a.n), end = min((part + 1) * run, a.n);
    const float largest = largest_of(best);
    clear(&weights);
    clear(&number);
    for (uint i = part * run + lane; i < end; i += WG) {
        const ulong w = anser_weight(largest
                                     - penalised(a, logits[i], count[i]));
        if (w > 0) {
            add(&weights, bin_of(w), w);
            add(&number, bin_of(w), 1);
        }
    }
    MEET;
    for (uint i = lane; i < BINS; i += WG) {
        sums[part * BINS + i] = bin_sum(&weights, i);
        numbers[part * BINS + i] = number.lo[i];
    }
}
