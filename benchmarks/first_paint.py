"""Opens the workstation without a screen and leaves it after first paint; timed from outside."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.tui.app import WorkstationApp

if TYPE_CHECKING:
    from skill_agent.host.runtime import Runtime


@asynccontextmanager
async def never() -> "AsyncIterator[Runtime]":
    """A home that does not open: what comes before the first paint must not need it."""
    await asyncio.Event().wait()
    raise AssertionError
    yield


class Painted(WorkstationApp):
    """Leaves as soon as it has painted; what it loads in a thread after that is not counted."""

    def _start(self) -> None:
        self.exit()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        Painted(never, draft_dir=Path(folder)).run(headless=True, size=(100, 40))
