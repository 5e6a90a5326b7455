#!/bin/sh
# SPDX-License-Identifier: MIT
# The library may call nothing newer than OpenCL 1.2: the cl* symbols that it
# leaves undefined are all in tests/cl12.txt.
set -eu
: "${top_srcdir:?run by make check}" "${top_builddir:?run by make check}"
found=0 bad=0
for file in "$top_builddir"/.libs/libanser.so \
            "$top_builddir"/.libs/libanser.dylib \
            "$top_builddir"/.libs/libanser.a; do
    [ -f "$file" ] || continue
    found=1
    case $file in
    *.so) flags="-D -u" ;;
    *) flags="-u" ;;
    esac
    # shellcheck disable=SC2086
    used=$($NM $flags "$file" 2>/dev/null | awk '{ print $NF }' |
           sed 's/^_//; s/@.*//' | grep '^cl[A-Z]' | sort -u || true)
    if [ -z "$used" ]; then
        echo "$file calls no OpenCL at all"
        bad=1
    fi
    for name in $used; do
        if ! grep -qx "$name" "$top_srcdir/tests/cl12.txt"; then
            echo "$file: $name is not in OpenCL 1.2"
            bad=1
        fi
    done
done
[ $found = 1 ] || { echo "no library in $top_builddir/.libs"; exit 1; }
exit $bad
