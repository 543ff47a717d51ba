"""What delivery stands on in its tests: a ledger, a clock moved by hand, ways that record."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from skill_agent.store.duckdb_ledger.ledger import DuckLedger

from skill_agent.delivery.delivering import Delivering
from skill_agent.delivery.inbox import Inbox
from skill_agent.errors import NotDelivered, UsageError
from skill_agent.events import Event
from skill_agent.ports import Sink
from skill_agent.settings.quiet_hours import QuietHours
from skill_agent.values import Delivery, InboxItem

START = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


async def until(there: Callable[[], bool], *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not there():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


class Hand:
    """A clock that stands until it is moved, and naps that end when it gets there."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self._naps: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._number = count()

    def __call__(self) -> datetime:
        return self.now

    async def nap(self, seconds: float) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self.now + timedelta(seconds=seconds)
        heapq.heappush(self._naps, (due, next(self._number), done))
        await done

    @property
    def asleep(self) -> int:
        return sum(not one.done() for _, _, one in self._naps)

    def wake(self, until: datetime) -> bool:
        """Moves to the next nap's end, at most so far; whether there is more to come by then."""
        while self._naps and self._naps[0][2].done():
            heapq.heappop(self._naps)
        if not self._naps or self._naps[0][0] > until:
            self.now = max(self.now, until)
            return False
        due, _, done = heapq.heappop(self._naps)
        self.now = max(self.now, due)
        done.set_result(None)
        return True


class Recording(Sink):
    """A way that keeps what it was given, and fails as it is told."""

    def __init__(self, kind: str, failures: Iterable[NotDelivered] = ()) -> None:
        self.kind = kind
        self.failures = list(failures)
        self.tries: list[tuple[str, str]] = []
        self.taken: list[str] = []
        self.gate: asyncio.Event | None = None
        """Where there is one, nothing is taken before it is set."""

    def check(self, address: str) -> None:
        if address == "wrong":
            raise UsageError("no such address")

    def missing(self, address: str) -> str:
        return ""

    async def send(self, item: InboxItem, address: str) -> str:
        self.tries.append((item.title, address))
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(item.title)
        return f"{self.kind} {len(self.taken)}"


@dataclass(slots=True, kw_only=True)
class Told:
    """An open home as far as delivery sees it."""

    ledger: DuckLedger
    delivering: Delivering
    inbox: Inbox
    hand: Hand
    events: list[Event] = field(default_factory=list)

    async def settle(self) -> None:
        """Returns once every lane waits for its time, or has nothing more to do."""
        await until(self._settled)

    async def run(self, **step: float) -> None:
        """As long goes by."""
        end = self.hand.now + timedelta(**step)
        await self.settle()
        while self.hand.wake(end):
            await asyncio.sleep(0)
            await self.settle()

    async def way(self, item: str, target: str) -> Delivery:
        found = await self.inbox.get(item)
        return next(one for one in found.deliveries if one.target == target)

    async def notes(self) -> list[str]:
        """What was noted of ways, in order."""
        rows = await self.ledger.log(kinds=("inbox.way",), limit=100_000)
        return [f"{row.new['target']} {row.new['state']}" for row in rows if row.new]

    def _settled(self) -> bool:
        lanes = [one for one in self.delivering._lanes.values() if one._task is not None]
        running = [one for one in lanes if one._task is not None and not one._task.done()]
        awake = any(one.busy or one._woken.is_set() for one in running)
        return self.hand.asleep == len(running) and not awake


@asynccontextmanager
async def told_home(
    folder: Path,
    *sinks: Sink,
    quiet: str = "",
    zone: str = "UTC",
    hand: Hand | None = None,
    begin: bool = True,
    **more: int,
) -> AsyncIterator[Told]:
    """Opened anew it is as after a restart."""
    hand = hand or Hand()
    events: list[Event] = []
    tell: Callable[[Event], None] = events.append
    ledger = await DuckLedger.open(folder / "ledger.duckdb", hand)
    delivering = Delivering(
        ledger, hand, tell, sinks=sinks, quiet=QuietHours.parsed(quiet, zone), nap=hand.nap, **more
    )
    told = Told(
        ledger=ledger,
        delivering=delivering,
        inbox=Inbox(delivering, hand, tell),
        hand=hand,
        events=events,
    )
    try:
        if begin:
            await delivering.begin(take_up=True)
        yield told
    finally:
        await delivering.end()
        await ledger.close()
