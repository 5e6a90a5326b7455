/* SPDX-License-Identifier: MIT */
/*
 * One token in one launch on a CPU: as many work-items as cores, each a group
 * of its own, which meet at a barrier over all of them after each phase of
 * op/phase.h.  The arithmetic is that of the kernels of norm.cl, prepare.cl,
 * wkv7.cl, finish.cl, strip.cl and matvec.cl, in the same order.
 *
 * What is small (norm, shift, rounding) each work-item does for itself, in a
 * slot of its own; strips, rows and heads are taken from a counter, a few at a
 * time, so that a core that is late leaves some to the others (cpu_launch.h).
 */

/* Whether a matrix may be in columns. */
#ifndef COLUMNS
#define COLUMNS 0
#endif

/* -------------------------------------------------------------- products */

/* A matrix of `type`, in strips or columns, times a rounded vector. */
struct product {
    struct matmul_args args;
    uint type, columns;
    __global const int *x;
    __global float *y;
};

/* TYPES: those that the model has, a bit each. */
#define MULTIPLY(type_) \
    if ((TYPES >> type_ & 1u) != 0 && p->type == type_) \
        strip_product(type_, p->args, w + at * RUN_BYTES(type_), p->x, 0, 0, row0, p->y)

/* One strip. */
static inline void multiply(const struct launch *s, const struct product *p, uint strip)
{
    const uint runs = p->args.cols / RUN, row0 = strip * 16;
    bytes w = s->W + (ulong)p->args.w_at * SH_UNIT;
    const ulong at = (ulong)strip * runs;
    MULTIPLY(SH_Q4_K);
    MULTIPLY(SH_Q5_K);
    MULTIPLY(SH_Q6_K);
    MULTIPLY(SH_Q8_0);
}

static inline struct product product_of(uint w_at, uint type, uint rows, uint cols, uint act,
                                        __global const int *x, __global float *y)
{
    const struct product p = { { w_at, 0, rows, cols, 1, 0, 0, rows, act }, type, 0, x, y };
    return p;
}

/* One of the parts of a slice of columns; the last of them sums all. */
static inline void multiply_part(const struct launch *s, const struct product *p, uint i)
{
    const uint slice = i / SH_COLUMN_PARTS, part = i % SH_COLUMN_PARTS;
    const uint rows = p->args.rows, cols = p->args.cols;
    const ulong at = (ulong)slice * (cols / RUN);
    bytes w = s->W + (ulong)p->args.w_at * SH_UNIT;
    __global float *to = s->parts + part * rows + slice * SLICE;
    if (p->type == SH_Q6_K)
        slice_part(SH_Q6_K, w + at * SLICE_BYTES(SH_Q6_K), cols, part, p->x, to);
    else
        slice_part(SH_Q4_K, w + at * SLICE_BYTES(SH_Q4_K), cols, part, p->x, to);
    FENCE;
    if (atomic_inc(s->sync + SH_SYNC_DONE + slice) % SH_COLUMN_PARTS != SH_COLUMN_PARTS - 1)
        return;
    FENCE;
    sum_parts(s->parts, rows, slice, p->args.act, p->y);
}

/* All of a matrix in phase n, shared. */
static inline void multiply_all(const struct launch *s, uint n, const struct product *p)
{
    struct share share;
    while (take(s, n, p->columns != 0 ? p->args.rows / SLICE * SH_COLUMN_PARTS
                                      : (p->args.rows + 15) / 16, &share))
        for (uint i = share.from; i < share.to; i++)
            if (p->columns != 0)
                multiply_part(s, p, i);
            else
                multiply(s, p, i);
}

/* Asks for n bytes. */
static inline void ask_for(bytes p, uint n)
{
    for (uint i = 0; i < n; i += 64)
        PREFETCH(p + i);
}

/* 32 weights of a LoRA. */
static inline void lora32(uint type, bytes row, uint i, float16 *lo, float16 *hi)
{
    if (type == SH_F32) {
        *lo = vload16(0, (__global const float *)row + i);
        *hi = vload16(1, (__global const float *)row + i);
    } else {
        *lo = vload_half16(0, (__global const half *)row + i);
        *hi = vload_half16(1, (__global const half *)row + i);
    }
}

