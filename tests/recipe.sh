#!/bin/sh
# SPDX-License-Identifier: MIT
# The recipe of the tales model never learns from the held-out slices: its own
# test.  Skipped without Python.
set -eu
: "${top_srcdir:?run by make check}"
command -v python3 >/dev/null || {
    echo "skipped: no python3 (Debian, Ubuntu: apt-get install python3)"
    exit 77
}
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
python3 "$top_srcdir/models/recipe/test_slices.py"
