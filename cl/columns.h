/* SPDX-License-Identifier: MIT */
/*
 * Products of a matrix in columns (columns_pack.cl tells the layout) with one
 * token, of which only the columns are read whose x is not zero.
 *
 * A slice of 256 rows goes through the columns of a part in groups of 32.  Of
 * a group it takes four columns at a time, those that are listed in the
 * rounded x, and transposes them in registers to what strip.h multiplies: a
 * vector of LANES rows by 4 columns.  Sums are of integers, so a column that
 * is left out changes no bit.
 */
#define SLICE 256
#define BLOCK 64                 /* rows of a half of a line, of a quarter of tops */

#define HEAD_BYTES(type) ((type) == SH_Q6_K ? 512u : 1024u)
#define COLUMN_BYTES(type) ((type) == SH_Q6_K ? 192u : 128u)
#define GROUP_BYTES(type) (2 * SLICE + 32 * COLUMN_BYTES(type))
#define SLICE_BYTES(type) (HEAD_BYTES(type) + 8 * GROUP_BYTES(type))

/* Sums that are passed on stay in registers only if nothing is called. */
#ifdef __clang__
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif

/* ------------------------------------------------------------ transposing */

#if LANES == 4
static inline vi zip_bytes(vi a, vi b, bool high)
{
    const uchar16 p = as_uchar16(a), q = as_uchar16(b);
    uchar16 both;
    both.even = high ? p.hi : p.lo;
    both.odd = high ? q.hi : q.lo;
    return as_int4(both);
}

static inline vi zip_pairs(vi a, vi b, bool high)
{
    const ushort8 p = as_ushort8(a), q = as_ushort8(b);
    ushort8 both;
    both.even = high ? p.hi : p.lo;
    both.odd = high ? q.hi : q.lo;
    return as_int4(both);
}

#else
typedef char zipped_bytes __attribute__((__vector_size__(4 * LANES)));
typedef short zipped_pairs __attribute__((__vector_size__(4 * LANES)));

/* In each 16 bytes: n from i on of the first, j of the second. */
#define FOUR(i, j) i, j, i + 1, j + 1, i + 2, j + 2, i + 3, j + 3
#define EIGHT(i, j) FOUR(i, j), FOUR(i + 4, j + 4)
#if LANES == 16
#define ALL_BYTES(i) EIGHT(i, i + 64), EIGHT(i + 16, i + 80), EIGHT(i + 32, i + 96), \
                     EIGHT(i + 48, i + 112)
#define ALL_PAIRS(i) FOUR(i, i + 32), FOUR(i + 8, i + 40), FOUR(i + 16, i + 48), \
                     FOUR(i + 24, i + 56)
#else
#define ALL_BYTES(i) EIGHT(i, i + 32), EIGHT(i + 16, i + 48)
#define ALL_PAIRS(i) FOUR(i, i + 16), FOUR(i + 8, i + 24)
#endif

static inline vi zip_bytes(vi a, vi b, bool high)
{
    const zipped_bytes p = __builtin_astype(a, zipped_bytes);
    const zipped_bytes q = __builtin_astype(b, zipped_bytes);
    return high ? __builtin_astype(__builtin_shufflevector(p, q, ALL_BYTES(8)), vi)
                : __builtin_astype(__builtin_shufflevector(p, q, ALL_BYTES(0)), vi);
}

static inline vi zip_pairs(vi a, vi b, bool high)
{
    const zipped_pairs p = __builtin_astype(a, zipped_pairs);
    const zipped_pairs q = __builtin_astype(b, zipped_pairs);
    return high ? __builtin_astype(__builtin_shufflevector(p, q, ALL_PAIRS(4)), vi)
                : __builtin_astype(__builtin_shufflevector(p, q, ALL_PAIRS(0)), vi);
}
#endif

/* Of a unit of four columns, 4 LANES rows as bytes each, vector j has rows
 * 16 j + u LANES on of the block, 4 columns of each; u is the unit's number. */
static inline void transpose4(const vi *c, vi *q)
{
    const vi low0 = zip_bytes(c[0], c[1], false), low1 = zip_bytes(c[2], c[3], false);
    const vi high0 = zip_bytes(c[0], c[1], true), high1 = zip_bytes(c[2], c[3], true);
    q[0] = zip_pairs(low0, low1, false);
    q[1] = zip_pairs(low0, low1, true);
    q[2] = zip_pairs(high0, high1, false);
    q[3] = zip_pairs(high0, high1, true);
}

/* A unit of block b of four columns, whose numbers are the bytes of `four`, of
 * the group at g. */
