"""What a person states in a conversation, clause by clause, each with what it leans on."""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.memory.english.clauses import Clause, stated
from skill_agent.memory.english.fact_rules import facts_in
from skill_agent.memory.english.telling_words import telling_words
from skill_agent.memory.english.time_words import MONTHS
from skill_agent.values import Message, Origin, all_origins

from .statement import Statement

READ = 0.6
"""Share of a clause's words the rules must give back for it to be read."""


def statements_of(messages: Sequence[Message]) -> list[Statement]:
    """Everything the user states, with the question it may answer."""
    found: list[Statement] = []
    question, before = "", deque[str](maxlen=2)
    asked_by: tuple[Origin, ...] = ()
    last: Statement | None = None
    for message in messages:
        if message.role == "assistant":
            question, asked_by = _question(message.content), message.origins
        elif message.role == "user":
            first, corrects = True, False
            for clause in stated(typed(message)):
                corrects = corrects or clause.corrects
                clause = _with_month(clause, " ".join(before) if corrects else "")
                clause = replace(clause, corrects=corrects)
                last = Statement(
                    clause=clause,
                    message=message,
                    question=question if first else "",
                    origins=all_origins(
                        typed_origins(message), asked_by if first and question else ()
                    ),
                    said=" ".join(before),
                    previous=last,
                    known=_read_by_rules(clause),
                )
                first = False
                found.append(last)
            before.append(typed(message))
            question = ""
    return found


def _read_by_rules(clause: Clause) -> bool:
    """Whether the facts the rules read say nearly all that a clause does."""

    facts = [one.content for one in facts_in(clause)]
    said = set(telling_words(clause.text))
    return bool(facts) and len(said & set(telling_words(" ".join(facts)))) >= READ * len(said)


def _question(text: str) -> str:
    """The last sentence of a reply if it asks something and is short enough to help."""
    last = re.split(r"(?<=[.!?:])\s+", text.strip().replace("\n", " "))[-1]
    return last if last.endswith("?") and len(last) <= 160 else ""


_MONTH = "|".join(rf"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
_DAY = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?P<after>{_MONTH})|(?P<before>{_MONTH}) "
    r"\d{1,2}(?:st|nd|rd|th)?)\b",
    re.IGNORECASE,
)
_BARE_DAY = re.compile(
    rf"\bthe (?P<day>\d{{1,2}})(?:st|nd|rd|th)\b(?! (?:of|{_MONTH}|floor|time|street|birthday))",
    re.IGNORECASE,
)


def _with_month(clause: Clause, before: str) -> Clause:
    """ "Not June 3rd, the 17th": a bare day in the month that was spoken of just before."""
    days = list(_DAY.finditer(clause.text)) or list(_DAY.finditer(before))
    if not days or not _BARE_DAY.search(clause.text):
        return clause
    month = days[-1]["after"] or days[-1]["before"]
    return replace(clause, text=_BARE_DAY.sub(rf"\g<day> {month}", clause.text))
