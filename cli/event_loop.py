"""An event loop for one command: a signal ends what runs on it, and no thread holds it up."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from .ending import Ended, heeding, nothing

Result = TypeVar("Result")


def run(
    main: Coroutine[Any, Any, Result],
    *,
    end: Callable[[int], None] | None = None,
    last_words: Callable[[], None] = nothing,
) -> Result:
    """Runs a coroutine as `asyncio.run` does, but waits for no thread at the end.

    A signal cancels it, and Ended is raised once it has closed. With `end`, that is called on the
    loop instead, and the coroutine comes to its end by itself.
    """
    tasks: list[asyncio.Task[Any]] = []

    def heed(number: int) -> None:
        for task in tasks:
            heeded = partial(end, number) if end else task.cancel
            task.get_loop().call_soon_threadsafe(heeded)

    async def owned() -> Result:
        leave_workers()
        if (task := asyncio.current_task()) is not None:
            tasks.append(task)
        if told.signal is not None:  # it came before there was a task
            heed(told.signal)
        return await main

    with heeding(heed, last_words=last_words) as told:
        try:
            return asyncio.run(owned())
        except asyncio.CancelledError:
            if told.signal is None:
                raise
            raise Ended(told.signal) from None


def leave_workers() -> None:
    """The loop that runs just now will not wait for its threads when it is closed."""
    asyncio.get_running_loop().set_default_executor(_Workers(thread_name_prefix="worker"))


class _Workers(ThreadPoolExecutor):
    """Threads nobody waits for at the end: one of them may compute for minutes."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait=False, cancel_futures=True)
