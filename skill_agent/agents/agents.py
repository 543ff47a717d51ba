"""The team as front ends see it: looked up, changed in agents.toml, written as pages."""

import asyncio
from typing import Any

from skill_agent.ports import Ledger
from skill_agent.text.checks import sound_path
from skill_agent.values import AgentStatus, PageFormat, Pages

from . import operations
from .directory import AgentDirectory
from .dna import AgentDNA
from .pages import AgentPages, figures


class Agents(operations.AgentOperations):
    """The agents of one home."""

    def __init__(self, directory: AgentDirectory, pages: AgentPages, ledger: Ledger) -> None:
        self._directory, self._pages, self._ledger = directory, pages, ledger

    async def list(self) -> operations.Agents:
        return list(self._directory.list())

    async def get(self, slug: str) -> AgentDNA:
        """Raises NotFound naming the nearest."""
        return self._directory.get(slug)

    async def new(self, slug: str, fields: dict[str, Any] | None = None) -> AgentDNA:
        """Raises UsageError where there is one already, ConfigErrors for bad fields."""
        return await asyncio.to_thread(self._directory.new, slug, fields)

    async def clone(self, slug: str, new_slug: str, name: str = "") -> AgentDNA:
        return await asyncio.to_thread(self._directory.clone, slug, new_slug, name)

    async def set_status(self, slug: str, status: AgentStatus) -> AgentDNA:
        return await asyncio.to_thread(self._directory.set_status, slug, status)

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
