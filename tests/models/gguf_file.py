"""Writes GGUF files that hold a header and no weights."""

import struct
from pathlib import Path
from typing import Any


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
