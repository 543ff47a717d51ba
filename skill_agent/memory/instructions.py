"""Standing instructions: what a person asks of an agent for good, in passing.

"Always answer in French", "never use emojis": the words that make an order last, and the verbs of
what an agent does, are data of each language. Certain or nothing: an order of the moment that were
kept would be obeyed for ever.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from skill_agent.text.language import spoken
from skill_agent.text.scripts import KANA, SHORTENED, UNSPACED

_LONGEST, _FEWEST = 240, 2
"""Characters and words of a sentence that may be one."""
_SENTENCES = re.compile(rf"(?<=[.!?…]){SHORTENED}\s+|(?<=[。！？])|\n+")
_ASKS = re.compile(r"[?？؟]\s*$")
_CALLED = re.compile(r"[^\W\d_]+\s*[,，]\s*")
"""The agent's name before the order."""
_CLOSE, _KANA = re.compile(f"[{UNSPACED}]"), re.compile(f"[{KANA}]")
_EDGES = " \t.!…。！,，、;:"
_POLITE = ("ください", "下さい", "くださいね", "下さいね", "ね", "ほしい", "欲しい", "です", "我")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What one language has for it, case-folded, the longest first."""

    forever: tuple[str, ...]
    lead: tuple[str, ...]
    orders: tuple[str, ...]
    alone: tuple[str, ...]
    once: tuple[str, ...]
    self: tuple[str, ...]
    """How a sentence begins that tells the agent who it is …"""
    flattery: tuple[str, ...]
    """… and one that only thanks it."""


def standing_instructions(text: str) -> list[str]:
    """The sentences of a person's message that ask something of the agent for good."""
    said = [one.strip() for one in _SENTENCES.split(text) if re.search(r"\w", one)]
    return [one for one in said if _is_one(one, alone=len(said) == 1)]


def told_of_itself(text: str) -> list[str]:
    """The sentences of a person's message that tell the agent who it is, or what it is good at."""
    said = [one.strip() for one in _SENTENCES.split(text) if re.search(r"\w", one)]
    return [one for one in said if _tells_of_agent(one)]


def _tells_of_agent(sentence: str) -> bool:
    if len(sentence) > _LONGEST or _ASKS.search(sentence):
        return False
    folded = " ".join(sentence.casefold().replace("’", "'").split())
    starts = {folded, _CALLED.sub("", folded, count=1)}
    return any(_of_agent(start, words) for start in starts for words in _all())


def _of_agent(folded: str, words: _Words) -> bool:
    if any(_at(folded, one) >= 0 for one in words.once):
        return False
    rest, _ = _without_lead(folded, words)
    starts = (folded, rest)  # what leads to an order may begin such a sentence: 你
    found = [(one, by) for one in starts for by in words.self if _at(one, by) == 0]
    begins = any(len(one) > len(by) + 1 for one, by in found)
    return begins and not any(_at(one, by) == 0 for one in starts for by in words.flattery)


def _is_one(sentence: str, *, alone: bool) -> bool:
    if len(sentence) > _LONGEST or _ASKS.search(sentence):
        return False
    folded = " ".join(sentence.casefold().replace("’", "'").split())
    wordy = _CLOSE.search(folded) or len(re.findall(r"\w+", folded)) > _FEWEST
    return bool(wordy) and any(_asked_for_good(folded, words, alone=alone) for words in _all())


def _asked_for_good(folded: str, words: _Words, *, alone: bool) -> bool:
    if any(_at(folded, one) >= 0 for one in words.once):
        return False
    if alone and folded.startswith(words.alone):
        return True
    if not any(_at(folded, one) >= 0 for one in words.forever):
        return False
    return any(_ordered(start, words) for start in (folded, _CALLED.sub("", folded, count=1)))


def _ordered(folded: str, words: _Words) -> bool:
    """Whether the sentence is the order itself: its verb leads it, or ends it."""
    rest, opened = _without_lead(folded, words)
    if _CLOSE.search(folded):
        end = rest.strip(_EDGES)
        for polite in _POLITE:
            end = end.removesuffix(polite)
        if _KANA.search(folded):
            return end.endswith(words.orders)
        return opened and any(one in rest for one in words.orders)
    last = rest.strip(_EDGES).rpartition(" ")[2]
    return any(_at(rest, one) == 0 for one in words.orders) or (opened and last in words.orders)


def _without_lead(folded: str, words: _Words) -> tuple[str, bool]:
    """The text behind what leads to an order, and whether that says "for good"."""
    opened, rest = False, folded
    while True:
        rest = rest.lstrip(_EDGES + "-'")
        forever = next((one for one in words.forever if _at(rest, one) == 0), "")
        found = forever or next((one for one in words.lead if _at(rest, one) == 0), "")
        if not found:
            return rest, opened
        opened = opened or bool(forever)
        rest = rest[len(found) :]


def _at(text: str, phrase: str) -> int:
    """Where a phrase stands as words of its own; -1 where it does not."""
    if _CLOSE.search(phrase):
        return text.find(phrase)
    match = re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text)
    return match.start() if match else -1


@cache
def _all() -> tuple[_Words, ...]:
    return tuple(_read())


def _read() -> Iterator[_Words]:
    for one in spoken():
        table = one.tables.get("standing", {})
        if "forever" in table:
            yield _Words(**{name: _longest(table[name]) for name in _Words.__dataclass_fields__})


def _longest(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted((one.casefold() for one in words), key=len, reverse=True))
