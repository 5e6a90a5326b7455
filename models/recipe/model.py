# SPDX-License-Identifier: MIT
"""RWKV-7 in PyTorch, made to be trained and read.

C channels, H heads of N = 64, F feed-forward, V vocabulary, L layers; x is
[batch, steps, C]. Matrices are held as [out, in], as GGUF stores them.
Start values are those published with RWKV-7 (BlinkDL, RWKV-LM). Not here:
the recurrence itself (wkv7.py) and running one token at a time.
"""
import dataclasses

import torch
from torch import nn
from torch.nn import functional as fn

from wkv7 import wkv7

N = 64


@dataclasses.dataclass
class Sizes:
    V: int = 4096
    C: int = 256
    L: int = 12
    F: int = 1024
    Dw: int = 32        # LoRA ranks: decay
    Da: int = 32        # in-context learning rate
    Dv: int = 32        # value residual
    Dg: int = 64        # gate
    dropout: float = 0.3


def flat(*shape, scale):
    return nn.Parameter(torch.empty(*shape).uniform_(-scale, scale))


def orthogonal(*shape, gain):
    return nn.Parameter(nn.init.orthogonal_(torch.empty(*shape), gain))


def vector(values):
    return nn.Parameter(values.clone())


def bound(C):
    """Bound of the flat start values of a matrix with C inputs."""
    return 0.5 * C ** -0.5


def ramp(C, power):
    """Shift coefficients: from 1 (all of the last token) down towards 0."""
    return 1 - (torch.arange(C) / C) ** power


def shifted(x):
    """The last token's x minus this token's; the token before the first: 0."""
    return fn.pad(x, (0, 0, 1, -1)) - x


