"""How a process comes to a home: it attaches to the one that holds it, or holds it itself.

Nothing heavy is imported on the way to another process; what a host is made of, `hosting` and
`building` know.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from skill_agent.errors import Closing, HomeBusy, HomeReadOnly
from skill_agent.files.home import Home

from .options import OpenOptions

if TYPE_CHECKING:
    from skill_agent.attach.remote import Backend, Remote
    from skill_agent.workstation import Workstation

    from .hosting import Hosted

PATIENCE_S = 10.0
"""How long a home that is just being opened or closed is waited for."""
LOOK_EVERY_S = 0.05
READY_AFTER_S = 2.0
"""When an attached process that stays begins to load what taking over would need."""


@asynccontextmanager
async def joined(home: Home, options: OpenOptions) -> AsyncIterator["Workstation"]:
    """The workstation of a home, in another process or in this one.

    Raises HomeBusy while the home's holder does not answer.
    """
    joining = Joining(home, options)
    found = await joining.find()
    async with AsyncExitStack() as stack:
        if found.here is True:
            stack.push_async_exit(partial(_closed, found))
            yield found.runtime
            return
        from skill_agent.attach.remote_workstation import RemoteWorkstation

        window = RemoteWorkstation(found, recover=joining.recovered, home=home)
        stack.push_async_callback(window.close)
        if options.hosting:
            stack.push_async_callback(_ended, asyncio.create_task(_get_ready(), name="get ready"))
        yield window


class Joining:
    """Finds or makes the host of a home."""

    def __init__(self, home: Home, options: OpenOptions) -> None:
        self._home, self._options = home, options

    async def recovered(self) -> "Backend":
        """Another way to the home after its host was lost."""
        from skill_agent.attach.remote import Local

        found = await self.find()
        if found.here is False:
            return found
        found.take_over()
        ending = AsyncExitStack()
        ending.push_async_callback(found.close)
        return Local(found.runtime, await found.runtime.figures.info(), ending)

    async def find(self) -> "Remote | Hosted":
        """A way to the home; raises HomeBusy where its holder does not answer in time.

        Each holder has its own time: a home may change hands while one waits.
        """
        from ...store.lock import HomeLock

        lock, holder, until = HomeLock(self._home.lock), None, time.monotonic() + PATIENCE_S
        while True:
            if (remote := await self._attached()) is not None:
                return remote
            if (hosted := await self._held()) is not None:
                return hosted
            if (now := lock.said()) != holder:
                holder, until = now, time.monotonic() + PATIENCE_S
            if time.monotonic() > until:
                raise self._busy()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _attached(self) -> "Remote | None":
        if not hasattr(os, "getuid"):
            return None  # no Unix sockets here: one process at a time
        from skill_agent.api.door.addresses import live_socket

        path = live_socket(self._home)
        if path is None:
            return None
        from skill_agent.attach.remote import attach
        from skill_agent.attach.remote_errors import HostGone
        from skill_agent.attach.transport import Line

        line = Line(socket=path, name=self._options.role)
        try:
            return await attach(line)
        except (HostGone, Closing):
            await line.close()
            return None
        except BaseException:
            await line.close()
            raise

    async def _held(self) -> "Hosted | None":
        """The home held by this process from now on; None where another one holds it."""
        from ...store.lock import HomeLock

        lock, options = HomeLock(self._home.lock, role=self._options.role), self._options
        try:
            if not lock.try_acquire():
                return None
        except HomeReadOnly as problem:
            if options.hosting or not self._home.ledger.exists():
                raise
            options.tell(problem.message)
            options = replace(options, only_reads=True)
        try:
            from .hosting import Hosted

            hosted = Hosted(self._home, lock, options)
            await hosted.open()
        except BaseException:
            lock.release()
            raise
        return hosted

    def _busy(self) -> HomeBusy:
        from ...store.lock import HomeLock

        holder = HomeLock(self._home.lock).holder()
        pid = holder.pid if holder else 0
        who = f"process {pid}" if pid else "another process"
        return HomeBusy(
            f"the home {self._home.root} is held by {who}, which does not answer",
            pid=pid or None,
            hint=f"end it (kill {pid}), then try again" if pid else "try again in a moment",
        )


async def _get_ready() -> None:
    """Loads in a thread what a host needs, so that taking over is quick."""
    await asyncio.sleep(READY_AFTER_S)
    await asyncio.to_thread(_load)


def load_ahead(home: Home) -> None:
    """Imports what coming to the home needs; for a thread, while somebody types already."""
    from skill_agent.api.door.addresses import live_socket

    if hasattr(os, "getuid") and live_socket(home) is not None:
        from skill_agent.attach import remote, remote_workstation, transport  # noqa: F401
    else:
        import filelock  # noqa: F401

        from ...store import embedding  # noqa: F401
        from ...store.lance_index import index  # noqa: F401
        from . import hosting  # noqa: F401


def _load() -> None:
    import duckdb  # noqa: F401
    import uvicorn  # noqa: F401

    from skill_agent.api.door import listener  # noqa: F401

    from . import building, hosting  # noqa: F401


async def _closed(found: "Hosted", kind: type[BaseException] | None, *_: object) -> None:
    """Closes the home; a process that is told to end waits for nobody."""
    await found.close(at_once=kind is not None and not issubclass(kind, Exception))


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
