"""Everything a person or a turn does with memory, over the two stores.

Scoring is `recall`'s and the index's work, choosing for the prompt is `budget`'s; nothing here
knows a model.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import (
    Clock,
    ImportResult,
    Ledger,
    MemoryChange,
    MemoryFilter,
    Progress,
    RecallQuery,
    VerifyReport,
)
from skill_agent.values import (
    MEMORY_TYPES,
    Hit,
    IndexItem,
    ItemKind,
    LogEntry,
    Memory,
    MemoryType,
    Scope,
    Source,
    SourceType,
)

from .projector import Projector
from .rows import memory_row, read_rows

MAX_CONTENT = 100_000
"""Characters of one memory; more is a document, not a memory."""
IMPORT_CHUNK = 2_000


Memories = list[Memory]  # `list` is a method of the book


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A hit with the whole memory behind it; `memory` is None for a verbatim turn."""

    hit: Hit
    memory: Memory | None


Finds = list[Found]
Story = list[LogEntry]


class MemoryBook:
    """The memory of one home."""

    def __init__(self, ledger: Ledger, projector: Projector, clock: Clock, user: str) -> None:
        self._ledger = ledger
        self._projector = projector
        self._clock = clock
        self._user = user

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
        memory = await self.get(memory_id)
        pinned = replace(memory, pinned=True, tier="hot")
        return memory if memory == pinned else await self._change("memory.pinned", pinned, actor)

    async def unpin(self, memory_id: str, *, actor: str = "person") -> Memory:
        memory = await self.get(memory_id)
        if memory.memory_type == "identity":
            raise UsageError(
                "an identity memory is always pinned", hint=f"ska memory forget {memory.id}"
            )
        loose = replace(memory, pinned=False, tier="warm" if memory.tier == "hot" else memory.tier)
        return memory if memory == loose else await self._change("memory.unpinned", loose, actor)

    async def forget(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Archives: out of recall and prompts, still in the log and recoverable."""
        memory = await self.get(memory_id)
        if memory.status == "archived":
            return memory
        archived = replace(memory, status="archived", tier="cold", pinned=False)
        return await self._change("memory.archived", archived, actor, reason)

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
            added, skipped = added + result.added, skipped + result.skipped
            conflicts.extend(result.conflicts)
            done += len(chunk)
            if progress:
                progress(done, max(total, done), "saved")
        return ImportResult(added=added, skipped=skipped, conflicts=tuple(conflicts))

    async def _change(self, kind: str, memory: Memory, actor: str, reason: str = "") -> Memory:
        changed = replace(memory, updated_at=self._clock())
        change = MemoryChange(kind=kind, memory=changed, actor=actor, reason=reason)
        (written,) = await self._ledger.write_memories([change])
        self._projector.touch()
        return written

    # -- reading -----------------------------------------------------------------------------

    async def get(self, memory_id: str) -> Memory:
        """By id or unambiguous prefix; raises NotFound."""
        memory = await self._ledger.memory(memory_id)
        if memory is None:
            raise NotFound(f"no memory {memory_id!r}", hint="ska memory list")
        return memory

    async def list(self, wanted: MemoryFilter | None = None) -> Memories:
        return await self._ledger.memories(wanted or MemoryFilter())

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
        if not query.strip():
            raise UsageError("the query is empty", hint='ska memory search "what you look for"')
        scope = Scope(
            agent=agent,
            user=self._user,
            kinds=kinds,
            memory_types=memory_types,
            session=session,
            include_cold=cold,
        )
        await self._projector.settle(progress)
        return await self.recall(
            RecallQuery(text=query, scope=scope, limit=limit, now=self._clock(), floor=floor)
        )

    async def recall(self, query: RecallQuery) -> Finds:
        """What the index ranks, without the turns a better memory was made from."""
        index = await self._projector.index()
        wider = replace(query, limit=query.limit + max(5, query.limit // 2))
        hits = sorted(map(_weighed, await index.recall(wider)), key=_score, reverse=True)
        ids = [hit.item.id for hit in hits if hit.item.kind == "memory"]
        memories = await self._ledger.memories_by_id(ids)
        told = {source for m in memories.values() for source in m.source.message_ids}
        found = [
            Found(hit=hit, memory=memories.get(hit.item.id))
            for hit in hits
            if hit.item.id not in told
        ]
        return found[: query.limit]

    async def log(self, memory_id: str) -> Story:
        """A memory's story: every change, and every prompt it entered."""
        return await self._ledger.log((await self.get(memory_id)).id)

    async def at(self, moment: datetime) -> Memories:
        """Every memory as it was at a moment, rebuilt from the log."""
        return await self._ledger.state_at(moment)

    async def verify(self) -> VerifyReport:
        return await self._ledger.verify()

    async def export(self, wanted: MemoryFilter | None = None) -> AsyncIterator[dict[str, Any]]:
        """Rows of the interchange form, newest first."""
        wanted = replace(wanted or MemoryFilter(), limit=IMPORT_CHUNK, offset=0)
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

    async def lag(self) -> int:
        """Log rows the index has not seen yet."""
        return await self._projector.lag()


FEW_WORDS = 4
SECOND_HAND = 0.8
"""What is left of the score of a question or an agent's reply, word for word: a question matches a
question best and answers nothing, a reply mostly says again what was recalled for it."""


def only_asks(item: IndexItem) -> bool:
    """Whether an item is a person's question, word for word, with hardly a word beside it."""
    if item.kind != "turn" or item.speaker != "user" or "?" not in item.text:
        return False
    sentences = re.split(r"(?<=[.!?])\s+", item.text.strip())
    told = " ".join(one for one in sentences if not one.endswith("?"))
    return len(told.split()) < FEW_WORDS


def is_reply(item: IndexItem) -> bool:
    """Whether an item is what an agent once answered, word for word."""
    return item.kind == "turn" and item.speaker != "user"


def _weighed(hit: Hit) -> Hit:
    if is_reply(hit.item) or only_asks(hit.item):
        return replace(hit, score=hit.score * SECOND_HAND)
    return hit


def _score(hit: Hit) -> float:
    return hit.score


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
