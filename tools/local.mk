# SPDX-License-Identifier: MIT
# The program anser.  It sees the public headers only.
