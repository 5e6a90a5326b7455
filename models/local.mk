# SPDX-License-Identifier: MIT
# Models that come with the tree, and what is needed to make them again.
