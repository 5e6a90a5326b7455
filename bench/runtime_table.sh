#!/bin/sh
# SPDX-License-Identifier: MIT
# What each mechanism of the runtime is worth: the same run with one of them
# switched off at a time, in turns (a b c a b c ...), medians as a table in
# Markdown.  From a build directory:
#
#     sh SOURCES/bench/runtime_table.sh MODEL [TURNS [SLOW [PREFILL [GENERATE]]]]
#
# The rows that have to compile (ANSER_CACHE=0, or the drivers' own caches off)
# take part in the first SLOW turns only.  All caches, those of PoCL and of
# NVIDIA's driver too, are in a directory of their own that is empty at the
# start: the first run is the row "cold".  ANSER_BENCH_DEVICE chooses the device.
set -eu
model=${1:?usage: runtime_table.sh MODEL [TURNS [SLOW [PREFILL [GENERATE]]]]}
turns=${2:-5} slow=${3:-2} prefill=${4:-256} generate=${5:-64}
once=${ONCE:-$PWD/bench/once}
[ -x "$once" ] || { echo "no bench/once here: make bench/once" >&2; exit 2; }
unset ANSER_POOL_ENTRIES ANSER_CACHE ANSER_VARIANT ANSER_TUNING ANSER_WAIT
unset CUDA_CACHE_DISABLE POCL_KERNEL_CACHE
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pocl" "$work/cuda"
LC_ALL=C ANSER_CACHE_DIR=$work/cache
POCL_CACHE_DIR=$work/pocl CUDA_CACHE_PATH=$work/cuda
export LC_ALL ANSER_CACHE_DIR POCL_CACHE_DIR CUDA_CACHE_PATH

# NAME and the environment that makes it; + marks one that compiles.
cat >"$work/rows" <<'END'
all-on
+driver-cache-off CUDA_CACHE_DISABLE=1 POCL_KERNEL_CACHE=0
+cache-off ANSER_CACHE=0
+both-off ANSER_CACHE=0 CUDA_CACHE_DISABLE=1 POCL_KERNEL_CACHE=0
pool-off ANSER_POOL_ENTRIES=0
selection-off ANSER_VARIANT=plain ANSER_TUNING=0
wait-block ANSER_WAIT=block
wait-poll ANSER_WAIT=poll
wait-thread ANSER_WAIT=thread
END

run() { # NAME ENVIRONMENT...: a line to the row's file
    name=$1
    shift
    env "$@" "$once" "$model" "$prefill" "$generate" >>"$work/$name.txt"
    echo "$name $(tail -n 1 "$work/$name.txt")" >&2
}

# Cold once (it fills the caches), and what selection-off needs, too.
run cold
run warm ANSER_VARIANT=plain ANSER_TUNING=0
turn=0
while [ $turn -lt "$turns" ]; do
    while read -r row; do
        case $row in
        +*) [ $turn -lt "$slow" ] || continue ;;
        esac
        # shellcheck disable=SC2086
        run ${row#+}
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
                printf "%.0f (%.0f)", m, c <= 2 ? v[1] : v[NR]
            else
                printf "%g", m
        }'
}

echo "$turns turns, $slow of what compiles; $prefill tokens of prefill," \
    "$generate generated; median (best)"
echo
echo "| | load ms | first token ms | prefill tokens/s | generation tokens/s | programs from source | from the cache |"
echo "|---|---|---|---|---|---|---|"
{ echo cold; cat "$work/rows"; } | while read -r name rest; do
    name=${name#+}
    printf '| %s%s' "$name" "${rest:+ (\`$rest\`)}"
    for column in 1 2 3 4 5 6; do
        printf ' | %s' "$(figure "$work/$name.txt" $column)"
    done
    echo ' |'
done
