"""What of memory goes beside a message: recall, choose, keep the block.

How items are ranked is the memory package's work; the turn only sees what comes out.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.client_context import typed
from skill_agent.errors import ModelError, SkillAgentError
from skill_agent.memory.book import MemoryBook
from skill_agent.memory.extraction.model import able
from skill_agent.memory.hot import HotCache
from skill_agent.memory.recall.budget import evidence_of, select
from skill_agent.memory.recall.knowing import ANSWERED, answered
from skill_agent.memory.recall.projector import Projector
from skill_agent.memory.recall.question import is_reply, is_small_talk, only_asks
from skill_agent.memory.recall.recaller import with_sides
from skill_agent.memory.recall.told import INSTRUCTION, data_block, recall_line, together
from skill_agent.ports import Clock, Ledger, Model
from skill_agent.settings.schema import Settings
from skill_agent.text.clock import local
from skill_agent.text.kinds import kind_of
from skill_agent.text.shaping import estimate_tokens
from skill_agent.values import (
    Found,
    Hit,
    IndexItem,
    Memory,
    Message,
    RecallQuery,
    Scope,
    all_origins,
)

from .fitting import Tokens, window_of
from .known import Recollection
from .manner import Manner
from .taint import origins_by_id

RECALL_LIMIT = 40
"""Hits considered for the budget."""
BUDGET_SHARE, LOCAL_BUDGET_SHARE = 8, 16
"""Recall takes at most this fraction (1/8, 1/16) of the loaded window, whatever the agent asks for.
Half of it on a local model, which reads some 40 tokens a second on a laptop."""


PROFILE_TOKENS, TEAM_TOKENS, SMALL_PROFILE = 200, 300, 100
STANDING_SHARE = 16
"""Profile and team each take at most this fraction (1/16) of the window."""
_ASKING = ("ask", "ask_me", "chat")
SAID_HERE = 4
"""Statements of this conversation told once more beside a question about the person."""
UNSURE = 3
"""So many of the nearest items are looked at where none is surely about the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """What every conversation is told once."""

    profile: tuple[Memory, ...] = ()
    team: tuple[Memory, ...] = ()


