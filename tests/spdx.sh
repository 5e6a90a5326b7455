#!/bin/sh
# SPDX-License-Identifier: MIT
# Every file that can hold a comment says its licence once, within its first
# three lines.  Data and running text are left out.
set -eu
: "${top_srcdir:?run by make check}"
cd "$top_srcdir"
if [ -e .git ] && git ls-files >/dev/null 2>&1; then
    list="git ls-files"
else # a release: what autoreconf added is not ours
    list="find .ci bench cl doc include models src tests tools -type f"
fi
bad=0 n=0
for file in $($list | sed 's,^\./,,' | sort); do
    case $file in
    *.md | NEWS | *.sym | *.txt | *.json | *.gguf | *.f32 | *.bin | *.xz)
        continue ;;
    esac
    [ -f "$file" ] || continue
    n=$((n + 1))
    lines=$(head -n 3 "$file" | grep -c 'SPDX-License-Identifier: MIT' || true)
    if [ "$lines" != 1 ]; then
        echo "$file: $lines SPDX lines at its head, not 1"
        bad=1
    fi
done
[ $n -gt 20 ] || { echo "only $n files found"; exit 1; }
[ $bad = 0 ] && echo "spdx: $n files"
exit $bad
