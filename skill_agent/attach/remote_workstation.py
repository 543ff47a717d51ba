"""The workstation a front end gets while another process holds the home.

Every call goes through one place. When the host is gone it is told, the home is opened again - by
another process or by this one - and the call is sent once more with the same key. Nothing here
knows how a home is opened: that comes in as `recover`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.errors import Closing, SkillAgentError
from skill_agent.events import HostFound, HostLost
from skill_agent.files.home import Home
from skill_agent.values import HomeInfo
from skill_agent.workstation import Operation, Workstation

from . import calls
from .calls import Arguments
from .operations import remote_groups
from .remote import Backend
from .remote_errors import HostGone
from .repeating import done_before, ends_the_host, repeatable, unknown
from .turns import RemoteTurns

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings

MOST_TRIES = 4
"""A call that ends four hosts is not given to a fifth."""
CLOSING_S = 15.0
"""How long a host may take to close; whoever asks meanwhile waits for the next."""
_CLOSING_PAUSE_S = 0.05

Recover = Callable[[], Awaitable[Backend]]


class RemoteWorkstation(Workstation):
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
        self._settings: tuple[HomeInfo, Settings] | None = None
        self._closed = False
        self._turns = RemoteTurns(self, backend.info.user)
        super().__init__({"turns": self._turns, **remote_groups(self, backend.info.user)})

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

    # -- hearing and calling ------------------------------------------------------------------

    # -- one place for every call --------------------------------------------------------------

    async def call(self, operation: Operation, arguments: Arguments) -> Any:
        """The operation at the present host, and at the next one if that is gone."""
        arguments, _ = calls.keyed(operation, arguments)
        causes_events = operation.route.scope in ("chat", "memory")
        clock = asyncio.get_running_loop().time
        until, tries, repeated = clock() + CLOSING_S, 1, False
        while True:
            backend = self._present()
            if causes_events:
                await self._turns.all_listen(backend)
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

    async def until_stopped(self) -> None:
        """Takes over when the host goes away: who listens hears of that."""
        with self._turns.subscribe() as events:
            while not self.here:
                try:
                    await events.next()
                except StopAsyncIteration:  # closed; a signal ends us
                    await asyncio.Event().wait()
        await self._backend.until_stopped()

    def check_open(self) -> None:
        """Raises Closing once it is closed."""
        if self._closed:
            raise _closed()

    def _present(self) -> Backend:
        self.check_open()
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
            self._turns.announce(HostLost(pid=backend.info.pid))
        found = await self._recover()
        if self._closed:
            await found.close()
            raise _closed()
        self._past.append(backend)
        self._backend = found
        self._turns.announce(HostFound(pid=found.info.pid, here=found.here))
        self._turns.moved(found)

    def _reopened(self, recovery: "asyncio.Task[None]") -> None:
        self._recovery = None
        if not recovery.cancelled():
            recovery.exception()  # told to whoever waited

    # -- end ---------------------------------------------------------------------------------

    async def close(self) -> None:
        """Ends the subscriptions and the connections; and the home, if this process holds it."""
        self._closed = True
        self._turns.close()
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)
        await self._turns.left()
        for backend in (*self._past, self._backend):
            await backend.close()


def _closed() -> Closing:
    return Closing("this window on the home is closed")


def _gone_again(gone: HostGone) -> SkillAgentError:
    return SkillAgentError(
        f"the process that holds the home goes away whenever it is asked this ({gone})",
        hint="ska logs tells why",
    )
