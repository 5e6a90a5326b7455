#!/bin/sh
# SPDX-License-Identifier: MIT
# The program on a device: logits, text, prompts from every source, saved
# states, conversation, interruption, lost output.  Skipped without a device.
set -u
: "${top_srcdir:?run by make check}"
# shellcheck source=tests/cli_util.sh
. "$top_srcdir/tests/cli_util.sh"

"$anser" devices >"$work/devices" 2>"$work/err" ||
    { cat "$work/err"; exit 77; }
expect 0 '^0: ' "$anser" devices
grep -q 'tier' "$work/devices" || fail "no tier in anser devices"

m=$work/tiny.gguf
"$anser" synth --preset tiny -o "$m" 2>/dev/null || exit 1
ANSER_MODEL=$m
export ANSER_MODEL

run() { # OUT ARGUMENTS...: anser run; its report stays in $work/err
    out=$1
    shift
    "$anser" run "$@" >"$out" 2>"$work/err" || fail "anser run $*"
}

# ------------------------------------------------------------- devices
expect 1 "nosuchdevice" "$anser" run -d nosuchdevice -p x
expect 1 "anser: " "$anser" run -d 4096 -p x
expect 0 'passed, 0 failed' "$anser" selftest -d 0
expect 0 'head' "$anser" plan -d 0

# ------------------------------------------------------------- logits
prompt=73,102,109,334,33,257,274,5,9,13,17
expect 0 '^ *[0-9]* *[-.0-9]*  "' "$anser" logits --tokens $prompt --top 3
[ "$(wc -l <"$work/out")" -eq 3 ] || fail "not 3 lines"
first=$(awk 'NR == 1 { print $1 }' "$work/out")
expect 0 "^$first,[0-9,]*$" "$anser" logits --tokens $prompt --greedy 6
cp "$work/out" "$work/greedy"
expect 0 'device' "$anser" logits --tokens $prompt -o "$work/a.f32" --precise
[ "$(wc -c <"$work/a.f32")" -eq 2048 ] || fail "not 512 floats"
expect 0 'device' "$anser" logits --tokens $prompt -o "$work/b.f32" --precise
same "$work/a.f32" "$work/b.f32"
expect 0 'device' "$anser" logits --tokens $prompt -o "$work/c.f32" \
    --precise --chunk 3
od -An -v -tf4 "$work/a.f32" | tr -s ' ' '\n' | grep . >"$work/a.txt"
od -An -v -tf4 "$work/c.f32" | tr -s ' ' '\n' | grep . >"$work/c.txt"
paste "$work/a.txt" "$work/c.txt" |
    awk '{ d = $1 - $2; if (d < -1e-4 || d > 1e-4) exit 1 }' ||
    fail "chunks of 3 give other logits"
expect 1 "512" "$anser" logits --tokens 1,512
expect 1 "nowhere" "$anser" logits --tokens 1 -o "$work/nowhere/x"

# ------------------------------------------------------------- text
text='Hello bado'
run "$work/1" -p "$text" -n 12 --seed 5
for word in device load prompt text seed; do
    grep -q "^$word " "$work/err" || fail "no $word in the report"
done
grep -q '^text *12 tokens' "$work/err" || fail "not 12 tokens"
run "$work/2" -p "$text" -n 12 --seed 5
same "$work/1" "$work/2"
run "$work/2" -p "$text" -n 12 --seed 6
cmp -s "$work/1" "$work/2" && fail "another seed, the same text"
printf %s "$text" >"$work/prompt"
run "$work/2" -f "$work/prompt" -n 12 --seed 5
same "$work/1" "$work/2"
run "$work/2" -n 12 --seed 5 - <"$work/prompt"
same "$work/1" "$work/2"
run "$work/2" -p "$text" -n 12 --seed 5 --echo
cat "$work/prompt" "$work/1" >"$work/3"
same "$work/2" "$work/3"
run "$work/2" -p "$text" -n 0
[ ! -s "$work/2" ] || fail "-n 0 prints text"

run "$work/1" -p "$text" -n 6 --greedy
"$anser" logits --text "$text" --greedy 6 >"$work/ids" 2>/dev/null
"$anser" tokenize --decode "$(cat "$work/ids")" >"$work/2"
same "$work/1" "$work/2"

