#!/bin/sh
# SPDX-License-Identifier: MIT
# A second start builds nothing from source, says the same, and on PoCL with
# its own cache off reaches the first token at least 5 times sooner than the
# first.  Skipped without a device.
set -u
: "${top_srcdir:?run by make check}"
# shellcheck source=tests/cli_util.sh
. "$top_srcdir/tests/cli_util.sh"
least=5
POCL_KERNEL_CACHE=0 ANSER_CACHE_DIR=$work/cache
export POCL_KERNEL_CACHE ANSER_CACHE_DIR
unset ANSER_CACHE ANSER_VARIANT ANSER_TUNING
"$anser" devices >"$work/devices" 2>"$work/err" ||
    { cat "$work/err"; exit 77; }

m=$work/tiny.gguf
"$anser" synth --preset tiny -o "$m" 2>/dev/null || exit 1

run() { # NAME: text to NAME, the report to NAME.err
    "$anser" run -m "$m" -p ab -n 8 --greedy -v >"$work/$1" 2>"$work/$1.err" ||
        fail "run $1"
}

first() { # NAME: seconds to the first token
    awk '$1 == "load" { s += $2 } $1 == "prompt" { s += $5 }
         END { printf "%.2f", s }' "$work/$1.err"
}

built() { # NAME: programs built from source
    sed -n 's/^anser: programs: \([0-9]*\) built from source.*/\1/p' \
        "$work/$1.err"
}

run cold
run warm
run warmer
grep -q '^anser: no cache' "$work/cold.err" && { echo "no cache"; exit 77; }
[ "$(built cold)" -gt 5 ] || fail "cold: '$(built cold)' from source"
[ "$(built warm)" = 0 ] || fail "warm: '$(built warm)' from source"
same "$work/cold" "$work/warm"
same "$work/cold" "$work/warmer"
awk -v cold="$(first cold)" -v a="$(first warm)" -v b="$(first warmer)" \
    -v least=$least 'BEGIN {
        warm = a < b ? a : b
        if (warm < 0.01)
            warm = 0.01
        printf "first token: cold %s s, warm %s s: %.1f times sooner\n",
               cold, warm, cold / warm
        exit !(cold / warm >= least) }'
sooner=$?
if grep -q 'Portable Computing Language' "$work/cold.err"; then
    [ $sooner = 0 ] || fail "less than $least times sooner"
fi
expect 0 ' 0 damaged' "$anser" cache verify
expect 0 'matvec.cl' "$anser" cache
expect 2 'list, verify or clear' "$anser" cache empty
expect 0 'entries removed' "$anser" cache clear
expect 0 '^0 entries' "$anser" cache list
exit $bad
