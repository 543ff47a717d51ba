"""The end of a log file, and what comes after it: however large it is, and across its rotation.

Nothing is kept between two looks: where one was says the text that was given with the lines.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from skill_agent.values import LogLines

BLOCK = 65_536
MOST_BYTES = 4_000_000
"""Read at one look."""


class LogTail:
    """A log file and the one that was rotated away last, `NAME.1`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._older = path.with_name(f"{path.name}.1")

    def read(self, after: str = "", most: int = 1000) -> LogLines:
        """The last lines; with `after` the next ones after an earlier look, the oldest first.

        Whole lines only: one that is being written comes with a later look. What cannot be read
        counts as not there.
        """
        place = _place(after)
        if place is None:
            return self._last(most)
        inode, offset = place
        for path in (self._older, self._path):
            with _opened(path) as file:
                if file is not None and _inode(file) == inode:
                    return self._next(file, offset, most, rotated=path == self._older)
        return self._anew(after, most, missed=inode != _NONE)

    def _anew(self, after: str, most: int, *, missed: bool) -> LogLines:
        """Where one was is gone: what there is came later, all of it."""
        for path in (self._older, self._path):
            with _opened(path) as file:
                if file is not None:
                    found = self._next(file, 0, most, rotated=path == self._older)
                    return replace(found, missed=missed)
        return LogLines(after=after)

    def _last(self, most: int) -> LogLines:
        found = _end_of(self._path, most)
        if len(found.lines) < most:
            older = _end_of(self._older, most - len(found.lines))
            after = found.after if found.after != _START else older.after
            return LogLines(lines=(*older.lines, *found.lines), after=after)
        return found

    def _next(self, file: BinaryIO, offset: int, most: int, *, rotated: bool) -> LogLines:
        """What stands behind a place; behind the end of the older file, the newer one begins."""
        size = file.seek(0, 2)
        offset = offset if offset <= size else 0  # cut short: it begins anew
        file.seek(offset)
        lines: list[str] = []
        while len(lines) < most and (raw := file.readline(MOST_BYTES)):
            if not raw.endswith(b"\n") and len(raw) < MOST_BYTES and not rotated:
                break
            lines.append(_text(raw))
            offset += len(raw)
        after = f"{_inode(file):x}-{offset:x}"
        if rotated and len(lines) < most:
            with _opened(self._path) as newer:
                if newer is not None:
                    more = self._next(newer, 0, most - len(lines), rotated=False)
                    return LogLines(lines=(*lines, *more.lines), after=more.after)
        return LogLines(lines=tuple(lines), after=after)


_NONE = 0
"""The number of no file."""
_START = f"{_NONE:x}-0"
"""Where there is no log: all that comes is new."""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO | None]:
    """The file while it is read; None where it cannot be."""
    try:
        file = path.open("rb")
    except OSError:
        yield None
        return
    with file:
        yield file


def _place(after: str) -> tuple[int, int] | None:
    """The file and the place in it that a look gave; None for what none gave."""
    inode, _, offset = after.partition("-")
    try:
        return int(inode, 16), min(int(offset, 16), 2**60)
    except ValueError:
        return None


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _end_of(path: Path, most: int) -> LogLines:
    """The last whole lines, and where they end."""
    with _opened(path) as file:
        if file is None:
            return LogLines(after=_START)
        data = b"".join(reversed([*_blocks_back(file, most)])) if most > 0 else b""
        start = file.seek(0, 2) - len(data)
        whole = data.rfind(b"\n") + 1
        lines = data[:whole].split(b"\n")[:-1]
        if start > 0:
            lines = lines[1:]  # its beginning was not read
        return LogLines(
            lines=tuple(_text(one) for one in lines[-most:]),
            after=f"{_inode(file):x}-{start + whole:x}",
        )


def _blocks_back(file: BinaryIO, most: int) -> Iterator[bytes]:
    at = file.seek(0, 2)
    ends = read = 0
    while at > 0 and ends <= most and read < MOST_BYTES:
        size = min(BLOCK, at)
        at -= size
        file.seek(at)
        block = file.read(size)
        ends, read = ends + block.count(b"\n"), read + size
        yield block


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace").rstrip("\r\n")
