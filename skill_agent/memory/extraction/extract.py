"""Reading a conversation for what is worth remembering: certain patterns, then a model.

A small local model judges the person's sentences, which are kept as they were said; any other
makes notes of its own, which are checked. Nothing here writes or compares with what is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.errors import ModelError
from skill_agent.memory.instructions import standing_instructions, told_of_itself
from skill_agent.memory.recall.told import INSTRUCTION
from skill_agent.memory.remembrances import is_private
from skill_agent.memory.selves import OF_AGENT
from skill_agent.ports import Model
from skill_agent.text.clock import said_at
from skill_agent.text.kinds import kind_of
from skill_agent.text.language import language_of
from skill_agent.text.sameness import plain
from skill_agent.values import Message, Source

from .certain import Fact, certain
from .concerns import concerns_team
from .judging import KEEPS, judged
from .notes import noted
from .own_words import dated
from .statement import Candidate, Extraction, Statement
from .statements import statements_of

CERTAIN = 0.9
"""Confidence of what a pattern says."""
_USEFUL, _STRONG = 5, 8
_OF_TEAM = ("project.", "team.", "company.")
"""How subjects begin of what concerns everybody, unless it was told in confidence."""
_KNOWN = 0.6
"""Share of a sentence that its certain facts give back for there to be nothing more in it."""


Shares = Callable[[Message], bool]
"""Whether whoever heard a message lets the team have what concerns it."""


def nobody_shares(_message: Message) -> bool:
    return False


def certain_facts(messages: Sequence[Message], shares: Shares = nobody_shares) -> list[Candidate]:
    """What is certain without any model, each fact once: what is asked for good, then facts in the
    order they were said."""
    orders = _orders(messages)
    told = [found for one in _beside(orders, messages) for found in _certain(one, shares)]
    return _once([*orders, *told])


async def extract(
    messages: Sequence[Message], model: Model | None, shares: Shares = nobody_shares
) -> Extraction:
    """What is certain and, with a model, what it finds worth keeping.

    A model that fails leaves what was found so far and its reason in `problem`; only errors that
    are not a model's, and cancellation, pass through.
    """
    found = _orders(messages)
    statements = _beside(found, messages)
    found += [one for statement in statements for one in _certain(statement, shares)]
    facts, dropped, problem, passes = len(found), 0, "", 0
    if model is not None:
        by_sentence = model.info.local and not model.info.own_server
        passes = 1 if by_sentence else 2
        try:
            if by_sentence:
                left = [one for one in statements if not _of_team(one, shares)]
                dropped = await _judge(model, left, found)
            else:
                dropped = await noted(model, messages, found)
        except ModelError as error:
            problem = error.message
    return Extraction(
        candidates=tuple(_once(_marked(found, messages, shares))),
        certain=facts,
        judged=len(found) - facts,
        dropped=dropped,
        passes=passes,
        model=model.info.name if model else "",
        problem=problem,
    )


def _orders(messages: Sequence[Message]) -> list[Candidate]:
    """What a person asks for good, and what they tell the agent of itself, word for word."""
    said = [(one, typed(one)) for one in messages if one.role == "user"]
    asked = [_order(text, one) for one, words in said for text in standing_instructions(words)]
    own = [
        replace(_order(text, one), memory_type="semantic", subject=OF_AGENT, importance=_USEFUL)
        for one, words in said
        if not (typed_origins(one) or is_private(words))
        for text in told_of_itself(words)
    ]
    return [*asked, *(one for one in own if one.quote not in {order.quote for order in asked})]


def _order(sentence: str, message: Message) -> Candidate:
    return Candidate(
        content=sentence,
        memory_type="user_profile",
        subject=INSTRUCTION,
        importance=_STRONG,
        confidence=CERTAIN,
        quote=sentence,
        source=_source(message),
        said_at=message.created_at,
        origins=typed_origins(message),
    )


def _beside(orders: Sequence[Candidate], messages: Sequence[Message]) -> list[Statement]:
    """The statements that are no part of such an order."""
    kept = {(one.source.message_ids[0], one.quote) for one in orders}
    return [
        one
        for one in statements_of(messages)
        if not any(one.message.id == at and one.text in order for at, order in kept)
    ]


async def _judge(model: Model, statements: Sequence[Statement], found: list[Candidate]) -> int:
    """Adds to `found` the sentences worth keeping; how many were not."""
    dropped = 0
    wanted = [one for one in statements if not (one.invented or _is_known(one))]
    async for one, likely in judged(model, wanted):
        if likely >= KEEPS:
            found.append(_kept(one, model.info.name, likely))
        else:
            dropped += 1
    return dropped


def _is_known(statement: Statement) -> bool:
    told = sum(len(one.text) for one in certain(statement))
    return told >= _KNOWN * len(statement.text)


def _certain(statement: Statement, shares: Shares) -> list[Candidate]:
    facts = [_profile(one, statement) for one in certain(statement)]
    if _of_team(statement, shares):
        return [*facts, replace(_kept(statement, None, CERTAIN), team=True)]
    return facts


def _of_team(statement: Statement, shares: Shares) -> bool:
    """Whether a sentence tells something that concerns the team, and no more than that."""
    unsure = statement.invented or statement.led or statement.private or statement.origins
    if unsure or not shares(statement.message) or _is_known(statement):
        return False
    concerns = concerns_team(statement.text, statement.languages[0])
    return concerns and kind_of(statement.told).name == "tell"


def _marked(
    found: Sequence[Candidate], messages: Sequence[Message], shares: Shares
) -> list[Candidate]:
    """Says of what a model found whether it concerns the team."""
    sharing = {one.id for one in messages if shares(one)}
    spoken = language_of(" ".join(typed(one) for one in messages if one.role == "user"))
    return [
        replace(one, team=one.team or _concerns(one, spoken))
        if sharing.intersection(one.source.message_ids)
        else one
        for one in found
    ]


def _concerns(found: Candidate, spoken: str) -> bool:
    if found.subject and found.subject.startswith(_OF_TEAM):
        return True
    return concerns_team(found.quote, language_of(found.quote, otherwise=spoken))


def _profile(fact: Fact, statement: Statement) -> Candidate:
    message = statement.message
    return Candidate(
        content=dated(fact.text, said_at(message)),
        memory_type="user_profile",
        subject=fact.subject,
        importance=fact.importance,
        confidence=CERTAIN,
        quote=fact.text,
        source=_source(message),
        said_at=message.created_at,
        private=statement.private,
        origins=statement.origins,
    )


def _kept(statement: Statement, model: str | None, likely: float) -> Candidate:
    message = statement.message
    told = " ".join(statement.told.split())
    content = dated(told, said_at(message))
    return Candidate(
        content=content,
        memory_type="semantic" if content == told else "episodic",
        subject=None,
        importance=_USEFUL,
        confidence=round(min(likely, CERTAIN), 2),
        quote=statement.text,
        source=_source(message),
        said_at=message.created_at,
        model=model,
        private=statement.private,
        origins=statement.origins,
    )


def _source(message: Message) -> Source:
    return Source(session=message.session, message_ids=(message.id,))


def _once(found: Sequence[Candidate]) -> list[Candidate]:
    """The same sentence said again counts once, with every message it was said in."""
    kept: dict[str, Candidate] = {}
    for one in found:
        key = plain(one.content)
        if first := kept.get(key):
            ids = dict.fromkeys(first.source.message_ids + one.source.message_ids)
            kept[key] = replace(first, source=replace(first.source, message_ids=tuple(ids)))
        else:
            kept[key] = one
    return list(kept.values())
