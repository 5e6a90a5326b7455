/* SPDX-License-Identifier: MIT */
/*
 * One token by the functions of nv_phase.h, a launch a phase.
 */

KERNEL void nv_begin(const struct ends_args a, floats vecs, __global float *x)
{
    ROOM;
    const struct token t = { .vecs = vecs, .old = vecs, .x = x };
    token_begin(a, t, x, at);
}

KERNEL void nv_time_in(const struct layer_args l, bytes W, floats vecs, __global float *state,
                       __global float *x, __global float *xn, __global float *r,
                       __global float *k, __global float *v, __global float *low)
{
    ROOM;
    const struct token t = { .W = W, .vecs = vecs, .old = state, .x = x, .xn = xn, .r = r,
                             .k = k, .v = v, .low = low };
    struct run run;
    struct columns cols;
    const struct job job = time_in_begin(&run, &cols, l, t);
    time_in(&run, &cols, job, l, t, at);
}

KERNEL void nv_time_mix(const struct layer_args l, bytes W, floats vecs, __global float *state,
                        __global float *xn, __global float *r, __global float *k,
                        __global float *v, __global float *low, __global float *v_first,
                        __global float *y)
{
    ROOM;
    const struct token t = { .W = W, .vecs = vecs, .old = state, .now = state, .xn = xn, .r = r,
                             .k = k, .v = v, .low = low, .v_first = v_first, .y = y };
    struct ups up;
    time_mix_begin(&up, l, W, vecs, state, get_group_id(0));
    keep_shift(state, l.state_at, xn);
    time_mix(&up, l, t, at, get_group_id(0));
}

KERNEL void nv_time_out(const struct layer_args l, bytes W, __global float *y,
                        __global float *x)
{
    ROOM;
    const struct token t = { .W = W, .y = y, .x = x };
    struct run run;
    rows_begin(&run, share_of(W, l.output, COLS, 1));
    time_out(&run, l, t, at);
}

KERNEL void nv_channel_in(const struct layer_args l, bytes W, floats vecs, __global float *state,
                          __global float *x, __global float *xn, __global float *h)
{
    ROOM;
    const struct token t = { .W = W, .vecs = vecs, .old = state, .x = x, .xn = xn, .h = h };
    struct run run;
    struct columns cols;
    columns_begin(&cols, vecs, state, channel_norm(l));
    rows_begin(&run, share_of(W, l.ffn_key, HIDDEN, 1));
    channel_in(&run, &cols, l, t, at);
}

KERNEL void nv_channel_out(const struct layer_args l, bytes W, __global float *state,
                           __global float *xn, __global float *h, __global float *x)
{
    ROOM;
    const struct token t = { .W = W, .h = h, .x = x };
    struct run run;
    rows_begin(&run, share_of(W, l.ffn_value, COLS, RUNS));
    keep_shift(state, l.state_at + COLS, xn);
    channel_out(&run, l, t, at);
}

KERNEL void nv_end(const struct ends_args a, bytes W, floats vecs, __global float *x,
                   __global float *logits)
{
    ROOM;
    const struct token t = { .W = W, .vecs = vecs, .old = vecs, .x = x };
    token_end(a, t, logits, at);
}
