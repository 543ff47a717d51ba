"""A stream of bytes as lines, of which none is read into memory that is too long."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENDS = 2_000
_ID = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\]{1,64}")')


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLong:
    """A line that was not kept."""

    size: int
    ends: bytes
    """Its beginning and its end."""


class Lines:
    """Parts what comes in pieces."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._head = self._tail = b""

    def feed(self, chunk: bytes) -> Iterator[bytes | TooLong]:
        """The lines that end within the chunk."""
        *ended, begun = chunk.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield self._line()
        self._add(begun)

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= self._most:
            self._parts.append(piece)
            return
        if self._parts:
            whole = b"".join(self._parts)
            self._head, self._tail, self._parts = whole[:_ENDS], whole[-_ENDS:], []
        self._head = self._head or piece[:_ENDS]
        self._tail = (self._tail + piece)[-_ENDS:]

    def _line(self) -> bytes | TooLong:
        size, parts = self._size, self._parts
        ends = self._head + b"\n" + self._tail
        self._parts, self._size, self._head, self._tail = [], 0, b"", b""
        return b"".join(parts) if size <= self._most else TooLong(size=size, ends=ends)


def ids_in(text: bytes) -> set[str]:
    """What stands as the id of a message in a text that cannot be read as one."""
    return {found.decode("utf-8", "replace").strip('"') for found in _ID.findall(text)}
