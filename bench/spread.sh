#!/bin/sh
# SPDX-License-Identifier: MIT
# How much the figures of anser bench differ from process to process: runs it so
# many times (one more before, which does not count) and prints of each figure
# the median, the standard deviation and the range in percent of it, and what
# --compare says of the odd runs against the even ones.  From a build directory:
#
#     sh SOURCES/bench/spread.sh RUNS -m MODEL [options of anser bench]
set -eu
runs=${1:?usage: spread.sh RUNS -m MODEL [options of anser bench]}
shift
anser=${ANSER:-$PWD/anser}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

run() { # OPTIONS: a document
    "$anser" bench "$@" -o jsonl
}

run "$@" >/dev/null 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
i=0
while [ "$i" -lt "$runs" ]; do
    run "$@" 2>/dev/null >"$work/document"
    cat "$work/document" >>"$work/$((i % 2)).jsonl"
    # "name": {"unit": ..., "median": 12.3, ...: a line a figure
    sed 's/.*"figures": {//; s/}, "quality".*//' "$work/document" |
        grep -o '"[a-z0-9]*": {"unit"[^}]*' |
        sed 's/"\([a-z0-9]*\)".*"median": \([0-9.e+-]*\).*/\1 \2/' \
            >>"$work/medians"
    i=$((i + 1))
done
printf '%s\n' "| figure | median | deviation | range |" "|---|---|---|---|"
sort -k1,1 -k2,2g "$work/medians" | awk '
    function told() {
        if (n == 0)
            return
        m = n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2
        for (k = 1; k <= n; k++) {
            mean += x[k] / n
            square += x[k] * x[k] / n
        }
        sd = sqrt((square - mean * mean) * n / (n - 1))
        printf "| %s | %.2f | %.2f %% | %.2f %% |\n", name, m, 100 * sd / m,
            100 * (x[n] - x[1]) / m
        n = mean = square = 0
    }
    $1 != name { told(); name = $1 }
    { x[++n] = $2 }
    END { told() }'
echo
"$anser" bench --compare "$work/0.jsonl" "$work/1.jsonl"
