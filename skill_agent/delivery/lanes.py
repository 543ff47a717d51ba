"""The order in which things go out: a lane for each target, so that none waits for another's.

A lane holds ids and moments alone; what is sent is read when its turn comes.
"""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from skill_agent.ports import Clock
from skill_agent.text.redaction import redact

Nap = Callable[[float], Awaitable[object]]
Try = Callable[[str, str], Awaitable[datetime | None]]
"""Tries to bring an item to a target; when again, or None where it has ended."""
LOOK_S = 60.0
"""A machine that slept, or whose clock was set, is noticed after so long."""
_BROKEN_S = 60.0
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Lane:
    """What is to go to one target, the earliest due first, one after the other."""

    target: str
    send: Try
    clock: Clock
    nap: Nap
    _due: list[tuple[datetime, int, str]] = field(default_factory=list)
    _when: dict[str, datetime] = field(default_factory=dict)
    """By item; an entry that says another moment is stale."""
    _number: "count[int]" = field(default_factory=count)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _ending: bool = False
    busy: str = ""
    """The item that is being sent."""

    def __len__(self) -> int:
        return len(self._when) + bool(self.busy)

    def __contains__(self, item: str) -> bool:
        return item == self.busy or item in self._when

    def put(self, item: str, due: datetime) -> None:
        """To be tried then; one that waits already is tried at the earlier of both."""
        self._when[item] = due = min(due, self._when.get(item, due))
        heapq.heappush(self._due, (due, next(self._number), item))
        self._woken.set()

    def hurry(self) -> None:
        """All that waits is due now, in its order."""
        now, waiting = self.clock(), [one for _, _, one in sorted(self._due)]
        self._due.clear()
        self._when.clear()
        for item in dict.fromkeys(waiting):
            self.put(item, now)

    def run(self) -> None:
        """Begins, unless it runs or has nothing to do."""
        if self._due and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name=f"delivery to {self.target}")

    async def end(self, grace: float) -> None:
        """Ends it; what is due by now has so many seconds to arrive."""
        if self._task is None or self._task.done():
            return
        now = self.clock()
        self._when = {one: due for one, due in self._when.items() if due <= now}
        self._due = sorted(one for one in self._due if self._when.get(one[2]) == one[0])
        self._ending = True
        self._woken.set()
        await asyncio.wait([self._task], timeout=grace)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while self._due:
            due, _, item = self._due[0]
            if self._when.get(item) != due:
                heapq.heappop(self._due)
                continue
            wait = (due - self.clock()).total_seconds()
            if wait > 0:
                await self._until(min(wait, LOOK_S))
                continue
            heapq.heappop(self._due)
            del self._when[item]
            self.busy = item
            try:
                again = await self.send(item, self.target)
            except Exception as problem:  # the ledger is full or closed; the item stays pending
                _log.warning("delivery to %s: %s", self.target, redact(str(problem)))
                await self._until(_BROKEN_S)
                again = due
            finally:
                self.busy = ""
            if again is not None and not self._ending:
                self.put(item, again)

    async def _until(self, seconds: float) -> None:
        """Returns after so long, or once something else is to be done."""
        self._woken.clear()
        tasks = [
            asyncio.ensure_future(self.nap(seconds)),
            asyncio.ensure_future(self._woken.wait()),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