# An empty prompt is token 0; bytes that are no UTF-8 pass.
run "$work/1" -p '' -n 6 --greedy
grep -q '^prompt *1 tokens' "$work/err" || fail "an empty prompt"
"$anser" logits --tokens 0 --greedy 6 >"$work/ids" 2>/dev/null
"$anser" tokenize --decode "$(cat "$work/ids")" >"$work/2"
same "$work/1" "$work/2"
printf '\377\376\303' >"$work/bytes"
run "$work/1" -f "$work/bytes" -n 2 --greedy
grep -q '^prompt *3 tokens' "$work/err" || fail "bytes of a prompt"

# ------------------------------------------------------------- stop texts
run "$work/1" -p "$text" -n 40 --seed 5
stop=$(grep -ao '[a-z][a-z]' "$work/1" | sed -n 3p)
[ -n "$stop" ] || fail "no letters in the text"
run "$work/2" -p "$text" -n 40 --seed 5 --stop zzzzzz --stop "$stop"
LC_ALL=C awk -v RS='\001' -v stop="$stop" \
    '{ printf "%s", substr($0, 1, index($0, stop) - 1) }' "$work/1" >"$work/3"
grep -aq "$stop" "$work/2" && fail "the stop text is printed"
same "$work/2" "$work/3"

# ------------------------------------------------------------- states
run "$work/all" -p "$text" -n 14 --greedy
run "$work/1" -p "$text" -n 6 --greedy --state-save "$work/state"
run "$work/2" -n 8 --greedy --state-load "$work/state"
cat "$work/1" "$work/2" >"$work/both"
same "$work/all" "$work/both"
"$anser" synth --preset tiny --seed 9 -o "$work/other.gguf" 2>/dev/null
expect 1 "state" "$anser" run -m "$work/other.gguf" -n 1 \
    --state-load "$work/state"
head -c 1000 "$work/state" >"$work/cut"
expect 1 "cut" "$anser" run -n 1 --state-load "$work/cut"
expect 1 "nowhere" "$anser" run -n 1 --state-save "$work/nowhere/x"

# ------------------------------------------------------------- conversation
printf 'hello there\n\n  \nand more' >"$work/turns"
"$anser" run --chat -n 8 --seed 1 --state-save "$work/talk" \
    <"$work/turns" >"$work/1" 2>"$work/err" || fail "chat"
[ "$(wc -c <"$work/1")" -gt 4 ] || fail "no answers"
grep -q '> ' "$work/err" && fail "a prompt without a terminal"
# Each turn feeds its round and no more.
rounds='User: hello there

Assistant:

User: and more

Assistant:

'
fed=$(sed -n 's/^prompt *\([0-9]*\) tokens.*/\1/p' "$work/err")
[ "$fed" -le ${#rounds} ] || fail "chat fed $fed tokens"
"$anser" run --chat -n 8 --seed 1 <"$work/turns" >"$work/2" 2>/dev/null
same "$work/1" "$work/2"
echo again | "$anser" run --chat -n 4 --state-load "$work/talk" \
    >"$work/2" 2>/dev/null || fail "chat goes on"
for think in none full fake; do
    echo hi | "$anser" run --chat -n 4 --think $think --system 'Be  brief.' \
        >"$work/1" 2>/dev/null || fail "chat --think $think"
done

# ------------------------------------------------------------- interruption
"$anser" run -p "$text" -n -1 --seed 1 --ignore-eos >"$work/endless" \
    2>"$work/2" &
pid=$!
tries=0
while [ ! -s "$work/endless" ] && [ $tries -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT $pid
code=0
wait $pid || code=$?
[ $code = 0 ] || fail "exit $code after Ctrl-C"
grep -q '^text *[0-9]* tokens' "$work/2" || fail "no report after Ctrl-C"

# ------------------------------------------------------------- lost output
if [ -w /dev/full ]; then
    code=0
    "$anser" run -p "$text" -n 9 >/dev/full 2>"$work/err" || code=$?
    [ $code = 1 ] || fail "exit $code on a full disk"
    one_line
fi
{
    code=0
    "$anser" run -p "$text" -n -1 --ignore-eos 2>"$work/err" || code=$?
    echo $code >"$work/code"
} | head -c 1 >"$work/1"
[ "$(cat "$work/code")" = 1 ] || fail "exit $(cat "$work/code") of a closed pipe"
one_line

exit $bad
