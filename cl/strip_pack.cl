/* SPDX-License-Identifier: MIT */
/*
 * From blocks as in the file to strips of 16 rows (read by strip.cl).  For
 * each run of 256 columns a strip holds, r counting its rows:
 *
 *   Q4_K 2368  d[r] dmin[r] halves | scale[8][r] minimum[8][r] bytes | nibbles
 *   Q5_K 2880  as Q4_K, then tops: 8 vectors, a bit for each of 8 vectors
 *   Q6_K 3392  d[r] halves, 32 bytes empty | scale[8][2][r] bytes | nibbles
 *              | tops: 16 vectors, two bits for each of 4 vectors
 *   Q8_0 4352  d[8][r] halves | 64 vectors of bytes, biased by 128
 *
 * A vector is 64 bytes: 4 columns of each row.  Vector i of a sub-run of 32
 * columns has columns 4 i to 4 i + 3; nibbles keep vectors 2 i and 2 i + 1 in
 * the low and the high half of one.  Rows beyond the last repeat it.
 */
#define RUN 256

#if TYPE == SH_Q4_K
#define RUN_BYTES 2368
#elif TYPE == SH_Q5_K
#define RUN_BYTES 2880
#elif TYPE == SH_Q6_K
#define RUN_BYTES 3392
#else
#define RUN_BYTES 4352
#endif

#if TYPE == SH_Q4_K
/* A run of 16 rows at once: 64 columns, in two sub-runs, are the low and the
 * high halves of 32 bytes. */
static inline void pack_rows(bytes b, const uint *rows, __global uchar *to)
{
    uint16 v[8];
    transpose(b, rows, v);
    vstore16(convert_ushort16(v[0] & 0xffff), 0, (__global ushort *)to);
    vstore16(convert_ushort16(v[0] >> 16), 1, (__global ushort *)to);
    put_scales(v, to + 64, to + 192, 16);
    for (uint s = 0; s < 4; s++) {
        __global uint *out = (__global uint *)(to + 320 + 512 * s);
        transpose(b + 16 + 32 * s, rows, v);
        transpose(b + 32 + 32 * s, rows, v + 4);
        UNROLL
        for (uint i = 0; i < 4; i++) {
            const uint16 even = v[2 * i], odd = v[2 * i + 1];
            vstore16((even & 0x0f0f0f0f) | (odd & 0x0f0f0f0f) << 4, i, out);
            vstore16((even >> 4 & 0x0f0f0f0f) | (odd & 0xf0f0f0f0), i + 4, out);
        }
    }
}

#else
static inline void put_half(__global uchar *at, uint r, bytes from)
{
    at[2 * r] = from[0];
    at[2 * r + 1] = from[1];
}

/* The 8 words of a row's sub-run: q(32) in bytes. */
static inline void words(uchar16 lo, uchar16 hi, uint *w)
{
    vstore4(as_uint4(lo), 0, w);
    vstore4(as_uint4(hi), 1, w);
}

#if TYPE == SH_Q8_0
static inline void pack(bytes b, uint r, __global uchar *to)
{
    for (uint s = 0; s < 8; s++) {
        uint w[8];
        put_half(to + 32 * s, r, b + 34 * s);
        words(vload16(0, b + 34 * s + 2), vload16(1, b + 34 * s + 2), w);
        __global uint *out = (__global uint *)(to + 256 + 512 * s) + r;
        for (uint i = 0; i < 8; i++)
            out[16 * i] = w[i] ^ 0x80808080u;
    }
}

#else
static inline void put_nibbles(const uint *w, uint r, __global uchar *to, uint s)
{
    __global uint *out = (__global uint *)(to + 320 + 256 * s) + r;
    for (uint i = 0; i < 4; i++)
        out[16 * i] = (w[2 * i] & 0x0f0f0f0fu) | (w[2 * i + 1] & 0x0f0f0f0fu) << 4;
}

#if TYPE == SH_Q6_K
static inline void pack(bytes b, uint r, __global uchar *to)
{
    put_half(to, r, b + 208);
    put_half(to + 32, r, b + 208);
    for (uint s = 0; s < 8; s++) {
        const uint n = s >> 2, j = s & 3;
        bytes ql = b + 64 * n + 32 * (j & 1), qh = b + 128 + 32 * n;
        const uchar low = (uchar)(4 * (j >> 1)), high = (uchar)(2 * j);
        uint w[8];
        words((vload16(0, ql) >> low & (uchar)15) | (vload16(0, qh) >> high & (uchar)3) << (uchar)4,
              (vload16(1, ql) >> low & (uchar)15) | (vload16(1, qh) >> high & (uchar)3) << (uchar)4,
              w);
        to[64 + 32 * s + r] = b[192 + 2 * s];
        to[64 + 32 * s + 16 + r] = b[192 + 2 * s + 1];
        put_nibbles(w, r, to, s);
        for (uint i = 0; i < 2; i++) {
            uint top = 0;
            for (uint h = 0; h < 4; h++)
                top |= (w[4 * i + h] >> 4 & 0x03030303u) << 2 * h;
            ((__global uint *)(to + 2368 + 64 * (2 * s + i)))[r] = top;
        }
    }
}

#elif TYPE == SH_Q5_K
static inline void pack(bytes b, uint r, __global uchar *to)
{
    put_half(to, r, b);
    put_half(to + 32, r, b + 2);
    for (uint s = 0; s < 8; s++) {
        const float2 k = scale_min(b + 4, s);
        to[64 + 16 * s + r] = (uchar)k.x;
        to[192 + 16 * s + r] = (uchar)k.y;
        bytes qs = b + 48 + 32 * (s >> 1);
        const uchar shift = (uchar)(4 * (s & 1));
        uint w[8];
        words(vload16(0, qs) >> shift & (uchar)15, vload16(1, qs) >> shift & (uchar)15, w);
        put_nibbles(w, r, to, s);
        uint h[8], top = 0;
        words(vload16(0, b + 16) >> (uchar)s & (uchar)1, vload16(1, b + 16) >> (uchar)s & (uchar)1,
              h);
        for (uint i = 0; i < 8; i++)
            top |= h[i] << i;
        ((__global uint *)(to + 2368 + 64 * s))[r] = top;
    }
}

#endif
#endif
#endif

/* A strip a work-item. */
__kernel void strip_pack(const struct pack_args a, __global const uchar *from,
                         __global uchar *to)
{
    const uint runs = a.cols / RUN, strip = get_global_id(0);
    const uint run_bytes = a.row_bytes / runs;
    __global uchar *out = to + (ulong)a.to_at * SH_UNIT + (ulong)strip * runs * RUN_BYTES;
#if TYPE == SH_Q4_K
    uint rows[16];
    for (uint r = 0; r < 16; r++)
        rows[r] = min(r, a.rows - 1 - strip * 16) * a.row_bytes;
    bytes first = row_at(from, a.from_at, strip * 16, a.row_bytes);
    for (uint i = 0; i < runs; i++)
        pack_rows(first + i * run_bytes, rows, out + (ulong)i * RUN_BYTES);
#else
    for (uint i = 0; i < runs; i++)
        for (uint r = 0; r < 16; r++)
            pack(row_at(from, a.from_at, min(strip * 16 + r, a.rows - 1), a.row_bytes)
                 + i * run_bytes, r, out + (ulong)i * RUN_BYTES);
#endif
}
