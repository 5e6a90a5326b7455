#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes kjv.txt from Debian's packages bible-kjv and bible-kjv-text: five books
# of the King James Version, a chapter a paragraph, without numbers of verses.
set -eu
cd "$(dirname "$0")"
for book in ru1:1-4:22 es1:1-10:3 jon1:1-4:11 da1:1-12:13 ec1:1-12:14; do
    bible -f "$book" </dev/null
done | awk '
    { split($1, at, ":"); sub(/^[^ ]+ /, "")
      if (at[1] != last && NR > 1) printf "\n\n"
      else if (NR > 1) printf " "
      last = at[1]; printf "%s", $0 }
    END { print "" }' >kjv.txt
