"""Everything a person or a turn does with memory, over the two stores.

Scoring is the work of `recall.ranking` and the index, choosing for the prompt that of
`recall.budget`; nothing here knows a model.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from skill_agent.conversations.idempotency import Once, checked_key, conflict
from skill_agent.errors import MemoryChanged, NotFound, StoreError, UsageError
from skill_agent.identifiers import new_id
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.recaller import Recaller
from skill_agent.memory.recall.reranking import Reranking
from skill_agent.memory.recall.summed import SUMMARIES, made_from
from skill_agent.memory.recall.updates import Updates
from skill_agent.memory.words.stemming import stems
from skill_agent.ports import Clock, Ledger, Progress, Reranker
from skill_agent.text.checks import sound_moment, sound_text
from skill_agent.values import (
    MEMORY_TYPES,
    Dispute,
    Found,
    ImportPlan,
    ImportResult,
    IndexStatus,
    LanguageCoverage,
    LogEntry,
    Memory,
    MemoryChange,
    MemoryDifference,
    MemoryFilter,
    NewMemory,
    Origin,
    RecallQuery,
    Search,
    Source,
    Story,
    Update,
    VerifyReport,
    all_origins,
)

from . import life
from .exchange import Exchange
from .imported import Incoming
from .languages import LOOKED_AT, coverage
from .masking import without_secrets
from .operations import NOTHING_TOLD, MemoryOperations
from .selves import Selves
from .shares import Shares, heard
from .standing import within_bounds
from .writer import LedgerWriter, nobody

_SHARED = 1 / 3
"""Share of the shorter text's words."""
MAX_CONTENT = 100_000
"""Characters of one memory; more is a document, not a memory."""

Memories = list[Memory]  # `list` is a method of the book
Finds = list[Found]
Entries = list[LogEntry]
Differences = list[MemoryDifference]
Languages = list[LanguageCoverage]
Updated = list[Update]

_TRIES = 5
_MADE = ("memory.created", "memory.versioned", "memory.disputed")
_SUPERSEDED = ("memory.superseded",)
_ARCHIVED = ("memory.archived", "memory.expired")
_ALL = 100_000


