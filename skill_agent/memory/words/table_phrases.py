"""Phrases of a language's table as one pattern.

A phrase may begin or end in `*` (any letters) and have a gap, `ne ... plus`.
"""

import re
from collections.abc import Sequence
from itertools import groupby

from skill_agent.text.scripts import UNSPACED

_NEVER = re.compile(r"(?!)")
_GAP = r".{0,40}?"
_ANY = r"\w*"
_LETTER = rf"[^\W{UNSPACED}]"
"""Of a script with blanks: a word of one may stand right beside characters of another."""


_NO_LETTER_BEFORE, _NO_LETTER_BEHIND = rf"(?<!{_LETTER})", rf"(?!{_LETTER})"


def pattern_of(phrases: Sequence[str]) -> re.Pattern[str]:
    """One pattern for all of them, the longest first.

    What stands around several in a row is said once: each look around compiles a class of half of
    Unicode, and hundreds of them took seconds.
    """
    parts = [_phrase(one) for one in sorted(phrases, key=len, reverse=True)]
    groups = [(around, [body for _, body in them]) for around, them in groupby(parts, _around)]
    joined = "|".join(f"{begin}(?:{'|'.join(them)}){end}" for (begin, end), them in groups)
    return re.compile(joined, re.IGNORECASE) if parts else _NEVER


def _around(part: tuple[tuple[str, str], str]) -> tuple[str, str]:
    return part[0]


def _phrase(phrase: str) -> tuple[tuple[str, str], str]:
    """What must stand around a phrase, and the phrase."""
    pieces = [_piece(one) for one in phrase.split("...")]
    (begin, first, behind), *rest = pieces
    if rest:
        *_, (_, _, end) = rest
        inner = [f"{before}{inside}{after}" for before, inside, after in rest[:-1]]
        before, inside, _ = rest[-1]
        first = _GAP.join([f"{first}{behind}", *inner, f"{before}{inside}"])
    else:
        end = behind
    # Letters before are part of what is found, and of how far back it begins.
    return (("", end), f"{begin}{first}") if begin == _ANY else ((begin, end), first)


def _piece(piece: str) -> tuple[str, str, str]:
    """What is before, the words, what is behind: whole words, but where a script is written without
    blanks or an apostrophe stands between."""
    piece = piece.strip()
    inside = re.escape(piece.strip("*")).replace(r"\ ", r"\s+").replace("'", "['’]")
    if re.search(f"[{UNSPACED}]", piece):
        return "", inside, ""
    begin = _ANY if piece.startswith("*") else _NO_LETTER_BEFORE
    end = "" if piece.endswith("'") else _ANY if piece.endswith("*") else _NO_LETTER_BEHIND
    return begin, inside, end
