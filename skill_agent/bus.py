"""Events to whoever listens; a slow listener never stalls a turn, and loses no event but the
borders between text pieces. No persistence here: what must last is saved before it is published.
"""

import asyncio
from collections import deque
from dataclasses import replace

from .events import Event, TextDelta

MERGE_FROM = 64
"""Waiting events from which on neighbouring text pieces are merged."""


class Subscription:
    """One listener's queue; an async iterator, closed by `close` or by leaving `with`."""

    def __init__(self, bus: "Bus", *, session: str | None, turn: str | None) -> None:
        self._bus = bus
        self._session, self._turn = session, turn
        self._waiting: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    def offer(self, event: Event) -> None:
        """Takes an event in, if it is of the wanted session and turn."""
        if self._session not in (None, event.session) or self._turn not in (None, event.turn):
            return
        if len(self._waiting) >= MERGE_FROM and (merged := _merged(self._waiting[-1], event)):
            self._waiting[-1] = merged
        else:
            self._waiting.append(event)
        self._ready.set()

    async def next(self) -> Event:
        """The next event; raises StopAsyncIteration once closed and empty."""
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._waiting.popleft()

    def close(self) -> None:
        self._closed = True
        self._ready.set()
        self._bus.drop(self)

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        return await self.next()

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _merged(last: Event, event: Event) -> TextDelta | None:
    """Both text pieces as one, where both are of the same turn."""
    if isinstance(last, TextDelta) and isinstance(event, TextDelta) and last.turn == event.turn:
        return replace(last, text=last.text + event.text)
    return None


class Bus:
    """Delivers every published event, in order, to each subscription."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> Subscription:
        subscription = Subscription(self, session=session, turn=turn)
        self._subscriptions.append(subscription)
        return subscription

    def publish(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.offer(event)

    def drop(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def close(self) -> None:
        for subscription in list(self._subscriptions):
            subscription.close()
