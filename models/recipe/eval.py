# SPDX-License-Identifier: MIT
"""Loss of a model on texts, in bits a byte.

Each text starts from the zero state. Its first token is given, the others are
predicted; bits a byte is the sum of their losses over the bytes that they
stand for, so that models of different vocabularies compare.
"""
import dataclasses
import math

import torch

from vocab import END
from wkv7 import CHUNK


@dataclasses.dataclass
class Score:
    nats_a_token: float     # mean over all predicted tokens
    bits_a_byte: float      # over all texts together
    by_text: list           # bits a byte of each text


def padded(encoded):
    """Rows of ids, filled up at the end to one length of 16n + 1 ids."""
    longest = max(map(len, encoded)) - 1
    width = -(-longest // CHUNK) * CHUNK + 1
    return torch.tensor([ids + [END] * (width - len(ids)) for ids in encoded])


@torch.no_grad()
def losses(model, encoded, batch=8):
    """Nats of the tokens 1.. of each text, in float32."""
    ids = padded(encoded).to(model.emb.device)
    was = model.training
    model.eval()
    with torch.compiler.set_stance("force_eager"):
        rows = torch.cat([model(part) for part in ids.split(batch)])
    model.train(was)
    return [row[:len(e) - 1].double().sum().item()
            for row, e in zip(rows, encoded)]


def score(model, encoder, texts):
    encoded = [encoder.encode(t) for t in texts]
    nats = losses(model, encoded)
    size = [len(t) - len(encoder.pieces[e[0]]) for t, e in zip(texts, encoded)]
    bits = [n / math.log(2) for n in nats]
    tokens = sum(len(e) - 1 for e in encoded)
    return Score(sum(nats) / tokens, sum(bits) / sum(size),
                 [b / s for b, s in zip(bits, size)])
