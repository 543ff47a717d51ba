"""Who works on how much at once: an agent's places, and the line for them.

The urgent go first, then high, normal and low, and whoever came first among equals. One that waits
for a colleague lends its place, or two that wait for one another would wait for ever; it gets one
back before anybody who is new.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heappop, heappush

from skill_agent.errors import AgentUnavailable
from skill_agent.values import PRIORITIES, Priority

from .limits import RUNNING, WAITING

_BACK = -1
"""Before everybody who has not begun yet."""


class Place:
    """One task's place at its agent."""

    def __init__(self, agent: str) -> None:
        self.agent = agent
        self.held = False
        self.lent = 0
        """How many it waits for."""


_Waiting = tuple[int, int, "asyncio.Future[None]", Place]


class Line:
    """The places of all agents."""

    def __init__(self, running: int = RUNNING, waiting: int = WAITING) -> None:
        self._most, self._longest = running, waiting
        self._taken: defaultdict[str, int] = defaultdict(int)
        self._waiting: defaultdict[str, list[_Waiting]] = defaultdict(list)
        self._number = 0

    def running(self, agent: str) -> int:
        return self._taken[agent]

    def waiting(self, agent: str) -> int:
        return sum(not one[2].done() for one in self._waiting[agent])

    def check(self, agent: str, name: str) -> None:
        """Raises AgentUnavailable where no more may wait."""
        if self._taken[agent] >= self._most and self.waiting(agent) >= self._longest:
            raise AgentUnavailable(
                f"{name} works on {self._most} tasks and {self._longest} more are waiting",
                hint="ask another agent, or cancel some: ska team list",
            )

    @asynccontextmanager
    async def place(self, agent: str, priority: Priority) -> AsyncGenerator[Place, None]:
        """Waits for a place and holds it for as long as this lasts."""
        place = Place(agent)
        await self._take(place, len(PRIORITIES) - PRIORITIES.index(priority))
        try:
            yield place
        finally:
            self._leave(place)

    @asynccontextmanager
    async def lent(self, place: Place | None) -> AsyncGenerator[None, None]:
        """While this lasts its work waits for a colleague's, and somebody else may have the
        place."""
        if place is None:
            yield
            return
        place.lent += 1
        self._leave(place)
        try:
            yield
        finally:
            place.lent -= 1
        if not place.lent:
            await self._take(place, _BACK)

    async def _take(self, place: Place, rank: int) -> None:
        if self._taken[place.agent] < self._most:
            self._taken[place.agent] += 1
            place.held = True
            return
        self._number += 1
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting[place.agent], (rank, self._number, turn, place))
        try:
            await turn
        except asyncio.CancelledError:
            turn.cancel()
            self._leave(place)
            raise

    def _leave(self, place: Place) -> None:
        """Gives the place to whoever comes next."""
        if not place.held:
            return
        place.held = False
        line = self._waiting[place.agent]
        while line:
            _, _, turn, following = heappop(line)
            if not turn.done():
                following.held = True
                turn.set_result(None)
                return
        self._taken[place.agent] -= 1