/* Four rows of a LoRA, `type` a constant; each sum in matvec_item's order. */
#define LORA_ROWS 4
static inline void lora_rows(const uint type, bytes w, uint cols, __global const float *x,
                             uint act, __global float *y)
{
    const uint row_bytes = cols * (type == SH_F32 ? 4 : 2);
    float16 acc[LORA_ROWS];
    UNROLL
    for (uint r = 0; r < LORA_ROWS; r++)
        acc[r] = (float16)(0.0f);
    for (uint i = 0; i < cols; i += 32) {
        const float16 x0 = vload16(0, x + i), x1 = vload16(1, x + i);
        UNROLL
        for (uint r = 0; r < LORA_ROWS; r++) {
            float16 lo, hi;
            lora32(type, w + r * row_bytes, i, &lo, &hi);
            acc[r] += lo * x0;
            acc[r] += hi * x1;
        }
    }
    UNROLL
    for (uint r = 0; r < LORA_ROWS; r++)
        y[r] = activate(sum16(acc[r]), act);
}

/* Rows [row, row + n) of a LoRA's matrix. */
struct lora {
    uint w_at, type, cols, act;
    __global const float *x;
    __global float *y;
};

static inline void project(const struct launch *s, const struct lora *l, uint row, uint n)
{
    const uint bytes_a_row = l->cols * (l->type == SH_F32 ? 4 : 2);
    bytes w = s->W + (ulong)l->w_at * SH_UNIT;
    for (uint i = row; i < row + n; i += LORA_ROWS) {
        if (i + LORA_ROWS < row + n)
            ask_for(w + (ulong)(i + LORA_ROWS) * bytes_a_row, LORA_ROWS * bytes_a_row);
        if (l->type == SH_F32)
            lora_rows(SH_F32, w + (ulong)i * bytes_a_row, l->cols, l->x, l->act, l->y + i);
        else
            lora_rows(SH_F16, w + (ulong)i * bytes_a_row, l->cols, l->x, l->act, l->y + i);
    }
}

/* ---------------------------------------------------------------- phases */

/* [V7:layernorm] of the residual to xn. */
static inline void norm(const struct launch *s, uint weight, uint bias, __global float *to)
{
    const struct norm_args args = { s->a.C, 1, 0, weight, bias, s->a.token.ends.eps };
    norm_row(args, s->vecs, s->x, to);
}

/* [V7:shift] with n blends; one of all keeps the vector for the next token. */
static inline void shift_all(const struct launch *s, uint n, uint lerp_at, uint prev_at)
{
    const uint C = s->a.C;
    for (uint c = 0; c < C; c += 16) {
        const float16 now = vload16(0, s->xn + c);
        const float16 d = vload16(0, s->old + prev_at + c) - now;
        for (uint i = 0; i < n; i++)
            vstore16(mad(d, vload16(0, s->vecs + lerp_at + i * C + c), now), 0,
                     s->mixed + i * C + c);
        if (get_global_id(0) == 0)
            vstore16(now, 0, s->now + prev_at + c);
    }
}

/* The blends, in the order of the file; r, k, v are rounded. */
enum { MIX_R, MIX_W, MIX_K, MIX_V, MIX_A, MIX_G };

