"""Reads a file of memories line by line; wrong lines are told apart, and nothing is stored here."""

import contextlib
import io
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from skill_agent.errors import UsageError
from skill_agent.memory.row_lines import lines, row_in
from skill_agent.memory.rows import memory_row
from skill_agent.values import Memory

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HELD = 8 * 1024**2
"""Bytes of standard input that stand in memory; more of it waits in a file without a name."""
KNOWN_KEYS = (
    *memory_row(Memory(id="", content="", created_at=_EPOCH, updated_at=_EPOCH)),
    "kind",
    "score",
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that could not be imported."""

    line: int
    problem: str


@dataclass(slots=True)
class Rows:
    """Reads JSON lines one by one and remembers what was wrong with which.

    Whoever takes the rows hands one that is no memory back to `refuse`, before taking the next.
    """

    stream: BinaryIO
    name: str
    read: int = 0
    line: int = 0
    """The line last read."""
    mistakes: list[Mistake] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every line that is an object."""
        for number, raw in lines(self.stream):
            self.line = number
            if not raw.strip():
                continue
            self.read += 1
            before = len(self.mistakes)
            try:
                row = row_in(raw, first=number == 1)
            except UsageError as error:
                self.refuse(error)
                continue
            yield row
            if len(self.mistakes) == before:
                self.unknown.update(key for key in row if key not in KNOWN_KEYS)

    def refuse(self, error: UsageError) -> None:
        """Notes that the line last read is not a memory, and why."""
        self.mistakes.append(Mistake(self.line, error.message))


@contextlib.contextmanager
def opened(file: str, stdin: BinaryIO | None) -> Iterator[BinaryIO]:
    """The file, or all of standard input for `-`, to be read more than once; raises UsageError
    where it cannot be read."""
    with contextlib.ExitStack() as stack:
        if file == "-":
            spool = stack.enter_context(tempfile.SpooledTemporaryFile(_HELD))
            shutil.copyfileobj(stdin or sys.stdin.buffer, spool)
            spool.seek(0)
            yield cast(BinaryIO, spool)
            return
        try:
            stream = stack.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from None
        yield stream


def count_lines(stream: BinaryIO) -> int:
    """Lines of a file that can be read twice; 0 is unknown."""
    try:
        if not stream.seekable():
            return 0
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        stream.seek(0)
    except (OSError, io.UnsupportedOperation):
        return 0
    return lines
