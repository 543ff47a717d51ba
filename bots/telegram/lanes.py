"""Order: what comes from a chat is taken in one after another, chats beside one another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

_log = logging.getLogger("skill_agent.bots.telegram")


class Lanes(Generic[Item]):
    """A queue for each chat, worked off by a task that is there only while something waits."""

    def __init__(self, work: Callable[[int, Item], Awaitable[None]], *, at_once: int) -> None:
        """Of all lanes so many work at the same time."""
        self._work, self._free = work, asyncio.Semaphore(at_once)
        self._waiting: dict[int, asyncio.Queue[Item]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def put(self, chat: int, item: Item) -> None:
        self._waiting.setdefault(chat, asyncio.Queue()).put_nowait(item)
        if chat not in self._tasks:
            self._tasks[chat] = asyncio.create_task(self._run(chat), name="telegram chat")

    def waiting(self, chat: int) -> int:
        queue = self._waiting.get(chat)
        return queue.qsize() if queue else 0

    @property
    def all_waiting(self) -> int:
        return sum(queue.qsize() for queue in self._waiting.values()) + len(self._tasks)

    async def _run(self, chat: int) -> None:
        queue = self._waiting[chat]
        try:
            while not queue.empty():
                async with self._free:
                    try:
                        await self._work(chat, queue.get_nowait())
                    except Exception as problem:  # one message must not make a chat deaf
                        _log.warning("a message was not dealt with: %s", type(problem).__name__)
        finally:
            self._tasks.pop(chat, None)
            if queue.empty():
                self._waiting.pop(chat, None)

    async def drop(self, chat: int) -> None:
        """Ends a lane, with what waits in it."""
        self._waiting.pop(chat, None)
        if task := self._tasks.get(chat):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        tasks = [*self._tasks.values()]
        self._waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
