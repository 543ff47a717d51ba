"""The objects in the lists of a large JSON object, one at a time.

Only as much stands in memory as one of them has bytes, so what a file unpacks to may be many times
what may be held. Nothing is decoded here: where an object begins and ends is told by its brackets.
"""

import re
from collections.abc import Collection, Iterator
from typing import Protocol

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
"""A whole text, a bracket, or the beginning of a text whose end was not read yet."""
_BLANK = b" \t\r\n"
_CHUNK = 1 << 18
_DEEPEST = 64
_ALWAYS_FINE, _BYTES_EACH = 1_000, 4
"""Lists and objects a row may hold anyway, and above that one in so many bytes: what is mostly
brackets was made to cost."""


class Bytes(Protocol):
    """What bytes are read from, so many at most at a time; none at the end."""

    def read(self, size: int, /) -> bytes: ...


class NotRows(ValueError):
    """The bytes are no such object; says why."""


def rows(stream: Bytes, keys: Collection[str], *, most: int) -> Iterator[tuple[str, bytes]]:
    """Each object in the lists under these keys, with its key, in the order of the bytes.

    Other values of the whole are passed over, further lists refused. Raises NotRows, also where a
    list is missing and for an object of more than `most` bytes.
    """
    reading, held, at = _Reading(keys), b"", 0
    while True:
        kept = at if reading.began < 0 else reading.began
        if len(held) - kept > most:
            raise NotRows(f"one of its rows has more than {most:,} bytes")
        read = stream.read(max(_CHUNK, len(held) - kept))
        held, at = held[kept:] + read, at - kept
        reading.began = min(reading.began, 0)
        if not read:
            break
        for token in _TOKEN.finditer(held, at):
            if token[0] == b'"':
                break
            begin = reading.take(token[0], held[at : token.start()], token.start())
            at = token.end()
            if begin is not None:
                yield reading.key, held[begin:at]
    reading.finish(held[at:])


class _Reading:
    """Where in the object the reading is."""

    def __init__(self, keys: Collection[str]) -> None:
        self._missing = {*keys}
        self._depth = 0
        self._started = self._first = False
        self._text = b""
        """The last text of the whole itself: the key of what follows it."""
        self.key = ""
        """Of the list under way; empty where none is."""
        self._opened = 0
        """Lists and objects in the row under way."""
        self.began = -1
        """Where in the bytes the row under way begins; -1 between rows."""

    def take(self, token: bytes, gap: bytes, start: int) -> int | None:
        """Goes on by a token, `gap` being what stands before it; where a row ends with it, gives
        the place the row began at."""
        gap = gap.strip(_BLANK)
        if self._depth == 0:
            self._begin(token, gap)
        elif token[:1] == b'"':
            if self._depth == 1:
                self._text = token
            elif self._depth == 2 and self.key:
                raise NotRows(f"{self.key}: one of its rows is no object")
        elif token in b"[{":
            self._open(token, gap, start)
        else:
            return self._close(gap)
        return None

    def finish(self, rest: bytes) -> None:
        if not self._started or self._depth or rest.strip(_BLANK):
            raise NotRows("it is no whole JSON object")
        if self._missing:
            raise NotRows(f"{', '.join(sorted(self._missing))} is no list")

    def _begin(self, token: bytes, gap: bytes) -> None:
        if self._started or gap or token != b"{":
            raise NotRows("it is no JSON object")
        self._started, self._depth = True, 1

    def _open(self, token: bytes, gap: bytes, start: int) -> None:
        if self._depth == 1 and token == b"[":
            self.key = self._text[1:-1].decode("utf-8", "replace")
            if self.key not in self._missing:
                raise NotRows(f"nobody knows what its {self.key[:40]!r} are")
            self._missing.discard(self.key)
            self._first = True
        elif self._depth == 2 and self.key:
            if token == b"[" or gap != (b"" if self._first else b","):
                raise NotRows(f"{self.key}: one of its rows is no object")
            self._first, self._opened, self.began = False, 0, start
        self._depth, self._opened = self._depth + 1, self._opened + 1
        many = self._opened - _ALWAYS_FINE
        if self.began >= 0 and many > 0 and many * _BYTES_EACH > start - self.began:
            raise NotRows(f"{self.key}: one of its rows is nothing but brackets")
        if self._depth > _DEEPEST:
            raise NotRows(f"it lies more than {_DEEPEST} deep in itself")

    def _close(self, gap: bytes) -> int | None:
        self._depth -= 1
        if self._depth == 2 and self.key:
            began, self.began = self.began, -1
            return began
        if self._depth == 1 and self.key:
            if gap:
                raise NotRows(f"{self.key}: one of its rows is no object")
            self.key = ""
        return None
