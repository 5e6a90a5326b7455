#!/bin/sh
# SPDX-License-Identifier: MIT
# Every kernel as OpenCL C 1.2, warnings as errors, with no device.  A line of
# cl/LINT is a program as rt/program.c joins it: a file and its -D options;
# what stands before the file is in the line `prefix FILE...`.
set -u
: "${top_srcdir:?run by make check}"
cd "$top_srcdir/cl" || exit 1
if [ -z "$CL_LINT" ]; then
    echo "SKIP: configure found no clang that knows OpenCL C"
    exit 77
fi
prefix='' runs=0 bad=0

lint() { # FILE OPTION...
    runs=$((runs + 1))
    # shellcheck disable=SC2086
    "$CL_LINT" -x cl -cl-std=CL1.2 -Xclang -finclude-default-header \
        -fsyntax-only -Wall -Wextra -Werror -I. $prefix "$@" && return
    echo "in: $*"
    bad=$((bad + 1))
}

# shellcheck disable=SC2086
while read -r first rest; do
    case $first in
    '' | '#'*) ;;
    prefix) for file in $rest; do prefix="$prefix -include $file"; done ;;
    *) lint "$first" $rest ;;
    esac
done <LINT

for file in *.cl; do
    case " $prefix " in *" $file "*) continue ;; esac
    if ! grep -q "^$file\( \|\$\)" LINT; then
        echo "cl/$file has no line in cl/LINT"
        bad=$((bad + 1))
    fi
done
if [ $runs = 0 ]; then
    echo "cl/LINT names no program"
    exit 1
fi
echo "lint_cl: $runs programs, $bad bad"
[ $bad = 0 ]
