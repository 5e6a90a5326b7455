# SPDX-License-Identifier: MIT
# The public headers, each usable alone.
include_HEADERS += include/anser.h include/anser_cl.h
