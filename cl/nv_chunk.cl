/* SPDX-License-Identifier: MIT */
/*
 * [V7:wkv] the recurrence over a prompt, CHUNK steps at once on tensor cores.
 *
 * With P_t the product of the first t decays of a chunk (a number for each
 * column), S_t = R_t P_t, and
 *
 *   a_t' = -kk_t P_(t-1)   r_t' = r_t P_t   b_t' = kk_t a_t / P_t   k_t' = k_t / P_t
 *
 * the steps are R_t = R_(t-1) + v_t k_t' + u_t b_t' where u_t = R_(t-1) a_t', and
 * y_t = R_t r_t'.  With L, M, O, Q the products a' b', a' k' (s < t), r' b' and
 * r' k' (s <= t), (1 - L)^-1 is found by substitution, and from S before them
 * all steps follow by products of matrices:
 *
 *   U = S A + V M''      A  = (1 - L)^-1 a'     M'' = (1 - L)^-1 M
 *   Y = S R + V Q''      R  = r' + O A          Q'' = Q + O M''
 *   S' = S P + U b' P + V k' P
 *
 * (the chunked form of a delta rule: Yang et al., arXiv:2406.06484).  nv_prepare
 * makes a record of A, R, b' P, k' P, M'', Q'' and P of each chunk and head, all
 * at once; nv_steps goes through a head's records in order, in whose rounds
 * nothing depends on single steps.
 *
 * A number in a product is the sum of two bfloats, which lack 2^-18 of it.  A
 * record's numbers lie as mma.sync m16n8k16 reads them.
 */
#define CHUNK SH_NV_CHUNK
#define VECTOR SH_HEAD                    /* numbers                           */

/* Where the parts of a record begin, in words. */
enum {
    AT_A = 0, AT_R = 1024, AT_M = 2048, AT_Q = 2304, AT_P = 2560, AT_K = 2624, AT_B = 3648,
    RECORD = SH_NV_RECORD
};

#ifdef PTX
#define EXCHANGE 1

