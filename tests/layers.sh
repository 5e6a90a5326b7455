#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the order of the layers (src/LAYERS) by the #include lines: who
# includes whom, who opens OpenCL's headers, and that the program and the
# examples see nothing but the public headers.
set -eu
top=${top_srcdir:-$(dirname "$0")/..}
cd "$top"

# shellcheck disable=SC2016
order='
NR == FNR {
    if ($0 !~ /^#/ && NF) {
        known[$1] = 1
        for (i = 2; i <= NF; i++)
            may[$1, $i] = 1
    }
    next
}
FNR == 1 { split(FILENAME, part, "/"); here = part[2] }
!(here in known) {
    if (FNR == 1) {
        print FILENAME ": folder " here " is not in src/LAYERS"
        bad = 1
    }
    next
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, quoted, "\"")
    n = split(quoted[2], dir, "/")
    to = n > 1 ? dir[1] : "shared"
    if (to != "shared" && !(to in known)) {
        print FILENAME ":" FNR ": no such layer: " to
        bad = 1
    } else if (to in known && to != here && !((here, to) in may)) {
        print FILENAME ":" FNR ": " here " may not include " to
        bad = 1
    }
}
END { exit bad }
'
bad=0
find src -name '*.[ch]' | sort | xargs awk "$order" src/LAYERS || bad=1

# OpenCL's headers: by rt/cl.h and the public anser_cl.h alone.
doors='src/rt/cl.h include/anser_cl.h doc/examples/ tests/'
for file in $(grep -rlE '# *include *<(CL|OpenCL)/' include src tools bench \
              doc tests cl --include='*.[ch]' || true); do
    open=no
    for door in $doors; do
        case $file in "$door"*) open=yes ;; esac
    done
    if [ $open = no ]; then
        echo "$file: only rt/cl.h and anser_cl.h may include OpenCL"
        bad=1
    fi
done

# The program and the examples: public headers, or their own folder's.
if grep -rnE '# *include *"[a-z0-9_]+/' tools doc/examples \
        --include='*.[ch]'; then
    echo "tools/ and doc/examples/ may include public headers only"
    bad=1
fi

[ $bad = 0 ] && echo "layers: $(find src -name '*.[ch]' | wc -l) files in order"
exit $bad
