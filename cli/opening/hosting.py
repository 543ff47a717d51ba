"""A home held by this process: its lock, its runtime, and the door others come in by.

What a runtime is made of stands in `building`; who becomes host is decided in `joining`.
"""

import asyncio
import contextlib
import logging
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from skill_agent import __version__
from skill_agent.api.door.door import Door
from skill_agent.errors import SkillAgentError
from skill_agent.files.home import Home
from skill_agent.host.presence import SERVICES, Presence
from skill_agent.host.runtime import Runtime
from skill_agent.text.redaction import redact

from ...store.lock import HomeLock
from .bots import Bots
from .building import build, log_to
from .chores import ROLE as CHORES
from .options import OpenOptions

if TYPE_CHECKING:
    from skill_agent.api.door.limiting import Limiter
    from skill_agent.api.door.protect import Protected
    from skill_agent.api.routes.mcp import McpDoor

OPENS_AFTER_S = 1.0
"""A command that is over sooner never opens its door."""
OTHERS_S = 30.0
"""So long a command waits at its end for turns that attached processes began."""

_LONG_AT_HOME = MappingProxyType({"/v1/turns": 50_000_000})
"""Bytes of a body over the home's own socket, where the longest prompt may come: 10 million
characters of 4 bytes each, and the images beside them."""

_log = logging.getLogger("skill_agent.hosting")


class Hosted:
    """An open home of ours; `close` gives it back."""

    here: Literal[True] = True

    def __init__(self, home: Home, lock: HomeLock, options: OpenOptions) -> None:
        self._home, self._lock, self._options = home, lock, options
        self._opening: asyncio.Task[None] | None = None
        self._waking: asyncio.Task[None] | None = None
        self._waited_for = asyncio.Event()
        self._opens = False
        self._guarded: list[Protected] = []
        self._mcp: list[McpDoor] = []
        self._limiter: Limiter | None = None
        self._bots: Bots | None = None
        self.runtime: Runtime

    async def open(self) -> None:
        """Builds the runtime and opens the door, at once or after a while."""
        self._quiet = log_to(self._home)
        self._door = Door(self._home, self._app_for, keys_exist=self._keys_exist)
        self._presence = Presence(
            self._home,
            self._door,
            role=self._options.role,
            version=__version__,
            clock=self._options.clock,
        )
        try:
            self.runtime = await build(self._home, self._presence, self._options)
            await self.runtime.begin()
        except BaseException:
            self._quiet()
            raise
        if self._options.only_reads:
            return
        self._opening = asyncio.create_task(self._open_door(), name="door")
        if self._options.role in SERVICES:  # a screen wakes what it needs by itself
            self._waking = asyncio.create_task(self._wake(), name="wake")
            self._bots = Bots(self.runtime)
            self._bots.begin()

    async def _wake(self) -> None:
        """The first search finds the index open, the first MCP client the server loaded, and the
        first turns their agents awake; whatever goes wrong, those who come first tell."""
        with contextlib.suppress(SkillAgentError):
            await self.runtime.memory.settle()
        with contextlib.suppress(ImportError):
            await asyncio.to_thread(_load_mcp)
        with contextlib.suppress(SkillAgentError):
            await self.runtime.turns.wake_team()

    def take_over(self) -> None:
        """Others wait for the home already: the door opens at once."""
        self._waited_for.set()

    async def opened(self) -> None:
        """Opens the door at once; returns when others can come in."""
        self.take_over()
        if self._opening is not None:
            await asyncio.shield(self._opening)

    async def _open_door(self) -> None:
        if not (self._options.hosting or self._options.role == CHORES):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OPENS_AFTER_S):
                    await self._waited_for.wait()
        self._opens = True
        try:
            self._lock.listens_on(await self._door.open_socket())
        except SkillAgentError as problem:  # other windows must wait, this one works
            _log.warning("no other window can join: %s", redact(problem.message))

    def _app_for(
        self, *, tcp: bool, auth: bool, hosts: tuple[str, ...], cors: tuple[str, ...]
    ) -> Any:
        from skill_agent.api.app import BY_HAND, create_app
        from skill_agent.api.door.limiting import Limiter
        from skill_agent.api.door.protect import protect
        from skill_agent.api.door.rules import rules_from
        from skill_agent.host.presence import naming, noting
        from skill_agent.workstation import table

        app = create_app(self.runtime, local=not tcp)
        self._mcp.append(app.state.mcp)
        at_once = self.runtime.settings.serve.requests_at_once
        self._limiter = self._limiter or Limiter(self._options.clock, at_once=at_once)
        guarded = protect(
            app,
            home=self._home,
            clock=self._options.clock,
            tcp=tcp,
            auth=auth,
            hosts=hosts,
            cors=cors,
            rules=rules_from(
                [*(one.route for one in table()), *BY_HAND], bodies={} if tcp else _LONG_AT_HOME
            ),
            limiter=self._limiter,
        )
        self._guarded.append(guarded)
        return naming(guarded) if tcp else noting(guarded, self._presence)

    async def _keys_exist(self) -> bool:
        from skill_agent.access.keys import KeyRing, keys_file

        return await asyncio.to_thread(
            KeyRing(keys_file(self._home.root), self._options.clock).any_active
        )

    async def close(self, *, at_once: bool = False) -> None:
        """Turns end with a word, then the door, the stores and the lock. `at_once` says that nobody
        may wait for turns of others."""
        try:
            if not (self._options.hosting or at_once):
                await self.runtime.drain(OTHERS_S)
            await self._end_opening()
            if self._bots is not None:  # what it has not brought yet, the next host brings
                await self._bots.end()
            await self.runtime.end_turns()
            await self._presence.close()
            await self._door.close()
            await asyncio.gather(*(one.end() for one in self._mcp))
            await asyncio.gather(*(one.close() for one in self._guarded))
            await self.runtime.close()
        finally:
            self._lock.release()
            self._quiet()

    async def _end_opening(self) -> None:
        """A door that is being opened is not left half open."""
        if self._opening is not None:
            if not self._opens:
                self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._waking is not None:
            self._waking.cancel()
            await asyncio.gather(self._waking, return_exceptions=True)


def _load_mcp() -> None:
    from skill_agent.api.routes.mcp import warm

    warm()
