"""Whether a model's note says what a person's sentence says: no more, no less, of nobody else.

Held against one sentence each, so that no name, number or day can pass from one to another. What is
in doubt does not hold: then the person's own words stand.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import takewhile

from skill_agent.memory.words.folding import folded
from skill_agent.memory.words.likely import is_common, stop_words
from skill_agent.memory.words.table_phrases import pattern_of
from skill_agent.text.language import Language, language, language_of
from skill_agent.text.sameness import plain

_NUMBER = re.compile(r"\d+")
_CAPITAL = re.compile(r"(?<!\w)[^\W\d_a-zà-öø-ÿа-яё][\w’'-]+")
_BEGINS = re.compile(r"(?:^|[.!?…:] )\W*$")
_NAME_ROOT = 4
"""Letters of a name that stay when it is inflected."""
_ROOT, _BEGINS_ALIKE = 3, 0.6
"""Letters that forms of a word have in common at least, and the share of the shorter one's."""
_TELLING = 5
"""Words from which on a note tells its language."""
_MARKS = ("?", "？", "؟")


def faithful(note: str, said: str, spoken: Language) -> bool:
    """Whether a note may stand for a sentence of the person's. One that is no shorter says nothing
    that the sentence does not say better."""
    return (
        0 < len(note) < len(said)
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
    left = _words_of(code, "frame").sub(" ", text.casefold())
    common = stop_words(code)
    return [
        folded(word) for word in re.findall(r"\w+", left) if word not in common and len(word) > 1
    ]


def _of_the_same(note: str, said: str, spoken: Language) -> bool:
    """Whether it brings in nobody else and denies only what the sentence denies. What is denied in
    a sentence of something open may be the knowing: "we do not know who"."""
    denies, others = _words_of(spoken.code, "no"), _words_of(spoken.code, "they")
    denied, known = len(denies.findall(said)), len(denies.findall(note))
    unknown = _words_of(spoken.code, "unknown").search(said) is not None
    if known > denied or (known < denied and not unknown):
        return False
    new = set(map(str.casefold, others.findall(note))) - set(
        map(str.casefold, others.findall(said))
    )
    asks = any(one in note for one in _MARKS) and not any(one in said for one in _MARKS)
    return not new and (not asks or unknown)


@cache
def _words_of(code: str, name: str) -> re.Pattern[str]:
    known = language(code)
    return pattern_of(known.tables.get("summary", {}).get(name, ()) if known else ())
