"""Some of the soak's clients: windows of one process, each holding a conversation.

Prints one JSON object at the end: overheads, how many events were heard, and everything that was
not as it should be.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from skill_agent.cli.opening.home import open_home
from window_model import expected

from skill_agent.events import Event, TextDelta, TurnFailed, TurnFinished, TurnStarted
from skill_agent.identifiers import new_id
from skill_agent.values import TurnRequest
from skill_agent.workstation import Workstation

ARRIVE_S = 15.0
"""The clients come within so many seconds."""
SECOND_EVERY = 5
"""Every so manieth session has a second listener, in a window of its own."""


@dataclass(slots=True)
class Heard:
    """What one listener heard of a session."""

    name: str
    turns: dict[str, list[Event]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """An event, as it came."""
        if event.id in self.ids:
            self.problems.append(f"{self.name}: {event.id} came twice")
        self.ids.add(event.id)
        self.turns.setdefault(event.turn, []).append(event)
        if isinstance(event, TurnFinished | TurnFailed):
            self.end_of(event.turn).set()

    def end_of(self, turn: str) -> asyncio.Event:
        return self.ends.setdefault(turn, asyncio.Event())

    def check(self, turn: str, token: str) -> None:
        """The turn was heard whole: its beginning, its text in order, one end, nothing after."""
        events = self.turns.pop(turn, [])
        said = "".join(one.text for one in events if isinstance(one, TextDelta))
        if not events or not isinstance(events[0], TurnStarted):
            self.problems.append(f"{self.name}: {token} did not begin with its start")
        elif said != expected(token):
            self.problems.append(f"{self.name}: {token} was heard as {said[:80]!r}")
        ends = [one for one in events if isinstance(one, TurnFinished | TurnFailed)]
        if len(ends) != 1 or not isinstance(events[-1], TurnFinished):
            self.problems.append(f"{self.name}: {token} ended {len(ends)} times: {ends[:1]}")
        elif ends[0].text.strip() != expected(token).strip():
            self.problems.append(f"{self.name}: {token} was stored as {ends[0].text[:80]!r}")


@dataclass(slots=True, kw_only=True)
class Client:
    """One window with a conversation."""

    home: Path
    number: int
    rounds: int
    model_s: float
    think_s: float
    overheads: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    events: int = 0
    listeners: int = 0

    async def run(self) -> None:
        """All turns of this client."""
        dice = random.Random(self.number)
        await asyncio.sleep(dice.uniform(0, ARRIVE_S))
        async with open_home(self.home, role="soak") as station:
            first = await self._first(station)
            if self.number % SECOND_EVERY == 0:
                async with open_home(self.home, role="soak2") as other:
                    await self._talk(station, first, dice, other)
            else:
                await self._talk(station, first, dice, None)

    async def _first(self, station: Workstation) -> str:
        """The conversation begins with a turn of its own, which is not counted."""
        events = [event async for event in station.ask(f"begin token-{self.number}-begin")]
        return events[-1].session

    async def _talk(
        self,
        station: Workstation,
        session: str,
        dice: random.Random,
        other: Workstation | None,
    ) -> None:
        stations = [one for one in (station, other) if one is not None]
        heard = [Heard(f"client {self.number}.{at}") for at in range(len(stations))]
        pumps = [
            asyncio.create_task(_pump(one, session, mine))
            for one, mine in zip(stations, heard, strict=True)
        ]
        await asyncio.sleep(0.2)
        for at in range(self.rounds):
            await self._turn(station, session, f"token-{self.number}-{at}", heard)
            await asyncio.sleep(dice.uniform(0, self.think_s))
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        self.events = sum(len(one.ids) for one in heard)
        self.listeners = len(heard)
        for one in heard:
            self.problems += one.problems

    async def _turn(
        self, station: Workstation, session: str, token: str, heard: list[Heard]
    ) -> None:
        turn = new_id()
        began = time.perf_counter()
        await station.turns.submit(TurnRequest(f"What about {token}?", session=session, key=turn))
        try:
            async with asyncio.timeout(60):
                await heard[0].end_of(turn).wait()
                self.overheads.append(time.perf_counter() - began - self.model_s)
                await asyncio.gather(*(one.end_of(turn).wait() for one in heard))
        except TimeoutError:
            self.problems.append(f"client {self.number}: {token} never ended")
        for one in heard:
            one.check(turn, token)


async def _pump(station: Workstation, session: str, heard: Heard) -> None:
    with station.turns.subscribe(session=session) as events:
        async for event in events:
            heard.take(event)


async def main(arguments: list[str]) -> None:
    """Runs the clients side by side and prints what they found."""
    home, first, count, rounds = Path(arguments[0]), *map(int, arguments[1:4])
    model_s, think_s = map(float, arguments[4:6])
    clients = [
        Client(home=home, number=first + at, rounds=rounds, model_s=model_s, think_s=think_s)
        for at in range(count)
    ]
    await asyncio.gather(*(client.run() for client in clients))
    found = {
        "overheads": [one for client in clients for one in client.overheads],
        "problems": [one for client in clients for one in client.problems],
        "events": sum(client.events for client in clients),
        "turns": sum(len(client.overheads) for client in clients),
        "listeners": sum(client.listeners for client in clients),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
