"""The header of a GGUF file: what a model says of itself before anything is loaded.

Reads a few hundred kilobytes and no weights. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"

_NUMBERS = "BbHhIif?"
"""Codes of `struct` for the value types 0 to 7."""
_STRING, _ARRAY = 8, 9
_LONG_NUMBERS = {10: "Q", 11: "q", 12: "d"}
_KEPT = 64
"""Longest array that is kept; vocabularies are passed over."""
_TOO_MANY = 10_000_000


class NotGguf(Exception):
    """The file is no GGUF file, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Header:
    """Keys and values as they stand, and how many weights there are."""

    values: dict[str, Any]
    parameters: int

    def of_model(self, key: str) -> Any:
        """A value of the architecture's own; None where it is not told."""
        return self.values.get(f"{self.values.get('general.architecture')}.{key}")


def is_gguf(path: Path) -> bool:
    """Whether the file begins like one; raises OSError."""
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read_header(path: Path) -> Header:
    """Raises NotGguf and OSError. Blocking, some tenths of a second for a large vocabulary."""
    with path.open("rb", buffering=1 << 20) as stream:
        if stream.read(4) != MAGIC:
            raise NotGguf(f"{path} is no GGUF file")
        reader = _Reader(stream)
        try:
            version, tensors, count = reader.unpack("<IQQ")
            if version < 2 or max(tensors, count) > _TOO_MANY:
                raise NotGguf(f"{path} is a GGUF file of an unknown version")
            values = {reader.string(): reader.value(reader.unpack("<I")[0]) for _ in range(count)}
            return Header(values, sum(reader.weights() for _ in range(tensors)))
        except (struct.error, KeyError, IndexError, UnicodeDecodeError, OverflowError) as error:
            raise NotGguf(f"{path} is a damaged GGUF file: {error}") from None


class _Reader:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(layout, self._stream.read(struct.calcsize(layout)))

    def string(self) -> str:
        return self._bytes().decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._bytes().decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array()
        return self.unpack(f"<{_code(kind)}")[0]

    def weights(self) -> int:
        """How many a tensor has, from its description."""
        self._bytes()
        (dimensions,) = self.unpack("<I")
        shape = self.unpack(f"<{min(dimensions, 16)}Q")
        self.unpack("<IQ")  # type and offset
        return prod(shape)

    def _array(self) -> list[Any] | None:
        """None for one too long to keep."""
        kind, count = self.unpack("<IQ")
        if count > _TOO_MANY:
            raise IndexError("an array is too long")
        if count <= _KEPT:
            return [self.value(kind) for _ in range(count)]
        if kind in (_STRING, _ARRAY):
            for _ in range(count):
                self._bytes() if kind == _STRING else self._array()
        else:
            self._stream.seek(count * struct.calcsize(f"<{_code(kind)}"), 1)
        return None

    def _bytes(self) -> bytes:
        (length,) = self.unpack("<Q")
        if length > _TOO_MANY:
            raise IndexError("a text is too long")
        data = self._stream.read(length)
        if len(data) < length:
            raise IndexError("it ends too soon")
        return data


def _code(kind: int) -> str:
    return _NUMBERS[kind] if kind < len(_NUMBERS) else _LONG_NUMBERS[kind]
