"""Turns that somebody listened to and nobody does any more: given up, unless asked to stay.

A listener is a connection: one that wants this turn's events or its conversation's, or the stream
of all events of the window that asked for it. Who merely submits a turn and looks later what became
of it is none, nor is the process of the host itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

GRACE_S = 10.0
"""So long nobody may listen: a window that lost its connection comes back sooner."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ear:
    """One connection that listens."""

    session: str | None
    turn: str | None
    client: str | None

    def hears(self, one: "_Watched") -> bool:
        if self.turn is not None:
            return self.turn == one.turn
        if self.session is not None:
            return self.session == one.session
        return self.client is not None and self.client == one.client


@dataclass(slots=True, eq=False)
class _Watched:
    """A turn as far as listeners matter; one may listen before it has begun."""

    turn: str
    session: str = ""
    client: str | None = None
    """The window that asked for it."""
    begun: bool = False
    stays: bool = False
    heard: bool = False
    """Somebody listened once."""
    ending: asyncio.TimerHandle | None = None

    def calm(self) -> None:
        if self.ending is not None:
            self.ending.cancel()
            self.ending = None


class Attended:
    """Which turns are listened to over connections."""

    def __init__(
        self,
        *,
        runs: Callable[[str], bool],
        give_up: Callable[[str], Awaitable[object]],
        client: Callable[[], str | None] = lambda: None,
        grace_s: float = GRACE_S,
    ) -> None:
        """`client` names the window on whose behalf something is done just now, if it is one."""
        self._runs, self._give_up, self._client = runs, give_up, client
        self._grace_s = grace_s
        self._ears: list[_Ear] = []
        self._watched: dict[str, _Watched] = {}
        self._givings_up: set[asyncio.Task[object]] = set()

    def began(self, turn: str, session: str, *, stays: bool) -> None:
        """A turn runs from now on; `stays` says that it needs no listeners."""
        self._forget()
        one = self._watched.setdefault(turn, _Watched(turn))
        one.session, one.client, one.begun, one.stays = session, self._client(), True, stays
        if stays:
            one.calm()
        one.heard = one.heard or self._is_heard(one)

    @contextmanager
    def listening(self, *, session: str | None = None, turn: str | None = None) -> Iterator[None]:
        """While this lasts, a connection listens to a turn, to a conversation or to everything."""
        ear = _Ear(session, turn, self._client())
        self._come(ear)
        try:
            yield
        finally:
            self._ears.remove(ear)
            for one in [one for one in self._watched.values() if ear.hears(one)]:
                self._left(one)

    def close(self) -> None:
        """Nothing is given up any more."""
        for one in self._watched.values():
            one.calm()
        self._watched.clear()

    def _come(self, ear: _Ear) -> None:
        self._ears.append(ear)
        if ear.turn is not None:
            self._watched.setdefault(ear.turn, _Watched(ear.turn))
        window = ear.client is not None and ear.turn is None and ear.session is None
        for one in self._watched.values():
            if window and one.begun and one.ending is not None:
                one.client = ear.client  # opened again: the window that comes next takes it over
            if ear.hears(one):
                one.heard = True
                one.calm()

    def _left(self, one: _Watched) -> None:
        """A listener has gone; the last one's going is noted."""
        if self._is_heard(one) or one.stays or one.ending is not None:
            return
        if one.begun and not self._runs(one.turn):
            del self._watched[one.turn]
            return
        loop = asyncio.get_running_loop()
        one.ending = loop.call_later(self._grace_s, self._abandon, one)

    def _abandon(self, one: _Watched) -> None:
        self._watched.pop(one.turn, None)
        if self._runs(one.turn):
            task = asyncio.ensure_future(self._give_up(one.turn))
            self._givings_up.add(task)
            task.add_done_callback(self._givings_up.discard)

    def _is_heard(self, one: _Watched) -> bool:
        return any(ear.hears(one) for ear in self._ears)

    def _forget(self) -> None:
        """Turns that have ended while somebody listened."""
        over = [
            one.turn
            for one in self._watched.values()
            if one.begun and one.ending is None and not self._runs(one.turn)
        ]
        for turn in over:
            del self._watched[turn]
