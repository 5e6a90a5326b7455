# SPDX-License-Identifier: MIT
"""The optimiser: Muon for the big matrices, AdamW for everything else.

Muon (K. Jordan 2024) replaces the momentum of a matrix by the nearest
matrix with all singular values near 1, found by Newton-Schulz steps; scaled
to the size of an AdamW update (Liu et al. 2025, arXiv:2502.16982), the two
share one learning rate. Equal shapes are worked on as one stack.
"""
import collections

import torch

BETA = 0.95
STEPS = 5
INNER = ("receptance", "key", "value", "output")    # the matrices of Muon
POLYNOMIAL = (3.4445, -4.7750, 2.0315)
RMS = 0.2           # of one entry of an update, as AdamW's usually is


def orthogonalise(stack):
    """Singular values of each matrix of the stack driven to about 1."""
    a, b, c = POLYNOMIAL
    x = stack.bfloat16()
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    for _ in range(STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x


class Muon:
    def __init__(self, parameters, decay):
        shapes = collections.defaultdict(list)
        for p in parameters:
            shapes[p.shape].append(p)
        self.stacks = list(shapes.values())
        self.momenta = [torch.zeros_like(torch.stack(list(s)))
                        for s in self.stacks]
        self.decay = decay

    @torch.no_grad()
    def step(self, rate):
        for stack, momentum in zip(self.stacks, self.momenta):
            grad = torch.stack([p.grad for p in stack])
            momentum.lerp_(grad, 1 - BETA)
            update = orthogonalise(grad.lerp(momentum, BETA))
            scale = RMS * max(update.shape[-2:]) ** 0.5
            torch._foreach_mul_(stack, 1 - rate * self.decay)
            torch._foreach_add_(stack, list(update.float().unbind()),
                                alpha=-rate * scale)


class Optimiser:
    """One step of all parameters at a given learning rate."""

    def __init__(self, model, decay):
        inner, matrices, vectors = [], [], []
        for name, p in model.named_parameters():
            last = name.split(".")[-1]
            if last in INNER:
                inner.append(p)
            elif p.ndim == 2 and last != "lerp":
                matrices.append(p)
            else:
                vectors.append(p)
        self.muon = Muon(inner, decay)
        groups = [{"params": matrices, "weight_decay": decay},
                  {"params": vectors, "weight_decay": 0.0}]
        self.adam = torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.99),
                                      fused=vectors[0].is_cuda)

    def step(self, rate):
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.muon.step(rate)
        for stack in self.muon.stacks:
            for p in stack:
                p.grad = None
