#!/bin/sh
# SPDX-License-Identifier: MIT
# What each mechanism of the runtime is worth: the same run with one of them
# switched off at a time, in turns (a b c a b c ...), medians as a table in
# Markdown.  From a build directory:
#
#     sh SOURCES/bench/runtime_table.sh MODEL [SECONDS [PREFILL [GENERATE]]]
#
# SECONDS (90 if left out) ends the turns, of which there are at least 3 and at
# most 15; the row without a cache, which compiles everything, takes part in the
# first 3 only.  Caches of the drivers themselves are off, those of the user stay as
# they are.  ANSER_BENCH_DEVICE chooses the device.
set -eu
model=${1:?usage: runtime_table.sh MODEL [SECONDS [PREFILL [GENERATE]]]}
seconds=${2:-90} prefill=${3:-256} generate=${4:-64}
once=$PWD/bench/once
[ -x "$once" ] || { echo "no bench/once here: make bench/once" >&2; exit 2; }
LC_ALL=C POCL_KERNEL_CACHE=0 CUDA_CACHE_DISABLE=1
export LC_ALL POCL_KERNEL_CACHE CUDA_CACHE_DISABLE
unset ANSER_POOL_ENTRIES ANSER_CACHE ANSER_VARIANT ANSER_TUNING ANSER_WAIT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ANSER_CACHE_DIR=$work/cache
export ANSER_CACHE_DIR

# NAME and the environment that makes it.
cat >"$work/rows" <<'END'
all-on
pool-off ANSER_POOL_ENTRIES=0
cache-off ANSER_CACHE=0
selection-off ANSER_VARIANT=plain ANSER_TUNING=0
wait-block ANSER_WAIT=block
wait-poll ANSER_WAIT=poll
wait-thread ANSER_WAIT=thread
END

run() { # NAME ENVIRONMENT...: a line to the row's file
    name=$1
    shift
    env "$@" "$once" "$model" "$prefill" "$generate" >>"$work/$name.txt"
}

# Cold once (it fills the cache), and what selection-off needs, too.
run cold
run warm ANSER_VARIANT=plain ANSER_TUNING=0
start=$(date +%s)
turn=0
while [ $turn -lt 15 ]; do
    if [ $turn -ge 3 ] && [ $(($(date +%s) - start)) -ge "$seconds" ]; then
        break
    fi
    while read -r row; do
        [ $turn -ge 3 ] && [ "${row%% *}" = cache-off ] && continue
        # shellcheck disable=SC2086
        run $row
    done <"$work/rows"
    turn=$((turn + 1))
done

# The median and, in brackets, the best: the least of the two times, the most
# of the two speeds.
figure() { # FILE COLUMN
    awk -v c="$2" '{ print $c }' "$1" | sort -n | awk -v c="$2" '
        { v[NR] = $1 }
        END {
            m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
            if (c <= 4)
                printf "%g (%g)", m, c <= 2 ? v[1] : v[NR]
            else
                printf "%g", m
        }'
}

echo "$turn turns; $prefill tokens of prefill, $generate generated; median" \
    "(best)"
echo
echo "| | load ms | first token ms | prefill tokens/s | generation tokens/s | programs from source | from the cache |"
echo "|---|---|---|---|---|---|---|"
{ echo cold; cat "$work/rows"; } | while read -r name rest; do
    printf '| %s%s' "$name" "${rest:+ (\`$rest\`)}"
    for column in 1 2 3 4 5 6; do
        printf ' | %s' "$(figure "$work/$name.txt" $column)"
    done
    echo ' |'
done
