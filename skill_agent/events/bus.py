"""Events to whoever listens, now or from an earlier one on; a slow listener never stalls a turn.

It loses the borders between text pieces first. One that falls so far behind that the journal has
moved on is told of a gap. No persistence here: what must last is saved before it is published.
"""

import asyncio
import logging
import secrets
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Literal

from skill_agent.events import Event

from .journal import PIECES, Entry, Journal, merged

MERGE_FROM = 64
"""Waiting events from which on neighbouring text pieces are merged."""
MERGE_UP_TO = 32_768
"""Characters of a merged piece."""
MOST_WAITING = 5_000
"""Events one listener may have waiting; past that it reads from the journal when it comes."""
MOST_WEIGHT = 8 * 1024 * 1024
"""Bytes they may weigh."""
_CHUNK = 1_000
_SENDING = 64 * 1024
_STALLED_S = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gap:
    """Events were missed: ask the stores for what matters."""

    reason: Literal["epoch", "too_old"]
    """The number is of another process's life, or the journal has moved on past it."""


class Subscription:
    """One listener's place; an async iterator, closed by `close` or by leaving `with`."""

    def __init__(
        self, bus: "Bus", *, session: str | None, turn: str | None, after: int | None
    ) -> None:
        self._bus = bus
        self._session, self.turn = session, turn
        self._waiting: deque[Entry] = deque()
        self._weight = 0
        self._gap: Gap | None = None
        self._ready = asyncio.Event()
        self._closed = False
        self._at = bus.journal.last
        """Everything wanted up to this number was given."""
        self._behind = False
        """What follows `_at` is read from the journal, nothing is put aside here."""
        self._begin(after)

    def _begin(self, after: int | None) -> None:
        journal = self._bus.journal
        if after is not None and after > journal.last:
            self._gap, after = Gap("epoch"), None
        if after is not None:
            self._at, self._behind = after, True
        elif self.turn is not None:
            self._at, self._behind = journal.first - 1, True
        if self._behind:  # at once: what is missed is settled before anything else happens
            self._catch_up()

    @property
    def pending(self) -> bool:
        """Something waits to be read."""
        return bool(self._waiting or self._gap) or (self._behind and self._at < self._bus.position)

    @property
    def at(self) -> int:
        """The number of the last event given."""
        return self._at

    def _wants(self, event: Event) -> bool:
        return self._session in (None, event.session) and self.turn in (None, event.turn)

    def offer(self, entry: Entry) -> None:
        """Takes an event in, if it is of the wanted session and turn."""
        if not self._wants(entry.event):
            return
        if not self._behind:
            self._waiting.append(entry)
            self._weight += entry.weight
            if len(self._waiting) > MOST_WAITING or self._weight > MOST_WEIGHT:
                self._shed()
        self._ready.set()

    def _shed(self) -> None:
        """Merges what can be; is that not enough, the journal alone keeps it from now on."""
        pieces: deque[Entry] = deque()
        while self._waiting:
            pieces.append(_popped(self._waiting))
        self._weight = sum(entry.weight for entry in pieces)
        if len(pieces) > MOST_WAITING // 2 or self._weight > MOST_WEIGHT:
            self._at, self._behind = pieces[0].first - 1, True
            pieces, self._weight = deque(), 0
        self._waiting = pieces

    def _catch_up(self) -> None:
        """Takes the next events from the journal; what it no longer has is told as a gap."""
        journal = self._bus.journal
        if self._at + 1 < journal.first:
            self._gap = Gap("too_old")
            self._at = journal.last if self.turn is None else journal.first - 1
        for entry in journal.after(self._at, turn=self.turn):
            if self._wants(entry.event):
                self._waiting.append(entry)
                self._weight += entry.weight
                if len(self._waiting) >= _CHUNK:
                    return
        self._behind = False

    async def _filled(self) -> bool:
        """Returns once something is there to be taken; False if nothing will be."""
        while self._gap is None and not self._waiting:
            if self._behind:
                self._catch_up()
                continue
            if self._closed:
                return False
            self._ready.clear()
            await self._ready.wait()
        return True

    def _take(self) -> Entry | Gap:
        if self._gap is not None:
            gap, self._gap = self._gap, None
            return gap
        entry = _popped(self._waiting) if len(self._waiting) > MERGE_FROM else None
        entry = entry or self._waiting.popleft()
        self._at = entry.seq
        self._weight = self._weight - entry.weight if self._waiting else 0
        return entry

    async def batch(self) -> list[Entry | Gap]:
        """What waits, at most some 64 KB of it; waits for one, and is empty only at the end."""
        taken: list[Entry | Gap] = []
        if not await self._filled():
            return taken
        weight = 0
        while weight < _SENDING and (self._gap is not None or self._waiting):
            one = self._take()
            taken.append(one)
            weight += one.weight if isinstance(one, Entry) else 0
        return taken

    async def numbered(self) -> AsyncIterator[Entry | Gap]:
        """Each event with its number and its JSON, and where some were missed, a `Gap`."""
        while await self._filled():
            yield self._take()

    async def next(self) -> Event:
        """The next event; raises StopAsyncIteration once closed and empty."""
        while await self._filled():
            one = self._take()
            if isinstance(one, Entry):
                return one.event
            _log.warning("a listener missed events (%s)", one.reason)
        raise StopAsyncIteration

    def end(self) -> None:
        """No more will come; what waits can still be read."""
        self._closed = True
        self._ready.set()

    def close(self) -> None:
        self.end()
        self._bus.drop(self)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        return await self.next()

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _popped(waiting: deque[Entry]) -> Entry:
    """The first, merged with the pieces of its kind and turn right behind it."""
    run = [waiting.popleft()]
    first = run[0].event
    if not isinstance(first, PIECES):
        return run[0]
    size = len(first.text)
    while waiting and size < MERGE_UP_TO:
        event = waiting[0].event
        if not isinstance(event, type(first)) or event.turn != first.turn:
            break
        size += len(event.text)
        run.append(waiting.popleft())
    return merged(run)


