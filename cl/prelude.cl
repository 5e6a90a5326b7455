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
