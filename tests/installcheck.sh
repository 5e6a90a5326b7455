#!/bin/sh
# SPDX-License-Identifier: MIT
# Against what was installed, found by its own anser.pc: the program runs, and
# each example compiles (as a stranger would compile it) and gives what it
# should.  Called by `make installcheck` with the installed paths.
set -eu
: "${top_srcdir:?run by make installcheck}" "${bindir:?}" "${libdir:?}" \
    "${pkgconfigdir:?}" "${examples:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PKG_CONFIG_PATH=$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
DYLD_LIBRARY_PATH=$libdir
XDG_CACHE_HOME=$work/cache
ANSER_CACHE_DIR=$work/cache/anser
export PKG_CONFIG_PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH XDG_CACHE_HOME \
    ANSER_CACHE_DIR
mkdir "$XDG_CACHE_HOME"

compile() { # NAME PKG...: the example NAME with what pkg-config says
    name=$1
    shift
    # shellcheck disable=SC2046,SC2086
    $CC $CFLAGS $SAN_FLAGS -o "$work/$name" \
        "$top_srcdir/doc/examples/$name.c" $($PKG_CONFIG --cflags --libs "$@") \
        -lm
}

"$bindir/anser" synth --preset tiny -o "$work/tiny.gguf" 2>"$work/log" || {
    cat "$work/log"
    exit 1
}

for example in $examples; do
    case $example in
    generate)
        compile generate anser
        "$work/generate" "$work/tiny.gguf" "Hello" >"$work/first"
        "$work/generate" "$work/tiny.gguf" "Hello" >"$work/second"
        [ "$(wc -c <"$work/first")" -gt 4 ]
        cmp "$work/first" "$work/second"
        ;;
    *) # kernels on a context of its own: checks itself
        # shellcheck disable=SC2086
        compile "$example" anser $OPENCL_REQUIRES
        "$work/$example"
        ;;
    esac
    echo "installcheck: $example works"
done
