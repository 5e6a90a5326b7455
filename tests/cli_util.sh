# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034
# For the checks of the program: a working folder, and commands with the exit
# code and the message that they must give.
: "${top_srcdir:?run by make check}" "${top_builddir:?}"
anser=$top_builddir/anser
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
# LeakSanitizer's tracer dies now and then beside PoCL's threads, at the end of
# one in some hundred runs; leaks are what the suites in C look for.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS
unset ANSER_MODEL
bad=0

fail() {
    echo "FAILED: $*"
    bad=1
}

# expect CODE PATTERN COMMAND...: its exit code, and a basic regular expression
# found in what it wrote to either stream ($work/out, $work/err).
expect() {
    want=$1 pattern=$2
    shift 2
    code=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    if [ "$code" != "$want" ]; then
        fail "exit $code, not $want: $*"
        cat "$work/err"
    elif ! grep -q -e "$pattern" "$work/out" "$work/err"; then
        fail "no '$pattern' from: $*"
        cat "$work/out" "$work/err"
    fi
}

# one_line: the last command told its failure in one line.
one_line() {
    [ "$(grep -c '^anser' "$work/err")" = 1 ] ||
        { fail "not one line of failure:"; cat "$work/err"; }
}

# same A B: two files are equal.
same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}