static INLINE void columns_of(const uint type, bytes g, uint b, uint u, uint four, vi *q)
{
    vi c[4];
    UNROLL
    for (uint k = 0; k < 4; k++) {
        bytes column = g + 2 * SLICE + (four >> 8 * k & 31) * COLUMN_BYTES(type)
                       + 4 * LANES * u;
        c[k] = load(column, b / 2) >> (int)(4 * (b & 1)) & 0x0f0f0f0f;
        if (type == SH_Q6_K)
            c[k] |= (load(column, 2) >> (int)(2 * b) & 0x03030303) << 4;
    }
    transpose4(c, q);
}

/* --------------------------------------------------------------- picking */

/* A rounded sub-run of x: words 0 to 7 are its bytes in fours as listed, 8 to
 * 11 as in X_INTS; then the list and its fours in the first half and in all. */
#define P_INTS 24
#define P_LIST 12
#define P_HALF 20
#define P_ALL 21

/* Where fewer than one column of FEW is not zero the others are left out;
 * else skipping costs more than it saves (doc/cpu.md). */
#define FEW 2

static inline int not_zero(__global const int *x)
{
    __global const char16 *b = (__global const char16 *)x;
    const char16 n = (b[0] != (char)0) + (b[1] != (char)0);
    const char8 a = n.lo + n.hi;
    const char4 c = a.lo + a.hi;
    return -(c.x + c.y + c.z + c.w);
}

/* The list of all columns, in order. */
static inline void list_all(__global int *x)
{
    vstore8((int8)(0x03020100) + 0x04040404 * (int8)(0, 1, 2, 3, 4, 5, 6, 7), 0, x + P_LIST);
    x[P_HALF] = 4;
    x[P_ALL] = 8;
}

/* Those that are not zero, halves apart where a scale is for 16 columns; each
 * list is filled up to fours by a column that it has, with an x of zero. */
static inline void list_some(uint type, __global int *x)
{
    __global uchar *value = (__global uchar *)x, *list = (__global uchar *)(x + P_LIST);
    uint n = 0;
    for (uint i = 0; i < SUB; i++) {
        const uchar now = value[i];
        value[n] = now;
        list[n] = (uchar)i;
        n += now != 0;
        if (i != SUB - 1 && (type != SH_Q6_K || i != SUB / 2 - 1))
            continue;
        for (; n % 4 != 0; n++) {
            list[n] = list[n - 1];
            value[n] = 0;
        }
        x[i < SUB / 2 ? P_HALF : P_ALL] = (int)(n / 4);
    }
}

/* Rounds x(cols) and lists its columns, for a matrix of `type`. */
static inline void round_and_list(uint type, __global const float *x, uint cols,
                                  __global int *to)
{
    uint n = 0;
    for (uint i = 0; i < cols / SUB; i++) {
        round_sub(x + i * SUB, to + i * P_INTS);
        n += not_zero(to + i * P_INTS);
    }
    for (uint i = 0; i < cols / SUB; i++)
        if (n < cols / FEW)
            list_some(type, to + i * P_INTS);
        else
            list_all(to + i * P_INTS);
}

/* --------------------------------------------------------------- product */

static inline vi dot_one(vi sum, vi q, __global const int *x)
{
#if FORM == 2
    return dot_step(sum, q, x);
#elif FORM == 1 && defined(__SSSE3__)
    return sum + widen(pairs(q, *x));
#else
    return sum + dot_n(&q, x, 1);
#endif
}

/* sum(8) of rows of blocks 2 v and 2 v + 1: the columns of fours [from, to). */
static INLINE void sum_fours(const uint type, bytes g, const uint v, uint u,
                             __global const int *x, uint from, uint to, vi *sum)
{
    UNROLL
    for (uint j = 0; j < 8; j++)
        sum[j] = (vi)(0);
    for (uint i = from; i < to; i++) {
        const uint four = (uint)x[P_LIST + i];
        UNROLL
        for (uint h = 0; h < 2; h++) {
            vi q[4];
            columns_of(type, g, 2 * v + h, u, four, q);
            UNROLL
            for (uint j = 0; j < 4; j++)
                sum[4 * h + j] = dot_one(sum[4 * h + j], q[j], x + i);
        }
    }
}

/* The scales of a run as floats. */
struct head {
    vf d[SLICE / LANES], dmin[SLICE / LANES];
};

static inline void read_head(const uint type, bytes p, struct head *head)
{
    for (uint i = 0; i < SLICE / LANES; i++) {
        head->d[i] = halves(p + 2 * LANES * i);
        if (type != SH_Q6_K)
            head->dmin[i] = halves(p + 2 * SLICE + 2 * LANES * i);
    }
}

