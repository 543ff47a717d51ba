"""How far the log got, kept outside the ledger: a hash chain cannot see that its end is cut off.

A small file beside the ledger says the number and hash of the last row, and a copy of it lies in
the index. It is written after a commit and under the home's lock, so it never runs ahead; a crash
between the two leaves it behind, which is in order. What cannot be written costs only the noticing.

The file has two lines of one length, written in turn and in place: a rename at each commit would
cost more than the commit, and whatever cuts one line short leaves the other.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from skill_agent.errors import LedgerBehind
from skill_agent.files.home import Home

from .chain import GENESIS, Head, seal

_LINE = 256
"""Bytes of a line, blanks at its end included."""
_IN_INDEX = "ledger.anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The last row that is known to have been on disk."""

    seq: int
    hash: str
    at: str
    """When it was anchored, ISO 8601."""
    schema: int = 0
    """The ledger's schema then."""


class Anchors:
    """The anchor of one ledger file, and its copy in the index; blocking."""

    def __init__(self, ledger: Path, index: Path | None = None) -> None:
        self.ledger, self.index = ledger, index
        self._kept, self._turn = Head(-1), 0
        """What was written, and which line comes next; 0 after a whole writing."""

    @classmethod
    def of(cls, home: Home) -> "Anchors":
        """Those of a home."""
        return cls(home.ledger, home.index)

    @property
    def file(self) -> Path:
        return anchor_file(self.ledger)

    @property
    def damaged(self) -> bool:
        """Whether the file is there and says nothing."""
        return self.file.exists() and _read(self.file) is None

    def read(self) -> Anchor | None:
        """What is known; the farther of the two where they differ."""
        found = [one for one in map(_read, self._files()) if one is not None]
        return max(found, key=lambda one: one.seq, default=None)

    def holds(self, head: Head, *, closing: bool = False) -> bool:
        """Whether this is what was written last, at closing also for good."""
        if closing and (self._turn or self._index_lacks_it()):
            return False
        return head == self._kept

    def _index_lacks_it(self) -> bool:
        index = self.index
        return bool(index and index_is_filled(index) and not (index / _IN_INDEX).exists())

    def write(self, head: Head, *, at: str, schema: int, closing: bool = False) -> None:
        """Says how far the log is. At closing it outlives a power cut, and the index gets it."""
        anchor = Anchor(seq=head.seq, hash=head.hash, at=at, schema=schema)
        with suppress(OSError):
            if closing or not _overwritten(self.file, anchor, self._turn % 2):
                _replace(self.file, anchor)
                self._turn = 0
            else:
                self._turn += 1
        if closing and self.index is not None and index_is_filled(self.index):
            with suppress(OSError):
                _replace(self.index / _IN_INDEX, anchor)
        self._kept = head

    def remove(self) -> None:
        """Forgets how far the log was: the next opening takes the ledger as it finds it."""
        for file in self._files():
            file.unlink(missing_ok=True)

    def check_there(self) -> None:
        """Raises LedgerBehind where the file is missing, or empty, though there was a log."""
        with suppress(OSError):
            if self.ledger.stat().st_size:
                return
        if (anchor := self.read()) is not None and anchor.seq:
            raise _lost(f"The log ended at row {_place(anchor)}, but {self.ledger} is not there.")
        if self.index is not None and index_is_filled(self.index):
            raise _lost(
                f"{self.ledger} is not there, but the search index beside it is full: "
                "a ledger is missing."
            )

    def check(self, head: Head, stored: str | None) -> None:
        """Raises LedgerBehind where the log does not reach its anchor, or is another one; `stored`
        is the hash of its row at the anchor's place."""
        anchor = self.read()
        if anchor is None:
            if not head.seq and self.index is not None and index_is_filled(self.index):
                raise _lost(f"{self.ledger} is empty, but the search index beside it is full.")
            return
        if head.seq < anchor.seq:
            count = anchor.seq - head.seq
            raise _lost(
                f"The log ended at row {_place(anchor)}, but {self.ledger} ends at row {head.seq}: "
                f"{'1 row is' if count == 1 else f'{count} rows are'} missing."
            )
        if anchor.seq and stored != anchor.hash:
            raise _lost(
                f"{self.ledger} is another home's, or was changed: its row {anchor.seq} is not the "
                f"one that was written ({anchor.at})."
            )
        if head == Head(anchor.seq, anchor.hash) and not self.damaged:
            self._kept = head

    def _files(self) -> Iterator[Path]:
        yield self.file
        if self.index is not None:
            yield self.index / _IN_INDEX


def reset(home: Home, seq: int, digest: str, *, at: str, schema: int = 0) -> None:
    """Says that the ledger now in the home ends at this row, whatever was known before; for whoever
    put a whole ledger in its place, under the home's lock. An index that reflects more than that
    has to go with the old one."""
    anchors = Anchors.of(home)
    anchors.remove()
    anchors.write(Head(seq, digest or GENESIS), at=at, schema=schema, closing=True)


def anchor_file(ledger: Path) -> Path:
    """Where the anchor of a ledger lies."""
    return ledger.with_name(ledger.name + ".anchor")


def index_is_filled(index: Path) -> bool:
    """Whether an index has rows, without opening it: its tables are made by the first row."""
    with suppress(OSError):
        return any(index.glob("items.lance")) or any(index.glob("space-*/items.lance"))
    return False


def _lost(message: str) -> LedgerBehind:
    return LedgerBehind(f"{message} Nothing was opened or changed.")


def _place(anchor: Anchor) -> str:
    return f"{anchor.seq} ({anchor.at[:19].replace('T', ' ')} UTC)"


def _read(file: Path) -> Anchor | None:
    """The farther of the lines that can be read."""
    try:
        with file.open("rb") as stream:
            lines = stream.read(2 * _LINE).split(b"\n")
    except OSError:
        return None
    found = [one for one in map(_from_line, lines) if one is not None]
    return max(found, key=lambda one: one.seq, default=None)


def _from_line(line: bytes) -> Anchor | None:
    try:
        told = json.loads(line)
        digest = told.pop("digest")
        anchor = Anchor(**told)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return anchor if digest == _digest(anchor) else None


def _line(anchor: Anchor) -> bytes:
    told = {**asdict(anchor), "digest": _digest(anchor)}
    return json.dumps(told).encode().ljust(_LINE - 1) + b"\n"


def _digest(anchor: Anchor) -> str:
    """Tells a damaged line from a ledger that is another one."""
    return seal(f"{anchor.seq} {anchor.hash} {anchor.at} {anchor.schema}", "")[:16]


def _overwritten(file: Path, anchor: Anchor, turn: int) -> bool:
    """False where there is no file yet."""
    try:
        handle = os.open(file, os.O_WRONLY)
    except FileNotFoundError:
        return False
    try:
        os.lseek(handle, turn * _LINE, os.SEEK_SET)
        os.write(handle, _line(anchor))
    finally:
        os.close(handle)
    return True


def _replace(file: Path, anchor: Anchor) -> None:
    """Both lines at once, in one step that outlives a power cut."""
    fresh = file.with_name(f"{file.name}.new")
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, 2 * _line(anchor))
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.replace(file)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise
