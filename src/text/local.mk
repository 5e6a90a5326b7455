# SPDX-License-Identifier: MIT
# Bytes to tokens and back; logits to a token.
