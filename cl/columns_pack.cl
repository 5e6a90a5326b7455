/* SPDX-License-Identifier: MIT */
/*
 * From blocks as in the file to columns (read by columns.cl).  For each run of
 * 256 columns a slice of 256 rows holds, r counting its rows:
 *
 *   Q4_K  d[r] dmin[r] halves, then 8 groups of 32 columns:
 *         scale[r] minimum[r] bytes | 32 columns of 128 bytes: two lines
 *   Q6_K  d[r] halves, then 8 groups of 32 columns:
 *         scale[2][r] bytes | 32 columns of 192 bytes: two lines and tops
 *
 * A line is 64 bytes: byte 16 l + 4 j + i is of row 16 j + 4 l + i of a block
 * of 64 rows, which leaves the rows in order once four columns are transposed
 * in registers of 128 bits or more (columns.h).  The low halves of line v are
 * block 2 v, the high ones block 2 v + 1; the tops have two bits of each.
 */
#define RUN 256
#define SLICE 256

#if TYPE == SH_Q6_K
#define HEAD_BYTES 512
#define COLUMN_BYTES 192
#else
#define HEAD_BYTES 1024
#define COLUMN_BYTES 128
#endif
#define GROUP_BYTES (2 * SLICE + 32 * COLUMN_BYTES)
#define SLICE_BYTES (HEAD_BYTES + 8 * GROUP_BYTES)

/* Stored or read whole, wherever it begins. */
typedef uchar16 __attribute__((aligned(1))) uchar16_anywhere;

/* The file's rows: b + r * bytes is the run of row r. */
struct rows {
    bytes b;
    uint bytes;
};

/* 16 bytes, `at` bytes on, of the 16 rows that lane l of a line has of a block. */
static inline void take_lane(struct rows from, uint block, uint l, uint at, uchar16 *to)
{
    for (uint k = 0; k < 16; k++) {
        const uint r = 64 * block + 16 * (k / 4) + 4 * l + k % 4;
        to[k] = *(__global const uchar16_anywhere *)(from.b + r * from.bytes + at);
    }
}

/* to(i) has byte i of each of a(16). */
static inline void transpose16(const uchar16 *a, uchar16 *to)
{
    uchar16 now[16], next[16];
    for (uint i = 0; i < 16; i++)
        now[i] = a[i];
    for (uint round = 0; round < 4; round++) {
        for (uint i = 0; i < 8; i++) {
            next[2 * i].even = now[i].lo;
            next[2 * i].odd = now[i + 8].lo;
            next[2 * i + 1].even = now[i].hi;
            next[2 * i + 1].odd = now[i + 8].hi;
        }
        for (uint i = 0; i < 16; i++)
            now[i] = next[i];
    }
    for (uint i = 0; i < 16; i++)
        to[i] = now[i];
}

/* Lane l of line `line` of columns [c, c + 16) of a group. */
static inline void put_lane(const uchar16 *rows, __global uchar *group, uint c, uint line,
                            uint l)
{
    uchar16 columns[16];
    transpose16(rows, columns);
    for (uint i = 0; i < 16; i++)
        *(__global uchar16_anywhere *)(group + 2 * SLICE + (c + i) * COLUMN_BYTES + 64 * line
                                       + 16 * l) = columns[i];
}

/* Lane l of line v of the columns that the halves of 16 bytes have: low ones
 * in group `low`, from column c on, high ones in `high`. */
static inline void put_halves(struct rows from, uint at, uint v, uint l, uint c,
                              __global uchar *low, __global uchar *high)
{
    uchar16 a[16], b[16], both[16];
    take_lane(from, 2 * v, l, at, a);
    take_lane(from, 2 * v + 1, l, at, b);
    for (uint k = 0; k < 16; k++)
        both[k] = (a[k] & (uchar)15) | b[k] << (uchar)4;
    put_lane(both, low, c, v, l);
    for (uint k = 0; k < 16; k++)
        both[k] = a[k] >> (uchar)4 | (b[k] & (uchar)0xf0);
    put_lane(both, high, c, v, l);
}

