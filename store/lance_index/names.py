"""Many distinct strings by number, and the numbers by string, without one object for each."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def digests(names: Iterable[str]) -> np.ndarray:
    """uint64 per name; two names may have one."""
    found = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(b"".join(found), np.uint64)


class Lookup:
    """Where each of many strings stands: digests in order, with the place of each."""

    def __init__(self, ordered: np.ndarray, places: np.ndarray, texts: "Sequence[pa.Array]"):
        """`texts` hold the strings by place, in parts of one length but for the last."""
        self._ordered = ordered
        self._places = places
        self._texts = texts
        self._part = len(texts[0]) if texts else 1

    def __len__(self) -> int:
        return len(self._ordered)

    def name(self, place: int) -> str:
        return self._texts[place // self._part][place % self._part].as_py()

    def find(self, name: str) -> int:
        """Its place, or -1."""
        [digest] = digests([name])
        at = int(np.searchsorted(self._ordered, digest))
        while at < len(self._ordered) and self._ordered[at] == digest:
            place = int(self._places[at])
            if self.name(place) == name:
                return place
            at += 1
        return -1


class Names:
    """Distinct strings as small ints, None as -1; what a base has keeps its place there."""

    def __init__(self, base: Lookup | None = None) -> None:
        self._base = base
        self._first = len(base) if base else 0
        self._new: list[str] = []
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return self._first + len(self._new)

    def give(self, name: str | None) -> int:
        """The name's code, new if need be."""
        if name is None:
            return -1
        code = self.find(name)
        if code < 0:
            code = self._codes[name] = len(self)
            self._new.append(name)
        return code

    def find(self, name: str) -> int:
        """The name's code, or -2, which no slot holds."""
        if (code := self._codes.get(name)) is not None:
            return code
        place = self._base.find(name) if self._base else -1
        return place if place >= 0 else -2

    def name(self, code: int) -> str:
        return (
            self._base.name(code)
            if self._base and code < self._first
            else (self._new[code - self._first])
        )

    def every(self) -> list[str]:
        """All of them by code: for the few kinds of which there are few."""
        return [self.name(code) for code in range(len(self))]
