"""What of memory goes beside a message: recall, choose, keep the block.

How items are ranked is the memory package's work; the turn only sees what comes out.
"""

from collections.abc import Sequence

from .dna import AgentDNA, Settings
from .memory.book import MemoryBook
from .memory.budget import select
from .memory.projector import Projector
from .memory.recaller import is_reply, only_asks
from .ports import Clock, Ledger, Model, RecallQuery
from .prompt import data_block
from .turn import Recollection
from .values import Hit, Memory, Message, Scope

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
    ) -> None:
        self._ledger, self._book, self._projector = ledger, book, projector
        self._settings, self._clock = settings, clock

    async def recall(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        seen: int,
        message: Message,
        kept: Sequence[Memory],
    ) -> Recollection:
        """Recalls for a message and keeps the data block with it."""
        await self._projector.settle_briefly(seen)
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
        hits = _telling([one.hit for one in found if not _is_from(one.memory, message)])
        share = LOCAL_BUDGET_SHARE if model.info.local else BUDGET_SHARE
        window = model.info.context_window or 32_768
        selection = select(
            hits,
            budget=min(dna.memory.token_budget, window // share),
            floor=floor,
            present={item for m in history for item in m.recalled},
        )
        block = data_block(selection.hits, self._clock().astimezone(), kept)
        ids = [hit.item.id for hit in selection.hits]
        data = {"session": message.session, "memories": ids, "block": block}
        await self._ledger.note("recalled", message.id, actor=dna.slug, data=data)
        return Recollection(selection=selection, block=block)


def _telling(hits: list[Hit]) -> list[Hit]:
    """Hits that tell a model something: no questions, nothing that already stands in the system
    message, and no earlier reply beside something first-hand, or models come to believe what they
    once made up."""
    told = [hit for hit in hits if hit.item.memory_type != "identity" and not only_asks(hit.item)]
    best = max((hit.score for hit in told if not is_reply(hit.item)), default=0.0)
    return [hit for hit in told if not is_reply(hit.item) or hit.score > best]


def _is_from(memory: Memory | None, message: Message) -> bool:
    """True for what this very message has just put into memory."""
    return memory is not None and message.id in memory.source.message_ids
