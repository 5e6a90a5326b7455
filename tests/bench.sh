#!/bin/sh
# SPDX-License-Identifier: MIT
# anser bench and anser perplexity on a device: every format, the log, the
# comparison, the chart, and what they refuse.  Skipped without a device.
set -u
. "$top_srcdir/tests/cli_util.sh"

"$anser" devices >"$work/devices" 2>"$work/err" ||
    { cat "$work/err"; exit 77; }

m=$work/m.gguf
expect 0 'written' "$anser" synth --preset tiny -o "$m"
export ANSER_MODEL="$m"
quick="-r 2 --warm-up 0"

# ------------------------------------------------------------- wrong use
expect 2 "one sequence at a time" "$anser" bench -b 8
expect 2 "is no list" "$anser" bench -p 32,x
expect 2 "numbers from 1 to" "$anser" bench -g 0
expect 2 "no format 'xml'" "$anser" bench -o md,xml
expect 2 "quality takes" "$anser" bench --quality good
expect 2 "title holds a control" "$anser" bench --title "a
b"
expect 2 "change begins or ends" "$anser" bench --change " a"
expect 2 "compare takes two" "$anser" bench --compare one
expect 2 "plot takes one" "$anser" bench --plot out.svg
expect 2 "unexpected" "$anser" bench operand
expect 2 "give a text" "$anser" perplexity
expect 2 "in one run" "$anser" perplexity -f x --kl a --save-logits b

# ------------------------------------------------------------- formats
# shellcheck disable=SC2086
expect 0 '^pp40 ' "$anser" bench $quick -p 40 -g 5 -q compat,text \
    -o "human,json=$work/a.json,jsonl=$work/a.jsonl,csv=$work/a.csv,md"
for pattern in '^bandwidth  read [0-9]*\.' '^tg5  *t/s' '^hash  *[0-9a-f]* (' \
        '^text  *256 positions' '^| \*\*tg5\*\* | \*\*[0-9.]* tok/s\*\* |$' \
        '^| Programs | ' 'means little'; do
    grep -q -e "$pattern" "$work/out" || fail "no '$pattern' from bench"
