"""Numbers as people write them: groups, decimal comma or point, signs and units around them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_GROUPERS = " '’_\u00a0\u2009\u202f"
"""What parts thousands besides the mark that is no decimal one."""
_MINUS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-"})
_CODES = frozenset({
    "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "INR", "RUB", "PLN", "CZK", "SEK", "NOK", "DKK",
    "HUF", "RON", "BRL", "MXN", "ARS", "CLP", "COP", "CAD", "AUD", "NZD", "TRY", "ZAR", "KRW",
    "Rs", "R$", "US$", "Fr",
})  # fmt: skip
"""Currencies that may stand ahead of a number in letters; behind one any short word is a unit."""
_BODY = re.compile(r"[+-]?\s*[\d.,][\d.,'’_ \u00a0\u2009\u202f]*(?:[eE][+-]?\d+)?")
_LONGEST_UNIT = 4
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Numeral:
    """A cell taken apart: the digits with their separators, and the unit beside them."""

    body: str
    unit: str
    negative: bool = False


def numeral(cell: str) -> Numeral | None:
    """The number's digits and unit; None where the cell is no single number."""
    text = cell.strip().translate(_MINUS)
    negative = text.startswith("(") and text.endswith(")")
    if negative:
        text = text[1:-1].strip()
    sign = ""
    if text[:1] in "+-" and text[1:2] and not text[1:2].isdigit():
        sign, text = text[0], text[1:].lstrip()
    found = _BODY.search(text)
    if found is None:
        return None
    body = found[0].rstrip(_GROUPERS)
    ahead, behind = text[: found.start()].strip(), text[found.start() + len(body) :].strip()
    if (ahead and behind) or (ahead and not _is_money(ahead)) or not _may_be_unit(behind):
        return None
    return Numeral(body.replace("+", "").strip(), ahead or behind, negative or sign == "-")


def _is_money(text: str) -> bool:
    return text in _CODES or (len(text) <= 2 and unicodedata.category(text[0]) == "Sc")


def _may_be_unit(text: str) -> bool:
    """Empty, a sign such as % or €, or a short word such as kg."""
    if not text:
        return True
    plain = all(unicodedata.category(char)[0] in "LS" or char in "%‰°/$²³." for char in text)
    return plain and len(text) <= _LONGEST_UNIT and text not in {".", "/"}


def value(body: str, mark: str) -> Decimal | None:
    """What the digits mean with this decimal mark; None where they are not written that way."""
    if body.isdecimal():
        return Decimal(body)
    group = "," if mark == "." else "."
    compact = re.sub(rf"(?<=\d)[{re.escape(group)}{_GROUPERS}](?=\d)", "\0", body.replace(" ", " "))
    whole = compact.partition(mark)[0].lstrip("+- ")
    if "\0" in compact.partition(mark)[2]:
        return None
    pieces = whole.split("\0")
    if len(pieces) > 1 and not _are_groups(pieces):
        return None
    plain = compact.replace("\0", "").replace(" ", "").replace(mark, ".")
    if not re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing else through
        return None


def _are_groups(pieces: list[str]) -> bool:
    """1 234 567, and 12,34,567 as in India."""
    first, *middle, last = pieces
    return 1 <= len(first) <= 3 and len(last) == 3 and all(len(one) in (2, 3) for one in middle)


def is_code(body: str) -> bool:
    """Whether digits are a name and not a quantity: 00123, or longer than any count."""
    digits = re.sub(r"\D", "", body)
    return bool(re.match(r"-?0\d", body)) or len(digits) > _MOST_DIGITS


def decimal_mark(bodies: Iterable[str]) -> str:
    """The mark that some of the numbers prove to be the decimal one; empty where none does."""
    for body in bodies:
        points, commas = body.count("."), body.count(",")
        if points and commas:
            return "." if body.rfind(".") > body.rfind(",") else ","
        if points + commas == 0:
            continue
        mark = "." if points else ","
        if points + commas > 1:
            return "," if mark == "." else "."
        ahead, _, behind = body.lstrip("-").partition(mark)
        if len(behind) != 3 or ahead in ("", "0") or len(ahead) > 3:
            return mark
    return ""


def readings(text: str) -> set[Decimal]:
    """Everything a written number may mean: 1.234 is a thousand or little more than one."""
    return {abs(one) for mark in ".," if (one := value(text.strip(), mark)) is not None}
