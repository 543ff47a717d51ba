"""Turns of a home that another process holds: sent once, and heard to their end whoever is host."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from skill_agent.conversations.turn_states import told
from skill_agent.errors import SkillAgentError
from skill_agent.events import Event, HostFound, HostLost, TurnFailed, TurnFinished
from skill_agent.identifiers import new_id
from skill_agent.text.clock import zone_here
from skill_agent.values import Submitted, TurnRequest, TurnState
from skill_agent.workstation import Operation

from . import calls
from .calls import Arguments
from .operations import OPERATIONS, RemoteGroup, kind_of
from .remote import Backend
from .remote_errors import HostGone
from .remote_subscription import RemoteSubscription

if TYPE_CHECKING:
    from skill_agent.events.bus import Subscription

REPLAY_S = 1.0
"""How long a host may take to tell a turn again that has ended."""


class OpenElsewhere(Protocol):
    """The home as it is reached from here."""

    @property
    def backend(self) -> Backend: ...
    def check_open(self) -> None: ...
    async def call(self, operation: Operation, arguments: Arguments) -> Any: ...
    async def lost(self, backend: Backend) -> None: ...


class _Turns(RemoteGroup):
    """What is different about turns."""

    if TYPE_CHECKING:

        async def get(self, turn: str) -> TurnState: ...

    def __init__(self, home: OpenElsewhere, user: str) -> None:
        super().__init__(home, user)
        self._home = home
        self._listening: list[RemoteSubscription] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._submitting: set[str] = set()

    async def submit(self, request: TurnRequest | str) -> Submitted:
        """As the operation; those who listen here are told of the turn's end in any case. The clock
        is this window's where the request names none."""
        request = TurnRequest(request) if isinstance(request, str) else request
        request = replace(request, zone=request.zone or zone_here())
        operation = OPERATIONS["turns.submit"]
        arguments, turn = calls.keyed(operation, calls.bound(operation, request))
        self._submitting.add(turn)
        first = self._home.backend
        try:
            submitted: Submitted = await self._home.call(operation, arguments)
        finally:
            self._submitting.discard(turn)
        for one in self._listening:
            one.expect(submitted.turn, submitted.session, submitted.agent)
        if self._home.backend is not first and self._listening:
            await self._settle(submitted.turn)
        return submitted

    async def _settle(self, turn: str) -> None:
        """A turn that an earlier host had begun may never be told of by this one."""
        state = await self.get(turn)
        for one in self._listening:
            one.settle(state)

    async def ask(self, request: TurnRequest | str) -> AsyncGenerator[Event, None]:
        request = TurnRequest(request) if isinstance(request, str) else request
        turn, over = request.key or new_id(), False
        with self.subscribe(turn=turn) as heard:
            try:
                try:
                    await self.submit(replace(request, key=turn))
                except SkillAgentError:
                    over = True  # refused: nothing began
                    raise
                known = await self.get(turn) if request.key else None
                async with aclosing(_until_ended(heard, known)) as events:
                    async for event in events:
                        over = isinstance(event, TurnFinished | TurnFailed)
                        yield event
            finally:
                if not over:
                    await self._cancel(turn)

    async def _cancel(self, turn: str) -> None:
        """Cancels a turn nobody waits for; no home is opened again for that."""
        operation = OPERATIONS["turns.cancel"]
        with contextlib.suppress(HostGone, SkillAgentError):
            await self._home.backend.call(operation, {"turn": turn})

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> "Subscription":
        """Events from now on, or of a whole turn, whoever is host."""
        self._home.check_open()
        listening = RemoteSubscription(self, session=session, turn=turn, left=self._left)
        self._listening.append(listening)
        return cast("Subscription", listening)

    def _left(self, listening: RemoteSubscription) -> None:
        if listening in self._listening:
            self._listening.remove(listening)
            leaving = asyncio.ensure_future(listening.ended())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    # -- what the listeners ask --------------------------------------------------------------

    @property
    def backend(self) -> Backend:
        """The host as it was last found."""
        return self._home.backend

    async def lost(self, backend: Backend) -> None:
        """Returns once the home is open again; raises where it cannot be."""
        await self._home.lost(backend)

    async def state_at(self, backend: Backend, turn: str) -> TurnState:
        """What a host knows of a turn."""
        return await backend.call(OPERATIONS["turns.get"], {"turn": turn})

    def submitting(self, turn: str) -> bool:
        """It was sent and is not answered yet."""
        return turn in self._submitting

    # -- what the home tells -----------------------------------------------------------------

    async def all_listen(self, backend: Backend) -> None:
        """Returns once every listener hears this host. Those of one turn get it from its beginning
        whenever they come."""
        for one in [one for one in self._listening if one.turn is None]:
            await one.ready(backend)

    def moved(self, backend: Backend) -> None:
        """There is a new host."""
        for one in self._listening:
            one.move(backend)

    def announce(self, event: HostLost | HostFound) -> None:
        for one in self._listening:
            one.tell(event)

    def close(self) -> None:
        """Nobody listens any more; `left` waits for the connections."""
        for one in list(self._listening):
            one.close()

    async def left(self) -> None:
        await asyncio.gather(*self._leaving, return_exceptions=True)


RemoteTurns: type[_Turns] = kind_of("turns", _Turns)


async def _until_ended(
    heard: "Subscription", known: TurnState | None
) -> AsyncGenerator[Event, None]:
    """A turn's events to its end. One that had ended before is told as far as the host still has
    it, and its end in any case."""
    over = known is not None and known.state != "running"
    while True:
        try:
            async with asyncio.timeout(REPLAY_S if over else None):
                event = await heard.next()
        except StopAsyncIteration:
            return
        except TimeoutError:
            if known is not None:
                yield told(known)
            return
        yield event
        if isinstance(event, TurnFinished | TurnFailed):
            return
