"""What a question says beside its plain words: the times it speaks of and whom or what it names.

Rules only. How much either weighs is `recall`'s to say; a question is never answered here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from skill_agent.values import IndexItem

from .when import Moment, find_times
from .wording import STOP_WORDS, stems, words

_QUOTED = re.compile(r"[\"“«]([^\"”»]{2,60})[\"”»]|(?<!\w)['‘]([^'’]{2,60})['’](?!\w)")
_MENTION = re.compile(r"(?<!\w)[@#](\w[\w-]*)")
_TOKEN = re.compile(r"[^\W_][\w.-]*\w|[^\W_]")
_SENTENCE_END = re.compile(r"[.!?:]\s+$")
_DAY = timedelta(days=1)
_DATED = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)"
    r"|\b(?:19|20)\d\d\b|\d(?:st|nd|rd|th)\b"
    r"|\b(?:yesterday|today|tonight|tomorrow|ago|last|this|next|spring|summer|autumn|winter)\b",
)
"""What a text that names a time holds at the least; saves reading most of them closely."""
_POSSESSIVE = re.compile(r"['’]s\b")


_SMALL_TALK = frozenset(
    _TOKEN.findall(
        """
    afternoon again alright amazing appreciate awesome bye cheers cool course day done evening
    everything excellent exactly fantastic fine funny getting glad goodbye good got great guess
    haha happy hello helped helpful helps hey hi indeed interesting know later lol lot love lovely
    luck makes maybe meet morning much need never nice night now nothing oh ok okay perfect please
    problem really right see sense sleep soon sounds super sure talk thank thanks think today
    tomorrow understand understood very wait welcome well wonderful worked works wow yeah yep yes
        """
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question taken apart."""

    stems: tuple[str, ...]
    """Of all its words, each once."""
    quiet: frozenset[str] = frozenset()
    """Stems that only tell a time: an item need not have them to be about the question."""
    names: frozenset[str] = frozenset()
    """Stems of what it names: capitalised words, quoted phrases, mentions."""
    proper: frozenset[str] = frozenset()
    """The names that are not just words in quotes."""
    times: tuple[Moment, ...] = ()


def read_question(text: str, now: datetime) -> Question:
    """Takes a question apart; days are those of `now`'s time zone."""
    times = tuple(find_times(text, now))
    timed = [stem for moment in times for stem in stems(text[slice(*moment.span)])]
    rest = text
    for moment in reversed(times):
        start, end = moment.span
        rest = f"{rest[:start]} {rest[end:]}"
    proper = frozenset(stems(" ".join(_named(rest))))
    quoted = " ".join(one or two for one, two in _QUOTED.findall(rest))
    return Question(
        stems=tuple(dict.fromkeys(stems(text))),
        quiet=frozenset(timed) - frozenset(stems(rest)),
        names=proper | frozenset(stems(quoted)),
        proper=proper,
        times=times,
    )


def is_small_talk(text: str) -> bool:
    """Whether a message only greets, thanks or agrees: nothing remembered answers it."""
    said = words(text)
    return "?" not in text and all(one in _SMALL_TALK or one in STOP_WORDS for one in said)


def _named(text: str) -> list[str]:
    """Mentions, and words written like names.

    The first word of a sentence is one only as a possessive or before another such word: there
    every word has a capital.
    """
    found: list[str] = _MENTION.findall(text)
    tokens = list(_TOKEN.finditer(text))
    for place, token in enumerate(tokens):
        word = token[0]
        if not _like_a_name(word):
            continue
        if place == 0 or _SENTENCE_END.search(text[: token.start()]):
            after = tokens[place + 1][0] if place + 1 < len(tokens) else ""
            if not (_POSSESSIVE.match(text, token.end()) or _like_a_name(after)):
                continue
        found.append(word)
    return found


def _like_a_name(word: str) -> bool:
    """Written with a capital or with letters and digits together, and no ordinary little word."""
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return (word[:1].isupper() or mixed) and not STOP_WORDS.issuperset(words(word))


def speaks_of(item: IndexItem, times: Sequence[Moment]) -> bool:
    """Whether an item's own words name a day within one of these times.

    A stretch longer than the one asked about says nothing of it: "in 2026" is not "last week".
    """
    if not _DATED.search(item.text):
        return False
    return any(
        asked.start < told.end and told.start < asked.end
        and told.end - told.start <= max(asked.end - asked.start, _DAY)
        for told in _told(item.text, item.created_at)
        for asked in times
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _told(text: str, said_at: datetime) -> tuple[Moment, ...]:
    return tuple(find_times(text, said_at))
