# SPDX-License-Identifier: MIT
"""From a trained model to the tensors and metadata of an rwkv7 GGUF file.

Names, shapes and types are those that llama.cpp reads: big matrices and the
matrices of the a, v and g LoRAs in F16, everything else in F32. Layer 0 has
no value residual, but its v tensors must be there: they are copies of a's.
"""
import numpy as np
import torch

import gguf

END_KIND, NORMAL_KIND = 3, 1        # token types: control, normal
HALF = ("receptance", "key", "value", "output",
        "a1", "a2", "v1", "v2", "g1", "g2")
TIME_MIX = ("w0", "w1", "w2", "a0", "a1", "a2", "v0", "v1", "v2", "g1", "g2",
            "k_k", "k_a", "r_k", "receptance", "key", "value", "output")
ABOUT = (
    ("general.type", "model"),
    ("general.name", "Tales"),
    ("general.author", "The Anser developers"),
    ("general.description",
     "A tiny RWKV-7 that tells tales, trained from nothing on 66 "
     "public-domain books by models/recipe of the Anser source tree"),
    ("general.license", "mit"),
    ("general.source.url", "https://www.gutenberg.org/"),
)


def array(tensor, half=False):
    kind = np.float16 if half else np.float32
    return tensor.detach().float().cpu().numpy().astype(kind)


def norm(name, module):
    return [(f"{name}.weight", array(module.weight)),
            (f"{name}.bias", array(module.bias))]


def time_mix(name, att):
    lerp = array(att.lerp)
    out = [(f"{name}_lerp_fused.weight", lerp.reshape(6, 1, 1, -1))]
    for part in TIME_MIX:
        stored = part
        if att.first and part[0] == "v" and part != "value":
            stored = "a" + part[1]
        out.append((f"{name}_{part}.weight",
                    array(getattr(att, stored), part in HALF)))
    return out + [(f"{name}_ln.weight", array(att.ln_weight)),
                  (f"{name}_ln.bias", array(att.ln_bias))]


def tensors(model):
    """(name, array) of the whole model."""
    out = [("token_embd.weight", array(model.emb, True))]
    out += norm("token_embd_norm", model.ln0)
    for i, block in enumerate(model.blocks):
        name = f"blk.{i}"
        out += norm(f"{name}.attn_norm", block.ln1)
        out += norm(f"{name}.attn_norm_2", block.ln2)
        out += time_mix(f"{name}.time_mix", block.att)
        mix = f"{name}.channel_mix"
        out += [(f"{mix}_lerp_k.weight", array(block.ffn.lerp)),
                (f"{mix}_key.weight", array(block.ffn.key, True)),
                (f"{mix}_value.weight", array(block.ffn.value, True))]
    out += norm("output_norm", model.tail.ln)
    return out + [("output.weight", array(model.tail.head, True))]


@torch.no_grad()
def round_as_stored(model):
    """Give the model the values that its F16 tensors will have."""
    for name, p in model.named_parameters():
        last = name.split(".")[-1]
        if last in HALF + ("emb", "head"):
            p.copy_(p.half().float())


def spelt(piece):
    """A piece as tokens are spelt: inside of Python's repr of the bytes."""
    return repr(piece)[2:-1]


def metadata(sizes, vocabulary):
    shape = {"context_length": 1048576, "embedding_length": sizes.C,
             "block_count": sizes.L, "feed_forward_length": sizes.F,
             "wkv.head_size": 64, "attention.head_count": 0,
             "attention.decay_lora_rank": sizes.Dw,
             "attention.iclr_lora_rank": sizes.Da,
             "attention.value_residual_mix_lora_rank": sizes.Dv,
             "attention.gate_lora_rank": sizes.Dg}
    out = [("general.architecture", gguf.STRING, "rwkv7")]
    out += [(key, gguf.STRING, text) for key, text in ABOUT]
    out += [(f"rwkv7.{k}", gguf.U32, v) for k, v in shape.items()]
    tokens = ["<s>"] + [spelt(p) for p in vocabulary[1:]]
    kinds = [END_KIND] + [NORMAL_KIND] * (len(tokens) - 1)
    return out + [
        ("rwkv7.attention.layer_norm_epsilon", gguf.F32, 1e-5),
        ("general.file_type", gguf.U32, 1),
        ("tokenizer.ggml.model", gguf.STRING, "rwkv"),
        ("tokenizer.ggml.tokens", (gguf.ARRAY, gguf.STRING), tokens),
        ("tokenizer.ggml.token_type", (gguf.ARRAY, gguf.I32), kinds),
        ("tokenizer.ggml.bos_token_id", gguf.U32, 0),
        ("tokenizer.ggml.eos_token_id", gguf.U32, 0)]


def convert(model, vocabulary, path):
    gguf.write(path, metadata(model.sizes, vocabulary), tensors(model))
