# SPDX-License-Identifier: MIT
"""The WKV7 kernel against the plain loop in float64, on the GPU.

Relative error ||kernel - loop|| / ||loop|| of y and of each gradient, on
fresh random data with several sequences and heads. Raises if one is too far.
"""
import torch
from torch.nn import functional as fn

import wkv7

SHAPE = (3, 96, 4, 64)
LIMITS = {torch.float32: 1e-4, torch.bfloat16: 1e-2}


def example():
    """Inputs as a model makes them: a = -kk, b = kk * rate, |kk| = 1."""
    def draw():
        return torch.randn(SHAPE, device="cuda")
    kk = fn.normalize(draw(), dim=-1)
    return [draw(), draw() * 0.3, draw(), -kk, kk * draw().sigmoid(),
            draw() * 2 - 2]


def gradients(run, inputs, dy):
    """y and the gradients of all inputs for one dy."""
    inputs = [t.detach().requires_grad_() for t in inputs]
    y = run(*inputs)
    return [y.detach(), *torch.autograd.grad(y, inputs, dy.to(y.dtype))]


def check():
    torch.manual_seed(7)
    for kind, limit in LIMITS.items():
        inputs = [t.to(kind) for t in example()[:5]] + [example()[5]]
        dy = torch.randn(SHAPE, device="cuda").to(kind)
        got = gradients(wkv7.wkv7, inputs, dy)
        want = gradients(wkv7.plain, [t.double() for t in inputs], dy)
        for name, g, w in zip(("y", *"rkvabx"), got, want):
            error = ((g.double() - w).norm() / w.norm()).item()
            print(f"wkv7 {kind} {name}: relative error {error:.1e}")
            if not error < limit:
                raise SystemExit(f"the WKV7 kernel is wrong: {name} is off by "
                                 f"{error:.1e}, more than {limit:.0e}")


if __name__ == "__main__":
    check()
