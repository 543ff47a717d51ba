"""The connections of a home: one keeper for each server of config.toml."""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from skill_agent.errors import NotFound, ToolFailed
from skill_agent.files.home import Home
from skill_agent.ports import Clock
from skill_agent.settings.schema import McpSettings
from skill_agent.text.nearest import did_you_mean

from .calls import Connections, Elicits, FoundTool, Progress, Result
from .configured import Configured
from .keeper import Keeper, Surroundings
from .limits import Limits


class Pool(Connections):
    """Begins nothing by itself. Of one loop."""

    def __init__(
        self,
        home: Home,
        settings: McpSettings,
        clock: Clock,
        *,
        elicits: Elicits | None = None,
        limits: Limits | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        env = os.environ if env is None else env
        self.configured = Configured(home.config, settings, env)
        self._home = home
        self._around = Surroundings(
            folder=home.run / "mcp",
            logs=home.logs,
            env=env,
            clock=clock,
            limits=limits or Limits(),
            elicits=elicits,
            changed=self._changed,
        )
        self._keepers: dict[str, Keeper] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._ended = False

    def names(self) -> list[str]:
        servers = self.configured.now().servers
        return sorted(name for name, server in servers.items() if server.enabled)

    async def tools(self, server: str) -> Sequence[FoundTool]:
        return await self.usable(server).tools()

    async def call(
        self, server: str, tool: str, arguments: dict[str, Any], *, progress: Progress
    ) -> Result:
        return await self.usable(server).call(tool, arguments, progress)

    def on_changed(self, callback: Callable[[str], None]) -> Callable[[], None]:
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def usable(self, name: str) -> Keeper:
        """Raises NotFound for none of that name, ToolFailed for one that is switched off."""
        keeper = self.keeper(name)
        if not keeper.server.enabled:
            raise ToolFailed(
                f"{name} is switched off", hint=f"enabled = true under [mcp.servers.{name}]"
            )
        if self._ended:
            raise ToolFailed("the home is being closed", hint="try again in a moment")
        return keeper

    def keeper(self, name: str) -> Keeper:
        """That of a server as config.toml has it now; raises NotFound."""
        mcp = self.configured.now()
        self._leave_changed(mcp)
        server = mcp.servers.get(name)
        if server is None:
            near = did_you_mean(name, list(mcp.servers))
            raise NotFound(f"no server {name!r}", hint=near or "ska mcp list")
        if name not in self._keepers:
            self._keepers[name] = Keeper(name, server, mcp, self._around)
        self._keepers[name].mcp = mcp
        return self._keepers[name]

    async def end(self) -> None:
        """Ends every server that was started, all at once."""
        self._ended = True
        keepers, self._keepers = [*self._keepers.values()], {}
        await asyncio.gather(*(keeper.end() for keeper in keepers), *self._ending)

    def _leave_changed(self, mcp: McpSettings) -> None:
        """Those whose settings are others now, or that are there no more, are ended."""
        for name, keeper in [*self._keepers.items()]:
            if mcp.servers.get(name) != keeper.server:
                del self._keepers[name]
                task = asyncio.get_running_loop().create_task(keeper.end())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
                self._changed(name)

    def _changed(self, name: str) -> None:
        for callback in [*self._listeners]:
            callback(name)
