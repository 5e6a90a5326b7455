/* SPDX-License-Identifier: MIT */
/* Drawing [V7:sample], continued: the cuts and the draw; cl/sample.cl tells
 * how the kernels work together. */

/* ----------------------------------------------------------------- keep */

/* The cut in global memory: its bin + 1, or 0 if nothing is cut; what is open
 * must reach these, 0 if it need not; and how much is open. */
#define CUT_BIN 0
#define CUT_BY_SUM 1
#define CUT_BY_NUMBER 2
#define CUT_OPEN 3

static inline void add_parts(__global const ulong *sums,
                             __global const uint *numbers,
                             SHARED struct bins *weights,
                             SHARED struct bins *number)
{
    for (uint i = LANE; i < BINS; i += WG) {
        ulong w = 0;
        uint n = 0;
        for (uint part = 0; part < PARTS; part++) {
            w += sums[part * BINS + i];
            n += numbers[part * BINS + i];
        }
        weights->lo[i] = (uint)w;
        weights->hi[i] = (uint)(w >> 32);
        number->lo[i] = n;
        number->hi[i] = 0;
    }
    MEET;
}

/* The stricter one of both cuts, in the same bin both. */
static inline void find_cut(const struct sample_args a,
                            SHARED const struct bins *weights,
                            SHARED const struct bins *number,
                            SHARED ulong *scratch, SHARED struct place *p,
                            ulong *cut)
{
    const ulong total = bins_total(weights, scratch);
    const ulong most = bins_total(number, scratch);
    ulong need = (total >> 24) * a.top_p + ((total & 0xffffff) * a.top_p >> 24);
    const bool by_sum = total > 0 && a.top_p < SH_ONE_P;
    const bool by_number = a.top_k > 0 && most > a.top_k;
    need = max(need, (ulong)1);
    find(weights, by_sum ? need : 0, true, scratch, &p[0]);
    find(number, by_number ? a.top_k : 0, true, scratch, &p[1]);
    const uint sum_bin = by_sum ? p[0].bin + 1 : 0;
    const uint number_bin = by_number ? p[1].bin + 1 : 0;
    const uint bin = max(sum_bin, number_bin);
    cut[CUT_BIN] = bin;
    cut[CUT_BY_SUM] = bin > 0 && bin == sum_bin ? need - p[0].before : 0;
    cut[CUT_BY_NUMBER] = bin > 0 && bin == number_bin
                         ? a.top_k - p[1].before : 0;
    cut[CUT_OPEN] = bin > 0 ? number->lo[bin - 1] : 0;
}

/* One id with its weights: at temperature 1, and cooled. */
static inline ulong2 weigh(const struct sample_args a, float largest, float x,
                           float count)
{
    const float d = largest - penalised(a, x, count);
    const ulong w = anser_weight(d);
    return (ulong2)(w, a.cooling == 1.0f ? w : anser_weight(d * a.cooling));
}

__kernel GROUP_OF_WG
void sample_keep(const struct sample_args a, __global const float *logits,
                 __global const float *count, __global const float *best,
                 __global const ulong *sums, __global const uint *numbers,
                 __global ulong *cut_out, __global ulong *parts_sum,
                 __global uint *parts_n, __global ulong2 *kept,
                 __global uint *kept_id, __global ulong2 *open,
                 __global uint *open_id)
{
    SHARED struct bins weights, number;
    SHARED ulong scratch[WG];
    SHARED struct place places[2];
    const uint part = GROUP, lane = LANE;
    const uint run = run_of(a.n), end = min((part + 1) * run, a.n);
    const uint each = (run + WG - 1) / WG;
    const uint from = part * run + lane * each, to = min(from + each, end);
    const float largest = largest_of(best);
    ulong cut[4], before = 0, mine = 0, sure = 0, all;
    add_parts(sums, numbers, &weights, &number);
    find_cut(a, &weights, &number, scratch, places, cut);
    for (uint i = from; i < to; i++) {
        const ulong2 w = weigh(a, largest, logits[i], count[i]);
        const uint bin = bin_of(w.x) + 1;
        if (w.x > 0 && bin >= cut[CUT_BIN])
            mine += (ulong)1 << 32;
        if (w.x > 0 && bin == cut[CUT_BIN])
            mine++;
        if (w.x > 0 && bin > cut[CUT_BIN])
            sure += w.y;
    }
    const ulong offsets = sum_before(mine, scratch, &all);
    ulong total;
    sum_before(sure, scratch, &total);
    for (uint i = 0; i < part && cut[CUT_BIN] > 0; i++)
        before += numbers[i * BINS + cut[CUT_BIN] - 1];
    uint at = part * run + (uint)(offsets >> 32);
    uint open_at = (uint)before + (uint)offsets;
    for (uint i = from; i < to && mine > 0; i++) {
        const ulong2 w = weigh(a, largest, logits[i], count[i]);
        const uint bin = bin_of(w.x) + 1;
        if (w.x > 0 && bin >= cut[CUT_BIN]) {
            kept[at] = w;
            kept_id[at++] = i;
        }
        if (w.x > 0 && bin == cut[CUT_BIN]) {
            open[open_at] = w;
            open_id[open_at++] = i;
        }
    }
    if (lane == 0) {
        parts_sum[part] = total;
        parts_n[part] = (uint)(all >> 32);
    }
    if (lane == 0 && part == 0)
        for (uint i = 0; i < 4; i++)
            cut_out[i] = cut[i];
}

/* ----------------------------------------------------------------- pick */

