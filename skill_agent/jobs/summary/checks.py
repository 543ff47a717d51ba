"""Whether a model's words say what a person said, no more, no less and of nobody else.

Held against one sentence each, so that no name, number or day can pass from one to another. What is
in doubt does not hold: then the person's own words stand.
"""

import re
from collections.abc import Sequence
from functools import cache

from skill_agent.memory.words.likely import is_common
from skill_agent.memory.words.stemming import stems
from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import Language, language, language_of
from skill_agent.text.sameness import plain

_NUMBER = re.compile(r"\d+")
_CAPITAL = re.compile(r"(?<!\w)[^\W\d_a-zà-öø-ÿа-яё][\w’'-]+")
_BEGINS = re.compile(r"(?:^|[.!?…:] )\W*$")
_ROOT = 4
"""Letters of a name or a word that stay when it is inflected."""
_KEPT, _ADDED = 0.6, 0.34
"""Share of the sentence's stems that the words keep at least, and of theirs that may be new."""
_LONGER = 1.15
_MARKS = ("?", "？", "؟")


def faithful(words: str, said: str, spoken: Language) -> bool:
    """Whether a line may stand for a sentence of the person's."""
    return (
        bool(words.strip())
        and len(words) <= max(40, _LONGER * len(said))
        and set(_NUMBER.findall(words)) == set(_NUMBER.findall(said))
        and _names_held(words, said)
        and _names_held(said, words)
        and _says_the_same(words, said)
        and any(one in words for one in _MARKS) == any(one in said for one in _MARKS)
        and _spoken_of_the_same(words, said, spoken)
        and language_of(words, otherwise=spoken.code) == spoken.code
    )


def fits_topic(words: str, told: str, spoken: Language) -> bool:
    """Whether a few words may name what a conversation was about."""
    found = stems(words)
    return (
        bool(found)
        and len(words) <= 80
        and set(_NUMBER.findall(words)) <= set(_NUMBER.findall(told))
        and _names_held(words, told)
        and not _new(found, stems(told))
        and not _words_of(spoken.code, "they").search(words)
    )


def _names_held(words: str, said: str) -> bool:
    """Whether every name of the one is in the other, inflected or not."""
    there = plain(said).casefold()
    return all(one.casefold()[:-1][:_ROOT] in there for one in _names(words))


def _names(text: str) -> list[str]:
    """Words with a capital; one that begins a sentence counts unless everybody uses it."""
    return [
        found[0]
        for found in _CAPITAL.finditer(text)
        if not (_BEGINS.search(text[: found.start()]) and is_common(found[0].casefold()))
    ]


def _says_the_same(words: str, said: str) -> bool:
    told, heard = stems(words), stems(said)
    if not told or not heard:
        return plain(words).casefold() == plain(said).casefold()
    lost = _new(heard, told)
    return len(lost) <= (1 - _KEPT) * len(heard) and len(_new(told, heard)) <= _ADDED * len(told)


def _new(some: Sequence[str], others: Sequence[str]) -> list[str]:
    """Those of which the others have nothing that begins alike."""
    roots = {one[:_ROOT] for one in others}
    return [one for one in some if one[:_ROOT] not in roots]


def _spoken_of_the_same(words: str, said: str, spoken: Language) -> bool:
    """Whether it denies as the sentence does, speaks to the person and brings in nobody else."""
    denies, others = _words_of(spoken.code, "no"), _words_of(spoken.code, "they")
    if bool(denies.search(words)) != bool(denies.search(said)):
        return False
    if {one.casefold() for one in others.findall(words)} - {
        one.casefold() for one in others.findall(said)
    }:
        return False
    folded = words.casefold()
    return not any(one in folded for one in spoken.third)


@cache
def _words_of(code: str, name: str) -> re.Pattern[str]:
    known = language(code)
    return pattern_of(known.tables.get("summary", {}).get(name, ()) if known else ())