static inline void time_in(const struct launch *s, __global const struct cpu_layer_args *l,
                           uint n)
{
    const uint C = s->a.C, ints = C / SUB * X_INTS, strips = C / 16;
    __global const float *mixed = s->mixed;
    norm(s, l->at.ln1_w, l->at.ln1_b, s->xn);
    shift_all(s, 6, l->at.lerp, l->at.state_at);
    round_token(mixed + MIX_R * C, C, s->rounded);
    round_token(mixed + MIX_K * C, C, s->rounded + ints);
    round_token(mixed + MIX_V * C, C, s->rounded + 2 * ints);
    const struct product big[3] = {
        product_of(l->at.receptance, l->type[0], C, C, SH_ACT_NONE, s->rounded, s->r),
        product_of(l->at.key, l->type[1], C, C, SH_ACT_NONE, s->rounded + ints, s->k),
        product_of(l->at.value, l->type[2], C, C, SH_ACT_NONE, s->rounded + 2 * ints, s->v),
    };
    const uint Dw = s->a.Dw, Da = s->a.Da, Dv = s->a.Dv, Dg = s->a.Dg;
    const struct lora loras[4] = {
        { l->at.w1, l->lora[0], C, SH_ACT_TANH, mixed + MIX_W * C, s->low },
        { l->at.a1, l->lora[2], C, SH_ACT_NONE, mixed + MIX_A * C, s->low + Dw },
        { l->at.v1, l->lora[4], C, SH_ACT_NONE, mixed + MIX_V * C, s->low + Dw + Da },
        { l->at.g1, l->lora[6], C, SH_ACT_SIGMOID, mixed + MIX_G * C, s->low + Dw + Da + Dv },
    };
    const uint rank[4] = { Dw, Da, l->at.first ? 0 : Dv, Dg };
    const uint rows = rank[0] + rank[1] + rank[2] + rank[3];
    struct share share;
    while (take(s, n, 3 * strips + rows / LORA_ROWS, &share))
        for (uint i = share.from; i < share.to; i++) {
            if (i < 3 * strips) {
                multiply(s, &big[i / strips], i % strips);
                continue;
            }
            uint j = 0, row = (i - 3 * strips) * LORA_ROWS;
            for (; row >= rank[j]; j++)
                row -= rank[j];
            project(s, &loras[j], row, LORA_ROWS);
        }
}

/* One head, from the LoRA-ups to the gate. */
static inline void mix_head(const struct launch *s, __global const struct cpu_layer_args *l,
                            uint head)
{
    const struct cpu_token_args a = s->a;
    const uint c0 = head * SH_HEAD;
    const struct lora loras[4] = {
        { l->at.w2, l->lora[1], a.Dw, SH_ACT_NONE, s->low, s->w },
        { l->at.a2, l->lora[3], a.Da, SH_ACT_NONE, s->low + a.Dw, s->iclr },
        { l->at.v2, l->lora[5], a.Dv, SH_ACT_NONE, s->low + a.Dw + a.Da, s->v_lora },
        { l->at.g2, l->lora[7], a.Dg, SH_ACT_NONE, s->low + a.Dw + a.Da + a.Dv, s->g },
    };
    ask_for((bytes)(s->old + l->at.state_at + 2 * a.C + c0 * SH_HEAD),
            SH_HEAD * SH_HEAD * sizeof(float));
    for (uint j = 0; j < 4; j++)
        if (j != 2 || !l->at.first)
            project(s, &loras[j], c0, SH_HEAD);
    const struct prepare_args prepare = { a.C, 1, l->at.w0, l->at.a0, l->at.v0, l->at.k_k,
                                          l->at.k_a, l->at.first };
    prepare_head(prepare, c0, c0, s->vecs, s->w, s->iclr, s->k, s->v, s->v_lora, s->v_first,
                 s->kk);
    const struct wkv_args wkv = { a.C, 1, l->at.state_at + 2 * a.C };
    for (uint c = c0; c < c0 + SH_HEAD; c += ROWS)
        wkv7_steps(wkv, c, s->r, s->w, s->k, s->v, s->kk, s->iclr, s->y, s->old, s->now);
    const struct finish_args finish = { a.C, 1, l->at.ln_x_w, l->at.ln_x_b, l->at.r_k,
                                        l->at.head_eps };
    finish_head(finish, c0, c0, s->vecs, s->r, s->k, s->v, s->g, s->y);
}

static inline void time_mix(const struct launch *s, __global const struct cpu_layer_args *l,
                            uint n)
{
    struct share share;
    while (take(s, n, s->a.C / SH_HEAD, &share))
        for (uint i = share.from; i < share.to; i++)
            mix_head(s, l, i);
}

/* Phases C, D, E and the head: one matrix times x(cols), or times what is made
 * of the residual. */
enum { STEP_OUT, STEP_KEY, STEP_VALUE, STEP_HEAD };

