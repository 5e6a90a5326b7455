#!/bin/sh
# SPDX-License-Identifier: MIT
# Whole runs of the program on caches that are damaged, of others, read-only,
# full, written by 16 processes at once or by one that is killed: each prints
# the right text, and afterwards the cache verifies.  ANSER_LONG=1 (make
# check-long) damages a file in every way that tests/check_cache.c does.
set -u
: "${top_srcdir:?run by make check}"
# shellcheck source=tests/cli_util.sh
. "$top_srcdir/tests/cli_util.sh"
long=${ANSER_LONG:-0}
unset ANSER_CACHE ANSER_VARIANT ANSER_TUNING
"$anser" devices >"$work/devices" 2>"$work/err" ||
    { cat "$work/err"; exit 77; }
m=$work/tiny.gguf cache=$work/cache mounted=''
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$work"' EXIT
"$anser" synth --preset tiny --type f16 -o "$m" 2>/dev/null || exit 1
chmod 711 "$work"

run() { # OUT: a run with the cache in $cache
    ANSER_CACHE_DIR=$cache "$anser" run -m "$m" -p abcdef -n 8 --greedy -v \
        >"$1" 2>"$1.err"
}

right() { # WHAT: a run prints the right text
    run "$work/text" || { fail "$1: exit $?"; cat "$work/text.err"; }
    cmp -s "$work/wanted" "$work/text" || fail "$1: another text"
}

verify() { # WHAT
    ANSER_CACHE_DIR=$cache "$anser" cache verify >"$work/out" 2>&1 ||
        { fail "$1: the cache does not verify"; cat "$work/out"; }
}

new_cache() { # a copy of the good one
    rm -rf "$cache"
    cp -Rp "$work/good" "$cache"
}

ANSER_CACHE=0 "$anser" run -m "$m" -p abcdef -n 8 --greedy >"$work/wanted" \
    2>/dev/null || fail "without a cache"
cache=$work/good
right cold
cache=$work/cache
files=$(cd "$work/good" 2>/dev/null && ls ./*.anser 2>/dev/null)
[ -n "$files" ] || { echo "no cache here"; exit 77; }
n_files=$(echo "$files" | wc -l)

# ------------------------------------------------------------- damage
random() { # SEED BELOW
    awk -v s="$1" -v n="$2" 'BEGIN {
        for (i = 0; i < 8; i++)
            s = (s * 16807 + 7) % 2147483647
        print s % n }'
}

size_of() {
    wc -c <"$1" | tr -d ' '
}

flip() { # FILE BYTE BIT
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((old ^ (1 << $3))))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

truncate_to() { # FILE BYTES
    head -c "$2" "$1" >"$work/part"
    cat "$work/part" >"$1"
}

damage() { # SEED: a file in one of five ways
    seed=$1
    file=$cache/$(echo "$files" | sed -n "$(($(random "$seed" "$n_files") + 1))p")
    size=$(size_of "$file")
    at=$(random $((seed + 1000)) "$size")
    case $((seed % 5)) in
    0) truncate_to "$file" "$at" ;;
    1) flip "$file" "$at" $((seed % 8)) ;;
    2) : >"$file" ;;
    3) printf x >>"$file" ;;
    4) other=$cache/$(echo "$files" | sed -n "$((seed % n_files + 1))p")
       cat "$other" >"$work/part"
       cat "$work/part" >"$file" ;;
    esac
}

i=0 rebuilt=0
while [ $i -lt 20 ]; do
    new_cache
    damage $i
    right "damage $i"
    grep -q 'programs: 0 built' "$work/text.err" || rebuilt=$((rebuilt + 1))
    verify "damage $i"
    i=$((i + 1))
done
[ $rebuilt -gt 5 ] || fail "only $rebuilt of 20 damaged files were built again"

if [ "$long" = 1 ]; then
    file=$(echo "$files" | head -n 1)
    size=$(size_of "$work/good/$file")
    at=0
    while [ $at -lt "$size" ]; do
        new_cache
        truncate_to "$cache/$file" $at
        right "cut at $at"
        verify "cut at $at"
        at=$((at + 64))
    done
    i=0
    while [ $i -lt 200 ]; do
        new_cache
        flip "$cache/$file" "$(random $((i + 77)) "$size")" $((i % 8))
        right "flip $i"
        verify "flip $i"
        i=$((i + 1))
    done
fi

# ------------------------------------------------------------- processes
rm -rf "$cache"
i=0
pids=''
while [ $i -lt 16 ]; do
    run "$work/at-once.$i" &
    pids="$pids $!"
    i=$((i + 1))
done
i=0
for pid in $pids; do
    wait "$pid" || fail "process $i of 16: exit $?"
    same "$work/wanted" "$work/at-once.$i"
    i=$((i + 1))
done
verify "16 at once"
right "after 16 at once"
grep -q 'programs: 0 built' "$work/text.err" || fail "16 left a part out"

# Killed while it saves, which is after the last token.
kills=3
[ "$long" = 1 ] && kills=50
i=0
while [ $i -lt $kills ]; do
    rm -rf "$cache"
    run "$work/killed" &
    pid=$!
    tries=0
    while [ ! -e "$cache" ] && [ $tries -lt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    tries=0
    while [ ! -s "$work/killed" ] && [ $tries -lt 1200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    sleep "$(awk -v n="$(random $((i + 5)) 1000)" 'BEGIN { print n / 1000 }')"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    verify "kill $i"
    i=$((i + 1))
done
right "after kills"
verify "after kills"

# ------------------------------------------------------------- places
if [ "$(id -u)" = 0 ]; then
    new_cache
    if mount --bind "$cache" "$cache" 2>/dev/null; then
        mounted=$cache
        if mount -o remount,ro,bind "$cache" 2>/dev/null; then
            right "read-only"
            grep -q 'programs: 0 built' "$work/text.err" ||
                fail "a read-only cache is not read"
            cache=$cache/none
            right "nothing in a read-only place"
            cache=$work/cache
        fi
        umount "$cache"
        mounted=''
    else
        echo "not tested here: a read-only mount"
    fi
    rm -rf "$cache"
    mkdir -m 700 "$cache"
    if mount -t tmpfs -o size=64k,mode=700 none "$cache" 2>/dev/null; then
        mounted=$cache
        right "a full disk"
        verify "a full disk"
        umount "$cache"
        mounted=''
    else
        echo "not tested here: a full disk"
    fi
    new_cache
    if chown -R nobody "$cache" 2>/dev/null; then
        right "another user's cache"
        grep -q 'belongs to another user' "$work/text.err" ||
            fail "another user's cache is used"
        chown -R 0 "$cache"
    fi
    if su -s /bin/sh nobody -c "test -x '$anser' && test -r '$m'" 2>/dev/null
    then
        mkdir "$work/nobody"
        chown nobody "$work/nobody"
        ANSER_CACHE_DIR=$cache su -s /bin/sh nobody -c \
            "unset POCL_CACHE_DIR
             export HOME='$work/nobody' XDG_CACHE_HOME='$work/nobody'
             '$anser' run -m '$m' -p abcdef -n 8 --greedy -v" \
            >"$work/text" 2>"$work/err" ||
            { fail "as nobody"; cat "$work/err"; }
        grep -q 'no cache' "$work/err" || fail "nobody reads root's cache"
        same "$work/wanted" "$work/text"
    else
        echo "not tested here: an unprivileged user"
    fi
    verify "places"
else
    echo "not tested here: mounts and other users (not root)"
fi
exit $bad
