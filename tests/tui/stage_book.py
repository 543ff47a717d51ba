"""A memory book in memory with fixed ids and times, for pictures; and ratings likewise.

It answers the calls the memory screen reads with; what changes a ledger is tested on a real one.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from played import played

from skill_agent.errors import NotFound, SkillAgentError, StoreError
from skill_agent.memory.life import grouped
from skill_agent.memory.operations import (
    Disputes,
    FeedbackOperations,
    Finds,
    Memories,
    MemoryOperations,
    Texts,
)
from skill_agent.ports import Progress
from skill_agent.values import (
    FeedbackResult,
    Found,
    Hit,
    IndexItem,
    LogEntry,
    Memory,
    MemoryFilter,
    Message,
    Rated,
    Rating,
    Search,
    Source,
    Story,
)

LONG_AGO = datetime(2026, 10, 2, 8, 30, tzinfo=UTC)


@dataclass
class StageBook(MemoryOperations):
    """Memories newest first."""

    memories: list[Memory] = field(default_factory=list)
    said: dict[str, Message] = field(default_factory=dict)
    entries: dict[str, list[LogEntry]] = field(default_factory=dict)
    fails: SkillAgentError | None = None
    to_share: list[Memory] = field(default_factory=list)
    to_adopt: list[Memory] = field(default_factory=list)
    reviewed: list[tuple[str, str]] = field(default_factory=list)

    async def shares(self) -> Memories:
        return [*self.to_share]

    async def selves(self) -> Memories:
        return [*self.to_adopt]

    async def share(self, memory_id: str, *, actor: str = "person") -> Memory:
        return self._reviewed("share", memory_id)

    async def unshare(
        self, memory_id: str, *, agent: str | None = None, actor: str = "person"
    ) -> Memory:
        return self._reviewed("unshare", memory_id)

    async def adopt(self, memory_id: str, *, actor: str = "person") -> Memory:
        return self._reviewed("adopt", memory_id)

    def _reviewed(self, what: str, memory_id: str) -> Memory:
        self.reviewed.append((what, memory_id))
        one = next(one for one in (*self.to_share, *self.to_adopt) if one.id == memory_id)
        self.to_share = [each for each in self.to_share if each is not one]
        self.to_adopt = [each for each in self.to_adopt if each is not one]
        return one

    async def resolve(
        self,
        memory_id: str,
        *,
        both: bool = False,
        undo: bool = False,
        reason: str = "",
        actor: str = "person",
    ) -> Memories:
        self.reviewed.append(("resolve", memory_id))
        ours = [one for one in self.memories if one.status == "disputed"]
        self.memories = [
            replace(one, status="active" if both or one.id == memory_id else "superseded")
            if one in ours
            else one
            for one in self.memories
        ]
        return [await self.get(memory_id)]

    async def list(self, wanted: MemoryFilter | None = None) -> Memories:
        self._check()
        wanted = wanted or MemoryFilter()
        found = [one for one in self.memories if _wanted(one, wanted)]
        return found[wanted.offset : wanted.offset + wanted.limit]

    async def search(self, wanted: Search | str, *, progress: Progress | None = None) -> Finds:
        self._check()
        words = (wanted if isinstance(wanted, str) else wanted.query).lower().split()
        found = [one for one in self.memories if any(w in one.content.lower() for w in words)]
        return [_found(one) for one in found]

    async def get(self, memory_id: str) -> Memory:
        for one in self.memories:
            if one.id == memory_id:
                return one
        raise NotFound(f"no memory {memory_id!r}", hint="ska memory list")

    async def story(self, memory_id: str) -> Story:
        self._check()
        memory = await self.get(memory_id)
        chain = [one for one in self.memories if memory_id in (one.id, one.superseded_by)]
        sources = [self.said[one] for one in memory.source.message_ids if one in self.said]
        return Story(
            memory=memory,
            versions=tuple(sorted(chain, key=lambda one: one.version)),
            sources=tuple(sources),
            entries=tuple(self.entries.get(memory_id, [])),
        )

    async def correct(
        self, memory_id: str, content: str, *, reason: str = "", actor: str = "person"
    ) -> Memory:
        raise StoreError("the ledger took nothing: the disk is full", hint="make some room")

    async def types(self, agent: str | None = None) -> dict[str, int]:
        self._check()
        wanted = MemoryFilter(agent=agent, statuses=("active", "disputed"))
        counted = Counter(one.memory_type for one in self.memories if _wanted(one, wanted))
        return {**counted}

    async def disputes(self) -> Disputes:
        self._check()
        return grouped([one for one in self.memories if one.status == "disputed"])

    async def known(self) -> dict[str, int]:
        self._check()
        return dict(Counter(one.agent or "" for one in self.memories if one.status == "active"))

    def _check(self) -> None:
        if self.fails is not None:
            raise self.fails


book = played(StageBook)


class StageFeedback(FeedbackOperations):
    """Ratings by message id."""

    def __init__(self) -> None:
        self.rated: dict[str, Rating] = {}

    async def rate(
        self, ref: str, rating: Rating, comment: str = "", *, actor: str = "person"
    ) -> FeedbackResult:
        self.rated[ref] = rating
        memory = shelf().memories[0]
        return FeedbackResult(
            message=_said(1, "", 0), rating=rating, flagged=(),
            memories=(Rated(memory=memory, old=7, new=8), Rated(memory=memory, old=8, new=8)),
        )  # fmt: skip

    async def of(self, message_ids: Texts) -> dict[str, Rating]:
        return {one: self.rated[one] for one in message_ids if one in self.rated}


def _found(memory: Memory) -> Found:
    item = IndexItem(
        id=memory.id, kind="memory", seq=0, text=memory.content, created_at=memory.created_at
    )  # fmt: skip
    return Found(hit=Hit(item=item, score=1.0, signals={}), memory=memory)


def _wanted(memory: Memory, wanted: MemoryFilter) -> bool:
    return (
        (not wanted.statuses or memory.status in wanted.statuses)
        and (not wanted.tiers or memory.tier in wanted.tiers)
        and (not wanted.memory_types or memory.memory_type in wanted.memory_types)
        and (wanted.agent is None or memory.agent in (None, wanted.agent))
        and (wanted.pinned is None or memory.pinned == wanted.pinned)
    )


# -- what the pictures show ------------------------------------------------------------------


def _uuid(number: int) -> str:
    return f"019aa3f0-51c2-7d3e-9f00-8d2c11aa{number:04d}"


def _memory(number: int, content: str, *, days: int, **more: Any) -> Memory:
    at = LONG_AGO + timedelta(days=days)
    return Memory(id=_uuid(number), content=content, created_at=at, updated_at=at, **more)


def shelf() -> StageBook:
    """A small life: a profile, versions, a dispute, something forgotten."""
    talk = Source(session="talk", message_ids=("said-1",))
    monday = _uuid(1)
    memories = [
        _memory(
            1, "Deploys happen on Mondays, from the release branch, after the migration has run.",
            days=44, importance=9, pinned=True, tier="hot", version=2, subject="team.deploy.day",
            source=talk, metadata={"previous": [_uuid(2)]},
        ),
        _memory(
            2, "Deploys happen on Fridays.", days=30, status="superseded", tier="cold",
            superseded_by=monday, importance=8,
        ),
        _memory(
            3, "The release branch is called `stable`.", days=41, status="disputed",
            importance=6, contradicts=(_uuid(4),), source_type="extraction", confidence=0.8,
            extraction_model="embedded/qwen2.5-coder-1.5b",
            source=Source(session="talk", message_ids=("said-2",)),
        ),
        _memory(
            4, "The release branch is called `release`, and is cut on Thursday evening.", days=20,
            status="disputed", importance=7, contradicts=(_uuid(3),), source_type="explicit",
            source=Source(session="talk", message_ids=("said-3",)),
        ),
        _memory(5, "Prefers short answers with the command first.", days=12, importance=8,
                memory_type="user_profile", user="me", subject="user.preference.style"),
        _memory(6, "Run the linter before every review.", days=10, importance=5, agent="luke",
                memory_type="procedural"),
        _memory(7, "Tom waited a whole morning for the migration.", days=8, importance=4,
                memory_type="episodic", tier="cold", source_type="extraction"),
        _memory(8, "My surprise party for Tom is on 12 December.", days=5, importance=7,
                agent="kyra", memory_type="agent_private"),
        _memory(9, "The old wiki is at wiki.example.org.", days=2, importance=3,
                status="archived"),
    ]  # fmt: skip
    memories.sort(key=lambda one: one.created_at, reverse=True)
    said = {
        one.id: one
        for one in (
            _said(1, "From now on deploys happen on Mondays, not on Fridays any more.", 44),
            _said(2, "I think the release branch is called stable now.", 41),
            _said(3, "The release branch is cut on Thursday evening.", 20),
        )
    }
    return book(memories, said, {monday: _log()})


def _said(number: int, text: str, days: int) -> Message:
    return Message(
        id=f"said-{number}", session="talk", turn=f"turn-{number}", role="user", content=text,
        created_at=LONG_AGO + timedelta(days=days), agent="kyra",
    )  # fmt: skip


def _log() -> list[LogEntry]:
    def entry(seq: int, days: float, kind: str, actor: str, **more: Any) -> LogEntry:
        fields: dict[str, Any] = {"reason": "", "old": None, "new": {}, "hash": "0", **more}
        at = LONG_AGO + timedelta(days=days)
        return LogEntry(seq=seq, at=at, kind=kind, entity=_uuid(1), actor=actor, **fields)

    return [
        entry(1, 30, "memory.created", "person"),
        entry(2, 31, "recalled", "kyra", new={"session": "talk", "memories": []}),
        entry(3, 44, "memory.created", "person", reason="moved to Mondays in November"),
        entry(4, 44, "memory.superseded", "person", reason="moved to Mondays in November",
              old={"status": "active", "tier": "warm", "contradicts": []},
              new={"status": "superseded", "tier": "cold", "contradicts": [_uuid(4)]}),
        entry(5, 44.1, "memory.pinned", "person", old={"pinned": False, "tier": "warm"},
              new={"pinned": True, "tier": "hot"}),
        entry(6, 46, "recalled", "luke", new={"session": "talk", "memories": []}),
    ]  # fmt: skip


def many(count: int) -> StageBook:
    """That many plain memories."""
    return book([
        _memory(number, f"Fact number {number} about the deploys", days=0)
        for number in range(count)
    ])  # fmt: skip
