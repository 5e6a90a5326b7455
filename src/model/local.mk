# SPDX-License-Identifier: MIT
# RWKV-7: weights, the graph, the state.
