# SPDX-License-Identifier: MIT
"""The WKV7 recurrence as a PyTorch operator with a gradient.

On a GPU it is our kernel in wkv7.cu, built by nvcc at first use; on a CPU the
plain loop `plain`, which is also what the kernel is checked against.
All inputs are [batch, steps, heads, 64], steps a multiple of 16; x, the logit
of the decay, is float32, the others one type (bfloat16 to train).
"""
import ctypes
import functools
import os
import shutil
import subprocess
import tempfile

import torch

CHUNK = 16
DECAY = 0.606531


@functools.cache
def library():
    """The kernels, built once a process."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wkv7.cu")
    built = os.path.join(tempfile.mkdtemp(prefix="wkv7-"), "wkv7.so")
    nvcc = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    subprocess.run([nvcc, "-O3", "-arch=native", "-shared", "-Xcompiler",
                    "-fPIC", "-o", built, source], check=True)
    return ctypes.CDLL(built)


def launch(back, tensors):
    """Run a kernel on tensors in the order that wkv7.cu states."""
    batch, steps, heads, n = tensors[0].shape
    if n != 64 or steps % CHUNK:
        raise ValueError(f"head size {n} is not 64 or {steps} steps are not a "
                         f"multiple of {CHUNK}")
    size = (ctypes.c_int * 3)(batch, steps, heads)
    at = (ctypes.c_void_p * len(tensors))(*[t.data_ptr() for t in tensors])
    stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream)
    bf16 = int(tensors[0].dtype == torch.bfloat16)
    error = library().wkv7_run(back, bf16, size, at, stream)
    if error:
        raise RuntimeError(f"the WKV7 kernel failed: CUDA error {error}")


def plain(r, k, v, a, b, x):
    """The recurrence as it is written down. [V7:wkv]"""
    batch, steps, heads, n = r.shape
    w = torch.exp(-DECAY * torch.sigmoid(x))
    state, out = r.new_zeros(batch, heads, n, n), []
    for t in range(steps):
        sa = torch.einsum("bhij,bhj->bhi", state, a[:, t])
        state = (state * w[:, t, :, None, :]
                 + sa[..., None] * b[:, t, :, None, :]
                 + v[:, t, :, :, None] * k[:, t, :, None, :])
        out.append(torch.einsum("bhij,bhj->bhi", state, r[:, t]))
    return torch.stack(out, 1)


def states(r):
    """Room for sa and for the states that the forward pass leaves."""
    batch, steps, heads, n = r.shape
    room = functools.partial(torch.empty, dtype=torch.float32, device=r.device)
    return room(r.shape), room(batch * heads, steps // CHUNK, n, n)


@torch.library.custom_op("anser::wkv7", mutates_args=(), device_types="cuda")
def run(r: torch.Tensor, k: torch.Tensor, v: torch.Tensor, a: torch.Tensor,
        b: torch.Tensor, x: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    inputs = [t.contiguous() for t in (r, k, v, a, b, x)]
    sa, saved = states(r)
    y = torch.empty_like(inputs[0])
    launch(0, inputs + [sa, saved, y])
    return y, sa, saved


@run.register_fake
def _(r, k, v, a, b, x):
    return (torch.empty_like(r, memory_format=torch.contiguous_format),
            *states(r))


@torch.library.custom_op("anser::wkv7_back", mutates_args=(),
                         device_types="cuda")
def back(r: torch.Tensor, k: torch.Tensor, v: torch.Tensor, a: torch.Tensor,
         b: torch.Tensor, x: torch.Tensor, sa: torch.Tensor,
         saved: torch.Tensor, dy: torch.Tensor) -> list[torch.Tensor]:
    inputs = [t.contiguous() for t in (r, k, v, a, b, x, sa, saved, dy)]
    grads = [torch.empty_like(t) for t in inputs[:6]]
    launch(1, inputs + grads)
    return grads


@back.register_fake
def _(r, k, v, a, b, x, sa, saved, dy):
    return [torch.empty_like(t, memory_format=torch.contiguous_format)
            for t in (r, k, v, a, b, x)]


def keep(ctx, inputs, output):
    ctx.set_materialize_grads(False)    # sa and saved have none
    ctx.save_for_backward(*inputs, *output[1:])


def gradient(ctx, dy, _sa, _saved):
    return tuple(back(*ctx.saved_tensors, dy))


run.register_autograd(gradient, setup_context=keep)


def wkv7(r, k, v, a, b, x):
    """y of the recurrence; x in float32, the others in the type of r."""
    k, v, a, b = (t.to(r.dtype) for t in (k, v, a, b))
    if not r.is_cuda:
        return plain(r, k, v, a, b, x.to(r.dtype))
    return run(r, k, v, a, b, x.float())[0]
