"""Asking the memory: what the index ranks, with the whole memories behind the hits.

Which views and signals make a score is `recall`'s work, what enters a prompt is `budget`'s.
"""

import re
from dataclasses import dataclass, replace

from skill_agent.errors import UsageError
from skill_agent.ports import Clock, Ledger, Progress, RecallQuery
from skill_agent.values import Hit, IndexItem, ItemKind, Memory, MemoryType, Scope

from .projector import Projector


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A hit with the whole memory behind it; `memory` is None for a verbatim turn."""

    hit: Hit
    memory: Memory | None


class Recaller:
    """Searches of one home."""

    def __init__(self, ledger: Ledger, projector: Projector, clock: Clock, user: str) -> None:
        self._ledger = ledger
        self._projector = projector
        self._clock = clock
        self._user = user

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
    ) -> list[Found]:
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

    async def recall(self, query: RecallQuery) -> list[Found]:
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
