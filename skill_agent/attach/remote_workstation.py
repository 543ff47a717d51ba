"""The workstation a front end gets while another process holds the home.

Every call goes through one place. When the host is gone it is told, the home is opened again - by
another process or by this one - and the call is sent once more with the same key. Nothing here
knows how a home is opened: that comes in as `recover`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from skill_agent.conversations.turn_states import Task, told
from skill_agent.errors import Closing, SkillAgentError
from skill_agent.events import Event, HostFound, HostLost, TurnFailed, TurnFinished
from skill_agent.files.home import Home
from skill_agent.identifiers import new_id
from skill_agent.values import HomeInfo, Submitted
from skill_agent.workstation import (
    ErasureDesk,
    ExtractionDesk,
    FeedbackDesk,
    HostDesk,
    MemoryDesk,
    Operation,
    UpkeepDesk,
    UserDesk,
    Workstation,
)

from . import calls
from .calls import Arguments
from .operations import OPERATIONS, Sent, desks
from .remote import Backend
from .remote_errors import HostGone
from .remote_subscription import RemoteSubscription
from .repeating import done_before, ends_the_host, repeatable, unknown

if TYPE_CHECKING:
    from skill_agent.events import Subscription
    from skill_agent.settings.schema import Settings

MOST_TRIES = 4
"""A call that ends four hosts is not given to a fifth."""
CLOSING_S = 15.0
"""How long a host may take to close; whoever asks meanwhile waits for the next."""
_CLOSING_PAUSE_S = 0.05
REPLAY_S = 1.0
"""How long a host may take to tell a turn again that has ended."""

Recover = Callable[[], Awaitable[Backend]]


class RemoteWorkstation(Sent, Workstation):
    """A home that is open somewhere, seen from here; closed by whoever made it."""

    def __init__(self, backend: Backend, recover: Recover, *, home: Home | None = None) -> None:
        """`recover` opens the home again after its host is gone: attaches to the next host, or
        becomes host in this process. It raises where neither can be done. `home` is where this
        process finds it; where it is on another machine, its path there stands in."""
        self._home = home
        self._backend, self._recover = backend, recover
        self._recovery: asyncio.Task[None] | None = None
        self._told_lost: Backend | None = None
        self._past: list[Backend] = []
        self._listening: list[RemoteSubscription] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._submitting: set[str] = set()
        self._settings: tuple[HomeInfo, Settings] | None = None
        self._closed = False
        self._desks = desks(self, backend.info.user)

    # -- what it is --------------------------------------------------------------------------

    @property
    def backend(self) -> Backend:
        """The host as it was last found."""
        return self._backend

    @property
    def here(self) -> bool:
        """This process has become the host."""
        return self._backend.here

    @property
    def home(self) -> Home:
        """The home's folder, on the machine it is served on."""
        return self._home or Home(Path(self._backend.info.id))

    @property
    def settings(self) -> "Settings":
        info = self._backend.info
        if self._settings is None or self._settings[0] is not info:
            from skill_agent.settings.schema import Settings

            self._settings = (info, Settings.model_validate(info.settings))
        return self._settings[1]

    @property
    def memory(self) -> MemoryDesk:
        return cast(MemoryDesk, self._desks["memory"])

    @property
    def extractions(self) -> ExtractionDesk:
        return cast(ExtractionDesk, self._desks["extractions"])

    @property
    def upkeep(self) -> UpkeepDesk:
        return cast(UpkeepDesk, self._desks["upkeep"])

    @property
    def feedback(self) -> FeedbackDesk:
        return cast(FeedbackDesk, self._desks["feedback"])

    @property
    def eraser(self) -> ErasureDesk:
        return cast(ErasureDesk, self._desks["eraser"])

    @property
    def user_data(self) -> UserDesk:
        return cast(UserDesk, self._desks["user_data"])

    @property
    def host(self) -> HostDesk:
        return cast(HostDesk, self._desks["host"])

    # -- turns -------------------------------------------------------------------------------

    async def submit(self, text: str, **wishes: Any) -> Submitted:
        """As the operation; those who listen here are told of the turn's end in any case."""
        operation = OPERATIONS["submit"]
        arguments = calls.bound(operation, text, **wishes)
        turn = arguments["key"] = arguments.get("key") or new_id()
        self._submitting.add(turn)
        first = self._backend
        try:
            submitted: Submitted = await self.call(operation, arguments)
        finally:
            self._submitting.discard(turn)
        for one in self._listening:
            one.expect(submitted.turn, submitted.session, submitted.agent)
        if self._backend is not first and self._listening:
            await self._settle(submitted.turn)
        return submitted

    async def _settle(self, turn: str) -> None:
        """A turn that an earlier host had begun may never be told of by this one."""
        task = await self.task(turn)
        for one in self._listening:
            one.settle(task)

    async def ask(
        self,
        text: str,
        *,
        session: str | None = None,
        agent: str | None = None,
        model: str | None = None,
        use_memory: bool = True,
        interactive: bool = True,
        key: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Submits and gives the turn's events until its end; leaving early cancels the turn."""
        wishes = {"session": session, "agent": agent, "model": model, "use_memory": use_memory}
        turn, over = key or new_id(), False
        with self.subscribe(turn=turn) as heard:
            try:
                try:
                    await self.submit(text, **wishes, interactive=interactive, key=turn)
                except SkillAgentError:
                    over = True  # refused: nothing began
                    raise
                known = await self.task(turn) if key else None
                async with aclosing(_until_ended(heard, known)) as events:
                    async for event in events:
                        over = isinstance(event, TurnFinished | TurnFailed)
                        yield event
            finally:
                if not over:
                    await self._cancel(turn)

    async def _cancel(self, turn: str) -> None:
        """Cancels a turn nobody waits for; no home is opened again for that."""
        operation = OPERATIONS["cancel"]
        with contextlib.suppress(HostGone, SkillAgentError):
            await self._backend.call(operation, {"turn": turn})

    def subscribe(self, *, session: str | None = None, turn: str | None = None) -> "Subscription":
        """Events from now on, or of a whole turn, whoever is host."""
        if self._closed:
            raise _closed()
        listening = RemoteSubscription(self, session=session, turn=turn, left=self._left)
        self._listening.append(listening)
        return cast("Subscription", listening)

    def _left(self, listening: RemoteSubscription) -> None:
        if listening in self._listening:
            self._listening.remove(listening)
            leaving = asyncio.ensure_future(listening.ended())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    async def _all_listen(self, backend: Backend) -> None:
        """Returns once every listener hears this host. Those of one turn get it from its beginning
        whenever they come."""
        for one in [one for one in self._listening if one.turn is None]:
            await one.ready(backend)

    # -- one place for every call --------------------------------------------------------------

    async def call(self, operation: Operation, arguments: Arguments) -> Any:
        """The operation at the present host, and at the next one if that is gone."""
        key = operation.route.key
        if key and not arguments.get(key):
            arguments = {**arguments, key: new_id()}
        causes_events = operation.route.scope in ("chat", "memory")
        clock = asyncio.get_running_loop().time
        until, tries, repeated = clock() + CLOSING_S, 1, False
        while True:
            backend = self._present()
            if causes_events:
                await self._all_listen(backend)
            try:
                return await backend.call(operation, arguments)
            except HostGone as gone:
                if gone.sent and ends_the_host(operation):
                    return None
                await self.lost(backend)
                if gone.sent and not repeatable(operation, arguments):
                    raise unknown(operation) from gone
                if tries == MOST_TRIES:
                    raise _gone_again(gone) from gone
                tries, repeated = tries + 1, repeated or gone.sent
            except Closing:
                if backend.here or clock() > until:
                    raise
                await asyncio.sleep(_CLOSING_PAUSE_S)
                await self.lost(backend)
            except SkillAgentError as refusal:
                if not repeated:
                    raise
                return await done_before(self, operation, arguments, refusal)

    def _present(self) -> Backend:
        if self._closed:
            raise _closed()
        return self._backend

    async def lost(self, backend: Backend) -> None:
        """Opens the home again, once for all who ask; raises where that cannot be done."""
        if self._backend is not backend or self._closed:
            return
        if self._recovery is None:
            self._recovery = asyncio.create_task(self._reopen(backend), name="reopen the home")
            self._recovery.add_done_callback(self._reopened)
        await asyncio.shield(self._recovery)

    async def _reopen(self, backend: Backend) -> None:
        if await backend.lives():
            return  # a connection broke, nothing else
        if self._told_lost is not backend:
            self._told_lost = backend
            self._tell(HostLost(pid=backend.info.pid))
        found = await self._recover()
        if self._closed:
            await found.close()
            raise _closed()
        self._past.append(backend)
        self._backend = found
        self._tell(HostFound(pid=found.info.pid, here=found.here))
        for one in self._listening:
            one.move(found)

    def _reopened(self, recovery: "asyncio.Task[None]") -> None:
        self._recovery = None
        if not recovery.cancelled():
            recovery.exception()  # told to whoever waited

    def _tell(self, event: HostLost | HostFound) -> None:
        for one in self._listening:
            one.tell(event)

    async def task_at(self, backend: Backend, turn: str) -> Task:
        """What a host knows of a turn."""
        return await backend.call(OPERATIONS["task"], {"task": turn})

    def submitting(self, turn: str) -> bool:
        """It was sent and is not answered yet."""
        return turn in self._submitting

    # -- end ---------------------------------------------------------------------------------

    async def close(self) -> None:
        """Ends the subscriptions and the connections; and the home, if this process holds it."""
        self._closed = True
        for one in list(self._listening):
            one.close()
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        await asyncio.gather(*self._leaving, return_exceptions=True)
        for backend in (*self._past, self._backend):
            await backend.close()


async def _until_ended(heard: "Subscription", known: Task | None) -> AsyncGenerator[Event, None]:
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


def _closed() -> Closing:
    return Closing("this window on the home is closed")


def _gone_again(gone: HostGone) -> SkillAgentError:
    return SkillAgentError(
        f"the process that holds the home goes away whenever it is asked this ({gone})",
        hint="ska logs tells why",
    )