class Recollector:
    """Recalls for the messages of one home."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        book: MemoryBook,
        projector: Projector,
        hot: HotCache,
        settings: Settings,
        clock: Clock,
        tokens: Tokens | None = None,
    ) -> None:
        self._ledger, self._book, self._projector = ledger, book, projector
        self._hot, self._settings, self._clock = hot, settings, clock
        self._tokens = tokens or Tokens()

    async def recall(
        self,
        dna: AgentDNA,
        model: Model,
        history: Sequence[Message],
        seen: int,
        message: Message,
        kept: Sequence[Memory],
        manner: Manner,
        *,
        dry: bool = False,
    ) -> Recollection:
        """Recalls for a message and keeps the data block with it; not with `dry`."""
        behind = await self._projector.settle_briefly(seen)
        scope = Scope(
            agent=dna.slug,
            user=self._settings.general.user,
            exclude=frozenset({message.id, *(m.id for m in history)}),
        )
        found = await self._found(dna, message, scope, manner)
        floor = self._settings.memory.relevance_floor
        hits = _telling([one.hit for one in found], _asked(message, manner), manner, floor)
        sure = [hit for hit in hits if evidence_of(hit) >= floor or hit.item.pinned]
        share = LOCAL_BUDGET_SHARE if model.info.local else BUDGET_SHARE
        present = {item for m in history for item in m.recalled}
        loaded, waited = await _loaded(model)
        selection = select(
            sure or hits[:UNSURE],
            budget=min(dna.memory.token_budget, window_of(model) // share),
            floor=floor if sure else 0.0,
            present=present | _retold(found, history),
            sizes=await self._sizes(model, hits) if loaded else {},
        )
        told, memories = await with_sides(self._ledger, selection.hits, scope, self._clock())
        certain = bool(sure) and (dry or await _answers(model, manner, told))
        selection = replace(selection, hits=told)
        standing = await self._standing(dna, model, manner, present | {h.item.id for h in told})
        wrote = await origins_by_id(self._ledger, told, memories)
        recollection = Recollection(
            selection=selection,
            block=self._block(
                (*told, *_said_here(history, manner)),
                local(self._clock(), message.zone),
                kept,
                memories,
                standing,
                manner,
            ),
            behind=behind,
            waited=waited,
            sure=certain,
            origins=all_origins(
                *wrote.values(), *(one.origins for one in (*standing.profile, *standing.team))
            ),
            others=tuple(hit.item.text for hit in told if wrote.get(hit.item.id)),
            always=tuple(one.content for one in (*standing.profile, *standing.team)),
        )
        if not dry:
            await self._note(dna, message, recollection, standing)
        return recollection

    async def _found(
        self, dna: AgentDNA, message: Message, scope: Scope, manner: Manner
    ) -> list[Found]:
        """What memory finds; nothing where a small model only reacts to something told.

        That nothing fits a question about the person is a weak word: there the nearest items are
        looked at too, and the reply must show that it came from them.
        """
        if not manner.remembers:
            return []
        query = RecallQuery(
            text=_asked(message, manner),
            scope=scope,
            limit=RECALL_LIMIT,
            now=local(self._clock(), message.zone),
            current_session=message.session,
            weights=dna.memory.retrieval_weights.model_dump(),
            floor=0.0 if manner.unasked else self._settings.memory.relevance_floor,
        )
        found = await self._book.recall(query)
        return [one for one in found if not _is_from(one.memory, message)]

    async def _standing(
        self, dna: AgentDNA, model: Model, manner: Manner, present: Collection[str]
    ) -> _Standing:
        """What is always known of person and team, as far as this conversation was not told yet."""
        hot = await self._hot.of(dna.slug, self._settings.general.user)
        share = window_of(model) // STANDING_SHARE
        profile = _within(
            hot.profile, min(SMALL_PROFILE if manner.small else PROFILE_TOKENS, share)
        )
        # A small model takes whatever it reads for the subject: it gets of the team what is found.
        team = () if manner.small else _within(hot.team, min(TEAM_TOKENS, share))
        return _Standing(
            profile=tuple(one for one in profile if one.id not in present),
            team=tuple(one for one in team if one.id not in present),
        )

    def _block(
        self,
        told: Sequence[Hit],
        now: datetime,
        kept: Sequence[Memory],
        memories: Mapping[str, Memory],
        standing: _Standing,
        manner: Manner,
    ) -> str:
        block = ""
        if told or standing.profile or manner.remembers:
            block = data_block(
                told,
                now,
                kept,
                memories,
                profile=standing.profile,
                team=standing.team,
                plain=manner.plain,
            )
        return "\n".join(part for part in (block, manner.hint) if part)

    async def _note(
        self, dna: AgentDNA, message: Message, recollection: Recollection, standing: _Standing
    ) -> None:
        hits, always = recollection.selection.hits, (*standing.profile, *standing.team)
        data = {
            "session": message.session,
            "memories": [*(hit.item.id for hit in hits), *(one.id for one in always)],
            "scores": [round(hit.score, 3) for hit in hits] + [1.0] * len(always),
            "reasons": [hit.reason for hit in hits] + ["always known"] * len(always),
            "block": recollection.block,
        }
        await self._ledger.note("recalled", message.id, actor=dna.slug, data=data)

    async def _sizes(self, model: Model, hits: Sequence[Hit]) -> dict[str, int]:
        """Tokens of each item's line by the model's own tokenizer."""
        return {
            hit.item.id: await self._tokens.count(model, recall_line(hit.item) + "\n")
            for hit in hits
        }


async def _loaded(model: Model) -> tuple[bool, float]:
    """Whether the model is there, and the seconds that took: they are not recall's.

    A turn loads its model beside this in any case; for one that cannot be loaded sizes are
    estimated.
    """
    begun = time.perf_counter()
    try:
        await model.load()
    except SkillAgentError:
        return False, time.perf_counter() - begun
    return True, time.perf_counter() - begun


def _asked(message: Message, manner: Manner) -> str:
    """What is looked for; a text that was only piped in stands for the words."""
    return message.content if message.content.strip() else manner.words or manner.matter


def _said_here(history: Sequence[Message], manner: Manner) -> list[Hit]:
    """What the person told in this conversation, once more beside a question about them: a small
    model believes what stands nearest, and that must be the newest word."""
    if not manner.personal:
        return []
    said = ((one, typed(one)) for one in reversed(history) if one.role == "user")
    told = ((one, words) for one, words in said if kind_of(words).name not in _ASKING)
    return [
        Hit(
            item=IndexItem(
                id=one.id,
                kind="turn",
                seq=0,
                text=words,
                speaker="user",
                created_at=one.created_at,
                position=one.position,
            ),
            score=0.0,
            signals={},
        )
        for one, words in islice(told, SAID_HERE)
    ]


def _retold(found: Sequence[Found], history: Sequence[Message]) -> set[str]:
    """Ids of memories whose every source sentence stands in the conversation already."""
    there = {message.id for message in history}
    return {
        one.memory.id
        for one in found
        if one.memory and (sources := one.memory.source.message_ids) and there.issuperset(sources)
    }


async def _answers(model: Model, manner: Manner, told: Sequence[Hit]) -> bool:
    """Whether what is told answers a question that only memory can answer, as far as an embedded
    model that is able to says so: it is read then with more care, and never withheld for it."""
    able_to_say = model.info.provider == "embedded" and able(model.info)
    if not (manner.unasked and told and able_to_say):
        return True
    lines = [hit.item.text for hit in sorted(told, key=lambda hit: -hit.score)]
    try:
        return await answered(model, manner.words, lines) >= ANSWERED
    except ModelError:  # the reply itself will say what is wrong with the model
        return True


def _telling(hits: list[Hit], asked: str, manner: Manner, floor: float) -> list[Hit]:
    """Hits that tell a model something: no questions, nothing that already stands in the system
    message, and no earlier reply beside something first-hand, or models come to believe what they
    once made up. A small model is not told what is merely pinned."""
    told = [hit for hit in hits if hit.item.memory_type != "identity"]
    told = [hit for hit in told if hit.item.subject != INSTRUCTION]  # it stands there anyway
    if manner.small:
        told = [hit for hit in told if not hit.item.pinned or evidence_of(hit) >= floor]
    if is_small_talk(asked):
        return [hit for hit in told if hit.item.pinned]
    told = [hit for hit in told if not only_asks(hit.item)]
    best = max((hit.score for hit in told if not is_reply(hit.item)), default=0.0)
    return [hit for hit in told if not is_reply(hit.item) or hit.score > best]


def _within(memories: Sequence[Memory], tokens: int) -> tuple[Memory, ...]:
    """As many from the front as fit; never one side of a dispute alone."""
    chosen: list[Memory] = []
    for group in together(memories):
        tokens -= sum(estimate_tokens(memory.content) for memory in group)
        if tokens < 0:
            break
        chosen += group
    return tuple(chosen)


def _is_from(memory: Memory | None, message: Message) -> bool:
    """True for what this very message has just put into memory."""
    return memory is not None and message.id in memory.source.message_ids
