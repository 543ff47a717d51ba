"""Everything a person or a turn does with memory, over the two stores.

Scoring is `recall`'s and the index's work, choosing for the prompt is `budget`'s; nothing here
knows a model.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from skill_agent.errors import MemoryChanged, NotFound, StoreError, UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import (
    Clock,
    ImportResult,
    IndexStatus,
    Ledger,
    MemoryChange,
    MemoryFilter,
    Progress,
    RecallQuery,
    VerifyReport,
)
from skill_agent.values import (
    MEMORY_TYPES,
    Dispute,
    ItemKind,
    LogEntry,
    Memory,
    MemoryDifference,
    MemoryType,
    Source,
    SourceType,
    Story,
)

from . import life
from .projector import Projector
from .recaller import Found, Recaller
from .rows import memory_row, read_rows

MAX_CONTENT = 100_000
"""Characters of one memory; more is a document, not a memory."""
IMPORT_CHUNK = 2_000


Memories = list[Memory]  # `list` is a method of the book


Finds = list[Found]
Entries = list[LogEntry]
Differences = list[MemoryDifference]

_TRIES = 5
_ALL = 100_000


def _nobody(_written: Sequence[Memory]) -> None:
    return None


class MemoryBook:
    """The memory of one home."""

    def __init__(
        self,
        ledger: Ledger,
        projector: Projector,
        clock: Clock,
        user: str,
        changed: Callable[[Sequence[Memory]], None] = _nobody,
    ) -> None:
        """`changed` hears of every memory written, before anybody else can read it here."""
        self._changed = changed
        self._ledger = ledger
        self._projector = projector
        self._clock = clock
        self._user = user
        self._recaller = Recaller(ledger, projector, clock, user)

    # -- writing -----------------------------------------------------------------------------

    async def add(
        self,
        content: str,
        *,
        memory_type: MemoryType = "semantic",
        subject: str | None = None,
        importance: int = 8,
        agent: str | None = None,
        user: str | None = None,
        pinned: bool = False,
        speaker: str | None = None,
        source: Source | None = None,
        source_type: SourceType = "explicit",
        expires_at: datetime | None = None,
        metadata: dict[str, Any] | None = None,
        actor: str = "person",
        reason: str = "",
    ) -> Memory:
        """Keeps one memory; it is on disk when this returns."""
        _check(content, memory_type, importance, agent)
        now = self._clock()
        memory = Memory(
            id=new_id(),
            content=content.strip(),
            created_at=now,
            updated_at=now,
            memory_type=memory_type,
            subject=subject,
            importance=importance,
            agent=agent,
            user=user or (self._user if memory_type == "user_profile" else None),
            pinned=pinned or memory_type == "identity",
            tier="hot" if pinned or importance >= 9 or memory_type == "identity" else "warm",
            speaker=speaker,
            source=source or Source(),
            source_type=source_type,
            expires_at=expires_at,
            metadata=metadata or {},
        )
        return await self._change("memory.created", memory, actor, reason)

    async def pin(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Pins: always in the prompt within the pinned reserve, and hot."""
        return await self._alter(memory_id, "memory.pinned", life.pinned, actor)

    async def unpin(self, memory_id: str, *, actor: str = "person") -> Memory:
        """Raises UsageError for an identity memory."""
        return await self._alter(memory_id, "memory.unpinned", life.unpinned, actor)

    async def forget(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Archives: out of recall and prompts, still in the log and recoverable. What was in
        dispute with it alone is no longer disputed."""
        for _ in range(_TRIES):
            old = await self.get(memory_id)
            if old.status == "archived":
                return old
            others = await self._opponents(old)
            changes = life.archiving(
                old, others, kind="memory.archived", now=self._clock(), actor=actor, reason=reason
            )
            with suppress(MemoryChanged):
                return (await self.write(changes))[0]
        raise _busy(memory_id)

    async def restore(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Takes a forgotten or expired memory back; raises UsageError for a replaced one."""
        return await self._alter(memory_id, "memory.restored", life.restored, actor, reason)

    async def correct(
        self, memory_id: str, content: str, *, reason: str = "", actor: str = "person"
    ) -> Memory:
        """Puts a new version in its place and gives it; what it was in dispute with gives way too.

        Raises UsageError where the memory has been replaced already.
        """
        for _ in range(_TRIES):
            old = await self.get(memory_id)
            _check(content, old.memory_type, old.importance, old.agent)
            if old.superseded_by:
                raise UsageError(
                    f"memory {old.id} has been replaced already",
                    hint=f"ska memory correct {old.superseded_by} TEXT",
                )
            if content.strip() == old.content:
                return old
            olds = [old, *await self._opponents(old)]
            with suppress(MemoryChanged):
                now = self._clock()
                new = replace(
                    old,
                    id=new_id(),
                    content=content.strip(),
                    created_at=now,
                    confidence=1.0,
                    source_type="explicit",
                    extraction_model=None,
                    metadata={},
                    tier="hot" if old.pinned else "warm",
                )
                changes = life.superseding(
                    new, olds, now=now, actor=actor, reason=reason or "corrected", stored=False
                )
                return (await self.write(changes))[0]
        raise _busy(memory_id)

    async def disputes(self) -> list[Dispute]:
        """What contradicts what and waits for a decision, the newest first."""
        wanted = MemoryFilter(statuses=("disputed",), limit=_ALL)
        return life.grouped(await self._ledger.memories(wanted))

    async def resolve(
        self,
        memory_id: str,
        *,
        both: bool = False,
        reason: str = "",
        actor: str = "person",
    ) -> Memories:
        """Ends a dispute: this memory is right and replaces the others, or, with `both`, all of
        them are true. Gives the memories as they are then; raises UsageError without a dispute."""
        for _ in range(_TRIES):
            memory = await self.get(memory_id)
            others = await self._opponents(memory)
            if not others:
                raise UsageError(f"memory {memory.id} is not disputed", hint="ska memory disputes")
            now = self._clock()
            with suppress(MemoryChanged):
                if both:
                    reason = reason or "both are true"
                    changes = life.coexisting(
                        [memory, *others], now=now, actor=actor, reason=reason
                    )
                else:
                    reason = reason or "decided by the person"
                    changes = life.decided(memory, others, now=now, actor=actor, reason=reason)
                return await self.write(changes)
        raise _busy(memory_id)

    async def _opponents(self, memory: Memory) -> Memories:
        """The other memories of the dispute this one is in."""
        if memory.status != "disputed":
            return []
        for dispute in await self.disputes():
            if memory.id in {one.id for one in dispute.memories}:
                return [one for one in dispute.memories if one.id != memory.id]
        return []

    async def import_rows(
        self,
        rows: Iterable[dict[str, Any]],
        *,
        actor: str = "import",
        progress: Progress | None = None,
        total: int = 0,
        refused: Callable[[UsageError], None] | None = None,
    ) -> ImportResult:
        """Keeps rows of the interchange form in chunks; each chunk is on disk once counted.

        Idempotent: rows without an id get one from their content, so an interrupted import may
        simply be run again. Raises UsageError for the first bad row; chunks before it stay. With
        `refused`, that is called for each bad row instead, before the next one is taken.
        """
        added, skipped, conflicts, done = 0, 0, [], 0
        for chunk in read_rows(
            rows, now=self._clock(), user=self._user, size=IMPORT_CHUNK, refused=refused
        ):
            result = await self._ledger.import_memories(chunk, actor=actor)
            self._projector.touch()
            self._changed(chunk)
            added, skipped = added + result.added, skipped + result.skipped
            conflicts.extend(result.conflicts)
            done += len(chunk)
            if progress:
                progress(done, max(total, done), "saved")
        return ImportResult(added=added, skipped=skipped, conflicts=tuple(conflicts))

    async def write(self, changes: Sequence[MemoryChange]) -> Memories:
        """Writes changes worked out elsewhere, all or none; the one door to the ledger, so that
        index and caches hear of everything. Raises MemoryChanged."""
        written = await self._ledger.write_memories(changes)
        self._projector.touch()
        self._changed(written)
        return written

    async def _change(self, kind: str, memory: Memory, actor: str, reason: str = "") -> Memory:
        changed = replace(memory, updated_at=self._clock())
        change = MemoryChange(kind=kind, memory=changed, actor=actor, reason=reason)
        (written,) = await self.write([change])
        return written

    async def _alter(
        self,
        memory_id: str,
        kind: str,
        change: Callable[[Memory], Memory],
        actor: str,
        reason: str = "",
    ) -> Memory:
        """One memory read, changed and written back, again if somebody else came between."""
        for _ in range(_TRIES):
            old = await self.get(memory_id)
            new = change(old)
            if new == old:
                return old
            with suppress(MemoryChanged):
                new = replace(new, updated_at=self._clock())
                altered = MemoryChange(
                    kind=kind, memory=new, actor=actor, reason=reason, expected=old
                )
                (written,) = await self.write([altered])
                return written
        raise _busy(memory_id)

    # -- reading -----------------------------------------------------------------------------

    async def get(self, memory_id: str) -> Memory:
        """By id or unambiguous prefix; raises NotFound."""
        memory = await self._ledger.memory(memory_id)
        if memory is None:
            raise NotFound(f"no memory {memory_id!r}", hint="ska memory list")
        return memory

    async def list(self, wanted: MemoryFilter | None = None) -> Memories:
        return await self._ledger.memories(self._seen(wanted))

    def _seen(self, wanted: MemoryFilter | None) -> MemoryFilter:
        """An agent works for one person: what is another's it never sees."""
        wanted = wanted or MemoryFilter()
        return replace(wanted, user=wanted.user or self._user) if wanted.agent else wanted

    def before_search(self, work: Callable[[], Awaitable[None]]) -> None:
        """What is to be done before each search, once the index has caught up."""
        self._recaller.before_search = work

    async def search(
        self,
        query: str,
        *,
        agent: str | None = None,
        limit: int = 10,
        cold: bool = False,
        kinds: tuple[ItemKind, ...] = ("memory", "turn"),
        memory_types: tuple[MemoryType, ...] = (),
        session: str | None = None,
        floor: float = 0.0,
        progress: Progress | None = None,
    ) -> Finds:
        """Best first. `agent` None is the person, who sees all of their own."""
        return await self._recaller.search(
            query,
            agent=agent,
            limit=limit,
            cold=cold,
            kinds=kinds,
            memory_types=memory_types,
            session=session,
            floor=floor,
            progress=progress,
        )

    async def recall(self, query: RecallQuery) -> Finds:
        """What the index ranks, without the turns a better memory was made from."""
        return await self._recaller.recall(query)

    async def log(self, memory_id: str) -> Entries:
        """Every change of a memory, and every prompt it entered."""
        return await self._ledger.log((await self.get(memory_id)).id)

    async def story(self, memory_id: str) -> Story:
        """A memory's whole story: the sentences it came from, its versions, every log row."""
        memory = await self.get(memory_id)
        versions = await self._versions(memory)
        wanted = dict.fromkeys(one for v in versions for one in v.source.message_ids)
        messages = await self._ledger.messages_by_id(list(wanted))
        rows: dict[int, LogEntry] = {}
        for version in versions:
            rows |= {entry.seq: entry for entry in await self._ledger.log(version.id, limit=_ALL)}
        return Story(
            memory=memory,
            versions=tuple(versions),
            sources=tuple(messages[one] for one in wanted if one in messages),
            entries=tuple(rows[seq] for seq in sorted(rows)),
        )

    async def _versions(self, memory: Memory) -> Memories:
        """The whole chain a memory belongs to, the oldest first."""
        found, waiting = {memory.id: memory}, [memory]
        while waiting:
            one = waiting.pop()
            links = [*life.previous(one), *filter(None, [one.superseded_by])]
            fresh = await self._ledger.memories_by_id([link for link in links if link not in found])
            found |= fresh
            waiting += fresh.values()
        return sorted(found.values(), key=lambda one: (one.version, one.created_at, one.id))

    async def at(self, moment: datetime) -> Memories:
        """Every memory as it was at a moment, rebuilt from the log."""
        return await self._ledger.state_at(moment)

    async def difference(self, earlier: datetime, later: datetime) -> Differences:
        """What became of the memories between two moments, in order of their creation."""
        before = {one.id: one for one in await self._ledger.state_at(earlier)}
        after = {one.id: one for one in await self._ledger.state_at(later)}
        return life.differences(before, after)

    async def verify(self) -> VerifyReport:
        return await self._ledger.verify()

    async def export(self, wanted: MemoryFilter | None = None) -> AsyncIterator[dict[str, Any]]:
        """Rows of the interchange form, newest first."""
        wanted = replace(self._seen(wanted), limit=IMPORT_CHUNK, offset=0)
        while memories := await self._ledger.memories(wanted):
            for memory in memories:
                yield memory_row(memory)
            wanted = replace(wanted, offset=wanted.offset + len(memories))

    # -- the index ---------------------------------------------------------------------------

    async def settle(self, progress: Progress | None = None) -> None:
        """Returns once everything written so far can be found."""
        await self._projector.settle(progress)

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Makes the index again from the ledger; returns how many items it then holds."""
        return await self._projector.rebuild(progress)

    async def status(self) -> IndexStatus:
        """How the index is, and how far another embedder's vectors are."""
        return await self._projector.status()

    async def lag(self) -> int:
        """Log rows the index has not seen yet."""
        return await self._projector.lag()


def _check(content: str, memory_type: str, importance: int, agent: str | None) -> None:
    if not content.strip():
        raise UsageError("a memory needs content")
    if len(content) > MAX_CONTENT:
        raise UsageError(
            f"a memory holds at most {MAX_CONTENT} characters, this has {len(content)}",
            hint="split it, or keep the text in a file and remember where it is",
        )
    if memory_type not in MEMORY_TYPES:
        raise UsageError(
            f"unknown memory type {memory_type!r}", hint="one of: " + ", ".join(MEMORY_TYPES)
        )
    if memory_type in ("agent_private", "identity") and not agent:
        raise UsageError(f"a memory of type {memory_type} needs an agent", hint="-a NAME")
    if not 1 <= importance <= 10:
        raise UsageError(f"importance is 1 to 10, not {importance}")


def _busy(memory_id: str) -> StoreError:
    return StoreError(f"memory {memory_id} keeps changing", hint="try again")
