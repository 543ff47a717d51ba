"""Numbers in a reply that nobody gave: neither the material it was worded from nor the question."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .numerals import readings
from .scripts import UNSPACED

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<body>\d+(?:[.,'’\u00a0\u202f]\d+|[ ]\d{3}(?!\d))*)(?:\s?(?P<word>[^\W\d_]+))?"
)
_ITEM = re.compile(r"^\s*(?:[-*]\s+)?\d{1,2}[.)]\s", re.MULTILINE)
"""The number of a list's item counts nothing."""
_SCALES = (
    (3, re.compile(r"(?:k|thousand|tsd|tausend|mil|mille|тыс\w*)$", re.IGNORECASE)),
    (6, re.compile(r"(?:m|mn|mio|mill[io]\w*|млн)$", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class _Number:
    written: str
    meanings: frozenset[Decimal]
    """Everything it may mean; 1.234 is a thousand or little more than one."""
    parts: tuple[Decimal, ...] = ()
    """The numbers it is where it is none: a day, or two numbers side by side."""


_CLOSE = re.compile(f"[{UNSPACED}]")
"""Written without blanks: a number between such characters stands alone."""


def strays(reply: str, *sources: str) -> list[str]:
    """Numbers of the reply that stand in no source, as they are written.

    However a number is written, it is the same: 1,234 and 1.234 and 1234.0, 1.2 million, rounded
    to two digits or more, a share as per cent, a loss without its sign. Number words are not seen.
    """
    known: set[Decimal] = set()
    for source in sources:
        for number in _numbers(source):
            known |= number.meanings | {*number.parts}
    ordered = sorted(known)
    found = [one.written for one in _numbers(_ITEM.sub(" ", reply)) if not _is_known(one, ordered)]
    return [*dict.fromkeys(found)]


def _is_known(number: _Number, known: Sequence[Decimal]) -> bool:
    if any(_stands(one, known) for one in number.meanings):
        return True
    return bool(number.parts) and all(_stands(one, known) for one in number.parts)


def _numbers(text: str) -> Iterator[_Number]:
    text = _CLOSE.sub(" ", text)
    for match in _NUMBER.finditer(text):
        body, word = match["body"], match["word"] or ""
        meanings = readings(body)
        for power, scale in _SCALES:
            if scale.match(word):
                meanings |= {one.scaleb(power) for one in meanings}
        whole = bool(meanings) and " " not in body
        parts = () if whole else tuple(Decimal(part) for part in re.findall(r"\d+", body))
        yield _Number(body, frozenset(meanings), parts)


def _stands(value: Decimal, known: Sequence[Decimal]) -> bool:
    """Whether a known number is this one, or is written so where it is rounded or a share."""
    step = _step(value)
    return any(
        abs(one - value) <= step or (one <= 1 and abs(one * 100 - value) <= step) for one in known
    )


def _step(value: Decimal) -> Decimal:
    """Half of the last digit that is meant: of the last fraction digit, or of the last one ahead
    of the zeros, but two digits are always meant. 1,200 may be 1,234, and 1,000 may not."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < 0:
        return Decimal(5).scaleb(exponent - 1)
    digits = str(int(value))
    zeros = len(digits) - len(digits.rstrip("0"))
    return Decimal(5).scaleb(max(0, min(zeros, len(digits) - 2)) - 1)
