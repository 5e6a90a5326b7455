# SPDX-License-Identifier: MIT
# The operations, each a table of kernel variants.
