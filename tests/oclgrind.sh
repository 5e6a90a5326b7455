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
bad=0
cd "$top_builddir" || exit 1
for suite in "$@"; do
    log=$suite.oclgrind out=$suite.oclgrind.out
    rm -f "$log"
    oclgrind --log "$log" --data-races "$suite" >"$out" 2>&1
    status=$?
    cat "$out"
    if [ $status != 0 ]; then
        echo "$suite: exit status $status"
        bad=1
    fi
    if [ -s "$log" ]; then
        echo "$suite: Oclgrind says:"
        head -n 60 "$log"
        bad=1
    fi
    if ! grep -qE '^100%: Checks: [1-9][0-9]*, Failures: 0, Errors: 0$' \
            "$out"; then
        echo "$suite: no tests ran to their end"
        bad=1
    fi
done
exit $bad
