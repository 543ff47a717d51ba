"""Bringing in what was exported: looked at as a whole, told, and then taken in one piece.

A file is believed only where it is signed, with this home's key or one that a person names;
anything else comes in as `distrust` and `memory.imported` let it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from skill_agent.errors import UsageError
from skill_agent.memory.imported import counted
from skill_agent.memory.masking import without_secrets
from skill_agent.memory.row_lines import StrictRows
from skill_agent.memory.rows import read_rows, whole
from skill_agent.ports import Clock, Ledger, Progress
from skill_agent.text.checks import sound_path
from skill_agent.values import (
    Belongings,
    BelongingsResult,
    ImportPlan,
    ImportResult,
    Memory,
    Session,
    Signed,
    UserImport,
)

from .archive_file import ArchiveFile
from .distrust import Here, Named, Taking
from .signing import HomeKey, checked_trust, signer_of_file
from .user_reading import Archive

_PAGE = 2_000


class Bringing:
    """What another home, or this one, exported, on its way into one ledger."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        user: str,
        *,
        key: HomeKey,
        agents: Callable[[], Collection[str] | None],
    ) -> None:
        """`agents` names the team, or None where nobody knows it."""
        self._ledger, self._clock, self._user = ledger, clock, user
        self._key, self._agents = key, agents

    async def plan_archive(
        self, path: str | Path, *, trust: bool, key: str, sessions: Sequence[Session]
    ) -> ImportPlan:
        """`sessions` are this home's own; raises UsageError for what would not be taken at all."""
        taking, signed = await self._taking(sound_path(path), trust, key, sessions)
        await asyncio.to_thread(deque, taking, 0)
        return replace(taking.plan, signed=signed)

    async def archive(
        self, path: str | Path, *, trust: bool, key: str, sessions: Sequence[Session]
    ) -> UserImport:
        """Takes all of it, or nothing."""
        taking, signed = await self._taking(sound_path(path), trust, key, sessions)
        result = await self._ledger.import_belongings(_Masked(taking), actor="import")
        return _told(result, replace(taking.plan, signed=signed))

    async def _taking(
        self, path: Path, trust: bool, key: str, sessions: Sequence[Session]
    ) -> tuple[Taking, Signed]:
        """The archive as it comes in here, once all of it was read and found whole."""
        file = await asyncio.to_thread(ArchiveFile, path)
        own = await self._own() if trust or file.key else ""
        if trust:
            checked_trust(path, file.key, own, key)
        await asyncio.to_thread(file.check, trusted=trust)
        archive = Archive(file=file, now=self._clock(), user=self._user)
        named = await asyncio.to_thread(Named.by, archive)
        here = await self._here(named, sessions)
        taking = Taking(archive, named, here, now=self._clock(), trusted=trust)
        return taking, "no" if not file.key else "own" if file.key == own else "other"

    async def _here(self, named: Named, sessions: Sequence[Session]) -> Here:
        others = [one.updated_at for one in sessions if one.id not in named.sessions]
        known = {one.id for one in sessions} & named.sessions
        messages, memories = set[str](), dict[str, Memory]()
        for ids in _pages(sorted(named.messages)) if known else ():
            messages |= (await self._ledger.messages_by_id(ids)).keys()
        for ids in _pages(sorted(named.memories)):
            memories |= await self._ledger.memories_by_id(ids)
        return Here(
            sessions=known,
            messages=messages,
            memories=memories,
            newest=max(others, default=None),
            agents=self._agents(),
        )

    async def _own(self) -> str:
        return await asyncio.to_thread(lambda: self._key.public)

    # -- a signed file of memories -----------------------------------------------------------

    async def plan_memories(self, path: str | Path, *, key: str) -> ImportPlan:
        """Raises UsageError where the file is not believed, or a line is no memory."""
        plan = ImportPlan()
        async with self._signed(sound_path(path), key) as chunks:
            async for chunk in chunks:
                known = await self._ledger.memories_by_id([one.id for one in chunk])
                team = self._agents()
                plan = counted(chunk, known=known.keys(), agents=team, trusted=True).plus(plan)
        return replace(plan, trusted=True, signed="other" if key else "own")

    async def memories(
        self, path: str | Path, *, key: str, progress: Progress | None
    ) -> ImportResult:
        """Takes them as they are, in pieces each of which is on disk once counted."""
        await self.plan_memories(path, key=key)  # a bad line is found before anything is kept
        added, skipped, conflicts = 0, 0, list[str]()
        async with self._signed(sound_path(path), key) as chunks:
            async for chunk in chunks:
                result = await self._ledger.import_memories(chunk, actor="import")
                added, skipped = added + result.added, skipped + result.skipped
                conflicts += result.conflicts
                if progress:
                    progress(added + skipped, 0, "saved")
        return ImportResult(added=added, skipped=skipped, conflicts=tuple(conflicts))

    @asynccontextmanager
    async def _signed(self, path: Path, key: str) -> AsyncIterator[AsyncIterator[list[Memory]]]:
        try:
            found = await asyncio.to_thread(signer_of_file, path)
            checked_trust(path, found, await self._own(), key)
            stream = await asyncio.to_thread(path.open, "rb")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
        with stream:
            rows = StrictRows(stream)
            chunks = read_rows(
                rows, now=self._clock(), user=self._user, size=_PAGE, refused=rows.refuse
            )
            yield _in_a_thread(chunks)


async def _in_a_thread(chunks: Iterator[list[Memory]]) -> AsyncIterator[list[Memory]]:
    while chunk := await asyncio.to_thread(next, chunks, None):
        yield [without_secrets(whole(one)) for one in chunk]


class _Masked:
    """Parts, without what no memory may hold; as often as they are read."""

    def __init__(self, parts: Iterable[Belongings]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[Belongings]:
        for part in self._parts:
            memories = tuple(without_secrets(one) for one in part.memories)
            yield replace(part, memories=memories)


def _pages(ids: list[str]) -> Iterator[list[str]]:
    return (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE))


def _told(result: BelongingsResult, plan: ImportPlan) -> UserImport:
    parts: dict[str, ImportResult] = {
        "sessions": result.sessions,
        "messages": result.messages,
        "memories": result.memories,
        "notes": result.notes,
    }
    return UserImport(
        added={name: one.added for name, one in parts.items()},
        skipped={name: one.skipped for name, one in parts.items()},
        conflicts=tuple(name for one in parts.values() for name in one.conflicts),
        plan=plan,
    )
