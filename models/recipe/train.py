# SPDX-License-Identifier: MIT
"""Training: random windows of the ids, one learning-rate curve, a log.

The corpus is small (6 M tokens), so it is read many times; what holds back
overfitting is dropout, weight decay and windows that start elsewhere in every
epoch. Weights are float32, products bfloat16. Not here: what the model is.
"""
import dataclasses
import json
import math
import time

import numpy as np
import torch

from eval import score
from model import Model
from optim import Optimiser
from vocab import END


@dataclasses.dataclass
class Plan:
    steps: int = 1800
    batch: int = 64         # windows a step
    window: int = 1024      # tokens in a window
    rate: float = 3e-3      # peak learning rate
    last: float = 0.01      # share of it that is left at the end
    warmup: int = 150
    decay: float = 0.5      # weight decay of matrices
    clip: float = 1.0       # of the gradient's norm
    seed: int = 1
    every: int = 100        # steps between two scores of the dev slices


def ids_of(pieces, encoder):
    """All training pieces as one array of ids, each ended by `<s>`."""
    out = []
    for piece in pieces:
        out += encoder.encode(piece)
        out.append(END)
    return np.array(out, dtype=np.int32)


def windows(ids, plan, device):
    """Endless batches of [batch, window + 1] ids, an epoch at a time."""
    rng = np.random.default_rng(plan.seed)
    stream = torch.from_numpy(ids).to(device)
    reach = torch.arange(plan.window + 1, device=device)
    while True:
        first = rng.integers(plan.window)
        starts = np.arange(first, len(ids) - plan.window, plan.window)
        rng.shuffle(starts)
        starts = torch.from_numpy(starts).to(device)
        for at in starts.split(plan.batch):
            if len(at) == plan.batch:
                yield stream[at[:, None] + reach].long()


def rate_at(step, plan):
    """Linear warm-up, then half a cosine down to `last` of the peak."""
    if step < plan.warmup:
        return plan.rate * (step + 1) / plan.warmup
    done = (step - plan.warmup) / max(1, plan.steps - plan.warmup)
    fall = 0.5 * (1 + math.cos(math.pi * done))
    return plan.rate * (plan.last + (1 - plan.last) * fall)


class Log:
    """Lines of JSON: step, seconds, training and dev loss."""

    def __init__(self, path, bits):
        self.file = open(path, "w", encoding="ascii")
        self.bits = bits            # bits a byte of one nat a token
        self.start = time.time()
        self.sum, self.count = 0.0, 0

    def add(self, loss):
        self.sum, self.count = self.sum + loss.detach(), self.count + 1

    def write(self, step, dev):
        line = {"step": step, "seconds": round(time.time() - self.start, 1),
                "train": round(float(self.sum) / self.count * self.bits, 4),
                "dev": round(dev, 4)}
        self.sum, self.count = 0.0, 0
        print(json.dumps(line), file=self.file, flush=True)
        print(json.dumps(line), flush=True)


def train(sizes, plan, ids, encoder, dev, log):
    """A trained model; `log` gets a line every so many steps."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(plan.seed)
    model = Model(sizes).to(device).train()
    if device == "cuda":
        model.compile_parts()
    optimiser = Optimiser(model, plan.decay)
    batches = windows(ids, plan, device)
    for step in range(plan.steps):
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = model(next(batches)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        optimiser.step(rate_at(step, plan))
        log.add(loss)
        if (step + 1) % plan.every == 0 or step + 1 == plan.steps:
            log.write(step + 1, score(model, encoder, dev).bits_a_byte)
    return model.eval()
