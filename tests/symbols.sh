#!/bin/sh
# SPDX-License-Identifier: MIT
# Three lists must be one: the functions that the public headers declare,
# src/anser.sym, and what the shared library exports.  The static library
# hides nothing, so every name in it must start with anser_.
set -eu
: "${top_srcdir:?run by make check}" "${top_builddir:?run by make check}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
bad=0

same() { # FILE FILE MESSAGE
    if ! diff "$1" "$2" >"$work/diff"; then
        echo "$3"
        cat "$work/diff"
        bad=1
    fi
}

sort "$top_srcdir/src/anser.sym" >"$work/listed"
same "$top_srcdir/src/anser.sym" "$work/listed" "src/anser.sym is not sorted"

for header in "$top_srcdir"/include/*.h; do
    # shellcheck disable=SC2086
    $CC $OPENCL_CFLAGS -E -I"$top_srcdir/include" "$header"
done | awk '
    BEGIN { RS = ";" }
    !/typedef/ && match($0, /anser_[a-z0-9_]+[ \n]*\(/) {
        name = substr($0, RSTART, RLENGTH)
        sub(/[ \n]*\($/, "", name)
        print name
    }' | sort -u >"$work/declared"
same "$work/declared" "$work/listed" \
    "declared in include/*.h (<) and listed in src/anser.sym (>) differ"

so='' a=''
for file in "$top_builddir"/.libs/libanser.so \
            "$top_builddir"/.libs/libanser.dylib; do
    [ -f "$file" ] && so=$file
done
[ -f "$top_builddir/.libs/libanser.a" ] && a=$top_builddir/.libs/libanser.a
if [ -z "$so$a" ]; then
    echo "no library in $top_builddir/.libs"
    exit 1
fi

# POSIX nm: "name type value size"; Apple's names have an underscore more.
strip=''
flags="-P -D --defined-only"
case $so in *.dylib) strip='s/^_//' flags="-P -gU" ;; esac
if [ -n "$so" ]; then
    # shellcheck disable=SC2086
    $NM $flags "$so" | awk '$2 ~ /[A-TV-Z]/ { print $1 }' |
        sed "$strip" | sort -u >"$work/exported"
    same "$work/listed" "$work/exported" \
        "listed in src/anser.sym (<) and exported by $so (>) differ"
fi
if [ -n "$a" ]; then
    # AddressSanitizer adds names of its own for each global.
    $NM -P -g "$a" | awk 'NF > 1 && $2 ~ /[A-TV-Z]/ { print $1 }' |
        sed "$strip" | grep -v '^__odr_asan\.' | sort -u >"$work/static"
    if grep -v '^anser_' "$work/static"; then
        echo "$a defines names without anser_"
        bad=1
    fi
    [ -s "$work/static" ] || { echo "nm lists nothing in $a"; bad=1; }
fi
[ $bad = 0 ] && echo "symbols: $(wc -l <"$work/listed") public functions"
exit $bad
