"""What two short statements have in common and how they differ, in any language; no lists of words.

Signs and symbols it does not see, so it proves no two texts the same: that is `retold`'s to say.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from skill_agent.text.scripts import HAN, KATAKANA, UNSPACED

_RUN = re.compile(rf"[{HAN}]+|[{KATAKANA}]{{2,}}")
_FIGURE = re.compile(r"\d+(?:[.,:\u00a0\u202f]\d+| \d{3}(?!\d))*")
_SHORT = 3
"""Letters of a word that tells little."""
_COUNTED = re.compile(rf"{_FIGURE.pattern}\s?(?:[{UNSPACED}]{{1,2}}|[^\W\d_{UNSPACED}]+)?")
_PIECE = re.compile(rf"{_FIGURE.pattern}|[{UNSPACED}]|[^\W\d_{UNSPACED}]+")
_LONGEST, _BEFORE = 4, 1.5
"""Pieces in a slot at most and before it at least; of a script without blanks twice as many
characters."""


def telling(text: str) -> frozenset[str]:
    """What a text is about, for comparing: its longer words without their endings, figures, and
    the pairs of characters of scripts without blanks (Japanese endings tell nothing)."""
    found = set(figures_of(text))
    for run in _RUN.findall(text):
        found |= {"".join(two) for two in pairwise(run)} or {run}
    for at, word in enumerate(re.findall(rf"[^\W\d_{UNSPACED}]+", text)):
        if len(word) > _SHORT or (at and len(word) > 1 and word[0].isupper()):
            found.add(_stem(word.casefold()))
    return frozenset(found)


def _stem(word: str) -> str:
    """What stands for a word whatever its ending."""
    return word[:4] if len(word) <= 5 else word[:5]


def figures_of(text: str) -> frozenset[str]:
    return frozenset(one[0] for one in _FIGURE.finditer(text))


def uncounted(text: str) -> str:
    """The text without its figures and what stands behind each: a unit, or what is counted."""
    return _COUNTED.sub(" ", text)


def named(text: str) -> frozenset[str]:
    """Names and longer figures of a text, as `telling` has them."""
    capitals = {one for one in re.findall(r"(?<=\w)\W+([^\W\d_]{3,})", text) if one[0].isupper()}
    figures = {one for one in figures_of(text) if len(one) > 2}
    return frozenset({_stem(one.casefold()) for one in capitals} | figures)


def likeness(one: str, other: str) -> float:
    """0..1, the share of telling words two texts have in common; stands in for a cosine."""
    a, b = telling(one), telling(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """The one place where two sentences that are otherwise the same differ."""

    old: str
    new: str

    def counts(self, words: re.Pattern[str]) -> bool:
        """Numbers or days alone differ, in digits or in `words`, and what they count does not."""
        sides = self.old, self.new
        figures = re.compile(f"{_FIGURE.pattern}|{words.pattern}", re.IGNORECASE)
        bare = [figures.sub("", side).split() for side in sides]
        return bare[0] == bare[1] and all(map(figures.search, sides))


def one_slot(old: str, new: str) -> Slot | None:
    """Where all else is equal, but for a few words the new one begins with, and what they are about
    stands before the slot."""
    a, b = _pieces(old), _pieces(new)
    folded = [[one.casefold() for one in side] for side in (a, b)]
    codes = SequenceMatcher(None, *folded, autojunk=False).get_opcodes()
    if codes and codes[0][0] == "insert" and _size(b[: codes[0][4]]) <= _LONGEST:
        codes = codes[1:]
    changed = [code for code in codes if code[0] != "equal"]
    if len(changed) != 1 or changed[0][0] != "replace":
        return None
    _, a1, a2, b1, b2 = changed[0]
    slot = Slot(old=_joined(a[a1:a2]), new=_joined(b[b1:b2]))
    size = max(_size(a[a1:a2]), _size(b[b1:b2]))
    if size > min(_LONGEST, _size(a) - _size(a[a1:a2])):
        return None
    # A number behind the first word is part of a name: "Shelf 3 holds jars".
    if _size(a[:a1]) < _BEFORE or not telling(_joined(a[:a1])):
        return None
    return slot


def _pieces(text: str) -> list[str]:
    return [one.strip() for one in _PIECE.findall(text)]


def _joined(pieces: list[str]) -> str:
    return "".join(one if re.match(f"[{UNSPACED}]", one) else f" {one} " for one in pieces).strip()


def _size(pieces: list[str]) -> float:
    return sum(0.5 if re.match(f"[{UNSPACED}]", one) else 1 for one in pieces)
