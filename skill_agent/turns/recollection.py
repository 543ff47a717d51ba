"""What of memory goes beside a message: recall, choose, keep the block.

How items are ranked is the memory package's work; the turn only sees what comes out.
"""

from collections.abc import Sequence
from dataclasses import replace

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import SkillAgentError
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.recall.budget import select
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.question import is_reply, is_small_talk, only_asks
from skill_agent.memory.recall.recaller import with_sides
from skill_agent.memory.recall.told import data_block, recall_line
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.settings.schema import Settings
from skill_agent.values import Found, Hit, Memory, Message, RecallQuery, Scope

from .fitting import Tokens, window_of
from .loop import Recollection

RECALL_LIMIT = 40
"""Hits considered for the budget."""
BUDGET_SHARE, LOCAL_BUDGET_SHARE = 8, 16
"""Recall takes at most this fraction (1/8, 1/16) of the loaded window, whatever the agent asks for.
Half of it on a local model, which reads some 40 tokens a second on a laptop."""


class Recollector:
    """Recalls for the messages of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        book: MemoryBook,
        projector: Projector,
        settings: Settings,
        clock: Clock,
        tokens: Tokens | None = None,
    ) -> None:
        self._ledger, self._book, self._projector = ledger, book, projector
        self._settings, self._clock = settings, clock
        self._tokens = tokens or Tokens()

    async def recall(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        seen: int,
        message: Message,
        kept: Sequence[Memory],
        *,
        dry: bool = False,
    ) -> Recollection:
        """Recalls for a message and keeps the data block with it; not with `dry`."""
        behind = await self._projector.settle_briefly(seen)
        floor = self._settings.memory.relevance_floor
        scope = Scope(
            agent=dna.slug,
            user=self._settings.general.user,
            exclude=frozenset({message.id, *(m.id for m in history)}),
        )
        query = RecallQuery(
            text=message.content,
            scope=scope,
            limit=RECALL_LIMIT,
            now=self._clock(),
            current_session=message.session,
            weights=dna.memory.retrieval_weights.model_dump(),
            floor=floor,
        )
        found = await self._book.recall(query)
        hits = _telling(
            [one.hit for one in found if not _is_from(one.memory, message)],
            message.content,
        )
        share = LOCAL_BUDGET_SHARE if model.info.local else BUDGET_SHARE
        selection = select(
            hits,
            budget=min(dna.memory.token_budget, window_of(model) // share),
            floor=floor,
            present={item for m in history for item in m.recalled} | _retold(found, history),
            sizes=await self._sizes(model, hits),
        )
        told, memories = await with_sides(self._ledger, selection.hits, scope, query.now)
        selection = replace(selection, hits=told)
        block = data_block(told, self._clock().astimezone(), kept, memories)
        if dry:
            return Recollection(selection=selection, block=block, behind=behind)
        data = {
            "session": message.session,
            "memories": [hit.item.id for hit in selection.hits],
            "scores": [round(hit.score, 3) for hit in selection.hits],
            "reasons": [hit.reason for hit in selection.hits],
            "block": block,
        }
        await self._ledger.note("recalled", message.id, actor=dna.slug, data=data)
        return Recollection(selection=selection, block=block, behind=behind)

    async def _sizes(self, model: Model, hits: Sequence[Hit]) -> dict[str, int]:
        """Tokens of each item's line by the model's own tokenizer.

        A turn loads its model beside this in any case; a model that cannot be loaded estimates.
        """
        try:
            await model.load()
        except SkillAgentError:
            return {}
        return {
            hit.item.id: await self._tokens.count(model, recall_line(hit.item) + "\n")
            for hit in hits
        }


def _retold(found: Sequence[Found], history: Sequence[Message]) -> set[str]:
    """Ids of memories whose every source sentence stands in the conversation already."""
    there = {message.id for message in history}
    return {
        one.memory.id
        for one in found
        if one.memory and (sources := one.memory.source.message_ids) and there.issuperset(sources)
    }


def _telling(hits: list[Hit], asked: str) -> list[Hit]:
    """Hits that tell a model something: no questions, nothing that already stands in the system
    message, and no earlier reply beside something first-hand, or models come to believe what they
    once made up."""
    if is_small_talk(asked):
        return [hit for hit in hits if hit.item.pinned and hit.item.memory_type != "identity"]
    told = [hit for hit in hits if hit.item.memory_type != "identity" and not only_asks(hit.item)]
    best = max((hit.score for hit in told if not is_reply(hit.item)), default=0.0)
    return [hit for hit in told if not is_reply(hit.item) or hit.score > best]


def _is_from(memory: Memory | None, message: Message) -> bool:
    """True for what this very message has just put into memory."""
    return memory is not None and message.id in memory.source.message_ids
