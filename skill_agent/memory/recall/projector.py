"""Carries what the ledger acknowledges into the index; the ledger never waits for it.

The index is opened at the first need only: a process that just writes leaves the work to the
next one that searches. What fails here is kept as a problem and tried again: the ledger, which the
index is made from, is never written.

After a change of embedder the index is filled a second time, beside what it does otherwise and a
slice at a time, over as many processes as that takes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from skill_agent.conversations.requesters import any_left_out, left_out
from skill_agent.errors import IndexDamaged, LedgerBehind
from skill_agent.ports import Ledger, MemoryIndex, Progress
from skill_agent.values import Delta, IndexStatus

OpenIndex = Callable[[], Awaitable[MemoryIndex]]

CLOSING_ROWS = 500
"""Log rows a closing process still carries over; more are left to the next opening."""

IDLE_SECONDS = 20.0

GATHER_S = 0.05
"""Seconds that news may gather while nobody waits for the index: looking at the ledger costs those
who write."""
SLICE = 64
"""Items embedded anew at a time: a third of a second, so that nobody waits for them for long."""
LARGE_SLICE, LARGE_PART = 512, 500
"""Of a large index that part at a time, up to so many items: each slice is a commit of a table."""
SLICE_PAUSE, PAUSE_SHARE = 0.1, 0.3
"""Seconds between slices, and their share of what the last one took: a reply that is being made
needs the processor more."""
CLOSING_SLICES = 4
"""What a process without a background still does when its answer is out: some day they suffice."""
PATIENCE, IMPATIENCE = 3.0, 0.5
"""Seconds a reply waits for a few rows, which is hardly ever used up, and for many."""
FEW_ITEMS = 200
"""With no more than these left to embed anew, a search waits for them: its answer gets better."""


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
        self._awaited = asyncio.Event()
        """Somebody waits for the index to follow."""
        self._growing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._reached = 0
        self.problem: Exception | None = None
        """Why the last background step failed, until one succeeds."""
        self.growth_problem: Exception | None = None
        """Why the vectors of a newly chosen embedder do not come along, until they do."""

    async def index(self) -> MemoryIndex:
        """The open index; opening it is seconds of imports, done once."""
        async with self._opening:
            if self._index is None:
                self._index = await self._open_index()
                self._reached = await self._index.watermark()
                if self._reached > (last := await self._ledger.last_seq()):
                    # It knows more than the truth: what the ledger lost may stand only here now.
                    index, self._index = self._index, None
                    await index.close()
                    raise LedgerBehind(
                        f"The search index reflects the log up to row {self._reached}, but the "
                        f"ledger ends at row {last}: {self._reached - last} rows are missing."
                    )
            return self._index

    def touch(self) -> None:
        """Says that the ledger has grown."""
        self._dirty.set()

    async def start(self) -> None:
        """Opens the index and follows the ledger from now on."""
        index = await self.index()
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._follow(index), name="projector"))
            self._tasks.append(asyncio.create_task(self._grow(index), name="re-embedding"))

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
        rebuilding = index.rebuilding
        if rebuilding and rebuilding.total - rebuilding.done <= FEW_ITEMS:
            await self._grow_on(index, slices=2 + FEW_ITEMS // SLICE)

    async def settle_briefly(self, target: int, seconds: float | None = None) -> int:
        """Returns once the index reflects the ledger up to `target`, or after so long, which is
        longer for what is soon done: a long catching-up is left to the background, for a reply
        must not wait for it. Gives the log rows still missing then."""
        await self.start()
        missing = target - self._reached
        if missing <= 0:
            return 0
        self.touch()
        if seconds is None:
            seconds = PATIENCE if missing <= FEW_ITEMS else IMPATIENCE
        try:
            async with asyncio.timeout(seconds):
                while self._reached < target and self.problem is None:
                    self._awaited.set()
                    await self._moved.wait()
        except TimeoutError:
            pass
        return max(0, target - self._reached)

    async def lag(self) -> int:
        """Log rows the index has not seen."""
        await self.index()
        return max(0, await self._ledger.last_seq() - self._reached)

    async def status(self) -> IndexStatus:
        """How the index is, and how far another embedder's vectors are."""
        index = await self.index()
        problem = self.problem or self.growth_problem
        return IndexStatus(
            embedder=index.embedder,
            lag=await self.lag(),
            problem=str(problem) if problem else index.problem,
            rebuilding=index.rebuilding,
        )

    async def scrub(self) -> None:
        """Carries removals over and makes sure that no file of the index, and no copy in memory,
        still holds a byte of them; a purge calls it once the ledger has forgotten.

        Costs a rewrite of the index (100 000 items: some seconds). Raises what the index raises;
        then nothing is sure and it should be called again.
        """
        await self.settle()
        index = await self.index()
        async with self._applying, self._growing:
            await index.scrub()

    async def counts(self) -> dict[str, int]:
        """What the index holds, by kind."""
        return await (await self.index()).counts()

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Empties the index and projects the whole ledger; returns the items then indexed."""
        index = await self.index()
        async with self._applying, self._growing:
            await index.reset()
            self._reached = 0
        await self.settle(progress)
        await index.tend()
        return (await index.counts())["items"]

    async def close(self) -> None:
        """Ends the background work; what could not be carried over waits in the ledger."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._index is None:
            return
        try:
            if self.problem is None and await self.lag() <= CLOSING_ROWS:
                await self.settle()
            if not self._tasks:
                await self._grow_on(self._index, slices=CLOSING_SLICES)
        except Exception as problem:  # what was asked for is done: an index must not spoil it
            self.problem = problem
        await self._index.close()

    async def _follow(self, index: MemoryIndex) -> None:
        """Applies what comes; a failure is kept for the diagnosis and tried again later."""
        pause = 0.0
        while True:
            try:
                await self._gather()
                await self._step(index)
                self.problem, pause = None, 0.0
                if self._reached < await self._ledger.last_seq():
                    continue
                self._dirty.clear()
                if self._reached >= await self._ledger.last_seq():
                    await self._rest(index)
            except Exception as problem:  # the wall of this task: the ledger must go on
                self.problem, pause = problem, min(60.0, pause * 2 or 0.5)
                self._announce()
                await asyncio.sleep(pause)

    async def _gather(self) -> None:
        """Lets news come together, unless somebody waits."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GATHER_S):
                await self._awaited.wait()
        self._awaited.clear()

    async def _grow(self, index: MemoryIndex) -> None:
        """Embeds anew until that is done, slice by slice."""
        pause = SLICE_PAUSE
        while (rebuilding := index.rebuilding) is not None:
            await asyncio.sleep(pause)
            begun = time.monotonic()
            size = max(SLICE, min(LARGE_SLICE, rebuilding.total // LARGE_PART))
            await self._grow_on(index, slices=1, size=size)
            if self.growth_problem is None:
                pause = max(SLICE_PAUSE, PAUSE_SHARE * (time.monotonic() - begun))
            else:
                pause = min(60.0, pause * 2)

    async def _grow_on(self, index: MemoryIndex, *, slices: int, size: int = SLICE) -> None:
        """At most so many slices; a failure ends them and is kept for the diagnosis."""
        try:
            for _ in range(slices):
                if index.rebuilding is None:
                    break
                # The delta must not be older than a removal the index has already seen.
                async with self._growing:
                    delta = await self._delta(await index.rebuilt_to(), limit=size)
                    await index.grow(delta)
            self.growth_problem = None
        except Exception as problem:  # a wall as in `_follow`: the old vectors go on answering
            self.growth_problem = problem

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
            delta = await self._delta(self._reached)
            try:
                if delta.removed:
                    async with self._growing:
                        await index.apply(delta, progress)
                elif delta.up_to > self._reached:
                    await index.apply(delta, progress)
                self._reached = max(self._reached, delta.up_to)
            except IndexDamaged:
                self._reached = await index.watermark()
        self._announce()

    async def _delta(self, after: int, **limit: int) -> Delta:
        """What is new to an index, without what stays in its conversation."""
        delta = await self._ledger.delta(after, **limit)
        said = [item.id for item in delta.items if item.kind == "turn"]
        if not said or not await any_left_out(self._ledger):
            return delta
        turns = {one.id: one.turn for one in (await self._ledger.messages_by_id(said)).values()}
        silent = await left_out(self._ledger, turns.values())
        items = (item for item in delta.items if turns.get(item.id) not in silent)
        return replace(delta, items=tuple(items))

    def _announce(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def _from(done: int, total: int, progress: Progress | None) -> Progress | None:
    """The progress of one step as part of the whole."""
    if progress is None:
        return None
    return lambda rows, _of, what: progress(min(done + rows, total), total, what)
