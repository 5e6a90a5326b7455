/* SPDX-License-Identifier: MIT */
/*
 * The tokens of the inherited benchmark: fastrand 2.1's generator (wyrand with
 * its constants; state = seed, then u16(0..65535) by Lemire's method), and the
 * hash over generated tokens, acc = 31 acc + token modulo 2^64.
 */
#ifndef ANSER_TOOLS_BENCH_TOKENS_H
#define ANSER_TOOLS_BENCH_TOKENS_H

#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_SEED = 42, BENCH_QUALITY_SEED = 12345,
    BENCH_WARM_UPS = 2, BENCH_WARM_TOKENS = 16,
    BENCH_RUNS = 3, BENCH_PREFILL = 128, BENCH_CHUNK = 32,
    BENCH_BEFORE = 32, BENCH_GENERATED = 64,
    BENCH_PROMPT = 16, BENCH_GREEDY = 32,
    BENCH_HISTORY = BENCH_WARM_UPS * BENCH_WARM_TOKENS
                    + BENCH_RUNS * (BENCH_PREFILL + BENCH_BEFORE
                                    + BENCH_GENERATED)
};

struct anser_bench_random { uint64_t state; };

/* The next number in 0 to 65534. */
uint32_t anser_bench_next(struct anser_bench_random *random);

/* ids(n) from a seed's start; those not below n_vocab are taken modulo it (a
 * vocabulary of 65,536 leaves them as they are). */
void anser_bench_tokens(uint64_t seed, uint32_t n_vocab, uint32_t *ids,
                        size_t n);

/* The tokens that the state of the inherited benchmark has seen before its
 * quality prompt, since it is never emptied: ids(BENCH_HISTORY). */
void anser_bench_history(uint32_t n_vocab, uint32_t *ids);

/* The hash of ids(n), going on from acc (0 to begin). */
uint64_t anser_bench_fold(uint64_t acc, const uint32_t *ids, size_t n);

#endif
