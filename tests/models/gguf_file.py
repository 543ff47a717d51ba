"""Writes GGUF files: a header alone, or a whole tiny model."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

_ALIGNED = 32


def gguf(path: Path, values: dict[str, Any], shapes: tuple[tuple[int, ...], ...] = ()) -> Path:
    """A file with these keys and tensors of these shapes, described only."""
    data = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(values))
    for key, value in values.items():
        data += _string(key) + _typed(value)
    for number, shape in enumerate(shapes):
        data += _string(f"tensor{number}") + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        data += struct.pack("<IQ", 0, 0)
    path.write_bytes(data)
    return path


def gguf_with_weights(path: Path, values: dict[str, Any], weights: dict[str, np.ndarray]) -> Path:
    """A file with these keys and float32 tensors, which llama.cpp loads."""
    header = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(values))
    for key, value in values.items():
        header += _string(key) + _typed(value)
    body = b""
    for name, tensor in weights.items():
        shape = tensor.shape[::-1]
        header += _string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        header += struct.pack("<IQ", 0, len(body))
        body += _padded(tensor.astype("<f4").tobytes())
    path.write_bytes(_padded(header) + body)
    return path


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNED)


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _typed(value: Any) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _string(value)
    kind = _typed(value[0])[:4]
    items = b"".join(_typed(one)[4:] for one in value)
    return struct.pack("<I", 9) + kind + struct.pack("<Q", len(value)) + items
