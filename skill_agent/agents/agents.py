"""The team as front ends see it: looked up, changed in agents.toml, written as pages."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from skill_agent.errors import UsageError
from skill_agent.events import AgentsChanged
from skill_agent.ports import Ledger
from skill_agent.text.checks import sound_path, sound_text
from skill_agent.text.shaping import one_line
from skill_agent.values import AgentStatus, PageFormat, Pages

from . import operations
from .directory import AgentDirectory
from .dna import AgentDNA
from .pages import AgentPages, figures
from .tiers import TIERS


class Agents(operations.AgentOperations):
    """The agents of one home."""

    def __init__(
        self,
        directory: AgentDirectory,
        pages: AgentPages,
        ledger: Ledger,
        *,
        model: Callable[[str], Awaitable[object]],
        publish: Callable[[AgentsChanged], None],
    ) -> None:
        """`model` raises for the name of a model there cannot be; `publish` tells of changes."""
        self._directory, self._pages, self._ledger = directory, pages, ledger
        self._model, self._publish = model, publish

    async def list(self) -> operations.Agents:
        return list(self._directory.list())

    async def get(self, slug: str) -> AgentDNA:
        """Raises NotFound naming the nearest."""
        return self._directory.get(slug)

    async def new(self, slug: str, fields: dict[str, Any] | None = None) -> AgentDNA:
        """Raises UsageError where there is one already, ConfigErrors for bad fields."""
        return self._told(await asyncio.to_thread(self._directory.new, slug, fields))

    async def clone(self, slug: str, new_slug: str, name: str = "") -> AgentDNA:
        return self._told(await asyncio.to_thread(self._directory.clone, slug, new_slug, name))

    async def set_status(self, slug: str, status: AgentStatus) -> AgentDNA:
        return self._told(await asyncio.to_thread(self._directory.set_status, slug, status))

    async def set_model(self, slug: str, model: str) -> AgentDNA:
        """Raises NotFound for an agent or an embedded model there is not, UsageError for a name
        that is none."""
        wanted = sound_text(model).strip()
        if wanted not in ("default", *TIERS) and not wanted.partition("/")[2]:
            raise UsageError(
                f"{one_line(wanted, 60)!r} is no model",
                hint="provider/model, fast, balanced, powerful or default; `ska models list`",
            )
        self._directory.get(slug)
        await self._model(wanted)
        return self._told(await asyncio.to_thread(self._directory.set_model, slug, wanted))

    def _told(self, dna: AgentDNA) -> AgentDNA:
        self._publish(AgentsChanged(agent=dna.slug))
        return dna

    async def export(
        self, agents: operations.Texts, *, to: str, page_format: PageFormat, force: bool = False
    ) -> Pages:
        """Raises UsageError where a file of another origin is in the way, unless `force`."""
        named = [self._directory.get(one) for one in agents]
        done = await figures(self._ledger)
        return self._pages.export(
            named or self._directory.list(),
            to=sound_path(to, "the folder"),
            page_format=page_format,
            done=done,
            force=force,
        )
