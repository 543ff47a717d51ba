"""Which languages a text may be in, told by its commonest words: a guess of microseconds.

What a whole message is written in is `text.language.language_of`'s to say; here a wrong guess costs
little, and every remembered line is asked about.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from skill_agent.text.language import ENGLISH, language, spoken
from skill_agent.text.scripts import KANA

from .folding import folded, runs, unspaced

_WORD = re.compile(r"[^\W\d_]+")
_KANA = re.compile(f"[{KANA}]")
_FIGURES = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d(?:st|nd|rd|th)\b|\d[./-] ?\d")
_UNSPACED_TIMES = re.compile("[年月日号號天周週曜昨今明前后後先来去春夏秋冬]")
_READ = 200
"""Words of a text that are looked at; no byte counts more than 255."""
_A_WORD = 3
"""Letters that say as much as one character of a script without blanks."""
_SHORT = 8
"""Up to so many words that tell nothing, a text may be in any language of its script."""
_TIMES = ("months", "weekdays", "named", "unit", "season", "which")


def likely_languages(text: str) -> tuple[str, ...]:
    """Codes of the languages most words of the text are common in: English where it is among
    them, for a single word and otherwise several where nothing tells them apart; none where no
    word tells anything."""
    plain = folded(text)
    return likely_among(plain, runs(plain))


def likely_among(plain: str, said: Sequence[str]) -> tuple[str, ...]:
    """The same of a text that is folded and cut into runs already."""
    said = said[:_READ]
    if not plain.isascii() and (close := [run for run in said if unspaced(run)]):
        letters = sum(len(run) for run in said if run.isascii())
        if _A_WORD * sum(map(len, close)) > letters:
            return ("ja",) if _KANA.search(plain) else ("zh", "ja")
    common = _common()
    votes = sum([common[word] for word in said if word in common])
    if not votes:
        letters = next((run for run in said if run[0].isalpha()), "")
        return _written_like(script_of(letters)) if letters and len(said) <= _SHORT else ()
    return _most_voted(votes, len(said) > 1)


@lru_cache(maxsize=4096)
def _most_voted(votes: int, several_words: bool) -> tuple[str, ...]:
    counted = votes.to_bytes(len(_codes()), "little")
    found = [code for code, count in zip(_codes(), counted, strict=True) if count == max(counted)]
    return (ENGLISH,) if ENGLISH in found and several_words else tuple(found)


@cache
def _codes() -> tuple[str, ...]:
    return tuple(one.code for one in spoken())


def is_common(word: str) -> bool:
    """Whether a word is too common to be a name in any language."""
    return folded(word) in _common()


def may_name_time(text: str) -> bool:
    """Whether a text holds any word or figure that a time is named by, in any language; saves
    reading most of them closely."""
    if _FIGURES.search(text) or (not text.isascii() and _UNSPACED_TIMES.search(text)):
        return True
    return not _times().isdisjoint(runs(folded(text)))


@cache
def _times() -> frozenset[str]:
    named = [
        _named(one.tables.get("time", {}), _TIMES) - set(map(folded, stop_words(one.code)))
        for one in spoken()
    ]
    return frozenset().union(*named)


@cache
def stop_words(code: str) -> frozenset[str]:
    """Words so common in a language that they tell nothing but the language."""
    known = language(code)
    return frozenset(known.tables.get("words", {}).get("stop", "").split() if known else ())


@cache
def _common() -> dict[str, int]:
    """Each common word, and each that names a time, with a vote for the languages it is one of: a
    byte of the number a language, so that votes are counted by adding."""
    found: dict[str, int] = {}
    for at, one in enumerate(spoken()):
        named = _named(one.tables.get("time", {}), (*_TIMES, "part", "edge", "number"))
        for word in {*map(folded, stop_words(one.code)), *named}:
            found[word] = found.get(word, 0) + (1 << 8 * at)
    return found


@cache
def _written_like(script: str) -> tuple[str, ...]:
    """The languages written in a script; English first."""
    codes = [one.code for one in spoken() if one.mine and script_of(one.mine[0]) == script]
    return tuple(sorted(codes, key=lambda code: (code != ENGLISH, code)))


def script_of(word: str) -> str:
    """The script of a word's first letter, as Unicode names it."""
    return unicodedata.name(word[0], "").partition(" ")[0]


def _named(table: Mapping[str, Any], keys: tuple[str, ...]) -> set[str]:
    """Words that the patterns of a file match, as far as their choices are simple ones."""
    patterns = _AROUND.sub("", " ".join(str(table.get(key, "")) for key in keys).casefold())
    while group := _CHOICE.search(patterns):
        before, choices, letters, single, after = group.groups()
        each = choices.split("|") if choices else [*(letters or ""), single or ""]
        every = "|".join(f"{before}{one}{after}" for one in [*each, ""])
        patterns = f"{patterns[: group.start()]}{every}{patterns[group.end() :]}"
    return {folded(word) for word in _WORD.findall(patterns) if len(word) > 1}


_AROUND = re.compile(r"\(\?<?[=!][^)]*\)")
_CHOICE = re.compile(r"(\w*?)(?:\(\?:([^()]*)\)\??|\[(\w+)\]\??|(\w)\?)(\w*)")
