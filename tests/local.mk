# SPDX-License-Identifier: MIT
# Suites on the host (Check, forked), suites on a device (Check, not forked,
# since OpenCL does not survive a fork) and checks of the tree itself (sh).
host_suites =
device_suites =
tree_checks =
