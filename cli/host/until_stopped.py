"""What keeps a process that serves a home standing: it waits until somebody wants it to end.

Nothing is served or printed here.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..ending import Told, heeding

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation


class EndSignal:
    """Set by the first signal to end."""

    def __init__(self, told: Told, event: asyncio.Event) -> None:
        self._told, self._event = told, event

    async def wait(self) -> None:
        await self._event.wait()

    @property
    def signal(self) -> int | None:
        """Which one it was."""
        return self._told.signal

    def hurry(self) -> None:
        """It shall end without a signal; closing is bounded all the same."""
        self._told.hurry()


@contextmanager
def end_signal() -> Iterator[EndSignal]:
    """Inside, the first signal to end is only taken note of; a second one ends the process."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def end(_: int) -> None:
        loop.call_soon_threadsafe(event.set)

    with heeding(end) as told:
        yield EndSignal(told, event)


async def until_stopped(station: "Workstation", told: EndSignal) -> None:
    """Returns once a signal came, or somebody asked this process as the host to stop."""
    waits = [asyncio.create_task(told.wait()), asyncio.create_task(station.until_stopped())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        told.hurry()
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
