/* SPDX-License-Identifier: MIT */
/*
 * One token by the functions of nv_phase.h in one launch, with a barrier over
 * all groups between two phases: the same arithmetic in the same order as by
 * nv_decode.cl.  The weights that a lane takes first are asked for before it
 * waits at the barrier.
 */

/* What the steps of a launch share. */
struct launch {
    struct token_args a;
    struct token t;
    struct room at;
    __global const struct layer_args *layers;
    __global float *logits;
    __global uint *sync;                  /* SH_SYNC_WORDS                    */
    __local struct layer_args *ls;        /* two: of this layer, of the next  */
    __local uint *ok;
};

/* Waits for what the other groups wrote before barrier n; false: it gives up,
 * and leaves logits of which no choice is made. */
INLINE bool ready(const struct launch *s, uint n)
{
    const uint V = s->a.ends.V;
    if (await(s->sync + SH_SYNC_COUNT, s->a.base + n * get_num_groups(0),
              n > s->a.patient ? 0 : s->a.limit, s->ok))
        return true;
    if (get_local_id(0) == 0)
        atomic_cmpxchg(s->sync + SH_SYNC_FAILED, 0, s->a.serial);
    for (uint i = get_global_id(0); i < V; i += get_global_size(0))
        s->logits[i] = NAN;
    return false;
}

/* Ends a phase. */
INLINE void over(const struct launch *s)
{
    arrive(s->sync + SH_SYNC_COUNT);
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

/* Phases A to C of layer i; n: the last barrier. */
INLINE bool time_phases(const struct launch *s, uint i, uint n)
{
    __local const struct layer_args *l = &s->ls[i % 2];
    const uint first = get_group_id(0);
    bytes W = s->t.W;
    struct run run;
    struct ups up;
    run_clear(&run);
    time_in_begin(&run, *l, W);
    if (!ready(s, n + 1))
        return false;
    fetch_layer(s, i + 1);
    time_in(&run, *l, s->t, s->at);
    over(s);
    ups_clear(&up);
    if (first < HEADS)
        time_mix_begin(&up, *l, W, s->t.vecs, s->t.old, first);
    if (!ready(s, n + 2))
        return false;
    for (uint head = first; head < HEADS; head += get_num_groups(0)) {
        if (head != first)
            time_mix_begin(&up, *l, W, s->t.vecs, s->t.old, head);
        time_mix(&up, *l, s->t, s->at, head);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    keep_shift(s->t.now, l->state_at, s->t.xn);
    over(s);
    run_clear(&run);
    rows_begin(&run, share_of(W, l->output, COLS, 1));
    warm_layer(s, i + 1);
    if (!ready(s, n + 3))
        return false;
    time_out(&run, *l, s->t, s->at);
    over(s);
    return true;
}

/* Phases D and E. */
INLINE bool channel_phases(const struct launch *s, uint i, uint n)
{
    __local const struct layer_args *l = &s->ls[i % 2];
    bytes W = s->t.W;
    struct run run;
    run_clear(&run);
    rows_begin(&run, share_of(W, l->ffn_key, HIDDEN, 1));
    if (!ready(s, n + 1))
        return false;
    channel_in(&run, *l, s->t, s->at);
    over(s);
    run_clear(&run);
    rows_begin(&run, share_of(W, l->ffn_value, COLS, RUNS));
    if (!ready(s, n + 2))
        return false;
    channel_out(&run, *l, s->t, s->at);
    keep_shift(s->t.now, l->state_at + COLS, s->t.xn);
    over(s);
    return true;
}

/* Whether no launch before this one has given up; the same in all of a group. */
INLINE bool may_begin(const struct launch *s, __global const uint *ids)
{
    if (get_global_id(0) == 0)
        s->sync[SH_SYNC_IDS + s->a.serial % SH_SYNC_RING] = ids[0];
    if (get_local_id(0) == 0)
        *s->ok = acquire(s->sync + SH_SYNC_FAILED) == 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (*s->ok)
        return true;
    for (uint i = get_global_id(0); i < s->a.ends.V; i += get_global_size(0))
        s->logits[i] = NAN;
    return false;
}

/* The state `old` is read, the state `now` written. */
KERNEL void nv_token(const struct token_args a, bytes W, floats vecs,
                     __global const struct layer_args *layers, __global const uint *ids,
                     floats old, __global float *now, __global float *x, __global float *xn,
                     __global float *r, __global float *k, __global float *v,
                     __global float *low, __global float *v_first, __global float *y,
                     __global float *h, __global float *logits, __global uint *sync)
{
    ROOM;
    __local uint ok[1];
    __local struct layer_args ls[2];
    const struct token t = { W, vecs, old, now, x, xn, r, k, v, low, v_first, y, h };
    const struct launch s = { a, t, at, layers, logits, sync, ls, ok };
    uint n = 0;
    if (a.serial == 0)
        count_groups(sync + SH_SYNC_COUNT, sync + SH_SYNC_SEEN, a.limit);
    if (a.serial == 0 || !may_begin(&s, ids))
        return;
    fetch_layer(&s, 0);
    warm_layer(&s, 0);
    if (get_group_id(0) == 0)
        token_begin(a.ends, t, at);
    over(&s);
    for (uint i = 0; i < a.ends.L; i++, n += 5)
        if (!time_phases(&s, i, n) || !channel_phases(&s, i, n + 3))
            return;
    if (ready(&s, n + 1))
        token_end(a.ends, t, logits, at);
}
