"""A subscription to another process's events that outlives this process.

It has the interface of `bus.Subscription`. What becomes of a lost host is not decided here.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Protocol

from skill_agent.errors import Closing, NotFound, SkillAgentError
from skill_agent.events import Event, HostFound, HostLost
from skill_agent.events.bus import Gap
from skill_agent.values import TurnState
from skill_agent.values.backoff import Backoff

from .following import Following
from .remote import Backend, Heard, Here, Told
from .remote_errors import HostGone

MOST_WAITING = 1_000
"""Events that wait to be read here; past that the host keeps them."""
_STEADY_S = 1.0
_PAUSES = Backoff(0.02, 2.0)

LOST = "the process that ran the turn is gone"


class Hosts(Protocol):
    """Where the present host is found; a workstation."""

    @property
    def backend(self) -> Backend: ...

    async def lost(self, backend: Backend) -> None:
        """Returns once the home is open again; raises where it cannot be."""
        ...

    async def state_at(self, backend: Backend, turn: str) -> TurnState:
        """What became of a turn; raises NotFound, HostGone."""
        ...

    def submitting(self, turn: str) -> bool:
        """This process has sent the turn and has no answer yet."""
        ...


class RemoteSubscription:
    """One listener's place; an async iterator, closed by `close` or by leaving `with`."""

    def __init__(
        self,
        hosts: Hosts,
        *,
        session: str | None,
        turn: str | None,
        left: "Callable[[RemoteSubscription], None]",
    ) -> None:
        """`left` is called once nobody listens here any more."""
        self._hosts, self._left = hosts, left
        self.session, self.turn = session, turn
        self._at: Backend | None = None
        """The host that is listened to."""
        self._given_up = False
        self._moved = asyncio.Event()
        self._waiting: deque[Event] = deque()
        self._ready, self._room = asyncio.Event(), asyncio.Event()
        self._following = Following(turn)
        self._closed = False
        self._problem: SkillAgentError | None = None
        self._epoch = ""
        self._tried = False
        self._after = ""
        self._pump = asyncio.create_task(self._listen(), name="listening")

    # -- what front ends use -----------------------------------------------------------------

    async def next(self) -> Event:
        """The next event; raises StopAsyncIteration once closed and empty."""
        while not self._waiting:
            if self._closed:
                if self._problem is not None:
                    raise self._problem
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        self._room.set()
        return self._waiting.popleft()

    def close(self) -> None:
        self.end()
        self._pump.cancel()
        self._left(self)

    def __aiter__(self) -> "RemoteSubscription":
        return self

    async def __anext__(self) -> Event:
        return await self.next()

    def __enter__(self) -> "RemoteSubscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the workstation uses -----------------------------------------------------------

    def end(self, problem: SkillAgentError | None = None) -> None:
        """No more will come; what waits can still be read."""
        if not self._closed:
            self._closed, self._problem = True, problem
        self._ready.set()
        self._moved.set()

    async def ended(self) -> None:
        """Returns once the connection is closed, after `close`."""
        await asyncio.gather(self._pump, return_exceptions=True)

    async def ready(self, backend: Backend) -> None:
        """Returns once nothing that this host tells is missed, or there is no use in waiting."""
        while self._hosts.backend is backend and not (
            self._closed or self._given_up or self._at is backend
        ):
            self._moved.clear()
            await self._moved.wait()

    def move(self, backend: Backend) -> None:
        """There is a new host; a stream of the old one may hang for long before it breaks."""
        if self._at is not backend and not self._closed:
            self._pump.cancel()
            self._pump = asyncio.create_task(self._listen(self._pump), name="listening")

    def settle(self, task: TurnState) -> None:
        """A turn was found to have ended; told unless that was heard."""
        if self.turn in (None, task.id) and self.session in (None, task.session):
            self._put_all(self._following.settle(task))

    def tell(self, event: HostLost | HostFound) -> None:
        """Something of the hosts themselves, which concerns everybody."""
        self._put(event)

    def expect(self, turn: str, session: str, agent: str) -> None:
        """A turn was begun; its end will be told, whatever becomes of the host."""
        if self.turn in (None, turn) and self.session in (None, session):
            self._following.expect(turn, session, agent)

    # -- the stream --------------------------------------------------------------------------

    async def _listen(self, before: "asyncio.Task[None] | None" = None) -> None:
        """Listens to one host after the other, once who did so `before` has ended."""
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        clock = asyncio.get_running_loop().time
        failures = 0
        while not self._closed:
            backend, began = self._hosts.backend, clock()
            try:
                await self._listen_to(backend)
            except (HostGone, Closing):
                pass
            except SkillAgentError as problem:
                self.end(problem)
                return
            failures = failures + 1 if clock() - began < _STEADY_S else 0
            if failures:
                await asyncio.sleep(_PAUSES.after(failures))
            try:
                await self._hosts.lost(backend)
            except SkillAgentError as problem:
                self._give_up(problem)

    def _give_up(self, problem: SkillAgentError) -> None:
        """No host for now: turns end here, whoever waits goes on; the next try comes later."""
        for turn in self._following.open:
            if self._following.began(turn):
                self._put_all(self._following.lose(turn, f"{LOST}: {problem.message}"))
        self._given_up = True
        self._moved.set()

    async def _listen_to(self, backend: Backend) -> None:
        first, self._tried = not self._tried, True
        if self._epoch != backend.info.epoch:
            self._after = ""
        self._epoch = backend.info.epoch
        missed, greeted = not first and not self._after, False
        told = backend.told(session=self.session, turn=self.turn, after=self._after)
        async with aclosing(told) as frames:
            async for one in frames:
                if not greeted and missed:
                    await self._catch_up(backend)
                if not greeted:
                    greeted, self._at, self._given_up = True, backend, False
                    self._moved.set()
                await self._take(one, backend)

    async def _take(self, one: Told, backend: Backend) -> None:
        match one:
            case Here(id):
                self._after = id or self._after
            case Heard(event, id):
                while len(self._waiting) >= MOST_WAITING:
                    self._room.clear()
                    await self._room.wait()
                self._after = id
                if fresh := self._following.take(event):
                    self._put(fresh)
            case Gap():
                self._after = ""
                await self._catch_up(backend)

    async def _catch_up(self, backend: Backend) -> None:
        """Events were missed: turns that ended meanwhile are ended here too."""
        self._following.repeating()
        for turn in self._following.open:
            try:
                state = await self._hosts.state_at(backend, turn)
            except NotFound:
                if self._following.began(turn) and not self._hosts.submitting(turn):
                    self._put_all(self._following.lose(turn, LOST))
                continue
            self._put_all(self._following.settle(state))

    def _put(self, event: Event) -> None:
        self._waiting.append(event)
        self._ready.set()

    def _put_all(self, events: Any) -> None:
        for event in events:
            self._put(event)
