# SPDX-License-Identifier: MIT
"""The one command: from a corpus to an F16 GGUF file of a trained RWKV-7.

usage: recipe.py CORPUS SLICES OUT
CORPUS is a text or .xz file, SLICES a JSON file of held-out texts, OUT a
folder; it gets tales-f16.gguf, loss.jsonl, result.json and loss.svg.
Needs PyTorch, numpy, nvcc and one NVIDIA GPU.
"""
import dataclasses
import hashlib
import json
import math
import os
import sys
import time

import check_wkv7
import convert
import curve
import slices
import train
import vocab
from eval import score
from model import Sizes


def say(start, text):
    print(f"[{time.time() - start:6.1f} s] {text}", flush=True)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def main(corpus_path, slices_path, out):
    start = time.time()
    sizes, plan = Sizes(), train.Plan()
    os.makedirs(out, exist_ok=True)
    check_wkv7.check()
    say(start, "the WKV7 kernel agrees with the plain loop")

    held_out = slices.read_slices(slices_path)
    pieces, dev = slices.split(slices.read_corpus(corpus_path), held_out,
                               plan.seed)
    say(start, f"{len(held_out)} slices cut out, {sum(map(len, pieces))} "
        "bytes left to learn from")
    encoder = vocab.Encoder(vocab.learn(pieces, sizes.V))
    ids = train.ids_of(pieces, encoder)
    say(start, f"{len(encoder.pieces)} pieces chosen, {len(ids)} tokens")

    log_path = os.path.join(out, "loss.jsonl")
    bits = len(ids) / sum(map(len, pieces)) / math.log(2)
    model = train.train(sizes, plan, ids, encoder, dev,
                        train.Log(log_path, bits))
    say(start, "trained")

    path = os.path.join(out, "tales-f16.gguf")
    convert.round_as_stored(model)
    convert.convert(model, encoder.pieces, path)
    held, chosen = score(model, encoder, held_out), score(model, encoder, dev)
    result = {"held_out": dataclasses.asdict(held),
              "dev": dataclasses.asdict(chosen), "sha256": digest(path),
              "bytes": os.path.getsize(path), "tokens": len(ids),
              "seconds": round(time.time() - start, 1),
              "sizes": dataclasses.asdict(sizes),
              "plan": dataclasses.asdict(plan)}
    with open(os.path.join(out, "result.json"), "w", encoding="ascii") as file:
        json.dump(result, file, indent=1)
    curve.draw(log_path, held.bits_a_byte, os.path.join(out, "loss.svg"))
    say(start, f"{path}: {held.bits_a_byte:.4f} bits a byte on the held-out "
        f"slices, {held.nats_a_token:.4f} nats a token, "
        f"sha256 {result['sha256']}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