/* The largest weight c for which those >= c among open(n) reach `need`, by
 * digits of 8 bits; what they reach without c itself goes to *above.  0 if
 * need is.  (No barrier is under a condition: PoCL copies code for each.) */
static inline ulong cutoff(__global const ulong2 *open, uint n, ulong need,
                           bool by_number, SHARED struct bins *digits,
                           SHARED ulong *scratch, SHARED struct place *p,
                           ulong *above)
{
    ulong c = 0, sum = 0;
    for (int shift = need > 0 ? 32 : -8; shift >= 0; shift -= 8) {
        clear(digits);
        for (uint i = LANE; i < n; i += WG) {
            const ulong w = open[i].x;
            if (w >> shift >> 8 == c >> shift >> 8)
                add(digits, (uint)(w >> shift) & 255, by_number ? 1 : w);
        }
        MEET;
        find(digits, need - sum, true, scratch, p);
        c |= (ulong)p->bin << shift;
        sum += p->before;
    }
    *above = sum;
    return c;
}

/* The id of the last of the first `ties` weights equal to c. */
static inline uint last_tie(__global const ulong2 *open,
                            __global const uint *open_id, uint n, ulong c,
                            ulong ties, SHARED ulong *scratch,
                            SHARED uint *last)
{
    const uint each = (n + WG - 1) / WG, from = LANE * each;
    const uint to = min(from + each, n);
    ulong own = 0, total;
    for (uint i = from; i < to; i++)
        own += open[i].x == c;
    ulong before = sum_before(own, scratch, &total);
    for (uint i = from; i < to && before < ties; i++) {
        before += open[i].x == c;
        if (open[i].x == c && before == ties)
            *last = open_id[i];
    }
    MEET;
    return *last;
}

/* What the cuts leave: weights over c[1], and those equal to it up to an id;
 * none below c[0]. */
struct survivors {
    ulong by_sum, by_number;
    uint last;
};

static inline bool stays(const struct survivors s, ulong w, uint id)
{
    return w >= s.by_sum
           && (w > s.by_number || (w == s.by_number && id <= s.last));
}

static inline struct survivors cut_open(__global const ulong *cut,
                                        __global const ulong2 *open,
                                        __global const uint *open_id,
                                        SHARED struct bins *digits,
                                        SHARED ulong *scratch,
                                        SHARED struct place *p,
                                        SHARED uint *last)
{
    struct survivors s;
    const uint n = (uint)cut[CUT_OPEN];
    const ulong need = cut[CUT_BY_NUMBER];
    ulong above;
    s.by_sum = cutoff(open, n, cut[CUT_BY_SUM], false, digits, scratch, p,
                      &above);
    s.by_number = cutoff(open, n, need, true, digits, scratch, p, &above);
    s.last = last_tie(open, open_id, n, s.by_number, need - above, scratch,
                      last);
    return s;
}

/* floor(total u / 2^32), below total. */
static inline ulong target_of(const struct sample_args a, ulong total)
{
    const ulong u = anser_philox_at(a.seed_lo, a.seed_hi, a.position_lo,
                                    a.position_hi);
    return (total >> 32) * u + ((total & 0xffffffff) * u >> 32);
}

/* The first of the survivors of kept(n) whose running sum exceeds target. */
static inline void walk(__global const ulong2 *kept,
                        __global const uint *kept_id, uint n,
                        const struct survivors s, ulong target,
                        SHARED ulong *scratch, __global uint *id)
{
    const uint each = (n + WG - 1) / WG, from = LANE * each;
    const uint to = min(from + each, n);
    ulong own = 0, total;
    for (uint i = from; i < to; i++)
        own += stays(s, kept[i].x, kept_id[i]) ? kept[i].y : 0;
    ulong sum = sum_before(own, scratch, &total);
    if (target < sum || target >= sum + own)
        return;
    for (uint i = from; i < to; i++) {
        sum += stays(s, kept[i].x, kept_id[i]) ? kept[i].y : 0;
        if (sum > target) {
            *id = kept_id[i];
            return;
        }
    }
}

__kernel GROUP_OF_WG
void sample_pick(const struct sample_args a, __global const ulong *cut,
                 __global const ulong *parts_sum, __global const uint *parts_n,
                 __global const ulong2 *kept, __global const uint *kept_id,
                 __global const ulong2 *open, __global const uint *open_id,
                 __global uint *id)
{
    SHARED struct bins bins;
    SHARED ulong scratch[WG];
    SHARED struct place place;
    SHARED uint last;
    const uint lane = LANE, run = run_of(a.n);
    const uint n = (uint)cut[CUT_OPEN];
    if (lane == 0) {
        last = UINT_MAX;
        place.bin = place.before = 0;
    }
    MEET;
    const struct survivors s = cut_open(cut, open, open_id, &bins, scratch,
                                        &place, &last);
    clear(&bins);
    for (uint i = lane; i < PARTS; i += WG)
        add(&bins, i, parts_sum[i]);
    for (uint i = lane; i < n; i += WG)
        if (stays(s, open[i].x, open_id[i]))
            add(&bins, open_id[i] / run, open[i].y);
    MEET;
    const ulong total = bins_total(&bins, scratch);
    const ulong target = target_of(a, total);
    find(&bins, target + 1, false, scratch, &place);
    if (lane == 0 && total == 0)
        *id = a.n;
    walk(kept + place.bin * run, kept_id + place.bin * run,
         parts_n[place.bin], s, target - place.before, scratch, id);
}
