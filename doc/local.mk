# SPDX-License-Identifier: MIT
# Manual pages, and the examples that `make installcheck` builds against the
# installed library.
