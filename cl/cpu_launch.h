/* SPDX-License-Identifier: MIT */
/*
 * A launch of cpu_token.cl: what its work-items share, how they meet, and how
 * they share out a phase.
 *
 * What a work-item writes others read after a barrier: for CPUs whose caches
 * are coherent, and compilers with a fence that LLVM knows.
 */

/* What the steps of a launch share. */
struct launch {
    struct cpu_token_args a;
    bytes W;
    __global const float *vecs, *old;
    __global float *now, *x;
    __global float *r, *w, *k, *v, *kk, *iclr, *g, *low, *v_first, *v_lora, *y, *h, *logits;
    __global float *xn, *mixed;              /* own: (C), (6, C)              */
    __global int *rounded;                   /* own: (3, C) or (F)            */
    __global float *parts;                   /* (SH_COLUMN_PARTS, C)          */
    __global uint *sync;                     /* SH_SYNC_WORDS                 */
    uint *looks;                             /* own: at barriers so far       */
};

/* ---------------------------------------------------------------- barrier */

#ifdef __clang__
#define FENCE __atomic_thread_fence(__ATOMIC_SEQ_CST)
#else
#define FENCE mem_fence(CLK_GLOBAL_MEM_FENCE)
#endif

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE __asm__ volatile("pause" ::: "memory")
#elif defined(__aarch64__)
#define PAUSE __asm__ volatile("isb" ::: "memory")
#else
#define PAUSE
#endif

static inline uint look(__global const uint *p)
{
    return *(volatile __global const uint *)p;
}

/* Waits until `count` has come to `until`, at most `limit` looks, which are
 * added to *looks; false if it has not.  Who gives up takes back its own
 * arrival, so that either all pass or none. */
static inline bool await(__global uint *count, uint until, uint limit, uint *looks)
{
    uint n = 0;
    for (; (int)(look(count) - until) < 0; n++) {
        if (n == limit) {
            if ((int)(atomic_dec(count) - until) < 0)
                return false;
            atomic_inc(count);
            break;
        }
        PAUSE;
    }
    *looks += n;
    FENCE;
    return true;
}

/* How many are there at once: each arrives and waits for all others. */
static inline void count_groups(__global uint *count, __global uint *seen, uint limit)
{
    uint here = atomic_inc(count) + 1;
    for (uint left = limit; left > 0 && here < get_num_groups(0); left--) {
        PAUSE;
        here = look(count);
    }
    atomic_cmpxchg(seen, 0, here);
}

/* Leaves logits of which no choice is made. */
static inline void give_up(const struct launch *s)
{
    const uint V = s->a.token.ends.V;
    for (uint i = get_global_id(0); i < V; i += get_global_size(0))
        s->logits[i] = NAN;
}

/* The counter from which phase n takes; the one of the phase after it is
 * cleared before any of it begins. */
static inline __global uint *work_of(const struct launch *s, uint n)
{
    return s->sync + SH_SYNC_WORK + n % 3 * SH_SYNC_LINE;
}

/* Who waits much shares its core with other work; by phases the system could
 * move threads about.  A launch gives up after so many looks in all, and before
 * it does anything if WAITED, what was waited beyond `waits` a token, is more. */
#define PATIENCE (1u << 20)

static inline uint most_looks(const struct launch *s)
{
    return PATIENCE + 2 * s->a.waits;
}

/* Ends phase n and waits for all others; false: it gives up. */
static inline bool met(const struct launch *s, uint n)
{
    const struct token_args t = s->a.token;
    const uint left = most_looks(s) - min(most_looks(s), *s->looks);
    __global uint *count = s->sync + SH_SYNC_COUNT;
    FENCE;
    atomic_inc(count);
    if (await(count, t.base + (n + 1) * (uint)get_num_groups(0),
              n + 1 > t.patient ? 0 : min(t.limit, left), s->looks)) {
        if (get_global_id(0) == 0)
            *work_of(s, n + 2) = 0;
        return true;
    }
    atomic_cmpxchg(s->sync + SH_SYNC_FAILED, 0, t.serial);
    give_up(s);
    return false;
}

/* Whether no launch before this one has given up. */
static inline bool may_begin(const struct launch *s, __global const uint *ids)
{
    if (get_global_id(0) == 0)
        s->sync[SH_SYNC_IDS + s->a.token.serial % SH_SYNC_RING] = ids[0];
    if (look(s->sync + SH_SYNC_FAILED) == 0)
        return true;
    give_up(s);
    return false;
}

static inline void weigh_waits(const struct launch *s)
{
    __global uint *waited = s->sync + SH_SYNC_WAITED;
    const uint much = look(waited), due = s->a.waits;
    *waited = much > due ? much - due : 0;
    if (much > most_looks(s))
        atomic_cmpxchg(s->sync + SH_SYNC_FAILED, 0, s->a.token.serial);
}

/* --------------------------------------------------------------- sharing */

/* The parts of phase n, of `all`, that this work-item does next. */
struct share {
    uint from, to;
};

static inline bool take(const struct launch *s, uint n, uint all, struct share *share)
{
    const uint step = max(all / (32 * (uint)get_global_size(0)), 1u);
    share->from = atomic_add(work_of(s, n), step);
    share->to = min(share->from + step, all);
    return share->from < all;
}
