/* SPDX-License-Identifier: MIT */
/* 16 rows of blocks of the file at once: what strip_pack.cl and columns_pack.cl
 * share. */
#if TYPE == SH_Q4_K
/* Loops over vectors in registers are written out. */
#define UNROLL _Pragma("unroll")
#define LANES16(a, c) \
    (uint16)((a)[0].c, (a)[1].c, (a)[2].c, (a)[3].c, (a)[4].c, (a)[5].c, (a)[6].c, (a)[7].c, \
             (a)[8].c, (a)[9].c, (a)[10].c, (a)[11].c, (a)[12].c, (a)[13].c, (a)[14].c, (a)[15].c)

/* 16 bytes of each of 16 rows, b apart, to 4 vectors of a word of each row. */
static inline void transpose(bytes b, const uint *rows, uint16 *to)
{
    uint4 a[16];
    UNROLL
    for (uint r = 0; r < 16; r++)
        a[r] = vload4(0, (__global const uint *)(b + rows[r]));
    to[0] = LANES16(a, x);
    to[1] = LANES16(a, y);
    to[2] = LANES16(a, z);
    to[3] = LANES16(a, w);
}

/* The scales and minimums of scale_min, of 16 rows at once and `apart` bytes
 * from one sub-run to the next: v is the head of a block. */
static inline void put_scales(const uint16 *v, __global uchar *scale, __global uchar *minimum,
                              uint apart)
{
    UNROLL
    for (uint s = 0; s < 4; s++) {
        const uint16 a = v[1] >> 8 * s, b = v[2] >> 8 * s, c = v[3] >> 8 * s;
        vstore16(convert_uchar16(a & 63), 0, scale + s * apart);
        vstore16(convert_uchar16(b & 63), 0, minimum + s * apart);
        vstore16(convert_uchar16((c & 15) | (a >> 2 & 48)), 0, scale + (s + 4) * apart);
        vstore16(convert_uchar16((c >> 4 & 15) | (b >> 2 & 48)), 0, minimum + (s + 4) * apart);
    }
}
#endif
