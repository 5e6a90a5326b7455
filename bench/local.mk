# SPDX-License-Identifier: MIT
# Timing of operations and of whole models.
