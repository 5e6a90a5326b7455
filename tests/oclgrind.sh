#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs suites under Oclgrind, which simulates a device and sees accesses out
# of bounds and races.  Its exit status says nothing about either, and an
# empty log may be that of a crash; so three things must hold: exit 0, an empty
# log, and Check's closing line with tests and without failures.
#
# usage: oclgrind.sh SUITE...
set -u
: "${top_builddir:?run by make check-oclgrind}"
command -v oclgrind >/dev/null || {
    echo "oclgrind is missing (Debian, Ubuntu: apt-get install oclgrind)"
    exit 1
}
ANSER_TEST_TINY=1
export ANSER_TEST_TINY
cd "$top_builddir" || exit 1

simulate() { # SUITE: leaves what happened in SUITE.oclgrind.*
    rm -f "$1.oclgrind.log"
    oclgrind --log "$1.oclgrind.log" --data-races "$1" \
        >"$1.oclgrind.out" 2>&1
    echo $? >"$1.oclgrind.rc"
}

judge() { # SUITE
    good=0
    cat "$1.oclgrind.out"
    if [ "$(cat "$1.oclgrind.rc")" != 0 ]; then
        echo "$1: exit status $(cat "$1.oclgrind.rc")"
        good=1
    fi
    if [ -s "$1.oclgrind.log" ]; then
        echo "$1: Oclgrind says:"
        head -n 60 "$1.oclgrind.log"
        good=1
    fi
    if ! grep -qE '^100%: Checks: [1-9][0-9]*, Failures: 0, Errors: 0$' \
            "$1.oclgrind.out"; then
        echo "$1: no tests ran to their end"
        good=1
    fi
    return $good
}

# Two rows at once: the first, the third and so on, and the others.
row() { # SUITE...: every other one
    while [ $# -gt 0 ]; do
        simulate "$1"
        shift
        [ $# = 0 ] || shift
    done
}

bad=0
row "$@" &
(shift && row "$@")
wait
for suite in "$@"; do
    judge "$suite" || bad=1
done
exit $bad