/* What sum j of sum_fours counts from: its first row in the slice. */
static inline uint row_of(uint v, uint u, uint j)
{
    return 2 * BLOCK * v + 16 * j + LANES * u;
}

static INLINE void add_4(const struct head *head, bytes g, const uint v, uint u,
                         __global const int *x, vf *acc)
{
    vi sum[8];
    sum_fours(SH_Q4_K, g, v, u, x, 0, (uint)x[P_ALL], sum);
    UNROLL
    for (uint j = 0; j < 8; j++) {
        const uint r = row_of(v, u, j);
        const vf scale = head->d[r / LANES] * scales(g + r);
        const vf minimum = head->dmin[r / LANES] * scales(g + SLICE + r);
        acc[r / LANES] += CONVERT(float)(sum[j]) * as_float(x[8]) * scale;
        acc[r / LANES] -= minimum * as_float(x[9]);
    }
}

static inline vi signed_scales(bytes p)
{
    return CONVERT(int)(*(__global const V(char) *)p);
}

static INLINE void add_6(const struct head *head, bytes g, const uint v, uint u,
                         __global const int *x, vf *acc)
{
    vi low[8], high[8];
    sum_fours(SH_Q6_K, g, v, u, x, 0, (uint)x[P_HALF], low);
    sum_fours(SH_Q6_K, g, v, u, x, (uint)x[P_HALF], (uint)x[P_ALL], high);
    UNROLL
    for (uint j = 0; j < 8; j++) {
        const uint r = row_of(v, u, j);
        const vi all = (low[j] - 32 * x[10]) * signed_scales(g + r)
                       + (high[j] - 32 * x[11]) * signed_scales(g + SLICE + r);
        acc[r / LANES] += CONVERT(float)(all) * as_float(x[8]) * head->d[r / LANES];
    }
}

/* Group i of a slice. */
static inline bytes group_of(const uint type, bytes w, uint i)
{
    return w + (ulong)(i / 8) * SLICE_BYTES(type) + HEAD_BYTES(type) + i % 8 * GROUP_BYTES(type);
}

/* Asks for what a group will read, if that is not all of it: no CPU foresees a
 * list. */
#define AHEAD 4

static inline void ask_for_group(const uint type, bytes g, __global const int *x)
{
    __global const uchar *list = (__global const uchar *)(x + P_LIST);
    const uint n = 4 * (uint)x[P_ALL];
    if (n == 0 || n == SUB)
        return;
    for (uint i = 0; i < 2 * SLICE; i += 64)
        PREFETCH(g + i);
    for (uint k = 0; k < n; k++)
        for (uint i = 0; i < COLUMN_BYTES(type); i += 64)
            PREFETCH(g + 2 * SLICE + list[k] * COLUMN_BYTES(type) + i);
}

/* to(SLICE) = a slice times part `part` of SH_COLUMN_PARTS of x(cols); w is
 * the slice, `type` a constant where this is called. */
static inline void slice_part(const uint type, bytes w, uint cols, uint part,
                              __global const int *x, __global float *to)
{
    const uint runs = cols / RUN, end = runs * (part + 1) / SH_COLUMN_PARTS * 8;
    struct head head;
    vf acc[SLICE / LANES];
    for (uint i = 0; i < SLICE / LANES; i++)
        acc[i] = (vf)(0.0f);
    for (uint i = runs * part / SH_COLUMN_PARTS * 8; i < end; i++) {
        bytes g = group_of(type, w, i);
        __global const int *xs = x + i * P_INTS;
        if (i % 8 == 0)
            read_head(type, g - HEAD_BYTES(type), &head);
        if (i + AHEAD < end)
            ask_for_group(type, group_of(type, w, i + AHEAD), xs + AHEAD * P_INTS);
        if (xs[P_ALL] == 0)
            continue;
        UNROLL
        for (uint v = 0; v < 2; v++)
            for (uint u = 0; u < PIECES; u++)
                if (type == SH_Q6_K)
                    add_6(&head, g, v, u, xs, acc);
                else
                    add_4(&head, g, v, u, xs, acc);
    }
    for (uint i = 0; i < SLICE / LANES; i++)
        VSTORE(acc[i], i, to);
}

/* The sums of all parts (SH_COLUMN_PARTS, rows) of a slice, in order, to y. */
static inline void sum_parts(__global const float *parts, uint rows, uint slice, uint act,
                             __global float *y)
{
    for (uint i = slice * SLICE / LANES; i < (slice + 1) * SLICE / LANES; i++) {
        vf sum = VLOAD(i, parts);
        for (uint part = 1; part < SH_COLUMN_PARTS; part++)
            sum += VLOAD(i, parts + part * rows);
        store(y, i, rows, sum, act);
    }
}
