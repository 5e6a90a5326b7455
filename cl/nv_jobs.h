/* SPDX-License-Identifier: MIT */
/*
 * Phase A of a token (nv_phase.h): norm, shift, r, k, v and the LoRAs' first
 * matrices, shared out to the groups.
 */

/* Phase A's work is jobs, as many as groups: each is rows of one of r, k, v, or
 * of the first matrix of one of the LoRAs, v, a, w, g (m = 0 to 6), since two would
 * need two blends.  Each matrix has as many jobs as its cost is worth; halves
 * and floats count a quarter more than their bytes. */
struct job {
    uint m, first, n;
};
#define ROW_COST (COLS / 256 * 9)            /* of Q4_K, in 16 bytes             */
#define DOWN_COST(type) (COLS / 16 * SIZE(type) * 5 / 4)
#define JOBS_LEAST 16
#define DOWNS (DOWN_COST(V_TYPE) * DV + DOWN_COST(A_TYPE) * DA + DOWN_COST(W_TYPE) * DW         \
               + DOWN_COST(G_TYPE) * DG)
#define BIG (COLS * ROW_COST)

INLINE uint jobs_in_all(void)
{
    return max((uint)get_num_groups(0), (uint)JOBS_LEAST);
}

/* Share i of `of` of n rows. */
INLINE struct job part_of(uint m, uint n, uint i, uint of)
{
    const uint2 rows = share(n, i, of);
    const struct job job = { m, rows.x, rows.y - rows.x };
    return job;
}

INLINE struct job job_of(uint i, uint first)
{
    const uint jobs = jobs_in_all();
    const uint each = min((BIG * jobs + (3 * BIG + DOWNS) / 2) / (3 * BIG + DOWNS), (jobs - 4) / 3);
    if (i < 3 * each)
        return part_of(i / each, COLS, i % each, each);
    const uint cost[4] = { DOWN_COST(V_TYPE) * DV, DOWN_COST(A_TYPE) * DA, DOWN_COST(W_TYPE) * DW,
                           DOWN_COST(G_TYPE) * DG };
    const uint rank[4] = { first ? 0 : DV, DA, DW, DG };
    const uint left = jobs - 3 * each - 4;    /* each LoRA has one at least   */
    uint begin = 0, sum = 0;
    struct job job = { 6, 0, 0 };
    i -= 3 * each;
    #pragma unroll
    for (uint m = 0; m < 4; m++) {
        sum += cost[m];
        const uint end = m + 1 + sum * left / DOWNS;
        if (begin <= i && i < end)
            job = part_of(3 + m, rank[m], i - begin, end - begin);
        begin = end;
    }
    return job;
}

/* Its rows of r, k or v. */
INLINE struct rows rkv(const struct layer_args l, bytes W, struct job job)
{
    const struct rows rows = { AT(one_of(job.m, l.receptance, l.key, l.value, 0)), job.first,
                               job.n, 1 };
    return rows;
}

/* Where its blend is: the order of the file is r, w, k, v, a, g. */
INLINE uint lerp_of(uint m)
{
    return (m == 1 || m == 2 ? m + 1 : m == 5 ? 1 : m == 6 ? 5 : m) * COLS;
}

INLINE struct norm_at time_norm(const struct layer_args l, uint m)
{
    const struct norm_at at = { l.ln1_w, l.ln1_b, l.state_at, l.eps, true,
                                l.lerp + lerp_of(m) };
    return at;
}

/* The first matrix of LoRA m: v, a, w, g. */
INLINE struct down down_of(const struct layer_args l, bytes W, __global float *low, uint m)
{
    const struct down d = {
        AT(one_of(m, l.v1, l.a1, l.w1, l.g1)),
        low + (m == 0 ? DW + DA : m == 1 ? DW : m == 2 ? 0 : DW + DA + DV),
        m == 0 ? V_TYPE : m == 1 ? A_TYPE : m == 2 ? W_TYPE : G_TYPE,
        m == 2 ? SH_ACT_TANH : m == 3 ? SH_ACT_SIGMOID : SH_ACT_NONE
    };
    return d;
}

/* A group's first job: what it reads before x is there. */
INLINE struct job time_in_begin(struct run *run, struct columns *cols, const struct layer_args l,
                                const struct token t)
{
    const struct job job = job_of(get_group_id(0), l.first);
    columns_begin(cols, t.vecs, t.old, time_norm(l, job.m));
    if (job.m < 3)
        rows_begin(run, rkv(l, t.W, job));
    return job;
}

INLINE void job_do(struct run *run, struct columns *cols, struct job job,
                   const struct layer_args l, const struct token t, const struct room at)
{
    bytes W = t.W;
    const struct vec8 x8 = vec8_in(at.pool, PIECES);
    if (job.m < 3) {
        const struct to to = { job.m == 0 ? t.r : job.m == 1 ? t.k : t.v, SH_ACT_NONE,
                               t.told.rest, &t.told };
        blend8(cols, x8, at.s);
        rows_end(run, rkv(l, W, job), x8, to, at.s, at.s);
    } else {
        const uint2 rows = (uint2)(job.first, job.first + job.n);
        blend32(cols, at.pool);
        lora_down(down_of(l, W, t.low, job.m - 3), rows, at.pool, &t.told, at.s);
    }
}

/* Phase A. */
INLINE void time_in(struct run *run, struct columns *cols, struct job job,
                    const struct layer_args l, const struct token t, const struct room at)
{
    const uint jobs = jobs_in_all();
    if (job.n == 0 && get_num_groups(0) == jobs && get_group_id(0) > 0)
        return;                           /* nobody waits until it has read   */
    columns_end(cols, t.x, l.eps, &t.told, at.s);
    store_columns(cols, t.xn);
    for (uint i = get_group_id(0);;) {
        job_do(run, cols, job, l, t, at);
        i += get_num_groups(0);
        if (i >= jobs)
            return;
        job = job_of(i, l.first);
        take_lerp(cols, t.vecs + l.lerp + lerp_of(job.m));
        if (job.m < 3)
            rows_begin(run, rkv(l, t.W, job));
    }
}