#if TYPE == SH_Q4_K
static inline void put_heads(struct rows from, __global uchar *to)
{
    uint rows[16];
    for (uint r = 0; r < 16; r++)
        rows[r] = r * from.bytes;
    for (uint i = 0; i < SLICE / 16; i++) {
        uint16 v[4];
        transpose(from.b + 16 * i * from.bytes, rows, v);
        vstore16(convert_ushort16(v[0] & 0xffff), i, (__global ushort *)to);
        vstore16(convert_ushort16(v[0] >> 16), i, (__global ushort *)to + SLICE);
        put_scales(v, to + HEAD_BYTES + 16 * i, to + HEAD_BYTES + SLICE + 16 * i, GROUP_BYTES);
    }
}

/* 32 bytes of a block are the low and the high halves of two groups. */
static inline void pack(struct rows from, __global uchar *to)
{
    put_heads(from, to);
    for (uint i = 0; i < 8; i++) {   /* 16 bytes of a block                 */
        __global uchar *low = to + HEAD_BYTES + i / 2 * 2 * GROUP_BYTES;
        for (uint j = 0; j < 8; j++)
            put_halves(from, 16 + 16 * i, j / 4, j % 4, i % 2 * 16, low, low + GROUP_BYTES);
    }
}

#else
static inline void put_heads(struct rows from, __global uchar *to)
{
    for (uint r = 0; r < SLICE; r++) {
        bytes b = from.b + r * from.bytes;
        __global uchar *group = to + HEAD_BYTES;
        to[2 * r] = b[208];
        to[2 * r + 1] = b[209];
        for (uint s = 0; s < 8; s++, group += GROUP_BYTES) {
            group[r] = b[192 + 2 * s];
            group[SLICE + r] = b[192 + 2 * s + 1];
        }
    }
}

/* Lane l of the tops, the pair of bits at `shift` of bytes from `at` on. */
static inline void put_tops(struct rows from, uint at, uint shift, uint l, uint c,
                            __global uchar *group)
{
    uchar16 all[16];
    for (uint k = 0; k < 16; k++)
        all[k] = (uchar16)(0);
    for (uint b = 0; b < 4; b++) {
        uchar16 top[16];
        take_lane(from, b, l, at, top);
        for (uint k = 0; k < 16; k++)
            all[k] |= (top[k] >> (uchar)shift & (uchar)3) << (uchar)(2 * b);
    }
    put_lane(all, group, c, 2, l);
}

/* Of 128 columns 64 bytes of halves: those of groups 0 and 2, of 1 and 3; 32
 * bytes have the tops of all. */
static inline void pack(struct rows from, __global uchar *to)
{
    put_heads(from, to);
    for (uint i = 0; i < 8; i++) {   /* 16 bytes of a block                 */
        __global uchar *low = to + HEAD_BYTES + (i / 4 * 4 + i / 2 % 2) * GROUP_BYTES;
        for (uint j = 0; j < 8; j++)
            put_halves(from, 16 * i, j / 4, j % 4, i % 2 * 16, low, low + 2 * GROUP_BYTES);
    }
    for (uint s = 0; s < 8; s++)
        for (uint j = 0; j < 8; j++)
            put_tops(from, 128 + 32 * (s / 4) + 16 * (j / 4), 2 * (s % 4), j % 4, j / 4 * 16,
                     to + HEAD_BYTES + s * GROUP_BYTES);
}
#endif

/* A run of a slice a work-item. */
__kernel void columns_pack(const struct pack_args a, __global const uchar *from,
                           __global uchar *to)
{
    const uint runs = a.cols / RUN, run = get_global_id(0), slice = get_global_id(1);
    const uint run_bytes = a.row_bytes / runs;
    const struct rows rows = {
        row_at(from, a.from_at, slice * SLICE, a.row_bytes) + run * run_bytes, a.row_bytes
    };
    pack(rows, to + (ulong)a.to_at * SH_UNIT + ((ulong)slice * runs + run) * SLICE_BYTES);
}
