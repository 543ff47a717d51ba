"""The vectors of one space, by slot: whole ones while they are few, compact ones past that.

A compact vector is kept twice: as 8-bit numbers, which lose less than 0.005 of a cosine, and as
the signs of its coordinates, of which an estimate of every cosine is made by counting bits. A
million estimates take some 20 ms and read 48 bytes each; what they bring to the front is then
scored by the numbers. (The estimate is RaBitQ's: Gao and Long, SIGMOD 2024.)
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

_PLANES = 4
"""Bits per coordinate of a question."""
_BLOCK = 1 << 15
"""Slots scored at a time: their words stay in the processor's cache."""
_SAMPLE = 1024
"""Slots whose exact cosines tell how far the estimates stray."""


class Vectors(Protocol):
    """Vectors by slot."""

    rough: bool
    """Whether `scores` are estimates, to be replaced by `exact` ones where they matter."""

    def put(self, start: int, vectors: np.ndarray) -> None:
        """Takes the slots from `start` on."""
        ...

    def scores(self, vector: np.ndarray, size: int) -> np.ndarray:
        """float32 (size,): the cosine of every slot with this unit vector."""
        ...

    def of(self, slots: np.ndarray) -> np.ndarray:
        """float32 (len(slots), dimensions)."""
        ...


class WholeVectors:
    """float32 in memory, exact."""

    rough = False

    def __init__(self, dimensions: int) -> None:
        self._rows = np.zeros((0, dimensions), np.float32)

    def put(self, start: int, vectors: np.ndarray) -> None:
        end = start + len(vectors)
        if not start and not len(self._rows):
            self._rows = vectors
            return
        if end > len(self._rows):
            grown = np.zeros((max(end, 1024, start * 3 // 2), self._rows.shape[1]), np.float32)
            grown[:start] = self._rows[:start]
            self._rows = grown
        self._rows[start:end] = vectors

    def scores(self, vector: np.ndarray, size: int) -> np.ndarray:
        # Not `@`: BLAS would spread it over threads that a busy machine makes it wait for.
        return np.vecdot(self._rows[:size], vector)

    def of(self, slots: np.ndarray) -> np.ndarray:
        return self._rows[slots]


def compact_shapes(room: int, dimensions: int) -> Mapping[str, tuple[tuple[int, ...], type]]:
    """The arrays of `CompactVectors` by name: their shapes and kinds."""
    return {
        "numbers": ((room, dimensions), np.int8),
        "scales": ((room,), np.float32),
        "signs": ((-(-dimensions // 64), room), np.uint64),
        "ones": ((room,), np.uint16),
        "inverse": ((room,), np.float32),
    }


class CompactVectors:
    """8-bit numbers and signs in the arrays of `compact_shapes`, which may be mapped."""

    rough = True

    def __init__(self, held: Mapping[str, np.ndarray]) -> None:
        self._held = dict(held)

    @property
    def room(self) -> int:
        return len(self._held["scales"])

    def put(self, start: int, vectors: np.ndarray) -> None:
        self._reserve(start + len(vectors))
        where = slice(start, start + len(vectors))
        held = self._held
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127
        held["numbers"][where] = np.rint(vectors / scales[:, None])
        held["scales"][where] = scales
        signs = vectors > 0
        held["ones"][where] = signs.sum(axis=1)
        held["signs"][:, where] = _packed(signs)
        # Exactly 0 for no vector at all, as of a space of words.
        length = np.abs(vectors).sum(axis=1)
        held["inverse"][where] = np.where(length > 0, 1 / np.maximum(length, 1e-12), 0)

    def scores(self, vector: np.ndarray, size: int) -> np.ndarray:
        low, high = float(vector.min()), float(vector.max())
        step = (high - low) / (2**_PLANES - 1) or 1.0
        levels = np.rint((vector - low) / step).astype(np.uint8)
        planes = [_packed(((levels >> bit) & 1).astype(bool)[None])[:, 0] for bit in range(_PLANES)]
        found = np.empty(size, np.float32)
        for start in range(0, size, _BLOCK):
            where = slice(start, min(size, start + _BLOCK))
            ones = self._held["ones"][where].astype(np.float32)
            counted = _counted(self._held["signs"][:, where], planes)
            # A sum over signs is twice that over the positive ones, less the sum over all.
            sums = 2 * (low * ones + step * counted) - float(vector.sum())
            found[where] = sums * self._held["inverse"][where]
        return self._levelled(found, vector)

    def of(self, slots: np.ndarray) -> np.ndarray:
        return self._held["numbers"][slots] * self._held["scales"][slots, None]

    def _levelled(self, found: np.ndarray, vector: np.ndarray) -> np.ndarray:
        """The estimates with the mean and the spread that exact cosines of a sample have: their
        error widens them, and what stands out is judged by the spread."""
        sample = np.arange(0, len(found), max(1, len(found) // _SAMPLE))
        if not len(sample):
            return found
        exact, rough = np.vecdot(self.of(sample), vector), found[sample]
        found -= rough.mean()
        found *= exact.std() / max(1e-9, float(rough.std()))
        found += exact.mean()
        return found

    def _reserve(self, size: int) -> None:
        if size <= self.room:
            return
        shapes = compact_shapes(max(size, self.room * 5 // 4), self._held["numbers"].shape[1])
        for name, (shape, kind) in shapes.items():
            grown, held = np.zeros(shape, kind), self._held[name]
            if name == "signs":
                grown[:, : self.room] = held
            else:
                grown[: len(held)] = held
            self._held[name] = grown


def _packed(signs: np.ndarray) -> np.ndarray:
    """uint64 (words, n) of bool (n, dimensions)."""
    packed = np.packbits(signs, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _counted(signs: np.ndarray, planes: list[np.ndarray]) -> np.ndarray:
    """Sum of a question's levels over the set bits of each slot."""
    size = signs.shape[1]
    both, bits = np.empty(size, np.uint64), np.empty(size, np.uint8)
    total = np.zeros(size, np.uint16)
    for weight, plane in enumerate(planes):
        counted = np.zeros(size, np.uint16)
        for word, asked in zip(signs, plane, strict=True):
            np.bitwise_and(word, asked, out=both)
            np.bitwise_count(both, out=bits)
            counted += bits
        total += counted << weight
    return total
