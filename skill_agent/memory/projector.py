"""Carries what the ledger acknowledges into the index; the ledger never waits for it.

The index is opened at the first need only: a process that just writes leaves the work to the
next one that searches.
"""

import asyncio
from collections.abc import Awaitable, Callable

from skill_agent.ports import Ledger, MemoryIndex, Progress

OpenIndex = Callable[[], Awaitable[MemoryIndex]]

CLOSING_ROWS = 500
"""Log rows a closing process still carries over; more are left to the next opening."""


IDLE_SECONDS = 20.0


class Projector:
    """Keeps one index in step with one ledger."""

    def __init__(self, ledger: Ledger, open_index: OpenIndex) -> None:
        self._ledger = ledger
        self._open_index = open_index
        self._index: MemoryIndex | None = None
        self._opening = asyncio.Lock()
        self._applying = asyncio.Lock()
        self._dirty = asyncio.Event()
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reached = 0
        self.problem: Exception | None = None
        """Why the last background step failed, until one succeeds."""

    async def index(self) -> MemoryIndex:
        """The open index; opening it is seconds of imports, done once."""
        async with self._opening:
            if self._index is None:
                self._index = await self._open_index()
                self._reached = await self._index.watermark()
                if self._reached > await self._ledger.last_seq():
                    # The index knows more than the truth: the ledger was restored or lost its end.
                    await self._index.reset()
                    self._reached = 0
            return self._index

    def touch(self) -> None:
        """Says that the ledger has grown."""
        self._dirty.set()

    async def start(self) -> None:
        """Opens the index and follows the ledger from now on."""
        await self.index()
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="projector")

    async def settle(self, progress: Progress | None = None) -> None:
        """Returns once the index reflects everything the ledger holds now."""
        index = await self.index()
        target = await self._ledger.last_seq()
        start = self._reached
        while self._reached < target:
            done = self._reached - start
            await self._step(index, _from(done, target - start, progress))
            if progress:
                progress(min(self._reached, target) - start, target - start, "indexing")

    async def settle_briefly(self, target: int, seconds: float = 0.5) -> None:
        """Returns once the index reflects the ledger up to `target`, or after so long: a long
        catching-up is left to the background, for a reply must not wait for it."""
        await self.start()
        if self._reached >= target:
            return
        self.touch()
        try:
            async with asyncio.timeout(seconds):
                while self._reached < target and self.problem is None:
                    await self._moved.wait()
        except TimeoutError:
            return

    async def lag(self) -> int:
        """Log rows the index has not seen."""
        await self.index()
        return max(0, await self._ledger.last_seq() - self._reached)

    async def counts(self) -> dict[str, int]:
        """What the index holds, by kind."""
        return await (await self.index()).counts()

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Empties the index and projects the whole ledger; returns the items then indexed."""
        index = await self.index()
        async with self._applying:
            await index.reset()
            self._reached = 0
        await self.settle(progress)
        await index.tend()
        return (await index.counts())["items"]

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._index is None:
            return
        if self.problem is None and await self.lag() <= CLOSING_ROWS:
            await self.settle()
        await self._index.close()

    async def _follow(self) -> None:
        """Applies what comes; a failure is kept for the diagnosis and tried again later."""
        index = await self.index()
        pause = 0.0
        while True:
            try:
                await self._step(index)
                self.problem, pause = None, 0.0
            except Exception as problem:  # the wall of this task: the ledger must go on
                self.problem, pause = problem, min(60.0, pause * 2 or 0.5)
                self._announce()
                await asyncio.sleep(pause)
                continue
            if self._reached < await self._ledger.last_seq():
                continue
            self._dirty.clear()
            if self._reached >= await self._ledger.last_seq():
                await self._rest(index)

    async def _rest(self, index: MemoryIndex) -> None:
        """Waits for news; a pause long enough is used to compact the index."""
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                await self._dirty.wait()
        except TimeoutError:
            await index.tend()
            await self._dirty.wait()

    async def _step(self, index: MemoryIndex, progress: Progress | None = None) -> None:
        async with self._applying:
            delta = await self._ledger.delta(self._reached)
            if delta.up_to > self._reached:
                await index.apply(delta, progress)
                self._reached = delta.up_to
        self._announce()

    def _announce(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def _from(done: int, total: int, progress: Progress | None) -> Progress | None:
    """The progress of one step as part of the whole."""
    if progress is None:
        return None
    return lambda rows, _of, what: progress(min(done + rows, total), total, what)
