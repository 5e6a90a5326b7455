#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header compiles alone, as strict C11 and as C++11.
set -u
: "${top_srcdir:?run by make check}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# No -Wshadow: in C++ a function may not share its name with a struct then.
warnings="-Wall -Wextra -Wpedantic -Werror -DCL_TARGET_OPENCL_VERSION=120"
bad=0
# shellcheck disable=SC2086
for header in "$top_srcdir"/include/*.h; do
    printf '#include "%s"\nint main(void) { return 0; }\n' "$header" \
        >"$work/alone.c"
    cp "$work/alone.c" "$work/alone.cpp"
    $CC -std=c11 $warnings -I"$top_srcdir/include" $OPENCL_CFLAGS \
        -fsyntax-only "$work/alone.c" || bad=1
    $CXX -std=c++11 $warnings -I"$top_srcdir/include" $OPENCL_CFLAGS \
        -fsyntax-only "$work/alone.cpp" || bad=1
done
exit $bad
