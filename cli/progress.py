"""Progress on stderr: a bar with rate and time left on a terminal, elsewhere a line at times."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .output import harmless, narrate

if TYPE_CHECKING:
    from rich.progress import Progress

_EVERY_S = 5.0


class Bar:
    """Shows (done, total, what); call it as a `Progress`. A total of 0 is unknown."""

    def __init__(self, title: str, *, total: int = 0, bytes_: bool = False) -> None:
        self._title, self._total, self._bytes = title, total, bytes_
        self._live: Progress | None = None
        self._task = None
        self._started = self._spoke = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, done: int, total: int, what: str) -> None:
        """One step; the bar appears with the first one."""
        total = total or self._total
        if sys.stderr.isatty():
            self._draw(done, total, what)
            return
        now = time.monotonic()
        if now - self._spoke >= _EVERY_S:
            self._spoke = now
            narrate(self._line(done, total, what, now - self._started))

    def _draw(self, done: int, total: int, what: str) -> None:
        if self._live is None:
            self._live = _live(self._bytes)
            self._task = self._live.add_task(self._title, total=total or None)
            self._live.start()
        if self._task is not None:
            said = harmless(what or self._title)
            self._live.update(self._task, completed=done, total=total or None, description=said)

    def _line(self, done: int, total: int, what: str, seconds: float) -> str:
        rate = done / seconds if seconds else 0.0
        left = f", about {(total - done) / rate:.0f} s left" if total > done and rate else ""
        of = f" of {self._amount(total)}" if total else ""
        return f"{what or self._title}: {self._amount(done)}{of} ({self._amount(rate)}/s{left})"

    def _amount(self, count: float) -> str:
        return f"{count / 1_000_000:.1f} MB" if self._bytes else f"{count:.0f}"


def _live(bytes_: bool) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")

    counted = (
        [DownloadColumn(), TransferSpeedColumn()] if bytes_ else [MofNCompleteColumn(), Rate()]
    )
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        *counted,
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