class Bus:
    """Numbers every published event and delivers it, in order, to each subscription."""

    def __init__(self, *, epoch: str = "", journal: Journal | None = None) -> None:
        """`epoch` tells one process's numbers from another's; without a dot, random by default."""
        self.epoch = epoch or secrets.token_hex(6)
        self.journal = journal or Journal()
        self._subscriptions: list[Subscription] = []
        self._by_turn: defaultdict[str | None, list[Subscription]] = defaultdict(list)
        """Those to one turn by its id, those to any under None: of many turns at once each has a
        listener that wants no other's events."""
        self._closed = False

    @property
    def position(self) -> int:
        """The number of the newest event; 0 before there is one."""
        return self.journal.last

    @property
    def listeners(self) -> int:
        return len(self._subscriptions)

    def subscribe(
        self, *, session: str | None = None, turn: str | None = None, after: int | None = None
    ) -> Subscription:
        """Events from now on; of a turn, first those that the journal has of it; with `after`,
        first those that follow this number, or a gap where the journal has moved on."""
        subscription = Subscription(self, session=session, turn=turn, after=after)
        self._subscriptions.append(subscription)
        self._by_turn[turn].append(subscription)
        if self._closed:
            subscription.close()
        return subscription

    def publish(self, event: Event) -> None:
        entry = self.journal.add(event)
        for turn in (None, event.turn):
            for subscription in self._by_turn.get(turn, ()):
                subscription.offer(entry)

    def drop(self, subscription: Subscription) -> None:
        if subscription not in self._subscriptions:
            return
        self._subscriptions.remove(subscription)
        alike = self._by_turn[subscription.turn]
        alike.remove(subscription)
        if not alike:
            del self._by_turn[subscription.turn]

    async def drained(self, seconds: float = 1.0) -> None:
        """Returns once every listener has read what waits for it, or none gets any further."""
        until = time.monotonic() + seconds
        moved, before = time.monotonic(), -1
        while pending := [one for one in self._subscriptions if one.pending]:
            now, at = time.monotonic(), _progress(pending)
            if at != before:
                moved, before = now, at
            if now > until or now - moved > _STALLED_S:
                return
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """Ends every subscription; what waits in them can still be read."""
        self._closed = True
        for subscription in list(self._subscriptions):
            subscription.close()


def _progress(pending: Iterable[Subscription]) -> int:
    return sum(one.at for one in pending)
