"""Phrases of a language's table as one pattern.

A phrase may begin or end in `*` (any letters) and have a gap, `ne ... plus`.
"""

import re
from collections.abc import Sequence

from skill_agent.text.scripts import UNSPACED

_NEVER = re.compile(r"(?!)")
_GAP = r".{0,40}?"
_LETTER = rf"[^\W{UNSPACED}]"
"""Of a script with blanks: a word of one may stand right beside characters of another."""


def pattern_of(phrases: Sequence[str]) -> re.Pattern[str]:
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
    begin = r"\w*" if piece.startswith("*") else rf"(?<!{_LETTER})"
    end = "" if piece.endswith("'") else r"\w*" if piece.endswith("*") else rf"(?!{_LETTER})"
    return begin + inside + end