class MemoryBook(LedgerWriter, Exchange, Selves, Shares, MemoryOperations):
    """The memory of one home."""

    def __init__(
        self,
        ledger: Ledger,
        projector: Projector,
        clock: Clock,
        user: str,
        changed: Callable[[Sequence[Memory]], None] = nobody,
        before_search: Callable[[], Awaitable[None]] | None = None,
        agents: Callable[[], Collection[str] | None] = lambda: None,
        updates: Updates | None = None,
        reranker: Reranker | None = None,
        model: str = "",
    ) -> None:
        """`changed` hears of every memory written, before anybody else can read it here;
        `before_search` is awaited before each search, once the index has caught up; `agents` names
        the team, where somebody knows it; `reranker` puts in order what a search finds;
        `model` is the default chat model."""
        super().__init__(ledger, projector, changed)
        self._clock = clock
        self._user = user
        self._once = Once()
        self._incoming = Incoming(ledger, clock, agents)
        self._model = model
        self._updates = updates or Updates(ledger)
        self._reranking = Reranking(reranker) if reranker else None
        self._recaller = Recaller(
            ledger, projector, clock, user, self._updates, before_search, self._reranking
        )

    # -- writing -----------------------------------------------------------------------------

    async def add(self, new: NewMemory | str) -> Memory:
        """A bare text is all there is to say. With the key of a memory kept before that one is
        given; raises Conflict where it has other content."""
        new = NewMemory(new) if isinstance(new, str) else new
        _check(new.content, new.memory_type, new.importance, new.agent)
        for text in (new.subject, new.user, new.speaker, new.actor, new.reason):
            sound_text(text or "")
        memory = self.made(new)
        if new.key is None:
            return await self._change("memory.created", memory, new.actor, new.reason)
        add = partial(self._add_once, memory, new.actor, new.reason)
        return await self._once.run(memory.id, memory.content, add)

    def made(self, new: NewMemory) -> Memory:
        """The memory that `add` would keep."""
        now, identity = self._clock(), new.memory_type == "identity"
        memory = Memory(
            id=checked_key(new.key) if new.key is not None else new_id(),
            content=new.content.strip(),
            created_at=now,
            updated_at=now,
            memory_type=new.memory_type,
            subject=new.subject,
            importance=new.importance,
            agent=new.agent,
            user=new.user or (self._user if new.memory_type == "user_profile" else None),
            pinned=new.pinned or identity,
            tier="hot" if new.pinned or new.importance >= 9 or identity else "warm",
            speaker=new.speaker,
            source=new.source or Source(),
            source_type=new.source_type,
            expires_at=sound_moment(new.expires_at) if new.expires_at else None,
            origins=new.origins,
            metadata=new.metadata or {},
        )
        return within_bounds(without_secrets(memory))

    async def _add_once(self, memory: Memory, actor: str, reason: str) -> Memory:
        known = (await self._ledger.memories_by_id([memory.id])).get(memory.id)
        if known is None:
            return await self._change("memory.created", memory, actor, reason)
        if known.content != memory.content:
            raise conflict(memory.id)
        return known

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
            for summary in await self._summaries_of(old):
                changes += life.archiving(
                    summary, (), kind="memory.archived", now=self._clock(), actor=actor,
                    reason="something it told was forgotten",
                )  # fmt: skip
            with suppress(MemoryChanged):
                return (await self.write(changes))[0]
        raise _busy(memory_id)

    async def _summaries_of(self, memory: Memory) -> Memories:
        """The summaries made from what the memory was made from; they are written anew without
        it."""
        sources = {*memory.source.message_ids}
        if not sources:
            return []
        wanted = MemoryFilter(statuses=("active",), limit=_ALL)
        found = [
            one
            for subject in SUMMARIES
            for one in await self._ledger.memories(replace(wanted, subject=subject))
        ]
        return [one for one in found if made_from(one) & sources]

    async def restore(self, memory_id: str, *, reason: str = "", actor: str = "person") -> Memory:
        """Takes a forgotten or expired memory back, pinned and hot where it was so; raises
        UsageError for a replaced one."""
        memory_id = (await self.get(memory_id)).id
        rows = await self._ledger.log(memory_id, kinds=_ARCHIVED, limit=_ALL)
        was = (rows[-1].old or {}) if rows else {}
        change = partial(life.restored, before=was)
        return await self._alter(memory_id, "memory.restored", change, actor, reason)

    async def correct(
        self, memory_id: str, content: str, *, reason: str = "", actor: str = "person"
    ) -> Memory:
        """Puts a new version in its place and gives it. What it was in dispute with gives way too
        where the new words are about the same, and is free otherwise.

        Raises UsageError where the memory has been replaced already.
        """
        return await self.corrected(memory_id, content, reason=reason, actor=actor)

    async def corrected(
        self,
        memory_id: str,
        content: str,
        *,
        origins: tuple[Origin, ...] = (),
        told: Mapping[str, Any] = NOTHING_TOLD,
        reason: str = "",
        actor: str = "person",
    ) -> Memory:
        """As `correct`. The words of others (`origins`) have none of the person's standing, nor
        had what others wrote before, and settle no dispute; `told` is kept as metadata."""
        for _ in range(_TRIES):
            old = await self.get(memory_id)
            _check_correction(old, content)
            if content.strip() == old.content:
                return old
            others = [] if origins else await self._opponents(old)
            olds = [old, *(one for one in others if _about_the_same(content, one.content))]
            with suppress(MemoryChanged):
                now = self._clock()
                new = replace(
                    old,
                    id=new_id(),
                    content=content.strip(),
                    subject=old.subject if _about_the_same(content, old.content) else None,
                    created_at=now,
                    confidence=1.0,
                    source_type="explicit",
                    extraction_model=None,
                    origins=all_origins(origins, old.origins) if origins else (),
                    metadata={**heard(old), **told},
                    tier="hot" if old.pinned else "warm",
                )
                changes = life.superseding(
                    new, olds, now=now, actor=actor, reason=reason or "corrected", stored=False
                )
                gone = {one.id for one in olds}
                free = [one for one in others if one.id not in gone]
                changes += life.released(free, gone, now=now, actor=actor)
                return (await self.write(changes))[0]
        raise _busy(memory_id)

    async def disputes(self) -> list[Dispute]:
        wanted = MemoryFilter(statuses=("disputed",), limit=_ALL)
        return life.grouped(await self._ledger.memories(wanted))

    async def resolve(
        self,
        memory_id: str,
        *,
        both: bool = False,
        undo: bool = False,
        reason: str = "",
        actor: str = "person",
    ) -> Memories:
        """Ends a dispute or an update: this memory is right and replaces the others, or, with
        `both`, all of them are true. `undo` takes an update back, also where the older one gave
        way. Gives the memories as they are then; raises UsageError where nothing is to decide."""
        for _ in range(_TRIES):
            memory = await self.get(memory_id)
            others = await self._opponents(memory)
            now = self._clock()
            if undo and not others:
                reason = reason or "taken back by the person"
                with suppress(MemoryChanged):
                    return await self.write(await self._taken_back(memory, now, actor, reason))
                continue
            both = both or undo
            if not others:
                raise UsageError(
                    f"memory {memory.id} is not disputed, nor was anything newer said about it",
                    hint="ska memory resolve",
                )
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
        """The other memories of the dispute or the updates this one is in."""
        if memory.status != "disputed":
            updates = await self._updates.standing(memory.id)
            sides = {one.id: one for told in updates for one in (told.older, told.newer)}
            return [one for one in sides.values() if one.id != memory.id]
        for dispute in await self.disputes():
            if memory.id in {one.id for one in dispute.memories}:
                return [one for one in dispute.memories if one.id != memory.id]
        return []

    async def _taken_back(
        self, memory: Memory, now: datetime, actor: str, reason: str
    ) -> list[MemoryChange]:
        """What it replaced, or what was replaced by it, stands again. Raises UsageError where
        nothing was."""
        ids = [memory.id] if memory.superseded_by else reversed(life.previous(memory))
        olds = await self._ledger.memories_by_id(list(ids))
        older = next((one for one in olds.values() if one.status == "superseded"), None)
        newer = await self._ledger.memory(older.superseded_by or "") if older else None
        if older is None or newer is None or newer.superseded_by:
            raise UsageError(
                f"memory {memory.id} replaces nothing that can be taken back",
                hint=f"ska memory show {memory.id}",
            )
        rows = await self._ledger.log(older.id, kinds=_SUPERSEDED, limit=_ALL)
        before = (rows[-1].old or {}) if rows else {}
        return life.reinstating(newer, older, before, now=now, actor=actor, reason=reason)

    async def updates(self) -> Updated:
        return await self._updates.standing()

    async def keep(self, memories: Memories, *, actor: str = "import") -> ImportResult:
        """Keeps memories made elsewhere, each by its own id; doing it twice adds nothing.

        Nobody vouches for them, so each comes in as `imported.demoted` makes it. Raises UsageError
        for one that cannot be kept; none of them is, then.
        """
        taken, less = await self._incoming.taken(memories)
        taken = [without_secrets(one) for one in taken]
        result = await self._ledger.import_memories(taken, actor=actor)
        self.wrote(taken)
        return replace(result, demoted=less)

    async def plan_import(self, memories: Memories) -> ImportPlan:
        """Raises UsageError for one that cannot be kept."""
        return await self._incoming.plan(memories)

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

    async def types(self, agent: str | None = None) -> dict[str, int]:
        living = MemoryFilter(agent=agent, statuses=("active", "disputed"))
        return await self._ledger.memory_types(self._seen(living))

    def _seen(self, wanted: MemoryFilter | None) -> MemoryFilter:
        """An agent works for one person: what is another's it never sees."""
        wanted = wanted or MemoryFilter()
        return replace(wanted, user=wanted.user or self._user) if wanted.agent else wanted

    async def search(self, wanted: Search | str, *, progress: Progress | None = None) -> Finds:
        """A bare text is a query with nothing else; raises UsageError where it means nothing."""
        return await self._recaller.search(
            Search(wanted) if isinstance(wanted, str) else wanted, progress
        )

    async def recall(self, query: RecallQuery) -> Finds:
        """What the index ranks, without the turns a better memory was made from."""
        return await self._recaller.recall(query)

    async def log(self, memory_id: str) -> Entries:
        return await self._ledger.log((await self.get(memory_id)).id)

    async def story(self, memory_id: str) -> Story:
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
        return await self._ledger.state_at(sound_moment(moment))

    async def difference(self, earlier: datetime, later: datetime) -> Differences:
        before = {one.id: one for one in await self.at(earlier)}
        after = {one.id: one for one in await self.at(later)}
        return life.differences(before, after)

    async def known(self) -> dict[str, int]:
        return await self._ledger.known()

    async def position(self) -> int:
        """Sequence of the newest log row."""
        return await self._ledger.last_seq()

    async def written_since(self, position: int) -> Memories:
        rows = await self._ledger.log(kinds=_MADE, after=position, limit=_ALL)
        known = await self._ledger.memories_by_id([row.entity for row in rows])
        return list(known.values())

    async def verify(self) -> VerifyReport:
        return await self._ledger.verify()

    # -- the index ---------------------------------------------------------------------------

    async def settle(self, progress: Progress | None = None) -> None:
        await self._projector.settle(progress)

    async def rebuild(self, progress: Progress | None = None) -> int:
        """Makes the index again from the ledger; returns how many items it then holds."""
        return await self._projector.rebuild(progress)

    async def status(self) -> IndexStatus:
        status = await self._projector.status()
        second = self._reranking
        if second is None:
            return status
        return replace(status, reranker=second.name, reranking_problem=second.problem)

    async def languages(self) -> Languages:
        newest = await self._ledger.last_seq()
        delta = await self._ledger.delta(max(0, newest - LOOKED_AT), limit=LOOKED_AT)
        said = [one.text for one in delta.items if one.kind == "turn" and one.speaker == "user"]
        embedder = (await self._projector.status()).embedder
        return await asyncio.to_thread(coverage, said, embedder, self._model)

    async def lag(self) -> int:
        """Log rows the index has not seen yet."""
        return await self._projector.lag()


def _about_the_same(one: str, other: str) -> bool:
    """Whether two texts share enough words to be answers to one question."""
    a, b = {*stems(one)}, {*stems(other)}
    return bool(a and b) and len(a & b) >= _SHARED * min(len(a), len(b))


def _check_correction(old: Memory, content: str) -> None:
    _check(content, old.memory_type, old.importance, old.agent)
    if old.superseded_by:
        raise UsageError(
            f"memory {old.id} has been replaced already",
            hint=f"ska memory correct {old.superseded_by} TEXT",
        )


def _check(content: str, memory_type: str, importance: int, agent: str | None) -> None:
    if not sound_text(content).strip():
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
    sound_text(agent or "")
    if not 1 <= importance <= 10:
        raise UsageError(f"importance is 1 to 10, not {importance}")


def _busy(memory_id: str) -> StoreError:
    return StoreError(f"memory {memory_id} keeps changing", hint="try again")
