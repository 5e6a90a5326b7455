# SPDX-License-Identifier: MIT
"""A GGUF version 3 file: header, metadata, tensor list, tensor data.

Little-endian; a string is its length in 64 bits and its bytes; tensors are
padded to 32 bytes, sizes listed with the contiguous one first. Source: the
format's description in ggml (docs/gguf.md). Only the types that we write.
"""
import struct

import numpy as np

ALIGN = 32
U32, I32, F32, STRING, ARRAY = 4, 5, 6, 8, 9        # of metadata values
TENSOR_TYPES = {"float32": 0, "float16": 1}


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def scalar(kind, value):
    if kind == STRING:
        return string(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f"}[kind], value)


def entry(key, kind, value):
    """One metadata entry; an array's kind is the pair (ARRAY, element)."""
    if isinstance(kind, int):
        return string(key) + struct.pack("<I", kind) + scalar(kind, value)
    head = struct.pack("<IIQ", ARRAY, kind[1], len(value))
    return string(key) + head + b"".join(scalar(kind[1], v) for v in value)


def padding(size):
    return b"\0" * (-size % ALIGN)


def write(path, metadata, tensors):
    """metadata: (key, kind, value)...; tensors: (name, numpy array)..."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(entry(*m) for m in metadata)
    offset, body = 0, []
    for name, array in tensors:
        kind = TENSOR_TYPES[array.dtype.name]
        sizes = array.shape[::-1]
        head += string(name) + struct.pack(f"<I{len(sizes)}Q", len(sizes),
                                           *sizes)
        head += struct.pack("<IQ", kind, offset)
        data = np.ascontiguousarray(array).tobytes()
        body.append(data + padding(len(data)))
        offset += len(body[-1])
    with open(path, "wb") as file:
        file.write(head + padding(len(head)) + b"".join(body))
