"""Whether a model's note says what a person's sentence says: no more, no less, of nobody else.

Held against one sentence each, so that no name, number or day can pass from one to another. What is
in doubt does not hold: then the person's own words stand.
"""

import re
from collections.abc import Sequence
from itertools import takewhile

from skill_agent.memory.words.folding import folded
from skill_agent.memory.words.likely import is_common, stop_words
from skill_agent.text.language import Language, language_of
from skill_agent.text.sameness import plain

from .phrases import phrases

_NUMBER = re.compile(r"\d+")
_CAPITAL = re.compile(r"(?<!\w)[^\W\d_a-zà-öø-ÿа-яё][\w’'-]+")
_BEGINS = re.compile(r"(?:^|[.!?…:] )\W*$")
_NAME_ROOT = 4
"""Letters of a name that stay when it is inflected."""
_ROOT, _BEGINS_ALIKE = 3, 0.6
"""Letters that forms of a word have in common at least, and the share of the shorter one's."""
_ENDS = " .!?…¿¡"
_TELLING = 5
"""Words from which on a note tells its language."""


def faithful(note: str, said: str, spoken: Language) -> bool:
    """Whether a note may stand for a sentence of the person's. One that is no shorter says nothing
    that the sentence does not say better."""
    return (
        0 < len(note) < len(said)
        and note.casefold() != said.strip(_ENDS).casefold()
        and _NUMBER.findall(note) == _NUMBER.findall(said)
        and _names_held(note, said)
        and _names_held(said, note)
        and _says_the_same(note, said, spoken.code)
        and _of_the_same(note, said, spoken)
        and (
            len(note.split()) < _TELLING or language_of(note, otherwise=spoken.code) == spoken.code
        )
    )


def _names_held(words: str, said: str) -> bool:
    """Whether every name of the one is in the other, inflected or not."""
    there = plain(said).casefold()
    return all(one.casefold()[:-1][:_NAME_ROOT] in there for one in _names(words))


def _names(text: str) -> list[str]:
    """Words with a capital; one that begins a sentence is told by `_says_the_same`."""
    return [
        found[0]
        for found in _CAPITAL.finditer(text)
        if not _BEGINS.search(text[: found.start()]) and not is_common(found[0].casefold())
    ]


def _says_the_same(note: str, said: str, code: str) -> bool:
    """Whether nothing is lost but how it was said, and nothing is new."""
    told, heard = _telling(note, code), _telling(said, code)
    return bool(told) and _all_in(heard, told) and _all_in(told, heard)


def _all_in(some: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(_inflected(one, other) for other in others) for one in some)


def _inflected(one: str, other: str) -> bool:
    """Whether two words are forms of one: they begin alike."""
    pairs = zip(one, other, strict=False)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return one == other or (alike >= _ROOT and alike > _BEGINS_ALIKE * min(len(one), len(other)))


def _telling(text: str, code: str) -> list[str]:
    """The words that tell something."""
    left = phrases(code, "frame").sub(" ", text.casefold())
    common = stop_words(code)
    return [
        folded(word) for word in re.findall(r"\w+", left) if word not in common and len(word) > 1
    ]


def _of_the_same(note: str, said: str, spoken: Language) -> bool:
    """Whether it denies what the sentence denies, leaves open what is open and brings in nobody."""
    others, asks = (phrases(spoken.code, name) for name in ("they", "ask"))
    new = _found(others, note) - _found(others, said)
    asked = _found(asks, said)
    return (
        not new
        and _denials(note, spoken.code) == _denials(said, spoken.code)
        and (not asked or bool(asked & _found(asks, note)))
    )


def _denials(text: str, code: str) -> int:
    """How much is denied; that something is not known denies nothing of it."""
    known = phrases(code, "unknown").sub(" ", text)
    return len(phrases(code, "no").findall(known))


def _found(words: re.Pattern[str], text: str) -> set[str]:
    return {one.casefold() for one in words.findall(text)}
