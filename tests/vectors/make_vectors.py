#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the numbers of this folder from an implementation that shares no code
with Anser (see README.md).

usage: make_vectors.py REFERENCE

REFERENCE is the folder with gguf_min.py and v7_ref.py; numpy is needed.  The
tiny models are built here from the formula of tests/check_tiny.c.
"""
import os
import sys
import tempfile

import numpy as np

sys.path.insert(0, sys.argv[1])
import gguf_min as G  # noqa: E402
import v7_ref  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = 24

# Tensors in the order of src/base/v7.c: name, ne by letters, of sizes below.
FILE_ROWS = [("token_embd.weight", "CV"), ("token_embd_norm.weight", "C"),
             ("token_embd_norm.bias", "C"), ("output_norm.weight", "C"),
             ("output_norm.bias", "C"), ("output.weight", "CV")]
LAYER_ROWS = [
    ("attn_norm.weight", "C"), ("attn_norm.bias", "C"),
    ("time_mix_lerp_fused.weight", "C116"),
    ("time_mix_receptance.weight", "CC"), ("time_mix_key.weight", "CC"),
    ("time_mix_value.weight", "CC"), ("time_mix_w0.weight", "C"),
    ("time_mix_w1.weight", "Cw"), ("time_mix_w2.weight", "wC"),
    ("time_mix_a0.weight", "C"), ("time_mix_a1.weight", "Ca"),
    ("time_mix_a2.weight", "aC"), ("time_mix_v0.weight", "C"),
    ("time_mix_v1.weight", "Cv"), ("time_mix_v2.weight", "vC"),
    ("time_mix_g1.weight", "Cg"), ("time_mix_g2.weight", "gC"),
    ("time_mix_k_k.weight", "C"), ("time_mix_k_a.weight", "C"),
    ("time_mix_r_k.weight", "C"), ("time_mix_ln.weight", "C"),
    ("time_mix_ln.bias", "C"), ("time_mix_output.weight", "CC"),
    ("attn_norm_2.weight", "C"), ("attn_norm_2.bias", "C"),
    ("channel_mix_lerp_k.weight", "C"), ("channel_mix_key.weight", "CF"),
    ("channel_mix_value.weight", "FC")]

ROLES = [("token_embd.weight", 0, 1), ("norm.weight", 1, .2),
         ("norm.bias", 0, .2), ("norm_2.weight", 1, .2),
         ("norm_2.bias", 0, .2), ("lerp_fused.weight", .5, .5),
         ("lerp_k.weight", .5, .5), ("w0.weight", -1, 2),
         ("a0.weight", 0, 1.5), ("v0.weight", 0, 1.5),
         ("k_k.weight", .8, .4), ("k_a.weight", 1, .4),
         ("r_k.weight", 0, .3), ("mix_ln.weight", .8, .2),
         ("mix_ln.bias", 0, .2)]

# Type: bytes of d and m in a block, divisor, ratio; in the order of the table
# of src/base/block.c.
SCALES = {"F32": None, "F16": None, "BF16": None,
          "Q4_0": (0, -1, 8, 0), "Q4_1": (0, 2, 8, -7.5),
          "Q5_0": (0, -1, 16, 0), "Q5_1": (0, 2, 16, -15.5),
          "Q8_0": (0, -1, 128, 0), "Q2_K": (80, 82, 24, 1.5),
          "Q3_K": (108, -1, 96, 0), "Q4_K": (0, 2, 384, 7.5),
          "Q5_K": (0, 2, 768, 15.5), "Q6_K": (208, -1, 2048, 0)}
ORDER = list(SCALES)


def mix(start, n):
    """SplitMix64's finaliser of start .. start + n - 1."""
    with np.errstate(over="ignore"):
        z = np.arange(n, dtype=np.uint64) + np.uint64(start)
        z += np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
        return z ^ z >> np.uint64(31)


def half(value):
    return np.array([np.float32(value)]).astype("<f2").view(np.uint8)


