"""Reading by rules alone: candidates from what the person states, without any model.

Right rather than complete. Never reads an assistant's words, nor the recalled memories beside a
message. Importance: 10 asked for, 9 identity, 8 strong preference, 7 decision, 6 deadline or
requirement, 5 useful context, 4 mild preference, 3 the rest.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.memory.english.clauses import Clause, stated
from skill_agent.memory.english.fact import Fact
from skill_agent.memory.english.fact_rules import facts_in
from skill_agent.memory.english.when import resolve_dates
from skill_agent.memory.instructions import standing_instructions
from skill_agent.memory.recall.told import INSTRUCTION
from skill_agent.text.clock import said_at
from skill_agent.text.sameness import plain
from skill_agent.values import Message, Source, all_origins

from .corrections import exchanged
from .statement import Candidate

MINIMUM_IMPORTANCE = 3
_DANGLING = re.compile(r"\b(?:it|this|that|them|these|those|there|here)\.$", re.IGNORECASE)
"""Ends in a word that points at something not in the sentence."""


def read_by_rules(messages: Sequence[Message]) -> list[Candidate]:
    """What the rules find, each fact once, in the order it was said."""

    found: list[Candidate] = []
    for message in messages:
        if message.role != "user":
            continue
        orders = standing_instructions(typed(message))
        found.extend(_instruction(one, message) for one in orders)
        for clause in stated(typed(message)):
            if any(clause.quote in one for one in orders):
                continue
            facts = (one for one in facts_in(clause) if not _DANGLING.search(one.content))
            found.extend(_candidate(one, clause, message) for one in facts)
            if fixed := _corrected(clause, message, found):
                found.append(fixed)
    return _once(found)


def _candidate(found: Fact, clause: Clause, message: Message) -> Candidate:

    return Candidate(
        content=resolve_dates(found.content, said_at(message)),
        memory_type=found.memory_type,
        subject=found.subject,
        importance=10 if clause.asked else max(MINIMUM_IMPORTANCE, found.importance),
        confidence=found.confidence,
        quote=clause.quote,
        source=Source(session=message.session, message_ids=(message.id,)),
        said_at=message.created_at,
        changes=clause.changes,
        private=clause.private,
        origins=typed_origins(message),
    )


def _instruction(sentence: str, message: Message) -> Candidate:
    """What is asked for good, in the person's own words."""
    return Candidate(
        content=sentence,
        memory_type="user_profile",
        subject=INSTRUCTION,
        importance=8,
        confidence=0.95,
        quote=sentence,
        source=Source(session=message.session, message_ids=(message.id,)),
        said_at=message.created_at,
        origins=typed_origins(message),
    )


def _corrected(clause: Clause, message: Message, found: Sequence[Candidate]) -> Candidate | None:
    """ "It's Thursday, not Friday": the last candidate that said Friday, said anew."""

    for one in reversed(found):
        if content := exchanged(one.content, clause.text, said_at(message)):
            return replace(
                one,
                origins=all_origins(one.origins, typed_origins(message)),
                content=content,
                quote=clause.quote,
                changes=True,
                source=Source(session=message.session, message_ids=(message.id,)),
                said_at=message.created_at,
            )
    return None


def _once(found: Iterable[Candidate]) -> list[Candidate]:
    """The same sentence said again counts once, with every message it was said in."""
    kept: dict[str, Candidate] = {}
    for one in found:
        key = plain(one.content)
        if first := kept.get(key):
            ids = dict.fromkeys(first.source.message_ids + one.source.message_ids)
            source = replace(first.source, message_ids=tuple(ids))
            importance = max(first.importance, one.importance)
            kept[key] = replace(first, source=source, importance=importance)
        else:
            kept[key] = one
    return list(kept.values())
