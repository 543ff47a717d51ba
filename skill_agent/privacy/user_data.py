"""What the product knows of its person: taking it along, bringing it in, erasing it all.

The file's form is `user_archive`'s, what comes in is `bringing`'s, erasing single memories
`erasure`'s. Agents, skills
and settings are no personal data and stay.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from skill_agent.conversations.accounts import CALL, TURN
from skill_agent.conversations.figures import totals
from skill_agent.errors import Conflict, StoreError
from skill_agent.files.home import Home
from skill_agent.files.traces import HomeTraces
from skill_agent.files.written import WrittenFiles
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.rows import memory_row
from skill_agent.ports import Clock, Ledger, Progress
from skill_agent.text.checks import sound_path
from skill_agent.values import (
    ErasureReport,
    FileFate,
    FileKind,
    ImportPlan,
    ImportResult,
    LogEntry,
    Memory,
    Note,
    Purge,
    Session,
    Usage,
    UserErasure,
    UserExport,
    UserImport,
)

from .bringing import Bringing
from .erasure import Eraser
from .erasure_plan import every_memory
from .operations import UserOperations
from .signing import HomeKey
from .user_archive import ArchiveWriter, new_archive, note_row, session_row

_OWN = ("memory.", "message.", "session.")
_LOCAL = (
    "checked", "extraction.", "import.", "work.", "job", "webhook.", "question", "bridge.",
    "agents.status", "conversation.ended", "skill.", "outside.", "mcp.",
)  # fmt: skip
"""Notes that speak of places in this one log; elsewhere they mean nothing."""
_PAGE = 5_000


class UserData(UserOperations):
    """The person's data in one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        projector: Projector,
        eraser: Eraser,
        home: Home,
        clock: Clock,
        user: str,
        changed: Callable[[], None] = lambda: None,
        agents: Callable[[], Collection[str] | None] = lambda: None,
    ) -> None:
        """`changed` is called after an import: whoever keeps memories in mind must look anew;
        `agents` names the team, where somebody knows it."""
        self._changed = changed
        self._ledger, self._projector, self._eraser = ledger, projector, eraser
        self._clock, self._user = clock, user
        self._key = HomeKey(home)
        self._bringing = Bringing(ledger, clock, user, key=self._key, agents=agents)
        self._written = WrittenFiles(home, clock)
        self._traces = HomeTraces(home)

    # -- taking along ------------------------------------------------------------------------

    async def export(
        self, path: str | Path, progress: Progress | None = None, *, secrets: bool = False
    ) -> UserExport:
        """Writes everything into a new private zip file; raises UsageError if it exists."""
        path = sound_path(path)
        sessions = await self._sessions()
        with new_archive(path, secrets=secrets) as archive:
            counts = await self._conversations(archive, sessions, progress)
            counts |= await self._memories(archive)
            counts |= await self._usage(archive)
            archive.finish(self._user, counts, self._clock(), self._key.sign)
        with suppress(StoreError):
            await asyncio.to_thread(self._written.add, path, "user")
        return UserExport(path=path, counts=counts, key=self._key.public, masked=archive.masked)

    async def _conversations(
        self, archive: ArchiveWriter, sessions: list[Session], progress: Progress | None
    ) -> dict[str, int]:
        said = noted = 0
        with archive.part("conversations.json") as part:
            part.begin("sessions")
            for done, session in enumerate(sessions, 1):
                messages = await self._ledger.messages(session.id)
                said += len(messages)
                await asyncio.to_thread(part.rows, [session_row(session, messages)])
                if progress:
                    progress(done, len(sessions), "conversations")
            part.close()
            part.begin("notes")
            async for notes in self._notes():
                rows = [note_row(one) for one in notes if one.kind not in (TURN, CALL)]
                noted += len(rows)
                await asyncio.to_thread(part.rows, rows)
            part.close()
        return {"sessions": len(sessions), "messages": said, "notes": noted}

    async def _memories(self, archive: ArchiveWriter) -> dict[str, int]:
        mine = [one async for one in every_memory(self._ledger) if self._is_mine(one)]
        with archive.part("memories.json") as part:
            part.begin("memories")
            await asyncio.to_thread(part.rows, map(memory_row, mine))
            part.close()
        profile = [one for one in mine if one.memory_type == "user_profile"]
        with archive.part("profile.json") as part:
            part.value("user", self._user)
            part.value("known", [one.content for one in profile if one.status == "active"])
        return {"memories": len(mine)}

    async def _usage(self, archive: ArchiveWriter) -> dict[str, int]:
        noted = 0
        total = (await totals(self._ledger, self._clock())).total
        with archive.part("usage.json") as part:
            part.value("total", {name: getattr(total, name) for name in Usage.__slots__})
            part.begin("notes")
            async for notes in self._notes():
                used = [one for one in notes if one.kind in (TURN, CALL)]
                noted += len(used)
                part.rows(map(note_row, used))
            part.close()
        return {"usage": noted}

    async def _notes(self) -> AsyncIterator[list[Note]]:
        async for rows in self._log():
            yield [
                Note(
                    kind=row.kind,
                    entity=row.entity,
                    actor=row.actor,
                    at=row.at,
                    reason=row.reason,
                    data=row.new,
                )
                for row in rows
                if row.new is not None
                and not row.kind.startswith((*_OWN, *_LOCAL))
                and not row.kind.endswith(".purged")
            ]

    async def _log(self) -> AsyncIterator[list[LogEntry]]:
        after = 0
        while rows := await self._ledger.log(after=after, limit=_PAGE):
            after = rows[-1].seq
            yield rows

    # -- bringing in -------------------------------------------------------------------------

    async def plan_import(
        self, path: str | Path, *, trust: bool = False, key: str = ""
    ) -> ImportPlan:
        """Raises UsageError as `import_` does; keeps nothing."""
        sessions = await self._sessions()
        return await self._bringing.plan_archive(path, trust=trust, key=key, sessions=sessions)

    async def import_(
        self,
        path: str | Path,
        *,
        trust: bool = False,
        key: str = "",
        progress: Progress | None = None,
    ) -> UserImport:
        """Takes in what `export` wrote, all of it or nothing; may be repeated.

        Raises UsageError for a file that is damaged or not ours, or, with `trust`, not signed with
        this home's key or the one named.
        """
        if progress:
            progress(0, 0, "reading")
        sessions = await self._sessions()
        done = await self._bringing.archive(path, trust=trust, key=key, sessions=sessions)
        self._brought()
        if progress:
            progress(1, 1, "saved")
        return done

    async def plan_memories(self, path: str | Path, *, key: str = "") -> ImportPlan:
        """Raises UsageError as `import_memories` does; keeps nothing."""
        return await self._bringing.plan_memories(path, key=key)

    async def import_memories(
        self, path: str | Path, *, key: str = "", progress: Progress | None = None
    ) -> ImportResult:
        """Raises UsageError where the file is not signed with this home's key or the one named, or
        a line is no memory; nothing is kept then."""
        done = await self._bringing.memories(path, key=key, progress=progress)
        self._brought()
        return done

    def _brought(self) -> None:
        self._projector.touch()
        self._changed()

    async def sign(self, path: str | Path) -> str:
        """Raises UsageError where it cannot be read, or nothing written beside it."""
        return await asyncio.to_thread(self._key.sign_file, sound_path(path).absolute())

    # -- erasing -----------------------------------------------------------------------------

    async def note_written(self, path: str, kind: FileKind) -> None:
        with suppress(StoreError):  # nothing can be erased from there either
            await asyncio.to_thread(self._written.add, sound_path(path), kind)

    async def plan_purge(self) -> UserErasure:
        """Tells what `purge` would erase."""
        sessions = await self._sessions()
        mine: list[str] = []
        kept: set[str] = set()
        async for memory in every_memory(self._ledger):
            if self._is_mine(memory):
                mine.append(memory.id)
            else:
                kept.add(memory.id)
        rows = [
            row.seq
            async for page in self._log()
            for row in page
            if row.new is not None and row.entity not in kept and row.kind != "log.purged"
        ]
        return UserErasure(
            sessions=tuple(one.id for one in sessions),
            memories=tuple(mine),
            rows=tuple(rows),
            messages=sum(one.messages for one in sessions),
            files=await asyncio.to_thread(self._erase_files, dry=True),
            kept=len(kept),
        )

    async def erase(
        self, *, expected: str, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases what `plan_purge` named; raises Conflict where something else would go by now.
        `expected` is that plan's digest."""
        plan = await self.plan_purge()
        if plan.digest != expected:
            raise Conflict("what would be erased has changed", hint="look at the plan again")
        return await self.purge(plan, reason=reason, actor=actor)

    async def purge(
        self, plan: UserErasure | None = None, *, reason: str = "", actor: str = "person"
    ) -> ErasureReport:
        """Erases every conversation and memory of the person, caches, drafts, logs and copies.

        The person's own archives (of `export`) are named, not deleted.
        """
        found = plan or await self.plan_purge()
        files = await asyncio.to_thread(self._erase_files, dry=False)
        await asyncio.to_thread(self._traces.clear)
        request = Purge(
            memories=found.memories,
            sessions=found.sessions,
            notes=found.rows,
            actor=actor,
            reason=reason,
        )
        report = await self._eraser.erase_from_stores(request, rebuild=True)
        await asyncio.to_thread(self._traces.clear)
        left = [f"not erased: {one.path} ({one.why})" for one in files if one.fate == "not erased"]
        held = await self._eraser.still_held(datetime.min.replace(tzinfo=UTC))
        return replace(report, files=files, problems=(*report.problems, *left), backups=held)

    def _erase_files(self, *, dry: bool) -> tuple[FileFate, ...]:
        always = datetime.min.replace(tzinfo=UTC)
        fates = self._written.erase(lambda _: True, since=always, everything=True, dry=dry)
        return tuple(fates)

    # -- whose -------------------------------------------------------------------------------

    def _is_mine(self, memory: Memory) -> bool:
        """Everything but who the agents are and what is about somebody else."""
        return memory.memory_type != "identity" and memory.user in (None, self._user)

    async def _sessions(self) -> list[Session]:
        """All of them, the oldest first."""
        found: list[Session] = []
        for archived in (False, True):
            while page := await self._ledger.sessions(
                limit=_PAGE,
                offset=sum(one.archived == archived for one in found),
                archived=archived,
            ):
                found += page
        return sorted(found, key=lambda one: (one.created_at, one.id))
