"""What keeps a process that serves a home standing: it waits until somebody wants it to end.

Nothing is served or printed here.
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def end_signal() -> Iterator[asyncio.Event]:
    """An event that is set by the first signal to end; a second one acts as it always does.

    Signals the process was started to ignore stay ignored.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    heeded: list[signal.Signals] = []

    def end() -> None:
        told.set()
        let_go()

    def let_go() -> None:
        while heeded:
            loop.remove_signal_handler(heeded.pop())

    for one in ENDING:
        if signal.getsignal(one) is not signal.SIG_IGN:
            with contextlib.suppress(RuntimeError, ValueError):  # not on the main thread
                loop.add_signal_handler(one, end)
                heeded.append(one)
    try:
        yield told
    finally:
        let_go()


async def until_stopped(station: "Workstation", told: asyncio.Event) -> None:
    """Returns once a signal came, or somebody asked this process as the host to stop."""
    waits = [asyncio.create_task(told.wait()), asyncio.create_task(station.until_stopped())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
