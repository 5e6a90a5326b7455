#!/bin/sh
# SPDX-License-Identifier: MIT
# The program without a device: exit codes and messages of every command, wrong
# use, files that are missing, damaged or foreign, and lost output.
set -u
: "${top_srcdir:?run by make check}"
# shellcheck source=tests/cli_util.sh
. "$top_srcdir/tests/cli_util.sh"

m=$work/tiny.gguf
expect 0 'written' "$anser" synth --preset tiny -o "$m"

# ------------------------------------------------------------- the program
expect 0 '^anser [0-9]*\.[0-9]*\.[0-9]*$' "$anser" --version
expect 0 '^usage: anser COMMAND' "$anser" --help
expect 2 '^usage: anser COMMAND' "$anser"
[ -s "$work/out" ] && fail "usage of a wrong call goes to standard output"
expect 2 "unknown command 'ran'" "$anser" ran
expect 2 "unknown option '--ran'" "$anser" --ran

"$anser" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' >"$work/commands"
for command in run logits tokenize info devices plan selftest synth tune \
    cache quantize; do
    grep -qx "$command" "$work/commands" || fail "$command is not listed"
done
while read -r command; do
    expect 0 "^usage: anser $command" "$anser" "$command" --help
    expect 2 "anser $command: unknown option '--bogus'" \
        "$anser" "$command" --bogus
    one_line
    expect 2 "see anser $command --help" "$anser" "$command" a b c
    awk 'length > 80 { exit 1 }' "$work/out" || fail "$command: a wide line"
done <"$work/commands"

# ------------------------------------------------------------- wrong use
expect 2 "needs a value" "$anser" run -n
expect 2 "takes no value" "$anser" run --greedy=1
expect 2 "from -1 to" "$anser" run -n -2
expect 2 "not '12x'" "$anser" run -n 12x
expect 2 "from 0 to 1, not '1.5'" "$anser" run --top-p 1.5
expect 2 "not 'nan'" "$anser" run --temp nan
expect 2 "not '-1'" "$anser" run --seed -1
expect 2 "not '99999999999999999999'" "$anser" run -s 99999999999999999999
expect 2 "only one of -p, -f and -" "$anser" run -p a -f b
expect 2 "only one of -p, -f and -" "$anser" run -p a -
expect 2 "unexpected 'text'" "$anser" run text
expect 2 "stop takes 1 to" "$anser" run --stop ""
expect 2 "go with --chat" "$anser" run --system a
expect 2 "none, full or fake" "$anser" run --chat --think hard
expect 2 "does not go with" "$anser" run --chat --stop x
expect 2 "give --tokens IDS or --text" "$anser" logits
expect 2 "give --tokens IDS or --text" "$anser" logits --tokens 1 --text a
# shellcheck disable=SC2258
for ids in '' 1, ,1 1,,2 a 1,a -1 4294967296 '1;2'; do
    expect 2 "is no list of token ids" "$anser" logits --tokens "$ids"
done
expect 2 "text is empty" "$anser" logits --text ""
expect 2 "which file" "$anser" info
expect 2 "which --preset" "$anser" synth
expect 2 "known: tiny .* 7.2b" "$anser" synth --preset 3b
expect 2 "known: q4_k_m .* f16" "$anser" synth --preset tiny --type q1
expect 2 "known: .*lerp-2d" "$anser" synth --preset tiny --variant no
expect 2 "give one TEXT" "$anser" tokenize -m "$m"
expect 2 "give one TEXT" "$anser" tokenize -m "$m" --decode 1 text
expect 2 "is no list" "$anser" tokenize -m "$m" --decode x

# ------------------------------------------------------------- files
expect 1 "nothing.gguf: .*No such file" "$anser" info "$work/nothing.gguf"
expect 1 "nothing.gguf: .*No such file" env ANSER_MODEL="$work/nothing.gguf" \
    "$anser" tokenize text
expect 1 "$work" "$anser" info "$work"
expect 1 "cli.sh: .*no GGUF" "$anser" info "$top_srcdir/tests/cli.sh"
: >"$work/empty"
expect 1 "empty: " "$anser" info "$work/empty"
size=$(wc -c <"$m")
for part in 20 2000 20000 $((size - 1)); do
    head -c "$part" "$m" >"$work/cut.gguf"
    expect 1 "cut.gguf: " "$anser" info "$work/cut.gguf"
    one_line
