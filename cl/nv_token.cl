/* SPDX-License-Identifier: MIT */
/*
 * One token by the functions of nv_phase.h in one launch: the same arithmetic
 * in the same order as by nv_decode.cl.  Groups wait for nothing but the numbers
 * that they read (struct told), and ask for the weights that they take first
 * before that.  The last one to end leaves the best token in ids.
 */

/* What groups tell each other lies behind the words of sync: x, r, k, v, y of
 * COLS each, h, low, and the best logit of each group and its index
 * (op/nv_token.c). */
#define TOLD_X 0
#define TOLD_R (1 * COLS)
#define TOLD_K (2 * COLS)
#define TOLD_V (3 * COLS)
#define TOLD_Y (4 * COLS)
#define TOLD_H (5 * COLS)
#define TOLD_LOW (5 * COLS + HIDDEN)
#define TOLD_BEST (TOLD_LOW + LOWS)

/* What the steps of a launch share. */
struct launch {
    struct token_args a;
    struct token t;
    struct room at;
    __global const struct layer_args *layers;
    __global uint *ids;                   /* one: fed, then the best          */
    __global float *logits;
    __global uint *sync;                  /* SH_SYNC_WORDS                    */
    __local struct layer_args *ls;        /* two: of this layer, of the next  */
    __local uint *ok;                     /* two: of this phase, of the next  */
};

/* Before phase n.  The places are made of `sync` again: kept through all layers
 * they would cost registers. */
INLINE void on(struct launch *s, uint n)
{
    __global float *all = (__global float *)(s->sync + SH_SYNC_WORDS) + unknown_zero();
    s->t.x = all + TOLD_X;
    s->t.r = all + TOLD_R;
    s->t.k = all + TOLD_K;
    s->t.v = all + TOLD_V;
    s->t.y = all + TOLD_Y;
    s->t.h = all + TOLD_H;
    s->t.low = all + TOLD_LOW;
    s->t.told.limit = n > s->a.patient ? 0 : s->a.limit;
    s->t.told.ok = s->ok + n % 2;
}

/* Ends phase n; false: the group gives up. */
INLINE bool over(const struct launch *s, uint n)
{
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (s->ok[n % 2] != 0)
        return true;
    if (get_local_id(0) == 0)
        atomic_cmpxchg(s->sync + SH_SYNC_FAILED, 0, s->a.serial);
    return false;
}

INLINE void fetch_layer(const struct launch *s, uint i)
{
    const uint id = get_local_id(0);
    if (id < sizeof(struct layer_args) / 4 && i < s->a.ends.L)
        ((__local uint *)&s->ls[i % 2])[id] = ((__global const uint *)&s->layers[i])[id];
}

/* What layer i reads of vectors and state, to L2. */
INLINE void warm_layer(const struct launch *s, uint i)
{
    if (i >= s->a.ends.L)
        return;
    __global const struct layer_args *l = &s->layers[i];
    if (l->ln_x_b > l->ln1_w)             /* they lie one after the other     */
        warm_lines((bytes)(s->t.vecs + l->ln1_w), 4 * (l->ln_x_b + COLS - l->ln1_w));
    warm_lines((bytes)(s->t.old + l->state_at), 4 * (2 + SH_HEAD) * COLS);
}

