/* SPDX-License-Identifier: MIT */
/*
 * [V7:matmul] y = act(W x) for few tokens by integer dot products: blocks of
 * Q6_K as in the file, activations in int8 with a scale per 32.
 *
 * A group makes its own int8 copy of x, then takes ROWS rows, 16 lanes each: a
 * lane has 16 weights of every block.  Blocks are 210 bytes, so only 2 bytes
 * can be loaded at once.
 */
#define MOST 10240                        /* columns                          */
#define LANES6 16

/* 4 bytes from an even address. */
INLINE uint word(bytes p)
{
    __global const ushort *h = (__global const ushort *)p;
    return h[0] | (uint)h[1] << 16;
}

/* Columns 128 n + 32 j + l on, 4 for each j of 4: scales are of 16 columns. */
INLINE float lane_dot(bytes b, uint n, uint l, __local const uint *x, __local const float *scale)
{
    const uint low = 0x0f0f0f0f, top = 0x30303030, minus32 = 0xe0e0e0e0;
    const uint q0 = word(b + 64 * n + l), q1 = word(b + 64 * n + l + 32);
    const uint h = word(b + 128 + 32 * n + l), at = 32 * n + l / 4;
    const uint q[4] = { (q0 & low) | (h << 4 & top), (q1 & low) | (h << 2 & top),
                        (q0 >> 4 & low) | (h & top), (q1 >> 4 & low) | (h >> 2 & top) };
    __global const char *sc = (__global const char *)(b + 192 + 8 * n + l / 16);
    float sum = 0.0f;
    #pragma unroll
    for (uint j = 0; j < 4; j++) {
        const uint v = x[at + 8 * j];
        const int dot = dot4(q[j], v, dot4(minus32, v, 0));
        sum += (float)sc[2 * j] * (scale[4 * n + j] * (float)dot);
    }
    return sum * halves(*(__global const ushort *)(b + 208)).x;
}

/* x(cols) in int8 and its scales; all work-items call it. */
INLINE void make8(floats x, uint cols, __local uint *x8, __local float *scale, __local float *s)
{
    const uint n = cols / 4;
    for (uint base = 0; base < n; base += WG) {
        const uint i = base + get_local_id(0);
        const float4 v = *(__global const float4 *)(x + 4 * min(i, n - 1));
        const float4 m = fabs(v);
        float most = fmax(fmax(m.x, m.y), fmax(m.z, m.w));
        for (uint mask = 4; mask > 0; mask /= 2)
            most = fmax(most, swap_lanes(most, mask, s));
        if (i >= n)
            continue;
        x8[i] = as_uint(convert_char4(convert_int4_rte(v * (most > 0.0f ? 127.0f / most : 0.0f))));
        if (i % 8 == 0)
            scale[i / 8] = most / 127.0f;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_matvec(const struct matmul_args a, bytes W, floats x, __global float *y)
{
    __local float s[WG], scale[MOST / 32];
    __local uint x8[MOST / 4];
    const uint id = get_local_id(0), lane = id % LANES6, t = get_group_id(1);
    const uint n = lane / 8, l = lane % 8 * 4, first = get_group_id(0) * ROWS;
    make8(x + a.x_at + (ulong)t * a.cols, a.cols, x8, scale, s);
    for (uint base = first; base < first + ROWS; base += WG / LANES6) {
        const uint row = base + id / LANES6;
        bytes w = W + (ulong)a.w_at * SH_UNIT + (ulong)min(row, a.rows - 1) * a.row_bytes;
        float sum = 0.0f;
        for (uint b = 0; b < a.cols / 256; b++)
            sum += lane_dot(w + b * 210, n, l, x8 + b * 64, scale + b * 8);
        sum = lanes_sum(sum, LANES6, s);
        if (lane == 0 && row < a.rows) {
            __global float *out = y + a.y_at + (ulong)t * a.y_stride + row;
            *out = a.act == SH_ACT_ADD ? *out + sum : activate(sum, a.act);
        }
    }
}
