# SPDX-License-Identifier: MIT
# The public names: argument checks, no logic.