class TimeMix(nn.Module):
    def __init__(self, s, layer):
        super().__init__()
        C = s.C
        deep = layer / max(1, s.L - 1)      # 0 at the first layer, 1 at last
        left = 1 - layer / s.L
        n = torch.arange(C)
        line = n / (C - 1) - 0.5
        zigzag = (n % N - (N - 1) / 2) / ((N - 1) / 2)
        zigzag = zigzag * zigzag.abs()
        powers = [p * left for p in (0.2, 0.9, 0.7, 0.7, 0.9, 0.2)]
        self.first = layer == 0
        self.dropout = s.dropout
        self.lerp = vector(torch.stack([ramp(C, p) for p in powers]))
        decay = -5.5 + 6 * (n / (C - 1)) ** (1 + deep ** 0.3)
        self.w0 = vector(decay + 2.5 * zigzag)
        self.a0 = vector(-0.19 + 0.3 * zigzag + 0.4 * line)
        self.w1, self.w2 = self.lora(C, s.Dw)
        self.a1, self.a2 = self.lora(C, s.Da)
        self.g1, self.g2 = self.lora(C, s.Dg)
        if not self.first:
            self.v0 = vector(0.73 - 0.4 * line)
            self.v1, self.v2 = self.lora(C, s.Dv)
        self.k_k = vector(0.71 - 0.1 * line)
        self.k_a = vector(torch.full((C,), 1.02))
        self.r_k = vector(torch.full((C,), -0.04))
        self.receptance = flat(C, C, scale=bound(C))
        self.key = flat(C, C, scale=0.1 * bound(C))
        self.value = flat(C, C, scale=bound(C))
        self.output = nn.Parameter(torch.zeros(C, C))
        self.ln_weight = vector(torch.full((C,), ((1 + layer) / s.L) ** 0.7))
        self.ln_bias = vector(torch.zeros(C))

    @staticmethod
    def lora(C, D):
        """A pair [D, C] and [C, D]: zero in, small orthogonal out."""
        return nn.Parameter(torch.zeros(D, C)), orthogonal(C, D, gain=0.1)

    def forward(self, x, v_first):
        """[V7:time_mix]; v_first is layer 0's v, the residual of the rest."""
        B, T, C = x.shape
        heads = (B, T, C // N, N)
        last = shifted(x)
        xr, xw, xk, xv, xa, xg = (x + last * mix for mix in self.lerp)
        r = fn.linear(xr, self.receptance)
        k = fn.linear(xk, self.key)
        v = fn.linear(xv, self.value)
        w = self.w0 + fn.linear(torch.tanh(fn.linear(xw, self.w1)), self.w2)
        a = torch.sigmoid(self.a0 + fn.linear(fn.linear(xa, self.a1), self.a2))
        g = fn.linear(torch.sigmoid(fn.linear(xg, self.g1)), self.g2)
        if self.first:
            v_first = v
        else:
            mix = self.v0 + fn.linear(fn.linear(xv, self.v1), self.v2)
            v = v + (v_first - v) * torch.sigmoid(mix)
        kk = fn.normalize((k * self.k_k).view(heads), dim=-1, eps=1e-12)
        k = k * (1 + (a - 1) * self.k_a)
        r, k, v, a, w = (t.view(heads) for t in (r, k, v, a, w))
        y = wkv7(r, k, v, -kk, kk * a, w).view(B * T, C)
        y = fn.group_norm(y.float(), C // N, self.ln_weight, self.ln_bias,
                          eps=64e-5).view(B, T, C)
        bonus = (r * k * self.r_k.view(-1, N)).sum(-1, keepdim=True) * v
        y = (y + bonus.view(B, T, C)) * g
        y = fn.linear(y, self.output)
        return fn.dropout(y, self.dropout, self.training), v_first


class ChannelMix(nn.Module):
    def __init__(self, s, layer):
        super().__init__()
        self.dropout = s.dropout
        self.lerp = vector(ramp(s.C, (1 - layer / s.L) ** 4))
        self.key = flat(s.F, s.C, scale=bound(s.C))
        self.value = nn.Parameter(torch.zeros(s.C, s.F))

    def forward(self, x):
        """[V7:channel_mix]"""
        h = torch.relu(fn.linear(x + shifted(x) * self.lerp, self.key)) ** 2
        return fn.dropout(fn.linear(h, self.value), self.dropout,
                          self.training)


class Block(nn.Module):
    def __init__(self, s, layer):
        super().__init__()
        self.ln1 = nn.LayerNorm(s.C)
        self.ln2 = nn.LayerNorm(s.C)
        self.att = TimeMix(s, layer)
        self.ffn = ChannelMix(s, layer)

    def forward(self, x, v_first):
        y, v_first = self.att(self.ln1(x), v_first)
        x = x + y
        return x + self.ffn(self.ln2(x)), v_first


class Tail(nn.Module):
    """The last norm, the head and the loss of every token."""

    def __init__(self, s):
        super().__init__()
        self.ln = nn.LayerNorm(s.C)
        gain = 0.5 * max(1.0, s.V / s.C) ** 0.5
        self.head = orthogonal(s.V, s.C, gain=gain)

    def forward(self, x, targets):
        logits = fn.linear(self.ln(x), self.head).float()
        return fn.cross_entropy(logits.flatten(0, 1), targets.flatten(),
                                reduction="none").view(targets.shape)


class Model(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes
        self.emb = flat(sizes.V, sizes.C, scale=1e-4)
        self.ln0 = nn.LayerNorm(sizes.C)
        self.blocks = nn.ModuleList(Block(sizes, i) for i in range(sizes.L))
        self.tail = Tail(sizes)

    def forward(self, ids):
        """Loss in nats of ids[:, 1:], each token given those before it."""
        x = self.ln0(fn.embedding(ids[:, :-1], self.emb))
        x = fn.dropout(x, self.sizes.dropout, self.training)
        v_first = None
        for block in self.blocks:
            x, v_first = block(x, v_first)
        return self.tail(x, ids[:, 1:])

    def compile_parts(self):
        """Fuse block by block: quick to build, and the blocks share code."""
        for part in (*self.blocks, self.tail):
            part.compile()
