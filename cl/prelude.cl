/* SPDX-License-Identifier: MIT */
/*
 * What every kernel may use: sums over vectors, the logistic function, and a
 * reduction over a work-group through local memory.
 *
 * Sums are written out in one fixed order, so that a kernel gives the same
 * bits on every run.
 */

static inline float sum4(float4 v)
{
    return (v.x + v.y) + (v.z + v.w);
}

static inline float sum16(float16 v)
{
    float8 a = v.lo + v.hi;
    return sum4(a.lo + a.hi);
}

/* sum16 of each of four, in its order, with half of its steps or less. */
static inline float4 sum16_of4(float16 a, float16 b, float16 c, float16 d)
{
    const float16 p = (float16)(a.lo, b.lo) + (float16)(a.hi, b.hi);
    const float16 q = (float16)(c.lo, d.lo) + (float16)(c.hi, d.hi);
    const float16 s = (float16)(p.s0123, p.s89ab, q.s0123, q.s89ab)
                      + (float16)(p.s4567, p.scdef, q.s4567, q.scdef);
    const float8 pairs = s.even + s.odd;
    return pairs.even + pairs.odd;
}

/* vload16(0, p) as one load: PoCL's makes 2 floats at a time of it where the
 * result goes into a product. */
typedef float16 __attribute__((aligned(4))) float16_anywhere;
static inline float16 load16(__global const float *p)
{
    return *(__global const float16_anywhere *)p;
}

static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + exp(-x));
}

static inline float activate(float x, uint act)
{
    float positive = fmax(x, 0.0f);
    return act == SH_ACT_TANH      ? tanh(x)
           : act == SH_ACT_SIGMOID ? sigmoid(x)
           : act == SH_ACT_RELU2   ? positive * positive
                                   : x;
}

#ifdef WG
/* The sum of x over a group of WG work-items (a power of two), in all of
 * them.  scratch holds WG floats. */
static inline float group_sum(float x, __local float *scratch)
{
    const uint lane = get_local_id(0);
    scratch[lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint half_ = WG / 2; half_ > 0; half_ /= 2) {
        if (lane < half_)
            scratch[lane] += scratch[lane + half_];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const float sum = scratch[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}
#endif