/* c += a b. */
INLINE void mma_bf(float *c, const uint *a, uint2 b, __local uint *s)
{
    __asm__("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
            "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b.x), "r"(b.y));
}

INLINE uint to_bfloats(float a, float b)
{
    uint u;
    __asm__("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(u) : "f"(b), "f"(a));
    return u;
}
#else
#define EXCHANGE (6 * WG)

INLINE float2 bfloats(uint u)
{
    return (float2)(as_float(u << 16), as_float(u & 0xffff0000));
}

/* The same by way of s(EXCHANGE): all work-items call it. */
INLINE void mma_bf(float *c, const uint *a, uint2 b, __local uint *s)
{
    const uint id = get_local_id(0), g = id % 32 / 4, t = id % 4;
    __local uint *mine = s + 6 * id, *warp = s + 6 * (id / 32 * 32);
    barrier(CLK_LOCAL_MEM_FENCE);
    vstore4(vload4(0, a), 0, mine);
    vstore2(b, 0, mine + 4);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = 0; i < 4; i++)
        for (uint u = 0; u < 4; u++) {
            __local const uint *A = warp + 6 * (4 * g + u) + i / 2;
            __local const uint *B = warp + 6 * (4 * (2 * t + i % 2) + u) + 4;
            for (uint k = 0; k < 2; k++) {
                const float2 p = bfloats(A[2 * k]) * bfloats(B[k]);
                c[i] += p.x + p.y;
            }
        }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* To the nearest, and of two to the even one. */
INLINE uint to_bfloats(float a, float b)
{
    const uint2 x = (uint2)(as_uint(a), as_uint(b));
    const uint2 y = x + 0x7fff + (x >> 16 & 1);
    return y.x >> 16 | (y.y & 0xffff0000);
}
#endif

/* a and b in bfloats, and what these lack. */
INLINE uint2 split(float a, float b)
{
    const uint u = to_bfloats(a, b);
    return (uint2)(u, to_bfloats(a - as_float(u << 16), b - as_float(u & 0xffff0000)));
}

/* A pair of numbers that are wanted together with the next pair: the bfloats
 * of all four, then what these lack. */
INLINE void put_pair(__local uint *to, float a, float b)
{
    const uint2 p = split(a, b);
    to[0] = p.x;
    to[2] = p.y;
}

INLINE uint4 split4(float4 x)
{
    const uint2 p = split(x.x, x.y), q = split(x.z, x.w);
    return (uint4)(p.x, q.x, p.y, q.y);
}

/* --------------------------------------------------------------- records */

/* The vectors of a chunk's steps. */
enum { OF_A, OF_R, OF_B, OF_K, OF_W, VECTORS };

struct chunk {
    float4 x[VECTORS][CHUNK * VECTOR / 4];
    uint4 split[4 * CHUNK * VECTOR / 4];  /* a', r', b', k'; then A, R, M'', Q''  */
    float4 dots[2 * CHUNK][9];            /* (t of a', r'; s of b', k'), padded  */
};

INLINE float4 sigmoid4(float4 x)
{
    return 1.0f / (1.0f + exp(-x));
}

/* [V7:decay] [V7:iclr] [V7:vfirst] [V7:kk] [V7:kmix] (cl/prepare.cl) of a head's
 * CHUNK tokens: 16 lanes a token.  Steps past the last token change nothing. */
INLINE void bring_chunk(__local struct chunk *to, const struct prepare_args p, uint t0,
                        uint head, floats vecs, floats r, floats w, floats a,
                        __global float *k, __global float *v, floats v_lora,
                        __global float *v_first, __local float *s)
{
    const uint id = get_local_id(0), lane = id % 16, c = head * VECTOR + 4 * lane;
    #pragma unroll
    for (uint i = 0; i < CHUNK * 16 / WG; i++) {
        const uint step = i * (WG / 16) + id / 16, t = t0 + step;
        const ulong j = (ulong)min(t, p.T - 1) * p.C + c;
        const bool on = t < p.T;
        const float4 none = (float4)(0.0f), kj = on ? vload4(0, k + j) : none;
        const float4 kkj = kj * vload4(0, vecs + p.k_k_at + c);
        const float4 aj = sigmoid4(vload4(0, a + j) + vload4(0, vecs + p.a0_at + c));
        const float4 wj = sigmoid4(vload4(0, w + j) + vload4(0, vecs + p.w0_at + c));
        const float4 mixed = kj * (1.0f + (aj - 1.0f) * vload4(0, vecs + p.k_a_at + c));
        const float norm = sqrt(lanes_sum(sum4(kkj * kkj), 16, s));
        const float4 kk = kkj / fmax(norm, 1e-12f);
        float4 vj = on ? vload4(0, v + j) : none;
        if (!p.first && on) {
            const float4 mix = vload4(0, v_lora + j) + vload4(0, vecs + p.v0_at + c);
            vj += (vload4(0, v_first + j) - vj) * sigmoid4(mix);
        }
        to->x[OF_A][16 * step + lane] = on ? -kk : none;
        to->x[OF_R][16 * step + lane] = on ? vload4(0, r + j) : none;
        to->x[OF_B][16 * step + lane] = on ? kk * aj : none;
        to->x[OF_K][16 * step + lane] = on ? mixed : none;
        to->x[OF_W][16 * step + lane] = on ? exp(-0.606531f * wj) : (float4)(1.0f);
        if (on) {
            vstore4(vj, 0, (p.first ? v_first : v) + j);
            vstore4(mixed, 0, k + j);
        }
    }
}

/* Where four columns of a vector are kept: eight lanes that read them meet no
 * bank twice. */
INLINE uint place(uint vector, uint four)
{
    return vector * (VECTOR / 4) + (four ^ (vector & 1) * 4);
}

/* Where a word's unit of b' P or k' P is kept, likewise. */
INLINE uint kept_at(uint unit)
{
    return unit ^ (unit / 8 & 7);
}

/* A warp makes one of a', r', b', k', a lane two columns of it; b' P and k' P
 * take the places of what they were made of, P goes to the record. */
INLINE void scale_chunk(__local struct chunk *c, __global uint4 *out)
{
    const uint warp = get_local_id(0) / 32, lane = get_local_id(0) % 32;
    __local float2 *x = (__local float2 *)c->x[warp] + lane;
    __local const float2 *w = (__local const float2 *)c->x[OF_W] + lane;
    float2 made[CHUNK], P = 1.0f;
    #pragma unroll
    for (uint t = 0; t < CHUNK; t++) {
        const float2 before = P;
        P *= w[t * (VECTOR / 2)];
        const float2 by = { native_recip(P.x), native_recip(P.y) };
        made[t] = x[t * (VECTOR / 2)] * (warp == OF_A ? before : warp == OF_R ? P : by);
        put_pair((__local uint *)(c->split + place(warp * CHUNK + t, lane / 2)) + lane % 2,
                 made[t].x, made[t].y);
        x[t * (VECTOR / 2)] = made[t];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (warp == OF_A)
        ((__global float2 *)(out + AT_P / 4))[lane] = P;
    if (warp < OF_B)
        return;
    __local uint4 *to = (__local uint4 *)c->x[warp];
    const uint first = (lane / 8 * 2 + lane % 2) * 32 + lane % 8 / 2 * 8;
    #pragma unroll
    for (uint q = 0; q < 4; q++) {
        const float2 x0 = made[4 * q], x1 = made[4 * q + 1];
        const float2 x2 = made[4 * q + 2], x3 = made[4 * q + 3];
        to[kept_at(first + q)] = split4(P.x * (float4)(x0.x, x1.x, x2.x, x3.x));
        to[kept_at(first + 4 + q)] = split4(P.y * (float4)(x0.y, x1.y, x2.y, x3.y));
    }
}

/* The products of a' and r' with b' and k': a warp 16 by 16 of them. */
INLINE void multiply_chunk(__local struct chunk *c, __local uint *s)
{
    const uint warp = get_local_id(0) / 32, g = get_local_id(0) % 32 / 4, q = get_local_id(0) % 4;
    const uint x0 = warp / 2 * CHUNK + g, z0 = (2 + warp % 2) * CHUNK + g;
    float sum[2][4], rest[2][4];
    #pragma unroll
    for (uint i = 0; i < 8; i++)
        sum[i / 4][i % 4] = rest[i / 4][i % 4] = 0.0f;
    #pragma unroll
    for (uint m = 0; m < VECTOR / 16; m++) {
        const uint4 x = c->split[place(x0, 4 * m + q)], y = c->split[place(x0 + 8, 4 * m + q)];
        const uint high[4] = { x.x, y.x, x.y, y.y }, low[4] = { x.z, y.z, x.w, y.w };
        #pragma unroll
        for (uint n = 0; n < 2; n++) {
            const uint4 z = c->split[place(z0 + 8 * n, 4 * m + q)];
            mma_bf(sum[n], high, z.lo, s);
            mma_bf(rest[n], high, z.hi, s);
            mma_bf(rest[n], low, z.lo, s);
        }
    }
    #pragma unroll
    for (uint i = 0; i < 8; i++) {
        __local float *to = (__local float *)c->dots[x0 + i % 4 / 2 * 8] + warp % 2 * CHUNK;
        to[i / 4 * 8 + 2 * q + i % 2] = sum[i / 4][i % 4] + rest[i / 4][i % 4];
    }
}

/* x_t += a sum over s < n of u_s x_s. */
INLINE float with_sums(float sum, __local const float4 *u, const float *x, uint n)
{
    #pragma unroll
    for (uint i = 0; i < CHUNK / 4; i++) {
        const float4 four = u[i];
        const float by[4] = { four.x, four.y, four.z, four.w };
        #pragma unroll
        for (uint j = 0; j < 4; j++)
            if (4 * i + j < n)
                sum = mad(by[j], x[4 * i + j], sum);
    }
    return sum;
}

/* A column of A and R, or of M'' and Q'', for every work-item of the first 80. */
INLINE void solve_chunk(__local struct chunk *c, __local float *s)
{
    const uint id = get_local_id(0), j = min(id, VECTOR + CHUNK - 1u), last = j - VECTOR;
    float x[CHUNK], y[CHUNK];
    __local const float *of_a = (__local const float *)c->x[OF_A];
    __local const float *of_r = (__local const float *)c->x[OF_R];
    #pragma unroll
    for (uint t = 0; t < CHUNK; t++) {
        __local const float *a_k = (__local const float *)c->dots[t] + CHUNK;
        __local const float *r_k = (__local const float *)c->dots[CHUNK + t] + CHUNK;
        x[t] = j < VECTOR ? of_a[t * VECTOR + j] : last < t ? a_k[last] : 0.0f;
        y[t] = j < VECTOR ? of_r[t * VECTOR + j] : last <= t ? r_k[last] : 0.0f;
    }
    #pragma unroll
    for (uint t = 0; t < CHUNK; t++) {
        x[t] = with_sums(x[t], c->dots[t], x, t);
        y[t] = with_sums(y[t], c->dots[CHUNK + t], x, t + 1);
    }
    /* Of two columns a lane brings the first 8 steps together, its neighbour
     * the others. */
    const bool odd = id % 2 == 1;
    const uint turn = j < VECTOR ? 512 : 128, other = j < VECTOR ? AT_R : AT_Q - AT_M;
    __local uint *to = (__local uint *)c->split + (j < VECTOR ? j / 16 * 128 : 2048)
                       + j % 16 / 4 * 4 + j % 4 / 2;
    #pragma unroll
    for (uint i = 0; i < CHUNK / 2; i++) {
        const float x0 = x[i], x1 = x[i + 8], y0 = y[i], y1 = y[i + 8];
        const float xs = swap_lanes(odd ? x0 : x1, 1, s), ys = swap_lanes(odd ? y0 : y1, 1, s);
        const uint t = odd ? i + 8 : i, at = t / 2 % 2 * turn + (t / 4 * 2 + t % 2) * 16;
        if (id < VECTOR + CHUNK) {
            put_pair(to + at, odd ? xs : x0, odd ? x1 : xs);
            put_pair(to + at + other, odd ? ys : y0, odd ? y1 : ys);
        }
    }
}

__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_prepare(const struct prepare_args p, floats vecs, floats r, floats w, floats a,
                __global float *k, __global float *v, floats v_lora, __global float *v_first,
                __global uint *records)
{
    __local struct chunk c;
    __local uint s[EXCHANGE];
    const uint id = get_local_id(0), heads = p.C / VECTOR;
    const uint head = get_group_id(0) % heads, t0 = get_group_id(0) / heads * CHUNK;
    __global uint4 *out = (__global uint4 *)(records + (ulong)get_group_id(0) * RECORD);
    bring_chunk(&c, p, t0, head, vecs, r, w, a, k, v, v_lora, v_first, (__local float *)s);
    barrier(CLK_LOCAL_MEM_FENCE);
    scale_chunk(&c, out);
    barrier(CLK_LOCAL_MEM_FENCE);
    multiply_chunk(&c, s);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (!(WARP_ALONE && id >= 96))
        solve_chunk(&c, (__local float *)s);
    barrier(CLK_LOCAL_MEM_FENCE);
    #pragma unroll
    for (uint i = 0; i < AT_P / 4; i += WG)
        out[i + id] = c.split[i + id];
    #pragma unroll
    for (uint i = 0; i < CHUNK * VECTOR / 4; i += WG) {
        out[AT_B / 4 + i + id] = ((__local const uint4 *)c.x[OF_B])[kept_at(i + id)];
        out[AT_K / 4 + i + id] = ((__local const uint4 *)c.x[OF_K])[kept_at(i + id)];
    }
}

/* ----------------------------------------------------------------- steps */

#define ROWS (WG / 4)                     /* of a head: 8 a warp               */
#define UNITS (RECORD / 4)

/* Sums of 8 rows, and of what the rows' bfloats lack below them; each twice:
 * of the other side's bfloats, and of what those lack. */
struct sums {
    float c[4], d[4];
};

INLINE void add_product(struct sums *sum, const uint *a, uint4 b, __local uint *s)
{
    mma_bf(sum->c, a, b.lo, s);
    mma_bf(sum->d, a, b.hi, s);
}

INLINE float total(const struct sums *x, uint i)
{
    return (x->c[i] + x->c[i + 2]) + (x->d[i] + x->d[i + 2]);
}

/* Four numbers of a row, in the order of a lane's registers. */
INLINE void stack4(uint *a, float4 x)
{
    const uint4 p = split4(x);
    a[0] = p.x;
    a[1] = p.z;
    a[2] = p.y;
    a[3] = p.w;
}

/* S A + V M'', or S R + V Q'': a lane's columns are 4 of the chunk's steps. */
INLINE void chunk_sums(struct sums *sum, uint (*S)[4], const uint *v,
                       __local const uint4 *of_S, __local const uint4 *of_v, __local uint *s)
{
    #pragma unroll
    for (uint i = 0; i < 2; i++) {
        #pragma unroll
        for (uint j = 0; j < 4; j++)
            sum[i].c[j] = sum[i].d[j] = 0.0f;
        add_product(&sum[i], v, of_v[32 * i], s);
    }
    #pragma unroll
    for (uint m = 0; m < 4; m++)
        #pragma unroll
        for (uint i = 0; i < 2; i++)
            add_product(&sum[i], S[m], of_S[128 * i + 32 * m], s);
}

INLINE float4 row_of(const struct sums *sum)
{
    return (float4)(total(&sum[0], 0), total(&sum[0], 1), total(&sum[1], 0), total(&sum[1], 1));
}

/* A chunk before it needs U: to U and Y, and S P + V k' P to next. */
INLINE void chunk_begin(struct sums *u, struct sums *y, struct sums *next, const float4 *S,
                        float4 v, __local const uint4 *record, __local uint *s)
{
    const uint lane = get_local_id(0) % 32;
    __local const uint4 *mine = record + lane;
    uint as_S[4][4], as_v[4];
    stack4(as_v, v);
    #pragma unroll
    for (uint m = 0; m < 4; m++)
        stack4(as_S[m], S[m]);
    chunk_sums(u, as_S, as_v, mine + AT_A / 4, mine + AT_M / 4, s);
    chunk_sums(y, as_S, as_v, mine + AT_R / 4, mine + AT_Q / 4, s);
    #pragma unroll
    for (uint i = 0; i < 8; i++) {
        const float4 kept = S[i / 2] * as_float4(record[AT_P / 4 + i / 2 * 4 + lane % 4]);
        const float2 half_ = i % 2 == 0 ? kept.lo : kept.hi;
        next[i] = (struct sums){ { half_.x, half_.y, 0.0f, 0.0f }, { 0.0f, 0.0f, 0.0f, 0.0f } };
        add_product(&next[i], as_v, mine[AT_K / 4 + 32 * i], s);
    }
}

/* The rest: U b' P. */
INLINE void chunk_end(float4 *S, struct sums *next, const struct sums *u,
                      __local const uint4 *b, __local uint *s)
{
    uint as_u[4];
    stack4(as_u, row_of(u));
    #pragma unroll
    for (uint i = 0; i < 8; i++)
        add_product(&next[i], as_u, b[32 * i + get_local_id(0) % 32], s);
    #pragma unroll
    for (uint m = 0; m < 4; m++)
        S[m] = row_of(&next[2 * m]);
}

/* Units [first, end) of a record, in a batch of their own. */
INLINE void bring_units(__local uint4 *to, __global const uint4 *record, uint first, uint end,
                        bool on)
{
    const uint id = get_local_id(0), n = end - first;
    if (on) {
        #pragma unroll
        for (uint i = 0; i < n / WG; i++)
            copy16(to + i * WG + id, record + first + i * WG + id);
        if (id < n % WG)
            copy16(to + n / WG * WG + id, record + first + n / WG * WG + id);
    }
    batch_end();
}

INLINE float4 bring_v(floats v, const struct wkv_args p, uint t, uint row)
{
    float4 x;
    x.x = v[(ulong)min(t, p.T - 1) * p.C + row];
    x.y = v[(ulong)min(t + 1, p.T - 1) * p.C + row];
    x.z = v[(ulong)min(t + 2, p.T - 1) * p.C + row];
    x.w = v[(ulong)min(t + 3, p.T - 1) * p.C + row];
    return x;
}

/* Half of a head's rows a group.  A record's places are filled again as soon as
 * they are read: what begins a chunk comes one and a half ahead, the rest one. */
__kernel __attribute__((reqd_work_group_size(WG, 1, 1)))
void nv_steps(const struct wkv_args p, floats v, __global const uint *records,
              __global float *y, __global float *state)
{
    __local uint4 begin[2][AT_B / 4], end[2][UNITS - AT_B / 4];
    __local uint s[EXCHANGE];
    const uint id = get_local_id(0), first = id % 4 * 4;
    const uint row = get_group_id(0) * ROWS + id / 4, step = p.C / VECTOR * UNITS;
    __global float4 *const kept = (__global float4 *)(state + p.s_at + (ulong)row * VECTOR)
                                  + id % 4;
    __global const uint4 *from = (__global const uint4 *)records + row / VECTOR * UNITS;
    float4 S[4] = { kept[0], kept[4], kept[8], kept[12] };
    float4 next_v = bring_v(v, p, first, row);
    bring_units(begin[0], from, 0, AT_B / 4, true);
    bring_units(end[0], from, AT_B / 4, UNITS, true);
    bring_units(begin[1], from + step, 0, AT_B / 4, CHUNK < p.T);
    #pragma unroll 1
    for (uint t0 = 0; t0 < p.T; t0 += CHUNK) {
        const float4 now_v = next_v;
        const uint at = t0 / CHUNK % 2, t = t0 + first;
        struct sums u[2], out[2], next[8];
        next_v = bring_v(v, p, t + CHUNK, row);
        copies_but(2);
        barrier(CLK_LOCAL_MEM_FENCE);
        bring_units(end[1 - at], from + step, AT_B / 4, UNITS, t0 + CHUNK < p.T);
        chunk_begin(u, out, next, S, now_v, begin[at], s);
        copies_but(2);
        barrier(CLK_LOCAL_MEM_FENCE);
        bring_units(begin[at], from + 2 * step, 0, AT_B / 4, t0 + 2 * CHUNK < p.T);
        chunk_end(S, next, u, end[at], s);
        from += step;
        const float4 rows = row_of(out);
        __global float *to = y + (ulong)t * p.C + row;
        if (t < p.T)
            to[0] = rows.x;
        if (t + 1 < p.T)
            to[p.C] = rows.y;
        if (t + 2 < p.T)
            to[2 * p.C] = rows.z;
        if (t + 3 < p.T)
            to[3 * p.C] = rows.w;
    }
    #pragma unroll
    for (uint m = 0; m < 4; m++)
        kept[4 * m] = S[m];
}
