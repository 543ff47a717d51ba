"""A home held and served in this process, with a test's own sets behind its real doors."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fakes import HashEmbedder
from served_sets import Calls, sets
from skill_agent.cli.opening.home_files import init_home
from skill_agent.cli.opening.hosting import Hosted
from skill_agent.cli.opening.options import OpenOptions
from skill_agent.store.lock import HomeLock

from skill_agent.access.keys import KeyRing, keys_file
from skill_agent.files.home import Home
from skill_agent.mcp_server.sets import Changed
from skill_agent.models.scripted import ScriptedGateway, ScriptedModel
from skill_agent.workstation import Workstation


def now() -> datetime:
    return datetime.now(UTC)


class Fitted(Hosted):
    """Offers a test's sets."""

    def __init__(self, home: Home, lock: HomeLock, options: OpenOptions, calls: Calls) -> None:
        super().__init__(home, lock, options)
        self.calls = calls
        self.changed: list[Changed] = []
        """How to tell that a list changed, for each app to which anybody listens."""

    def _app_for(self, **how: Any) -> Any:
        app = super()._app_for(**how)
        self._mcp[-1]._offered = partial(sets, self.calls)
        self._mcp[-1]._watching = self._watched
        return app

    def _watched(self, station: Workstation, changed: Changed) -> Callable[[], None]:
        self.changed.append(changed)
        return partial(self.changed.remove, changed)

    def key(self, *scopes: str) -> str:
        """A new API key."""
        return KeyRing(keys_file(self._home.root), now).create("test", list(scopes))[1]

    def revoke(self, key: str) -> None:
        ring = KeyRing(keys_file(self._home.root), now)
        found = ring.matching(key)
        assert found is not None
        ring.revoke(found.id)

    def change(self, agent: str) -> None:
        """The list of tools of an agent's clients is another one."""
        for changed in [*self.changed]:
            changed(agent)

    async def listens(self, *, auth: bool = True) -> str:
        """The URL of its MCP server."""
        return f"http://{await self._door.listen('127.0.0.1', 0, auth=auth)}/mcp"


@asynccontextmanager
async def hosted(
    home: Home, calls: Calls | None = None, *, clock: Callable[[], datetime] = now
) -> AsyncIterator[Fitted]:
    """Its socket is open from the start."""
    init_home(home)
    lock = HomeLock(home.lock, role="test")
    assert lock.try_acquire()
    options = OpenOptions(
        role="test",
        gateway=ScriptedGateway(ScriptedModel(otherwise="Hi.")),
        embedder=HashEmbedder(),
        clock=clock,
    )
    host = Fitted(home, lock, options, calls or Calls())
    await host.open()
    try:
        await host.opened()
        yield host
    finally:
        await host.close(at_once=True)
