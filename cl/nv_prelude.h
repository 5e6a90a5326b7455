/* SPDX-License-Identifier: MIT */
/*
 * What the nv_ files are built on: lanes that exchange values, loads of a
 * kind, and the barrier over all groups of a launch.
 *
 * Each sum has one fixed order, for any number of groups.  -D PTX says that
 * inline PTX works (NVIDIA); without it the same sums are done through local
 * memory, and a barrier over groups serves one group only.
 */
#define WARPS (WG / 32)

/* Arrays of a function stay in registers only when it is expanded. */
#define INLINE static inline __attribute__((always_inline))

typedef __global const float *floats;
#ifndef TYPE                              /* else blocks.cl has it            */
typedef __global const uchar *bytes;
#endif

#ifdef PTX
INLINE int dot4(uint a, uint b, int c)
{
    int d;
    __asm__("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
    return d;
}

/* The bytes of a without a sign. */
INLINE int dot4u(uint a, uint b, int c)
{
    int d;
    __asm__("dp4a.u32.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
    return d;
}

INLINE float swap_lanes(float x, uint mask, __local float *s)
{
    float y;
    __asm__ volatile("shfl.sync.bfly.b32 %0, %1, %2, 0x1f, 0xffffffff;"
                 : "=f"(y) : "f"(x), "r"(mask));
    return y;
}

INLINE uint4 weights16(bytes p)
{
    uint4 w;
    __asm__ volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(w.x), "=r"(w.y), "=r"(w.z), "=r"(w.w) : "l"(p));
    return w;
}

/* What another group may have written in this launch: from L2. */
INLINE float4 fresh4(floats p)
{
    float4 x;
    __asm__ volatile("ld.global.cg.v4.f32 {%0,%1,%2,%3}, [%4];"
                 : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w) : "l"(p));
    return x;
}

INLINE float fresh(floats p)
{
    float x;
    __asm__ volatile("ld.global.cg.f32 %0, [%1];" : "=f"(x) : "l"(p));
    return x;
}

INLINE float2 halves(uint u)
{
    float2 x;
    __asm__("{ .reg .b16 l, h; mov.b32 {l, h}, %2; cvt.f32.f16 %0, l; cvt.f32.f16 %1, h; }"
        : "=f"(x.x), "=f"(x.y) : "r"(u));
    return x;
}

INLINE uint to_halves(float a, float b)
{
    uint u;
    __asm__("{ .reg .b16 l, h; cvt.rn.f16.f32 l, %1; cvt.rn.f16.f32 h, %2; mov.b32 %0, {l, h}; }"
            : "=r"(u) : "f"(a), "f"(b));
    return u;
}
#else
INLINE int dot4(uint a, uint b, int c)
{
    const int4 p = convert_int4(as_char4(a)) * convert_int4(as_char4(b));
    return c + p.x + p.y + p.z + p.w;
}

INLINE int dot4u(uint a, uint b, int c)
{
    const int4 p = convert_int4(as_uchar4(a)) * convert_int4(as_char4(b));
    return c + p.x + p.y + p.z + p.w;
}

/* Through s(WG): all work-items call it. */
INLINE float swap_lanes(float x, uint mask, __local float *s)
{
    const uint id = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    s[id] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    const float y = s[id ^ mask];
    barrier(CLK_LOCAL_MEM_FENCE);
    return y;
}

INLINE uint4 weights16(bytes p)
{
    return vload4(0, (__global const uint *)p);
}

INLINE float4 fresh4(floats p)
{
    return vload4(0, p);
}

INLINE float fresh(floats p)
{
    return *p;
}

INLINE float2 halves(uint u)
{
    return vload_half2(0, (const half *)&u);
}

INLINE uint to_halves(float a, float b)
{
    uint u;
    vstore_half2((float2)(a, b), 0, (half *)&u);
    return u;
}
#endif

/* The sum over runs of n lanes (a power of two), in all of them. */
INLINE float lanes_sum(float x, uint n, __local float *s)
{
    for (uint mask = n / 2; mask > 0; mask /= 2)
        x += swap_lanes(x, mask, s);
    return x;
}

/* The sum over the group; s(WG). */
INLINE float all_sum(float x, __local float *s)
{
    const uint id = get_local_id(0);
    x = lanes_sum(x, 32, s);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (id % 32 == 0)
        s[id / 32] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = 0.0f;
    for (uint i = 0; i < WARPS; i++)
        sum += s[i];
    barrier(CLK_LOCAL_MEM_FENCE);
    return sum;
}

/* ------------------------------------------------ a barrier over all groups */

/* `count` grows by one a group and barrier; failed holds the number of the
 * launch that gave up, 0 for none. */
#ifdef PTX
INLINE void arrive(__global uint *count)
{
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (get_local_id(0) == 0)
        __asm__ volatile("red.release.gpu.global.add.u32 [%0], 1;" : : "l"(count) : "memory");
}

INLINE uint acquire(__global const uint *p)
{
    uint x;
    __asm__ volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
    return x;
}

/* Asks for bytes [from, from + n), to L2; all groups share the work. */
INLINE void warm_lines(bytes from, uint n)
{
    for (uint i = get_global_id(0); i < (n + 127) / 128; i += get_global_size(0))
        __asm__ volatile("prefetch.global.L2 [%0];" : : "l"(from + (ulong)i * 128));
}
#else
INLINE void arrive(__global uint *count)
{
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (get_local_id(0) == 0)
        atomic_inc(count);
}

INLINE uint acquire(__global const uint *p)
{
    return *(volatile __global const uint *)p;
}

INLINE void warm_lines(bytes from, uint n)
{
    (void)from;
    (void)n;
}
#endif

/* Waits until `count` has come to `until`, at most `limit` looks; false if it
 * has not.  Who gives up takes back its own arrival, so that either all groups
 * pass or none.  ok: one number in local memory. */
INLINE bool await(__global uint *count, uint until, uint limit, __local uint *ok)
{
    if (get_local_id(0) == 0) {
        uint left = limit;
        bool there = (int)(acquire(count) - until) >= 0;
        while (!there && left-- > 0)
            there = (int)(acquire(count) - until) >= 0;
        if (!there && (int)(atomic_dec(count) - until) >= 0) {
            atomic_inc(count);
            there = true;
        }
        *ok = there;
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    return *ok != 0;
}

/* How many groups are there at once: each arrives and waits for all others for
 * `limit` looks; the first that has waited in vain tells how many it saw. */
INLINE void count_groups(__global uint *count, __global uint *seen, uint limit)
{
    if (get_local_id(0) > 0)
        return;
    const uint groups = get_num_groups(0);
    uint here = atomic_inc(count) + 1;
    for (uint left = limit; left > 0 && here < groups; left--)
        here = acquire(count);
    atomic_cmpxchg(seen, 0, here);
}
