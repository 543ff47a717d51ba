"""What `@` can mean: an agent, a file of the folder, a conversation, a memory.

Agents are known at once; the rest is looked for, and what cannot be looked for is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.values import Search

from ...frame.agents import Member
from .folder_files import begins, files_below, matching
from .suggestions import Suggestion

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

MOST_FILES, MOST_TALKS, MOST_MEMORIES = 12, 5, 5
_PAUSE = 0.12
"""Seconds of quiet before the home is asked; letters come faster."""
_LEAST = 2
"""Letters from which memories are searched."""


def agents_named(members: Sequence[Member], typed: str) -> list[Suggestion]:
    """Those whose slug or name begins with it."""
    low = typed.lower()
    return [
        Suggestion(
            f"agent-{one.slug}", f"@{one.slug}", f"{one.name} · {one.tagline}".rstrip(" ·"),
            "agent", mark="●", colour=f"${one.accent.replace('accent-', 'agent-')}",
            value=("agent", one.slug), lit=True,
        )
        for one in members
        if one.slug.startswith(low) or one.name.lower().startswith(low)
    ]  # fmt: skip


class Naming:
    """Looks in one folder and one open home."""

    def __init__(self, folder: str, runtime: "Workstation | None" = None) -> None:
        self._folder, self._runtime = Path(folder) if folder else None, runtime
        self._files: list[str] | None = None

    def forget(self) -> None:
        """The next time files are looked for again."""
        self._files = None

    async def found(self, typed: str) -> AsyncIterator[list[Suggestion]]:
        """What is found, more each time."""
        found = await self._named_files(typed)
        yield found
        if self._runtime is None:
            return
        await asyncio.sleep(_PAUSE)
        found = [*found, *await self._talks(self._runtime, typed)]
        yield found
        if len(typed) >= _LEAST:
            yield [*found, *await self._memories(self._runtime, typed)]

    async def _named_files(self, typed: str) -> list[Suggestion]:
        folder = self._folder
        if folder is None:
            return []
        if self._files is None:
            self._files = await asyncio.to_thread(files_below, folder)
        return [
            Suggestion(
                f"file-{path}", path, "", "file", mark="▪", value=("file", str(folder / path)),
                lit=begins(path, typed.lower()),
            )
            for path in matching(self._files, typed, MOST_FILES)
        ]  # fmt: skip

    async def _talks(self, runtime: "Workstation", typed: str) -> list[Suggestion]:
        with suppress(SkillAgentError):
            asking = runtime.conversations
            found = (
                await asking.matching(typed, limit=MOST_TALKS)
                if typed
                else await asking.list(limit=MOST_TALKS)
            )
            return [
                Suggestion(
                    f"talk-{one.id}", one.title, "", f"talk with {one.agent}", mark="≡",
                    value=("talk", one.id),
                )
                for one in found
            ]  # fmt: skip
        return []

    async def _memories(self, runtime: "Workstation", typed: str) -> list[Suggestion]:
        wanted = Search(typed, limit=MOST_MEMORIES, kinds=("memory",))
        with suppress(SkillAgentError):
            found = [one.memory for one in await runtime.memory.search(wanted) if one.relevant]
            return [
                Suggestion(
                    f"memory-{one.id}", one.content, "", "memory", mark="◆",
                    value=("memory", one.id),
                )
                for one in found
                if one is not None
            ]  # fmt: skip
        return []
