#!/bin/sh
# SPDX-License-Identifier: MIT
# One version: configure.ac, include/anser.h, NEWS' first heading, and what
# the built program says.
set -eu
: "${top_srcdir:?run by make check}" "${top_builddir:?run by make check}"
cd "$top_srcdir"
part() { sed -n "s/^#define ANSER_VERSION_$1 *//p" include/anser.h; }

configured=$(sed -n 's/^AC_INIT(\[anser\], \[\(.*\)\])$/\1/p' configure.ac)
header=$(part MAJOR).$(part MINOR).$(part PATCH)
news=$(awk '$1 == "anser" { print $2; exit }' NEWS)
program=$("$top_builddir/anser" --version | awk 'NR == 1 { print $2 }')

echo "configure.ac $configured, anser.h $header, NEWS $news, anser $program"
[ -n "$configured" ] && [ "$configured" = "$header" ] &&
    [ "$configured" = "$news" ] && [ "$configured" = "$program" ]
