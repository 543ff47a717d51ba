"""Asking the memory: what the index ranks, with the whole memories behind the hits.

Which views and signals make a score is `ranking`'s work, what enters a prompt is `budget`'s.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.errors import UsageError
from skill_agent.ports import Clock, Ledger, MemoryIndex, Progress
from skill_agent.text.checks import sound_text
from skill_agent.text.clock import local
from skill_agent.values import (
    Found,
    Hit,
    IndexItem,
    Memory,
    RecallQuery,
    Scope,
    Search,
)

from .aliases import renamed
from .budget import evidence_of
from .links import said_beside
from .parts import parts_of
from .projector import Projector
from .question import is_reply, only_asks, read_question
from .ranking import FAR_BEHIND, RELEVANT
from .reranking import Reranking
from .summed import is_summary, placed
from .told import presentable
from .updates import Updates, holds

OF_A_PART = 0.6
"""Share of a part's best evidence that an item needs to pass by that part alone."""
_NAMING = 5
"""Only so many of the best hits are read for other names."""


class Recaller:
    """Searches of one home."""

    def __init__(
        self,
        ledger: Ledger,
        projector: Projector,
        clock: Clock,
        user: str,
        updates: Updates,
        before_search: Callable[[], Awaitable[None]] | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        """`before_search` is awaited before each search, once the index has caught up;
        `reranking` looks at the relevant hits a second time."""
        self._ledger = ledger
        self._projector = projector
        self._clock = clock
        self._user = user
        self._updates = updates
        self._before_search = before_search
        self._reranking = reranking

    async def search(self, wanted: Search, progress: Progress | None = None) -> list[Found]:
        """Best first."""
        if not sound_text(wanted.query).strip():
            raise UsageError("the query is empty", hint='ska memory search "what you look for"')
        if wanted.limit < 1:
            raise UsageError(f"a search gives 1 or more, not {wanted.limit}")
        if not 0 <= wanted.floor <= 1:
            raise UsageError(f"the floor of a search lies from 0 to 1, not at {wanted.floor}")
        scope = Scope(
            agent=wanted.agent,
            user=self._user,
            kinds=wanted.kinds,
            memory_types=wanted.memory_types,
            session=wanted.session,
            include_cold=wanted.cold,
        )
        await self._projector.settle(progress)
        if self._before_search is not None:
            await self._before_search()
        return await self.recall(
            RecallQuery(
                text=wanted.query,
                scope=scope,
                limit=wanted.limit,
                now=local(self._clock()),
                floor=wanted.floor,
            )
        )

    async def recall(self, query: RecallQuery) -> list[Found]:
        """What the index ranks, as the ledger has it now: nothing retired or gone meanwhile, no
        turn a better memory was made from, and nothing replaced before what replaced it."""
        index = await self._projector.index()
        wider = replace(query, limit=query.limit + max(5, query.limit // 2))
        hits = await self._ranked(index, wider)
        if parts := parts_of(query.text):
            hits = await self._by_parts(index, wider, hits, parts)
        ids = [hit.item.id for hit in hits if hit.item.kind == "memory"]
        memories = await self._ledger.memories_by_id(ids)
        told = {source for m in memories.values() for source in m.source.message_ids}
        found = [
            Found(hit=hit, memory=memories.get(hit.item.id))
            for hit in hits
            if hit.item.id not in told and _stands(hit, memories, query)
        ]
        if query.scope.include_cold:
            found = await self._succeeded(found, query)
        found = await self._brought_up_to_date(found, query)
        summed = any(is_summary(one.hit.item.subject) for one in found)
        times = read_question(query.text, query.now).times if summed else ()
        return placed(_marked(found), times)[: query.limit]

    async def _ranked(self, index: MemoryIndex, query: RecallQuery) -> list[Hit]:
        """The index's hits, asked a second time where one of the best gives another name for what
        the question names."""
        hits = await index.recall(query)
        told = (hit.item.text for hit in hits[:_NAMING] if not only_asks(hit.item))
        if other := renamed(query.text, told):
            again = await index.recall(replace(query, text=other))
            best = {hit.item.id: hit for hit in again}
            for hit in hits:
                if hit.score >= best.get(hit.item.id, hit).score:
                    best[hit.item.id] = hit
            hits = list(best.values())
        hits = sorted(map(_weighed, hits), key=_by_score)
        if self._reranking is None:
            return hits
        bar = _bar([evidence_of(hit) for hit in hits])
        places = [at for at, hit in enumerate(hits) if evidence_of(hit) >= bar]
        relevant = await self._reranking.ordered(query.text, [hits[at] for at in places])
        for at, hit in zip(places, relevant, strict=True):
            hits[at] = hit
        return hits

    async def _by_parts(
        self, index: MemoryIndex, query: RecallQuery, hits: list[Hit], parts: Sequence[str]
    ) -> list[Hit]:
        """The hits and what only a part of the question has to do with, ranked by the whole of it.

        Whatever passes a part's floor passes; its evidence is told on the scale of the best.
        """
        floor = query.floor or RELEVANT
        near = {}
        for part in parts:
            asked = await index.recall(replace(query, text=part, floor=floor))
            best = max(map(evidence_of, asked), default=0.0)
            for hit in asked:
                share = evidence_of(hit) / best if best else 0.0
                if evidence_of(hit) >= floor and share >= OF_A_PART:
                    near[hit.item.id] = max(share, near.get(hit.item.id, 0.0))
        best = max(floor, *map(evidence_of, hits), 0.0)
        known = {hit.item.id for hit in hits}
        # Without a floor the whole question has given all it gives.
        if query.floor > 0 and (missing := near.keys() - known):
            every = await index.recall(replace(query, floor=0.0))
            hits = hits + [_weighed(hit) for hit in every if hit.item.id in missing]
        raised = [_with_evidence(hit, best * near.get(hit.item.id, 0.0)) for hit in hits]
        return sorted(raised, key=_by_score)

    async def _succeeded(self, found: list[Found], query: RecallQuery) -> list[Found]:
        """Puts what replaced a memory before it, fetched if it did not match by itself."""
        known = {one.memory.id: one for one in found if one.memory}
        placed: dict[str, Found] = {}
        for one in found:
            for newer in reversed(await self._successors(one.memory)):
                if newer.id not in placed and may_see(newer, query.scope):
                    placed[newer.id] = _before(one.hit, newer, known.get(newer.id))
            placed.setdefault(one.hit.item.id, one)
        return list(placed.values())

    async def _brought_up_to_date(self, found: list[Found], query: RecallQuery) -> list[Found]:
        """Puts what was said later about a memory before it, and marks the older one."""
        known = {one.memory.id: one for one in found if one.memory}
        noted = await self._updates.newer(known)
        if not noted:
            return found
        newer = await self._ledger.memories_by_id([one.newer for one in noted.values()])
        placed: dict[str, Found] = {}
        for one in found:
            note = noted.get(one.hit.item.id)
            later = newer.get(note.newer) if note else None
            if one.memory and note and later and _applies(one.memory, later, query):
                there = placed.get(later.id) or known.get(later.id)
                placed[later.id] = _before(one.hit, later, there)
                if note.state == "updated":
                    one = replace(one, hit=replace(one.hit, until=later.created_at))
            placed.setdefault(one.hit.item.id, one)
        return list(placed.values())

    async def _successors(self, memory: Memory | None) -> list[Memory]:
        """What replaced it, and what replaced that, the newest last."""
        chain: list[Memory] = []
        while memory and memory.superseded_by and memory.id not in {one.id for one in chain[:-1]}:
            following = await self._ledger.memories_by_id([memory.superseded_by])
            memory = following.get(memory.superseded_by)
            if memory:
                chain.append(memory)
        return chain


def _applies(older: Memory, newer: Memory, query: RecallQuery) -> bool:
    expired = newer.expires_at is not None and newer.expires_at <= query.now
    return holds(older, newer) and not expired and may_see(newer, query.scope)


def may_see(memory: Memory, scope: Scope) -> bool:
    """The index's own rule of visibility, for a memory that did not come from it."""
    if memory.user not in (None, scope.user):
        return False
    if scope.memory_types and memory.memory_type not in scope.memory_types:
        return False
    if "memory" not in scope.kinds or scope.session not in (None, memory.source.session):
        return False
    if scope.agent is None or memory.agent == scope.agent:
        return True
    team = memory.memory_type in ("shared", "user_profile")
    return team or (memory.agent is None and memory.memory_type in ("semantic", "episodic"))


def _marked(found: list[Found]) -> list[Found]:
    """Says of each whether a prompt would take it."""
    shown = [evidence_of(one.hit) for one in found]
    bar = _bar(shown)
    return [replace(one, relevant=own >= bar) for one, own in zip(found, shown, strict=True)]


def _bar(evidence: Sequence[float]) -> float:
    """The evidence from which a hit is relevant among these."""
    return max(RELEVANT, FAR_BEHIND * max(evidence, default=0.0))


def _stands(hit: Hit, memories: dict[str, Memory], query: RecallQuery) -> bool:
    """Whether the ledger, which the index may be behind of, still has the memory as recallable."""
    if hit.item.kind != "memory":
        return True
    memory = memories.get(hit.item.id)
    if memory is None or not may_see(memory, query.scope):
        return False
    expired = memory.expires_at is not None and memory.expires_at <= query.now
    live = memory.status in ("active", "disputed") and not expired
    return query.scope.include_cold or live


def _before(older: Hit, newer: Memory, known: Found | None) -> Found:
    """The newer memory as a hit that scores no less than what it replaced, and is as relevant: the
    older one must never be told alone."""
    if known is not None:
        evidence = max(evidence_of(known.hit), evidence_of(older))
        signals = {**known.hit.signals, "evidence": evidence}
        score = max(known.hit.score, older.score)
        return replace(known, hit=replace(known.hit, score=score, signals=signals))
    item = IndexItem(
        id=newer.id,
        kind="memory",
        seq=older.item.seq,
        text=newer.content,
        created_at=newer.created_at,
        speaker=newer.speaker,
        session=newer.source.session,
        agent=newer.agent,
        user=newer.user,
        memory_type=newer.memory_type,
        subject=newer.subject,
        status=newer.status,
        tier=newer.tier,
        importance=newer.importance,
        pinned=newer.pinned,
        expires_at=newer.expires_at,
        related_to=said_beside(newer),
    )
    hit = Hit(
        item=item,
        score=older.score,
        signals={"evidence": evidence_of(older)},
        reason="replaces the next one",
    )
    return Found(hit=hit, memory=newer)


SECOND_HAND = 0.8
"""What is left of the score of a question or an agent's reply, word for word: a question matches a
question best and answers nothing, a reply mostly says again what was recalled for it."""


def _weighed(hit: Hit) -> Hit:
    if is_reply(hit.item) or only_asks(hit.item):
        return replace(hit, score=hit.score * SECOND_HAND)
    return hit


def _with_evidence(hit: Hit, least: float) -> Hit:
    signals = {**hit.signals, "evidence": max(least, hit.signals.get("evidence", 0.0))}
    return replace(hit, signals=signals) if least > 0 else hit


def _by_score(hit: Hit) -> float:
    return -hit.score


async def with_sides(
    ledger: Ledger, hits: Sequence[Hit], scope: Scope, now: datetime
) -> tuple[tuple[Hit, ...], dict[str, Memory]]:
    """The hits that hold now, each disputed one with its other sides as far as the scope may see
    them, and the whole memories behind all of them."""
    ids = [hit.item.id for hit in hits if hit.item.kind == "memory"]
    memories = await ledger.memories_by_id(ids)
    wanted = [
        other
        for memory in memories.values()
        if memory.status == "disputed"
        for other in memory.contradicts
        if other not in memories
    ]
    others = await ledger.memories_by_id(list(dict.fromkeys(wanted))) if wanted else {}
    memories |= {key: one for key, one in others.items() if may_see(one, scope)}
    return presentable(hits, memories, now), memories
