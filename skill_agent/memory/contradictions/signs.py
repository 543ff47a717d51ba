"""Words by which a sentence tells that something is different from before, in any language that has
a file: `[changes]` in `text/languages/CODE.toml`.

A phrase may begin or end in `*` (any letters) and have a gap, `ne ... plus`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from skill_agent.text.language import english, language, language_of
from skill_agent.text.scripts import UNSPACED

_NEVER = re.compile(r"(?!)")
_GAP = r".{0,40}?"


class Phrases:
    """A pattern of many phrases. A text is looked through once, for each is compared with many."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.found = lru_cache(maxsize=4096)(lambda text: pattern.search(text) is not None)
        self.without = lru_cache(maxsize=4096)(lambda text: pattern.sub("", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """The signs of one language, each as a pattern."""

    over: Phrases
    """What was so is so no longer: moved, replaced, cancelled, corrected, ended."""
    now: Phrases
    """Something is so at present, which may have been so before."""
    deny: Phrases
    also: Phrases
    """It is so beside something else."""
    figures: re.Pattern[str]
    """Numbers and days in words."""
    perhaps: Phrases
    once: Phrases
    """It was so long ago."""

    def bare(self, text: str) -> str:
        """The text without what says that it is new."""
        return self.now.without(self.over.without(text))

    def beside(self, text: str) -> bool:
        """Whether it says that something is so beside something else."""
        return self.also.found(self.over.without(text))

    def apart(self, one: str, other: str) -> bool:
        """Whether one speaks of what may be or was long ago, and the other does not."""
        kinds = (self.perhaps, self.once)
        return any(kind.found(one) != kind.found(other) for kind in kinds)


def signs_of(*texts: str) -> Signs:
    """The signs of the language the texts are written in; English for one without a file."""
    return _signs(language_of(" ".join(texts)))


@cache
def _signs(code: str) -> Signs:
    told = (language(code) or english()).tables.get("changes", {})
    names = ("over", "now", "deny", "also", "perhaps", "once")
    phrases = {name: Phrases(_pattern(told.get(name, ()))) for name in names}
    return Signs(figures=_pattern(told.get("figures", ())), **phrases)


def _pattern(phrases: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all of them, the longest first."""
    parts = [_phrase(one) for one in sorted(phrases, key=len, reverse=True)]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else _NEVER


def _phrase(phrase: str) -> str:
    return _GAP.join(map(_piece, phrase.split("...")))


def _piece(piece: str) -> str:
    """Whole words, but where a script is written without blanks or an apostrophe stands between."""
    piece = piece.strip()
    inside = re.escape(piece.strip("*")).replace(r"\ ", r"\s+").replace("'", "['’]")
    if re.search(f"[{UNSPACED}]", piece):
        return inside
    begin = r"\w*" if piece.startswith("*") else r"(?<!\w)"
    end = "" if piece.endswith("'") else r"\w*" if piece.endswith("*") else r"(?!\w)"
    return begin + inside + end
