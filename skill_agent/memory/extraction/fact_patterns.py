"""The words by which facts about a person are certain, from each language's `[facts]`.

A pattern is a phrase with a slot: `(a|b)` is one of them, `[a|b]` one of them or none. It is
`{Name}`, `{Place}` or `{Firm}` (names, told by their capitals), `{thing}` (a few words), `{Word}`,
`{rest}`, `{day}`, `{n}`, `{mail}`, `{phone}`, `{pronouns}`, `{tongues}` or a list of
`[facts.lists]`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from skill_agent.text.language import language
from skill_agent.text.scripts import HAN, KANA, UNSPACED

_CLOSE = re.compile(f"[{UNSPACED}]")
_PIECE = re.compile(
    r"\[(?P<may>[^\]]+)\](?P<blank> ?)|\((?P<one>[^)]+)\)|\{(?P<slot>\w+)\}| +|[^\s\[({]+"
)
_SLOTS = {  # lists are a few words as well
    "Name": r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*){0,2}?",
    "Place": r"[^\W\d_][\w'’.&-]*(?:,? [\w'’.&-]+){0,4}?",
    "Word": r"[^\W\d_]+",
    "thing": r"[^\W\d_][\w'’-]*(?: [\w'’-]+){0,5}?",
    "day": r"(?:\w+\.? )?\d{1,4}[^,;!?]{0,25}?",
    "n": r"\d{1,3}",
    "rest": r"\w.*",
    "mail": r"[\w.+-]+@[\w-]+\.[\w.-]*\w",
    "phone": r"\+?\d[\d ()/.-]{5,}\d",
    "pronouns": r"\w+/\w+(?:/\w+)?",
}
_CLOSE_SLOTS = {  # lists are a few words as well
    "Name": rf"[{HAN}{KANA}A-Za-z・]{{1,12}}?",
    "Place": rf"[{HAN}{KANA}A-Za-z0-9]{{1,15}}?",
    "thing": rf"[{HAN}{KANA}A-Za-z]{{1,12}}?",
    "day": r"[\d一二三四五六七八九十〇]+[年月][\d一二三四五六七八九十〇年月日]*|\d[\d/.-]+",
    "n": r"\d{1,3}",
}
_SAME = {"Firm": "Place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FactWords:
    """What one language says of facts."""

    kinds: Mapping[str, tuple[re.Pattern[str], tuple[str, ...]]]
    """By kind of fact what states it, and the slots its groups are."""
    lists: Mapping[str, frozenset[str]]
    """Words a slot of that name may hold."""
    starts: re.Pattern[str]
    """Ends where a clause may begin."""
    stops: re.Pattern[str]
    """Denies, supposes, or lets another speak."""
    unreal: re.Pattern[str]
    """Makes a whole message invented or another's text."""
    leaning: re.Pattern[str]
    """Begins a sentence that needs the one before."""
    joins: re.Pattern[str]
    """Joins two clauses, at the end of a text."""
    hello: re.Pattern[str]
    """Greetings and nothing else."""
    no_names: frozenset[str]
    close: bool
    """Written without blanks."""


KINDS = (
    "name", "greeted", "pronouns", "place", "origin", "employer", "trade", "birthday", "age",
    "family", "allergy", "diet", "tongue", "contact",
)  # fmt: skip


@cache
def fact_words(code: str) -> FactWords | None:
    """What a language's file says of facts; None where there is none."""
    known = language(code)
    table = known.tables.get("facts") if known else None
    return _read(known.greetings, table) if known and table else None


def _read(greetings: Sequence[str], table: Mapping[str, Any]) -> FactWords:
    close = bool(_CLOSE.search(table["name"][0]))
    joins = _any(table["joins"], close=close)
    ends = _any(table["ends"], close=close)
    blank = "" if close else " +"
    end = rf"(?=\s*(?:[^\w\s'’/@&%-]|$)|\s[-–—]\s|{blank}(?:{ends}))"
    hello = _any([*table["joins"], *greetings], close=close)
    return FactWords(
        kinds={
            kind: _compiled(phrases, end, close=close)
            for kind in KINDS
            if (phrases := table.get(kind))
        },
        lists={name: frozenset(words) for name, words in table["lists"].items()},
        starts=_pattern(rf"(?:^\W*|[,;、，；(]\s*|\s[–—-]\s|{joins}[\s,、，!！]+)"),
        stops=_pattern(_any(table["stops"], close=close)),
        unreal=_pattern(_any(table["unreal"], close=close)),
        leaning=_pattern(_any(table["leaning"], close=close)),
        joins=_pattern(rf"[\s,;、，；–—(-]*(?:{joins})?[\s,;、，；–—(-]*$"),
        hello=_pattern(rf"\W*{hello}\W+(?:{hello}\W+)*"),
        no_names=frozenset(table["no_names"]),
        close=close,
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _any(words: Sequence[str], *, close: bool) -> str:
    """One of some words, the longest first."""
    ranked = sorted(words, key=len, reverse=True)
    body = "|".join(map(_spelt, ranked))
    return f"(?:{body})" if close else rf"(?<!\w)(?:{body})(?!\w)"


def _spelt(text: str) -> str:
    return re.escape(text).replace("'", "['’]").replace(r"\ ", r"\s+")


def _compiled(
    phrases: Sequence[str], end: str, *, close: bool
) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Phrases as one regular expression with a group for each slot."""
    slots: list[str] = []
    shapes: list[str] = []
    for phrase in phrases:
        shape = ""
        for piece in _PIECE.finditer(phrase):
            if may := piece["may"]:
                blank = r"\s+" if piece["blank"] else ""
                shape += f"(?:(?:{_choices(may)}){blank})?"
            elif one := piece["one"]:
                shape += f"(?:{_choices(one)})"
            elif slot := piece["slot"]:
                slots.append(slot)
                shape += f"({_slot(slot, close=close)})"
            else:
                shape += r"\s+" if piece[0].isspace() else _spelt(piece[0])
        shapes.append(shape)
    return _pattern(f"(?:{'|'.join(shapes)}){end}"), tuple(slots)


def _choices(text: str) -> str:
    return "|".join(map(_spelt, text.split("|")))


def _slot(name: str, *, close: bool) -> str:
    name = _SAME.get(name, name)
    if close and name not in ("mail", "phone", "pronouns"):
        return _CLOSE_SLOTS.get(name, _CLOSE_SLOTS["thing"])
    return _SLOTS.get(name, _SLOTS["thing"])