done
# general.architecture is the first key: its text begins at byte 64.
cp "$m" "$work/foreign.gguf"
printf llama | dd of="$work/foreign.gguf" bs=1 seek=64 conv=notrunc 2>/dev/null
expect 1 "llama" "$anser" info "$work/foreign.gguf"
one_line

# ------------------------------------------------------------- info
expect 0 '^layers  *4$' "$anser" info "$m"
expect 0 '^embedding  *256$' "$anser" info "$m"
expect 0 '^time mix  *Q4_K  *16 tensors' "$anser" info "$m"
expect 0 '^output  *Q6_K  *1 tensors' "$anser" info "$m"
expect 0 'blk.3.channel_mix_value.weight *Q4_K *1024x256 *147456$' \
    "$anser" info "$m" --tensors
[ "$(grep -c 'blk\.' "$work/out")" = 112 ] || fail "not 28 tensors a layer"
expect 0 'rwkv7.wkv.head_size *64' "$anser" info --keys "$m"

# ------------------------------------------------------------- tokens
expect 0 '^73,102,109,334$' "$anser" tokenize -m "$m" --ids Hello
expect 0 '^    73  "H"$' "$anser" tokenize -m "$m" Hello
expect 0 '^    11  "\\n"$' "$anser" tokenize -m "$m" "
"
expect 1 "token 512 is not below 512" "$anser" tokenize -m "$m" --decode 512
printf '\377\000\n\303\244 do' >"$work/bytes"
"$anser" tokenize -m "$m" --ids - <"$work/bytes" >"$work/ids" ||
    fail "tokenize of bytes"
"$anser" tokenize -m "$m" --decode "$(cat "$work/ids")" >"$work/back" ||
    fail "decode of bytes"
same "$work/bytes" "$work/back"

# ------------------------------------------------------------- synth
expect 0 '^no-layer0-v$' "$anser" synth --list-variants
cp "$work/out" "$work/variants"
while read -r variant; do
    expect 0 "written" "$anser" synth --preset tiny --variant "$variant" \
        -o "$work/variant.gguf"
    expect 0 '^layers  *4$' "$anser" info "$work/variant.gguf"
done <"$work/variants"
"$anser" synth --preset tiny --seed 1 -o "$work/1.gguf" 2>/dev/null
"$anser" synth --preset tiny -s1 --output="$work/2.gguf" 2>/dev/null
same "$work/1.gguf" "$work/2.gguf"
cmp -s "$m" "$work/1.gguf" && fail "another seed, the same file"
expect 1 "nowhere/x: " "$anser" synth --preset tiny -o "$work/nowhere/x"
(cd "$work" && "$anser" synth --preset tiny --type f16 2>/dev/null)
[ -f "$work/synth-tiny-f16.gguf" ] || fail "no synth-tiny-f16.gguf"

# ------------------------------------------------------------- quantize
f16=$work/synth-tiny-f16.gguf q=$work/q.gguf
expect 0 "written" "$anser" quantize "$f16" "$q" --threads 2 \
    --tensor 'token_embd*=q6_k' --tensor='*.weight=Q8_0'
expect 0 '^embedding  *Q6_K  *1 ' "$anser" info "$q"
grep -q '^output  *Q8_0 ' "$work/out" || fail "the second --tensor is lost"
expect 0 "harm" "$anser" quantize "$f16" "$q" -t q2_k
expect 0 "quantised already" "$anser" quantize "$q" "$work/again.gguf"
expect 2 "expected the files IN and OUT" "$anser" quantize "$f16"
expect 2 "known: q4_k_m .* f16" "$anser" quantize "$f16" "$q" -t q7
expect 2 "matches no matrix" "$anser" quantize "$f16" "$q" --tensor 'x=q6_k'
one_line
expect 2 "is the input" "$anser" quantize "$f16" "$f16"
expect 1 "nowhere/q: " "$anser" quantize "$f16" "$work/nowhere/q"
one_line

# ------------------------------------------------------------- lost output
if [ -w /dev/full ]; then
    for what in --help "info $m" "tokenize -m $m --decode 5" "run --help"; do
        code=0
        # shellcheck disable=SC2086
        "$anser" $what >/dev/full 2>"$work/err" || code=$?
        [ "$code" = 1 ] || fail "exit $code of anser $what >/dev/full"
        one_line
    done
fi
code=0
"$anser" --version >&- 2>"$work/err" || code=$?
[ "$code" = 1 ] || fail "exit $code with standard output closed"
grep -q 'standard output is closed' "$work/err" || fail "closed output untold"

exit $bad
