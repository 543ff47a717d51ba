"""Which languages a text may be in, told by its commonest words: a guess of microseconds.

What a whole message is written in is `text.language.language_of`'s to say; here a wrong guess costs
little, and every remembered line is asked about.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from skill_agent.text.language import ENGLISH, language, spoken
from skill_agent.text.scripts import KANA, UNSPACED

_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z]")
_KANA, _UNSPACED = re.compile(f"[{KANA}]"), re.compile(f"[{UNSPACED}]")
_FIGURES = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d(?:st|nd|rd|th)\b|\d[./-] ?\d")
_UNSPACED_TIMES = re.compile("[年月日号號天周週曜昨今明前后後先来去春夏秋冬]")
_READ = 1_000
"""Characters of a text that are looked at."""
_A_WORD = 3
"""Letters that say as much as one character of a script without blanks."""
_SHORT = 8
"""Up to so many words that tell nothing, a text may be in any language of its script."""
_TIMES = ("months", "weekdays", "named", "unit", "season", "which")


def likely_languages(text: str) -> tuple[str, ...]:
    """Codes of the languages most words of the text are common in: English where it is among
    them, for a single word and otherwise several where nothing tells them apart; none where no
    word tells anything."""
    text = text[:_READ]
    if not text.isascii() and _A_WORD * len(_UNSPACED.findall(text)) > len(_LATIN.findall(text)):
        return ("ja",) if _KANA.search(text) else ("zh", "ja")
    words = _WORD.findall(text.casefold())
    common = _common()
    votes = Counter(code for word in words for code in common.get(word, ()))
    if not votes:
        return _written_like(_script(words[0])) if 0 < len(words) <= _SHORT else ()
    most = max(votes.values())
    found = sorted(code for code, count in votes.items() if count == most)
    return (ENGLISH,) if ENGLISH in found and len(words) > 1 else tuple(found)


def may_name_time(text: str) -> bool:
    """Whether a text holds any word or figure that a time is named by, in any language; saves
    reading most of them closely."""
    if _FIGURES.search(text) or (not text.isascii() and _UNSPACED_TIMES.search(text)):
        return True
    return not _times().isdisjoint(_WORD.findall(text.casefold()))


@cache
def _times() -> frozenset[str]:
    named = [_named(one.tables.get("time", {}), _TIMES) - stop_words(one.code) for one in spoken()]
    return frozenset().union(*named)


@cache
def stop_words(code: str) -> frozenset[str]:
    """Words so common in a language that they tell nothing but the language."""
    known = language(code)
    return frozenset(known.tables.get("words", {}).get("stop", "").split() if known else ())


@cache
def _common() -> dict[str, tuple[str, ...]]:
    """Each common word, and each that names a time, with the languages it is one of."""
    found: dict[str, tuple[str, ...]] = {}
    for one in spoken():
        named = _named(one.tables.get("time", {}), (*_TIMES, "part", "edge", "number"))
        for word in stop_words(one.code) | named:
            found[word] = (*found.get(word, ()), one.code)
    return found


@cache
def _written_like(script: str) -> tuple[str, ...]:
    """The languages written in a script; English first."""
    codes = [one.code for one in spoken() if one.mine and _script(one.mine[0]) == script]
    return tuple(sorted(codes, key=lambda code: (code != ENGLISH, code)))


def _script(word: str) -> str:
    return unicodedata.name(word[0], "").partition(" ")[0]


def _named(table: Mapping[str, Any], keys: tuple[str, ...]) -> set[str]:
    """Words that the patterns of a file match, as far as their choices are simple ones."""
    patterns = _AROUND.sub("", " ".join(str(table.get(key, "")) for key in keys).casefold())
    while group := _CHOICE.search(patterns):
        before, choices, letters, single, after = group.groups()
        each = choices.split("|") if choices else [*(letters or ""), single or ""]
        every = "|".join(f"{before}{one}{after}" for one in [*each, ""])
        patterns = f"{patterns[: group.start()]}{every}{patterns[group.end() :]}"
    return {word for word in _WORD.findall(patterns) if len(word) > 1}


_AROUND = re.compile(r"\(\?<?[=!][^)]*\)")
_CHOICE = re.compile(r"(\w*?)(?:\(\?:([^()]*)\)\??|\[(\w+)\]\??|(\w)\?)(\w*)")
