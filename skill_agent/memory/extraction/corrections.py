"""What a person takes back later in a conversation, put right in what was found before.

"No wait, Osaka is the 11th" gives the flight found before its new day; what was wrong is dropped.
Nothing here looks at what is stored already.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.memory.english.telling_words import telling_words
from skill_agent.memory.english.time_words import MONTHS
from skill_agent.memory.english.when import resolve_dates
from skill_agent.text.clock import said_at
from skill_agent.text.sameness import marks
from skill_agent.values import Source

from .statement import Candidate, Statement

_MONTH = "|".join(MONTHS)
_DATE = re.compile(rf"\b(?:\d{{1,2}} )?(?:{_MONTH}) \d{{4}}\b")
_CLOCK = re.compile(
    r"\b\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|o[’']clock)\b|\b\d{1,2}:\d\d\b", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?<![\w.,:])\d[\d.,]*(?<![.,])(?![\w:])|\b(?:two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven|twelve|twenty|thirty)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?“] )(?<!^)\b[A-Z][\w’'-]+")
_IT = r"(?:it[’']?s|it is|it was|that[’']?s|i meant|he[’']?s|she[’']?s|they[’']?re)"
_NOT = re.compile(
    rf"^{_IT} not (?P<old2>[^,;]{{1,40}}?)[,;]?\s+(?:but |(?:it[’']?s|it is|it was) )+"
    rf"(?P<new2>[^,;]{{1,40}})$|"
    rf"^not (?P<old3>[^,;]{{1,40}}?),\s*(?:but )?(?:it[’']?s )?(?P<new3>[^,;]{{1,40}})$|"
    rf"^(?:{_IT} |(?:make|call) (?:it|that) )?(?!{_IT}\b)"
    r"(?P<new>[^,;]{1,40}?)(?: it is)?,?\s+(?:and )?not (?P<old>[^,;]{1,40}?)(?:,.*)?$",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"\b(?:instead|pushed|postponed|rescheduled|moved|changed|brought forward|delayed)\b",
    re.IGNORECASE,
)
_FRAME = re.compile(
    r"\b(?:it[’']?s|it is|that[’']?s|make (?:it|that)|i meant|i mean|then|actually|sorry|it|is|on|"
    r"at|the|in|for|now|rather|instead)\b",
    re.IGNORECASE,
)


def corrects(text: str) -> bool:
    """Whether a clause says one thing for another: "it's Thursday, not Friday"."""
    return bool(_NOT.match(text))


_BACK = 6
"""Candidates back that a correction may mean."""


def settled(found: Sequence[Candidate], statements: Sequence[Statement]) -> list[Candidate]:
    """The candidates, with what later statements correct put right in the earlier ones."""
    kept = list(found)
    for statement in statements:
        text = statement.clause.text
        if not (statement.clause.corrects or corrects(text) or _CHANGED.search(text)):
            continue
        for number in _earlier(kept, statement):
            if mended := _mended(kept[number], statement):
                kept[number] = _anew(kept[number], mended, statement)
                _drop_correction(kept, number, statement)
                break
    return kept


def _earlier(kept: Sequence[Candidate], statement: Statement) -> list[int]:
    """The places of the latest candidates said before the statement, the newest first."""
    text = statement.clause.quote
    places = [
        n
        for n, one in enumerate(kept)
        if one.said_at <= statement.message.created_at and one.quote != text
    ]
    return sorted(places, key=lambda n: (kept[n].said_at, n), reverse=True)[:_BACK]


def _mended(one: Candidate, statement: Statement) -> str:
    """The candidate's sentence with the new value, if the statement speaks of it; else empty."""
    text = statement.clause.text
    moment = said_at(statement.message)
    if _NOT.match(text):
        return exchanged(one.content, text, moment)
    said = resolve_dates(text, moment)
    for kind in (_DATE, _CLOCK, _NUMBER, _NAME):
        olds, news = kind.findall(one.content), kind.findall(said)
        if not news and kind is _NAME:
            news = re.findall(r"^[A-Z][\w’'-]+(?=$|[,.])", said)
        if len(news) != 1 or len(olds) != 1 or olds == news:
            if news and kind is not _NAME:
                return ""
            continue
        return (
            kind.sub(lambda _, new=news[0]: new, one.content)
            if _shares(one, statement, said, kind)
            else ""
        )
    return ""


def exchanged(content: str, text: str, moment: datetime) -> str:
    """ "It's Thursday, not Friday": what said Friday, said anew; empty where it does not fit."""
    match = _NOT.match(text)
    if match is None:
        return ""
    old = match["old"] or match["old2"] or match["old3"]
    new = match["new"] or match["new2"] or match["new3"]
    for before, after in ((old, new), tuple(resolve_dates(x, moment) for x in (old, new))):
        before, after = (re.sub(r"^(?:on|in|at|the) ", "", one.strip(), flags=re.IGNORECASE)
                         for one in (before, after))  # fmt: skip
        pattern = re.compile(rf"(?<![\w.]){re.escape(before)}(?![\w]|\.\d)", re.IGNORECASE)
        if len(pattern.findall(content)) == 1:
            return pattern.sub(lambda _, said=after: said, content)
    return ""


def _shares(one: Candidate, statement: Statement, said: str, kind: re.Pattern[str]) -> bool:
    """Whether the correction is a mere value, or speaks of what the candidate speaks of."""

    least = 1 if statement.clause.corrects else 2
    rest = set(telling_words(_FRAME.sub(" ", kind.sub(" ", said))))
    if kind is _NAME:
        return not set(telling_words(_FRAME.sub(" ", said))) - set(
            telling_words(" ".join(kind.findall(said) or [said]))
        )
    shared = rest & set(telling_words(kind.sub(" ", one.content)))
    return len(shared) >= least or (not rest and least == 1)


def _anew(one: Candidate, content: str, statement: Statement) -> Candidate:
    """The candidate as corrected, with both messages it rests on."""
    ids = dict.fromkeys((*one.source.message_ids, statement.message.id))
    return replace(
        one,
        content=content,
        quote=statement.clause.quote,
        changes=True,
        source=Source(session=one.source.session, message_ids=tuple(ids)),
        said_at=statement.message.created_at,
    )


def _drop_correction(kept: list[Candidate], mended: int, statement: Statement) -> None:
    """Takes out what the correction itself gave, where it says no more than the mended one."""

    whole = kept[mended].content
    for number in range(len(kept) - 1, -1, -1):
        one = kept[number]
        own = number != mended and one.quote == statement.clause.quote
        less = set(telling_words(one.content)) <= set(telling_words(whole))
        if own and less and marks(one.content) <= marks(whole):
            del kept[number]
            return