static inline struct product step_begin(const struct launch *s, uint step,
                                        __global const struct cpu_layer_args *l)
{
    const uint C = s->a.C, F = s->a.F;
    if (step == STEP_OUT) {
        round_token(s->y, C, s->rounded);
        return product_of(l->at.output, l->type[3], C, C, SH_ACT_ADD, s->rounded, s->x);
    }
    if (step == STEP_KEY) {
        norm(s, l->at.ln2_w, l->at.ln2_b, s->xn);
        shift_all(s, 1, l->at.ffn_lerp, l->at.state_at + C);
        round_token(s->mixed, C, s->rounded);
        return product_of(l->at.ffn_key, l->type[4], F, C, SH_ACT_RELU2, s->rounded, s->h);
    }
    if (step == STEP_VALUE) {
        struct product p = product_of(l->at.ffn_value, l->type[5], C, F, SH_ACT_ADD,
                                      s->rounded, s->x);
        p.columns = COLUMNS ? l->columns : 0;
        if (p.columns != 0)
            round_and_list(p.type, s->h, F, s->rounded);
        else
            round_token(s->h, F, s->rounded);
        return p;
    }
    const struct ends_args e = s->a.token.ends;
    norm(s, e.ln_out_w, e.ln_out_b, s->xn);
    round_token(s->xn, C, s->rounded);
    return product_of(e.head, s->a.head_type, e.V, C, SH_ACT_NONE, s->rounded, s->logits);
}

/* The norm of the embedding's row, in place. */
static inline void begin(const struct launch *s)
{
    const struct ends_args e = s->a.token.ends;
    if (get_global_id(0) != 0)
        return;
    weigh_waits(s);
    norm(s, e.ln0_w, e.ln0_b, s->xn);
    for (uint c = 0; c < s->a.C; c += 16)
        vstore16(vload16(0, s->xn + c), 0, s->x + c);
    for (uint n = 0; n < 3; n++)
        *work_of(s, n) = 0;
}

/* All phases of all layers, and the head.  The products of C, D, E and the
 * head are one place in the code, since compilers for CPUs copy it for each. */
static inline void run(const struct launch *s, __global const struct cpu_layer_args *layers)
{
    const uint L = s->a.token.ends.L;
    uint n = 0;
    begin(s);
    for (uint i = 0; i <= L; i++) {
        __global const struct cpu_layer_args *l = &layers[min(i, L - 1)];
        if (!met(s, n++))
            return;
        if (i == 0 && look(s->sync + SH_SYNC_FAILED) != 0) {
            give_up(s);
            return;
        }
        if (i < L) {
            time_in(s, l, n);
            if (!met(s, n++))
                return;
            time_mix(s, l, n);
            if (!met(s, n++))
                return;
        }
        for (uint step = i < L ? STEP_OUT : STEP_HEAD;; step++) {
            const struct product p = step_begin(s, step, l);
            multiply_all(s, n, &p);
            if (step >= STEP_VALUE)
                break;
            if (!met(s, n++))
                return;
        }
    }
    atomic_add(s->sync + SH_SYNC_WAITED, *s->looks / (uint)get_num_groups(0));
}

/* The state `old` is read, the state `now` written. */
__kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void cpu_token(const struct cpu_token_args a, bytes W, __global const float *vecs,
               __global const struct cpu_layer_args *layers, __global const uint *ids,
               __global const float *old, __global float *now, __global float *x,
               __global float *r, __global float *w, __global float *k, __global float *v,
               __global float *kk, __global float *iclr, __global float *g,
               __global float *low, __global float *v_first, __global float *v_lora,
               __global float *y, __global float *h, __global float *logits,
               __global float *slots, __global uint *sync)
{
    __global float *own = slots + (ulong)get_global_id(0) * a.slot;
    uint looks = 0;
    const struct launch s = {
        a, W, vecs, old, now, x, r, w, k, v, kk, iclr, g, low, v_first, v_lora, y, h, logits,
        own, own + a.C, (__global int *)(own + 7 * a.C),
        slots + (ulong)get_global_size(0) * a.slot, sync, &looks
    };
    if (a.token.serial == 0)
        count_groups(sync + SH_SYNC_COUNT, sync + SH_SYNC_SEEN, a.token.limit);
    else if (may_begin(&s, ids))
        run(&s, layers);
}
