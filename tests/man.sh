#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page and the program name the same commands and options; and
# what mandoc or groff says about the pages.
set -eu
: "${top_srcdir:?run by make check}" "${top_builddir:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
anser=$top_builddir/anser page=$top_srcdir/doc/anser.1
bad=0

same() { # WHAT: $work/program against $work/page
    sort -u -o "$work/program" "$work/program"
    sort -u -o "$work/page" "$work/page"
    [ -s "$work/program" ] || { echo "anser --help tells no $1"; bad=1; }
    if ! diff "$work/program" "$work/page" >"$work/diff"; then
        echo "$1 of anser --help (<) and of doc/anser.1 (>) differ:"
        cat "$work/diff"
        bad=1
    fi
}

"$anser" --help | awk '/^commands:/ { on = 1; next } on && !NF { exit }
                       on { print $1 }' >"$work/commands"
cp "$work/commands" "$work/program"
sed -n 's/^\.SS \([a-z]*\)$/\1/p' "$page" >"$work/page"
same commands

while read -r command; do
    "$anser" "$command" --help
done <"$work/commands" >"$work/help"
sed 's/\\-/-/g' "$page" >"$work/plain"

options() { # FILE: every --option in it
    grep -oE '(^|[^a-z-])--[a-z][a-z-]*' "$1" | sed 's/^[^-]*//'
}
grep -E '^ +(-.,)? *--' "$work/help" >"$work/table"
options "$work/table" >"$work/program"
echo --version >>"$work/program"
options "$work/plain" >"$work/page"
same options

sed -n 's/^  \(-[A-Za-z]\), --.*/\1/p' "$work/help" >"$work/program"
grep -oE '(^|[ "(])-[A-Za-z]([ ",)]|$)' "$work/plain" |
    sed 's/[^-A-Za-z]//g' >"$work/page"
same letters

grep -rhoE 'getenv\("[A-Z_]+"\)' "$top_srcdir/src" "$top_srcdir/tools" |
    sed 's/getenv("\(.*\)")/\1/' >"$work/program"
sed -n '/^\.SH ENVIRONMENT/,/^\.SH FILES/s/^\.B \([A-Z_]*\)$/\1/p' "$page" \
    >"$work/page"
same "environment variables"

for file in "$top_srcdir"/doc/*.[13]; do
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W warning "$file" || bad=1
    fi
    if command -v groff >/dev/null; then
        groff -man -Tutf8 -ww -z "$file" 2>"$work/groff" || bad=1
        [ ! -s "$work/groff" ] || { cat "$work/groff"; bad=1; }
    fi
done
exit $bad
