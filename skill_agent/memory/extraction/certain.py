"""What is certain about a person by the form of their sentence: name, home, work, family, health.

Right rather than complete. What is kept are the person's own words; only which words say it, and
what takes it back, is known of each language.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .fact_patterns import FactWords, fact_words
from .statement import Statement

LONG = 140
"""Characters of a sentence from which on only the clause is kept."""
_YOUNGEST, _OLDEST = 3, 115
_SUBJECTS = {
    "name": ("user.name", 9), "greeted": ("user.name", 9), "pronouns": ("user.pronouns", 9),
    "place": ("user.location", 8), "origin": ("user.hometown", 7), "employer": ("user.company", 9),
    "trade": ("user.role", 9), "birthday": ("user.birthday", 7), "age": ("user.age", 7),
    "family": ("user.family", 6), "allergy": ("user.allergy", 8), "diet": ("user.diet", 8),
    "tongue": ("user.language", 6), "contact": ("user.contact", 7),
}  # fmt: skip
"""Subject and importance by kind."""
_LITTLE = re.compile(
    "de|la|las|los|el|del|da|do|dos|das|di|du|des|le|les|van|der|den|von|zu|zur|am|an|bei|im|of|"
    "the|upon|and|y|e|bin|ibn|al|ben|sur|lès|sous|в|на|под"
)
"""Small words within names."""
_BORDER = re.compile(r"\s*[,;、，；(。.!]|\s[–—-]\s|$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence, or a clause of it, that states a fact."""

    text: str
    subject: str
    importance: int


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    start: int
    end: int


def certain(statement: Statement) -> list[Fact]:
    """The facts of a statement, each in the words that state it, by the first language that
    knows any."""
    for code in () if statement.invented or statement.led else statement.languages:
        words = fact_words(code)
        if words and (found := sorted(_all(statement, words), key=lambda one: one.start)):
            return [*_told(statement.text, found, words)]
    return []


def _told(text: str, found: Sequence[_Found], words: FactWords) -> Iterator[Fact]:
    for at, one in enumerate(found):
        first = one.start if at or len(text) > LONG else 0
        last = found[at + 1].start if at + 1 < len(found) else _last(text, one.end)
        kept = text[first:last].strip()
        if at + 1 < len(found):
            kept = words.joins.sub("", kept)
        subject, importance = _SUBJECTS[one.kind]
        yield Fact(text=kept, subject=subject, importance=importance)


def _last(text: str, end: int) -> int:
    border = _BORDER.search(text, end)
    return border.start() if border and len(text) > LONG else len(text)


def _all(statement: Statement, words: FactWords) -> Iterator[_Found]:
    """Each kind once, and no words twice."""
    taken: list[range] = []
    starts = [match.end() for match in words.starts.finditer(statement.text)]
    for kind, (pattern, slots) in words.kinds.items():
        for start in starts:
            match = pattern.match(statement.text, start)
            if match is None or any(start in one for one in taken):
                continue
            if _holds(statement, kind, match, slots, words):
                taken.append(range(*match.span()))
                yield _Found(kind, *match.span())
                break


def _holds(
    statement: Statement, kind: str, match: re.Match[str], slots: Sequence[str], words: FactWords
) -> bool:
    """Whether nothing takes it back, and each slot holds what it should."""
    led = statement.text[: match.start()]
    if words.stops.search(led):
        return False
    if kind == "greeted" and not words.hello.fullmatch(f"{statement.before} {led}".lstrip()):
        return False
    values = [(slot, value) for slot, value in zip(slots, match.groups(), strict=True) if value]
    return all(_fits(slot, value, words) for slot, value in values)


def _fits(slot: str, value: str, words: FactWords) -> bool:
    if words.stops.search(value):
        return False
    if slot == "n":
        return _YOUNGEST <= int(value) <= _OLDEST
    if slot == "tongues":
        parts = re.split(r",\s*|\s+", value.casefold())
        return parts[0] in words.lists["tongue"] and parts[-1] in words.lists["tongue"]
    if slot in words.lists:
        known = words.lists[slot]
        return value.casefold() in known or value.split(" ")[0].casefold() in known
    if words.close and slot not in ("day", "mail", "phone"):
        return not any(one in value for one in words.no_names)
    if slot in ("Name", "Place", "Firm"):
        return _is_name(value, words, begins=slot == "Name")
    if slot not in ("thing", "Word"):
        return True
    first = value.split(" ")[0].casefold()
    return bool(_LITTLE.fullmatch(first)) or first not in words.no_names


def _is_name(value: str, words: FactWords, *, begins: bool) -> bool:
    """Whether words are written as names are; a person's does not begin with a small one."""
    parts = [one for one in re.split(r"[\s,]+", value) if one]
    own = [one for one in parts if not _LITTLE.fullmatch(one.casefold())]
    if any(one.strip(".").casefold() in words.no_names for one in own):
        return False
    named = bool(own) and all(one[0].isupper() for one in own)
    return named and (not begins or parts[0][0].isupper())