done
grep -q '"schema": "anser-bench-1"' "$work/a.json" || fail "no schema"
grep -q '"seconds": \[[0-9.e-]*, [0-9.e-]*\]' "$work/a.json" || fail "no runs"
[ "$(wc -l <"$work/a.jsonl")" = 1 ] || fail "JSON lines: not one line"
[ "$(wc -l <"$work/a.csv")" = 4 ] || fail "CSV: not a head and three figures"
# A device's name may have commas, within quotes.
[ "$(sed 's/"[^"]*"/x/g' "$work/a.csv" | awk -F, '{ print NF }' | sort -u)" \
    = 19 ] ||
    fail "CSV: uneven rows"

# ------------------------------------------------------------- compare
expect 0 'no difference shown in 3 figures at 99' \
    "$anser" bench --compare "$work/a.json" "$work/a.jsonl"
# Three documents a side, those of the second faster in tg5.
cat "$work/a.jsonl" "$work/a.jsonl" "$work/a.jsonl" >"$work/slow.json"
sed 's/"tg5": {\(.*\)"median": \([0-9]*\)/"tg5": {\1"median": 9\2/' \
    "$work/slow.json" >"$work/fast.json"
expect 0 '^tg5 .*B is better' \
    "$anser" bench --compare "$work/slow.json" "$work/fast.json"
expect 0 '^pp40 .*no difference' \
    "$anser" bench --compare "$work/slow.json" "$work/fast.json"
echo '{"schema": 1}' >"$work/foreign.json"
expect 1 'no document of schema' "$anser" bench --compare "$work/a.json" \
    "$work/foreign.json"
expect 0 '^tg4 ' "$anser" bench --pairs 2 --compare \
    "'$anser' bench $quick -g 4 -q none -o json 2>/dev/null" \
    "'$anser' bench $quick -g 4 -q none -o json 2>/dev/null"
expect 1 'failed: exit 3' "$anser" bench --compare 'exit 3' 'exit 3'
echo '{' >"$work/bad.json"
expect 1 'bad.json: line' "$anser" bench --compare "$work/bad.json" \
    "$work/a.json"

# ------------------------------------------------------------- the log
for change in one two; do
    # shellcheck disable=SC2086
    expect 0 'hash' "$anser" bench $quick -p 4 --title "T" --change "$change" \
        --output "$work/log.md"
done
[ "$(grep -c '^## T$' "$work/log.md")" = 1 ] || fail "not one section"
[ "$(grep -c '^### 20.* - \(one\|two\)$' "$work/log.md")" = 2 ] ||
    fail "not two blocks"
sed -n '/ - one$/,/^| Quality Hash/p' "$work/log.md" |
    sed -n 's/^| \**\([A-Z][A-Za-z ]*\)\** | .*/\1/p' | tr '\n' ',' >"$work/rows"
printf 'Metric,Model,Version,Layers,Embedding,GPU,%s,Quality Hash,' \
    'Load Time,Prefill,Generation' >"$work/want"
same "$work/want" "$work/rows"
sed 's/^| Quality Hash | .*/| Quality Hash | `1` |/' "$work/log.md" \
    >"$work/other.md"
# shellcheck disable=SC2086
expect 0 'HASH CHANGED' "$anser" bench $quick -p 4 --title T \
    --output "$work/other.md"
grep -q '^| Hash Changed | was `1` on 20' "$work/other.md" ||
    fail "changed hash not in the block"
# shellcheck disable=SC2086
expect 0 'pp4' "$anser" bench $quick -p 4 --output "$work/log.jsonl"

# ------------------------------------------------------------- the chart
for log in log.md log.jsonl a.json; do
    expect 0 'drawn ' "$anser" bench --plot "$work/$log.svg" "$work/$log"
    grep -q '<circle' "$work/$log.svg" || fail "$log: nothing drawn"
    if command -v xmllint >/dev/null; then
        xmllint --noout "$work/$log.svg" || fail "$log: no XML"
    fi
done
[ "$(grep -c '<circle' "$work/log.md.svg")" = 8 ] || fail "not 8 points"
echo text >"$work/empty.md"
expect 1 'no result of a benchmark' "$anser" bench --plot "$work/x.svg" \
    "$work/empty.md"

# ------------------------------------------------------------- perplexity
i=0
while [ $i -lt 40 ]; do
    echo "Word upon word, line $i." && i=$((i + 1))
done >"$work/text"
expect 0 '^loss  *[0-9.]* +- [0-9.]* nats' "$anser" perplexity -f "$work/text" \
    --save-logits "$work/base"
cp "$work/out" "$work/whole"
expect 0 '^divergence  mean 0, max 0 nats; best token equal 100' \
    "$anser" perplexity -f "$work/text" --kl "$work/base"
"$anser" tokenize --ids "$(cat "$work/text")
" >"$work/ids"
expect 0 '^loss' "$anser" perplexity --ids -f "$work/ids"
grep '^loss' "$work/whole" >"$work/loss1"
grep '^loss' "$work/out" >"$work/loss2"
same "$work/loss1" "$work/loss2"
echo other >"$work/text2"
expect 1 'another text' "$anser" perplexity -f "$work/text2" --kl "$work/base"
expect 1 'no logits' "$anser" perplexity -f "$work/text" --kl "$work/text"
expect 1 'is no token id' "$anser" perplexity --ids -f "$work/text"
expect 1 'fewer than two' "$anser" perplexity --ids -f /dev/null

# ------------------------------------------------------------- operations
opbench=$top_builddir/bench/opbench
expect 0 '^wkv7  *item  *2.9b T 1 ' "$opbench" --quick --only wkv7
expect 0 '^time-out  *plain  *0.1b T 1 ' "$opbench" --quick --only time-out
expect 0 '"shift item 2.9b T 1": {"unit": "ms"' "$opbench" --quick --json \
    --only shift
expect 0 '^shift ' "$opbench" --quick --only shift --save "$work/once.json"
expect 0 '^shift item 2.9b T 1  .* 1.0000 ' "$anser" bench --compare \
    "$work/once.json" "$work/once.json"
expect 1 'opbench: ' "$opbench" --quick no-such-device

# Three of the held-out slices, where the fixtures are: the stored losses are
# of 64-bit arithmetic on the dequantised weights.
shared=${ANSER_SHARED:-$top_srcdir/../shared}
slices=$shared/fixtures/tales-heldout.json
if [ -f "$slices" ] && [ -f "$shared/models/tales-q4_k_m.gguf" ]; then
    grep -o '"ids": *\[[^]]*\]' "$slices" | sed 's/.*\[//; s/\]//' >"$work/all"
    grep -o '"tales-q4_k_m": *{[^}]*}' "$slices" |
        sed 's/.*"nll": *\[\([^]]*\)\].*/\1/' | tr -d ' ' | tr ',' '\n' \
        >"$work/losses"
    for i in 1 8 20; do
        sed -n "${i}p" "$work/all" >"$work/ids"
        expect 0 '^tokens  *1024$' "$anser" perplexity --precise --ids \
            -m "$shared/models/tales-q4_k_m.gguf" -f "$work/ids"
        sed -n 's/^loss  *\([0-9.]*\) .*/\1/p' "$work/out" |
            awk -v want="$(sed -n "${i}p" "$work/losses")" '
                { d = $1 - want } END { exit !(NR && d * d < 1e-8) }' ||
            fail "slice $i: $(cat "$work/out")"
    done
fi

exit $bad
