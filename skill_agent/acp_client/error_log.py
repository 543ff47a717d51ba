"""What a program writes to its error stream, kept in a file that stays small."""

import asyncio
import os
from io import TextIOWrapper
from pathlib import Path

from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked
from skill_agent.text.shaping import one_line

MOST_BYTES = 1_000_000
"""Of the file; the one before it stays beside it as `.1`."""
_LONGEST_LINE = 2_000
_LONGEST_TOLD = 300


class ErrorLog:
    """Takes all that comes, however much: a program whose errors nobody reads stands still."""

    def __init__(self, file: Path) -> None:
        self._file, self._left, self._last = file, 0, ""
        self._out: TextIOWrapper | None = None

    @property
    def last(self) -> str:
        """The last line that said something, made fit to be shown."""
        return one_line(masked(self._last), _LONGEST_TOLD)

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Until the stream ends."""
        self._open()
        rest = b""
        try:
            while piece := await stream.read(65_536):
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self.add(line)
                if len(rest) > _LONGEST_LINE:
                    self.add(rest)
                    rest = b""
            if rest:
                self.add(rest)
        finally:
            if self._out is not None:
                self._out.close()
                self._out = None

    def add(self, line: bytes) -> None:
        """A line; past what the file may hold only the last one is remembered."""
        text = printable(line[:_LONGEST_LINE].decode("utf-8", "replace")).rstrip()
        if not text:
            return
        self._last = text
        if self._out is not None and self._left > 0:
            self._left -= self._out.write(f"{masked(text)}\n")
            self._out.flush()

    def _open(self) -> None:
        """A log that cannot be written is done without."""
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            size = self._file.stat().st_size if self._file.exists() else 0
            if size > MOST_BYTES // 2:
                self._file.replace(self._file.with_suffix(".log.1"))
                size = 0
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._out = os.fdopen(handle, "w", encoding="utf-8")
            self._left = MOST_BYTES - size
        except OSError:
            self._out = None