/* Phases A to C of layer i, n + 1 to n + 3. */
INLINE bool time_phases(struct launch *s, uint i, uint n)
{
    __local const struct layer_args *l = &s->ls[i % 2];
    const uint first = get_num_groups(0) - 1 - get_group_id(0);   /* the last have LoRAs */
    bytes W = s->t.W;
    struct run run;
    struct ups up;
    struct columns cols;
    run_clear(&run);
    on(s, n + 1);
    const struct job job = time_in_begin(&run, &cols, *l, s->t);
    fetch_layer(s, i + 1);
    s->t.xn = s->t.now + l->state_at;     /* nobody reads the new state       */
    time_in(&run, &cols, job, *l, s->t, s->at);
    if (!over(s, n + 1))
        return false;
    on(s, n + 2);
    for (uint head = first; head < HEADS; head += get_num_groups(0)) {
        time_mix_begin(&up, *l, W, s->t.vecs, s->t.old, head);
        time_mix(&up, *l, s->t, s->at, head);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (!over(s, n + 2))
        return false;
    run_clear(&run);
    on(s, n + 3);
    rows_begin(&run, share_of(W, l->output, COLS, 1));
    warm_layer(s, i + 1);
    time_out(&run, *l, s->t, s->at);
    s->t.told.x++;
    return over(s, n + 3);
}

/* Phases D and E. */
INLINE bool channel_phases(struct launch *s, uint i, uint n)
{
    __local const struct layer_args *l = &s->ls[i % 2];
    bytes W = s->t.W;
    struct run run;
    struct columns cols;
    run_clear(&run);
    on(s, n + 1);
    columns_begin(&cols, s->t.vecs, s->t.old, channel_norm(*l));
    rows_begin(&run, share_of(W, l->ffn_key, HIDDEN, 1));
    s->t.xn = s->t.now + l->state_at + COLS;
    channel_in(&run, &cols, *l, s->t, s->at);
    if (!over(s, n + 1))
        return false;
    run_clear(&run);
    on(s, n + 2);
    rows_begin(&run, share_of(W, l->ffn_value, COLS, RUNS));
    channel_out(&run, *l, s->t, s->at);
    s->t.told.x++;
    s->t.told.rest++;
    return over(s, n + 2);
}

/* Whether no launch before this one has given up; the same in all of a group. */
INLINE bool may_begin(const struct launch *s)
{
    if (get_global_id(0) == 0)
        s->sync[SH_SYNC_IDS + s->a.serial % SH_SYNC_RING] = s->ids[0];
    if (get_local_id(0) == 0) {
        s->ok[0] = acquire(s->sync + SH_SYNC_FAILED) == 0;
        s->ok[1] = 1;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return s->ok[0] != 0;
}

/* From the embedding to the logits; false: the group gives up. */
INLINE bool all_phases(struct launch *s, floats embedding)
{
    uint n = 0;
    fetch_layer(s, 0);
    warm_layer(s, 0);
    if (get_group_id(0) == 0)
        token_begin(s->a.ends, s->t, embedding, s->at);
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    for (uint i = 0; i < s->a.ends.L; i++, n += 5)
        if (!time_phases(s, i, n) || !channel_phases(s, i, n + 3))
            return false;
    on(s, n + 1);
    token_end(s->a.ends, s->t, s->logits, s->at);
    return over(s, n + 1);
}

/* Where a group gave up there are no logits and no best token: all are NaN. */
INLINE void choose(const struct launch *s, struct best best)
{
    const uint V = s->a.ends.V;
    const bool failed = acquire(s->sync + SH_SYNC_FAILED) != 0;
    if (get_local_id(0) == 0)
        s->ids[0] = failed ? V : best.at;
    for (uint i = get_local_id(0); failed && i < V; i += WG)
        s->logits[i] = NAN;
}

/* `done`: this group has made its logits. */
INLINE void end(const struct launch *s, bool done)
{
    __global float *tops = (__global float *)(s->sync + SH_SYNC_WORDS) + TOLD_BEST;
    __global float *ats = tops + get_num_groups(0);
    const uint V = s->a.ends.V;
    if (done) {
        const struct best best = best_row(s->logits, even(V), V, s->at);
        if (get_local_id(0) == 0) {
            tops[get_group_id(0)] = best.top;
            ats[get_group_id(0)] = as_float(best.at);
        }
    }
    if (is_last(s->sync + SH_SYNC_COUNT, s->ok))
        choose(s, best_told(tops, ats, V, s->at));
}

/* The state `old` is read, the state `now` written. */
KERNEL void nv_token(const struct token_args a, bytes W, floats vecs,
                     __global const struct layer_args *layers, __global uint *ids,
                     floats old, __global float *now, floats embedding,
                     __global float *v_first, __global float *logits, __global uint *sync)
{
    ROOM;
    __local uint ok[2];
    __local struct layer_args ls[2];
    __global float *all = (__global float *)(sync + SH_SYNC_WORDS);
    const uint before = a.serial - 1;     /* launches: 2 L + 1 times x, L times the rest */
    const struct told told = { true, before * (2 * a.ends.L + 1) + 1, before * a.ends.L + 1,
                               a.limit, ok };
    const struct token t = { W, vecs, old, now, all, 0, 0, 0, 0, 0, v_first, 0, 0, told };
    struct launch s = { a, t, at, layers, ids, logits, sync, ls, ok };
    if (a.serial == 0)
        count_groups(sync + SH_SYNC_COUNT, sync + SH_SYNC_SEEN, a.limit);
    else
        end(&s, may_begin(&s) && all_phases(&s, embedding));
}
