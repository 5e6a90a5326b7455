/* SPDX-License-Identifier: MIT */
/*
 * What the nv_ files are built on: lanes that exchange values, loads of a
 * kind, and numbers that groups of a launch tell each other.
 *
 * Each sum has one fixed order, for any number of groups.  -D PTX says that
 * inline PTX works (NVIDIA); without it the same sums are done through local
 * memory, and a launch of all phases serves one group only.
 */
#define WARPS (WG / 32)

/* Arrays of a function stay in registers only when it is expanded. */
#define INLINE static inline __attribute__((always_inline))

typedef __global const float *floats;
#ifndef TYPE                              /* else blocks.cl has it            */
typedef __global const uchar *bytes;
#endif

#ifdef PTX
#define WARP_ALONE 1                      /* sums of a warp need no barrier   */

/* A work-item's number, of which the compiler cannot know that it is the same
 * as before: addresses made of it are not kept over a whole loop of layers. */
INLINE uint item(void)
{
    uint id = get_local_id(0);
    __asm__ volatile("" : "+r"(id));
    return id;
}

/* A 0 for what should be made again each time, not kept. */
INLINE uint unknown_zero(void)
{
    uint x = 0;
    __asm__ volatile("" : "+r"(x));
    return x;
}

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
#define WARP_ALONE 0

INLINE uint item(void)
{
    return get_local_id(0);
}

INLINE uint unknown_zero(void)
{
    return 0;
}

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

/* ------------------------------------- numbers that cross between groups */

/*
 * In a launch that does all phases a number says by itself that it is there:
 * its two lowest bits count, modulo 4, how often its place was written.  So
 * there is no barrier over groups; a place is written again only after all have
 * read it, since what is written then follows from what all have made of it.
 * Elsewhere these bits are 0: the numbers are the same both ways.
 */
struct told {
    bool counted;                         /* false: 0, and all is there       */
    uint x, rest;                         /* counts of the residual stream,
                                           * and of all else                  */
    uint limit;                           /* looks before giving up           */
    __local uint *ok;                     /* 0: a work-item gave up           */
};
#define TOLD_BITS 3u

INLINE float bare(float x)
{
    return as_float(as_uint(x) & ~TOLD_BITS);
}

#ifdef PTX
INLINE uint acquire(__global const uint *p)
{
    uint x;
    __asm__ volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
    return x;
}

/* How many have arrived before; the nth makes it 0 again. */
INLINE uint arrive(__global uint *count, uint n)
{
    uint before;
    __asm__ volatile("atom.acq_rel.gpu.global.inc.u32 %0, [%1], %2;"
                     : "=r"(before) : "l"(count), "r"(n - 1) : "memory");
    return before;
}

INLINE float look(floats p)
{
    float x;
    __asm__ volatile("ld.relaxed.gpu.global.f32 %0, [%1];" : "=f"(x) : "l"(p) : "memory");
    return x;
}

INLINE float4 look4(floats p)
{
    float4 x;
    __asm__ volatile("ld.relaxed.gpu.global.v4.f32 {%0,%1,%2,%3}, [%4];"
                 : "=f"(x.x), "=f"(x.y), "=f"(x.z), "=f"(x.w) : "l"(p) : "memory");
    return x;
}

INLINE void write_told(__global float *p, float x)
{
    __asm__ volatile("st.relaxed.gpu.global.f32 [%0], %1;" :: "l"(p), "f"(x) : "memory");
}

INLINE void warp_sync(void)
{
    __asm__ volatile("bar.warp.sync 0xffffffff;" ::: "memory");
}

/* Asks for bytes [from, from + n), to L2; all groups share the work. */
INLINE void warm_lines(bytes from, uint n)
{
    for (uint i = get_global_id(0); i < (n + 127) / 128; i += get_global_size(0))
        __asm__ volatile("prefetch.global.L2 [%0];" : : "l"(from + (ulong)i * 128));
}
#else
INLINE uint acquire(__global const uint *p)
{
    return *(volatile __global const uint *)p;
}

INLINE uint arrive(__global uint *count, uint n)
{
    const uint before = atomic_inc(count);
    if (before == n - 1)
        atomic_xchg(count, 0);
    return before;
}

INLINE float look(floats p)
{
    return *(volatile __global const float *)p;
}

INLINE float4 look4(floats p)
{
    return (float4)(look(p), look(p + 1), look(p + 2), look(p + 3));
}

INLINE void write_told(__global float *p, float x)
{
    *p = x;
}

INLINE void warp_sync(void)
{
}

INLINE void warm_lines(bytes from, uint n)
{
    (void)from;
    (void)n;
}
#endif

INLINE void tell(__global float *p, float x, uint count, const struct told *told)
{
    if (told->counted)
        write_told(p, as_float(as_uint(bare(x)) | (count & TOLD_BITS)));
    else
        *p = bare(x);
}

INLINE uint differs(float x, uint count)
{
    return (as_uint(x) ^ count) & TOLD_BITS;
}

/* x, which lies at p, if it is the one of that count, else what comes there. */
INLINE float heard(float x, floats p, uint count, const struct told *told)
{
    uint left = told->limit;
    while (told->counted && differs(x, count) != 0) {
        if (left-- == 0) {
            *told->ok = 0;
            break;
        }
        x = look(p);
    }
    return bare(x);
}

INLINE uint differs4(float4 x, uint count)
{
    return differs(x.x, count) | differs(x.y, count) | differs(x.z, count) | differs(x.w, count);
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
