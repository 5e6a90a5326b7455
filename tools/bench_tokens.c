/* SPDX-License-Identifier: MIT */
/* fastrand 2.1's tokens and the quality hash; see bench_tokens.h. */
#include "bench_tokens.h"

/* low(a b) xor high(a b) of the 128-bit product, by halves of 32 bits. */
static uint64_t fold_product(uint64_t a, uint64_t b)
{
    const uint64_t al = (uint32_t)a, ah = a >> 32;
    const uint64_t bl = (uint32_t)b, bh = b >> 32;
    const uint64_t ll = al * bl, lh = al * bh, hl = ah * bl;
    const uint64_t middle = (ll >> 32) + (uint32_t)lh + (uint32_t)hl;
    const uint64_t high = ah * bh + (lh >> 32) + (hl >> 32) + (middle >> 32);
    return (a * b) ^ high;
}

static uint32_t next_u32(struct anser_bench_random *random)
{
    random->state += 0x2d358dccaa6c78a5u;
    return (uint32_t)fold_product(random->state,
                                  random->state ^ 0x8bb84b93962eacc9u);
}

uint32_t anser_bench_next(struct anser_bench_random *random)
{
    enum { RANGE = 65535 };
    uint64_t m = (uint64_t)next_u32(random) * RANGE;
    /* 2^32 mod 65535 is 1: only a low half of 0 is drawn again. */
    while ((uint32_t)m < ((uint64_t)1 << 32) % RANGE)
        m = (uint64_t)next_u32(random) * RANGE;
    return (uint32_t)(m >> 32);
}

void anser_bench_tokens(uint64_t seed, uint32_t n_vocab, uint32_t *ids,
                        size_t n)
{
    struct anser_bench_random random = { seed };
    for (size_t i = 0; i < n; i++)
        ids[i] = anser_bench_next(&random) % n_vocab;
}

void anser_bench_history(uint32_t n_vocab, uint32_t *ids)
{
    const size_t generation = BENCH_BEFORE + BENCH_GENERATED;
    const size_t warm = BENCH_WARM_UPS * BENCH_WARM_TOKENS;
    anser_bench_tokens(BENCH_SEED, n_vocab, ids, warm);
    ids += warm;
    for (unsigned i = 0; i < BENCH_RUNS; i++, ids += BENCH_PREFILL)
        anser_bench_tokens(BENCH_SEED, n_vocab, ids, BENCH_PREFILL);
    for (unsigned i = 0; i < BENCH_RUNS; i++, ids += generation)
        anser_bench_tokens(BENCH_SEED, n_vocab, ids, generation);
}

uint64_t anser_bench_fold(uint64_t acc, const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        acc = acc * 31 + ids[i];
    return acc;
}
