"""`ska logs`: what the home's host has to say, read from its files; the home is not opened."""

import os
import select
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, TextIO

import typer

from skill_agent.host.presence import LOG

from ..options import single
from ..output import INTERRUPTED, emit_text, narrate
from ..surroundings import on_this_machine
from .up import LOG as HOST_LOG

_LOOK_S = 0.2

app = single()


@app.command()
def logs(
    ctx: typer.Context,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on showing what is added, until Ctrl+C.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many from the end.")] = 50,
    host: Annotated[
        bool, typer.Option("--host", help="What `ska up` itself printed, instead of the log.")
    ] = False,
) -> None:
    """Show what the home's host has to say.

    Reads the files in the home's logs folder, so it works whoever has the home open. Secrets are
    taken out before anything is logged. What models were sent and answered is not in there: see
    `ska sessions show --prompts`.

    \b
    Examples:
      ska logs
      ska logs -f
      ska logs --host -n 200
      ska logs -n 1000 | grep WARNING

    \b
    Exit codes: 0 shown (also if there is nothing yet), 130 ended by Ctrl+C.
    """
    path = on_this_machine(ctx).home.logs / (HOST_LOG if host else LOG)
    tail = _Tail(path)
    try:
        for line in tail.last(lines):
            emit_text(line)
        if not path.exists():
            narrate(f"nothing in {path} yet")
        if follow:
            _follow(tail)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        tail.close()


def _follow(tail: "_Tail") -> None:
    sys.stdout.flush()
    while not _nobody_reads():
        for line in tail.added():
            emit_text(line)
        sys.stdout.flush()
        time.sleep(_LOOK_S)


class _Tail:
    """A log file from its end on, also across its rotation."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._begun = ""

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def last(self, count: int) -> list[str]:
        """The last lines, with those of the file rotated away where this one has too few."""
        found: deque[str] = deque(maxlen=count)
        older = self._path.with_name(f"{self._path.name}.1")
        if older.exists():
            with older.open(encoding="utf-8", errors="replace") as file:
                found.extend(line.rstrip("\n") for line in file)
        found.extend(self.added())
        return list(found)

    def added(self) -> Iterator[str]:
        """Whole lines that came since the last time."""
        if self._file is not None:
            yield from self._lines(self._file)
            if not self._replaced(self._file):
                return
            self._file.close()
            self._file, self._begun = None, ""
        if self._path.exists():
            self._file = self._path.open(encoding="utf-8", errors="replace")
            yield from self._lines(self._file)

    def _lines(self, file: TextIO) -> Iterator[str]:
        while piece := file.readline():
            self._begun += piece
            if piece.endswith("\n"):
                yield self._begun.rstrip("\n")
                self._begun = ""

    def _replaced(self, file: TextIO) -> bool:
        """Whether the name leads to another file now, or this one was cut short."""
        ours = os.fstat(file.fileno())
        try:
            now = self._path.stat()
        except OSError:
            return True
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino) or now.st_size < file.tell()


def _nobody_reads() -> bool:
    """Whether the reader of a pipe is gone; a quiet log would never find out by writing."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return False
    if not hasattr(select, "poll"):
        return False
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in asked.poll(0))