def tensor_bytes(name, ne, kind, seed):
    n = int(np.prod(ne))
    mean, scale = 0.0, 1.7 / np.sqrt(float(ne[0]))
    for end, m, s in ROLES:
        if name.endswith(end):
            mean, scale = m, s
            break
    if SCALES[kind] is None:
        u = (mix(seed, n) >> np.uint64(40)).astype(np.float64) / 2**23 - 1
        x = (mean + scale * u).astype("<f4")
        if kind == "F16":
            return x.astype("<f2").tobytes()
        if kind == "BF16":
            return (x.view("<u4") >> 16).astype("<u2").tobytes()
        return x.tobytes()
    d_at, m_at, divisor, ratio = SCALES[kind]
    _, length, size = G.TYPES[G.TID[kind]]
    b = (mix(seed, n // length * size) & np.uint64(255)).astype(np.uint8)
    b = b.reshape(-1, size)
    d = scale / divisor
    b[:, d_at:d_at + 2] = half(d)
    if m_at >= 0:
        b[:, m_at:m_at + 2] = half(d * ratio)
    return b.tobytes()


def tiny(path, sizes, layers, kind, seed=7):
    next_type, tensors = 0, []
    rows = list(FILE_ROWS)
    for i in range(layers):
        rows += [("blk.%d.%s" % (i, n), ne) for n, ne in LAYER_ROWS]
    for number, (name, letters) in enumerate(rows):
        s = dict(sizes, **{"1": 1, "6": 6})
        if name.startswith("blk.0."):
            s["v"] = s["a"]
        ne = tuple(s[c] for c in letters)
        t = "F32"
        if len(ne) == 2:
            t = kind
            while kind == "mixed":
                t = ORDER[next_type]
                next_type = (next_type + 1) % len(ORDER)
                if ne[0] % G.TYPES[G.TID[t]][1] == 0:
                    break
        tensors.append((name, ne, G.TID[t],
                        tensor_bytes(name, ne, t,
                                     (seed << 48) + (number << 32))))
    keys = [("general.architecture", G.STR, "rwkv7"),
            ("rwkv7.embedding_length", G.U32, sizes["C"]),
            ("rwkv7.block_count", G.U32, layers),
            ("rwkv7.feed_forward_length", G.U32, sizes["F"]),
            ("rwkv7.wkv.head_size", G.U32, 64),
            ("rwkv7.attention.layer_norm_epsilon", G.F32, 1e-5)]
    G.write(path, keys, tensors)


def write_numbers(f, title, values):
    f.write("# %s\n" % title)
    for i in range(0, len(values), 8):
        f.write(" ".join("%.9g" % v for v in values[i:i + 8]) + "\n")


def logits(sizes, layers, kind):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tiny.gguf")
        tiny(path, sizes, layers, kind)
        model = v7_ref.Model(path, np.float64)
        ids = [(i * 37 + 11) % sizes["V"] for i in range(PROMPT)]
        return model.seq(ids, model.state())[-1].astype(np.float32)


def blocks(kind):
    """256 elements of random blocks whose halves lose bit 14, so that they
    are finite."""
    t = G.TID[kind]
    _, length, size = G.TYPES[t]
    b = (mix((0xb10c << 48) + (t << 32), 256 // length * size)
         & np.uint64(255)).astype(np.uint8).reshape(-1, size)
    if SCALES[kind] is None:
        b[:, 1] &= 0xbf
    else:
        for at in SCALES[kind][:2]:
            if at >= 0:
                b[:, at + 1] &= 0xbf
    return G.dequant(b.reshape(-1), t).astype(np.float32)


def main():
    with open(os.path.join(HERE, "blocks.txt"), "w") as f:
        for kind in ORDER:
            if kind not in ("F32", "BF16"):
                write_numbers(f, kind, blocks(kind))
    plain = dict(C=128, F=256, V=320, w=16, a=24, v=8, g=40)
    mixed = dict(C=256, F=512, V=320, w=32, a=64, v=32, g=96)
    with open(os.path.join(HERE, "logits.txt"), "w") as f:
        write_numbers(f, "tiny F32", logits(plain, 2, "F32"))
        write_numbers(f, "tiny mixed", logits(mixed, 3, "mixed"))


main()
