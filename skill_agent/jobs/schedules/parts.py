"""What a saying consists of: its parts in order, and what is left that nobody understands."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .words import Clock, ScheduleWords, Value

_BETWEEN = re.compile(r"[\s,;、，]*")
_WORD = re.compile(r"\w+|\S")
_LITTLE = {"and", "filler"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some words with what they stand for."""

    kind: str
    said: str
    values: dict[str, Value]

    def number(self, slot: str, otherwise: float = 1) -> float:
        found = self.values.get(slot, otherwise)
        return found if isinstance(found, int | float) else otherwise

    def whole(self, slot: str) -> int:
        return int(self.number(slot))

    def word(self, slot: str) -> str:
        found = self.values.get(slot, "")
        return found if isinstance(found, str) else ""

    def clock(self, slot: str = "time") -> Clock:
        found = self.values.get(slot)
        return found if isinstance(found, Clock) else Clock(0)


@dataclass(frozen=True, slots=True)
class Reading:
    """A saying taken apart by the words of one language."""

    words: ScheduleWords
    parts: tuple[Part, ...]
    """Those that mean something."""
    unknown: tuple[str, ...] = ()
    """What was not understood, neighbours together."""


def folded(text: str) -> str:
    """As it is compared: one kind of blanks, quotes and figures."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    return re.sub(r"(?<=\D)[.!?。]+$", "", " ".join(plain.split()).strip("\"'“”„«»"))


def take_apart(text: str, words: ScheduleWords) -> Reading:
    """At each place the longest part that stands there."""
    parts: list[Part] = []
    gaps: list[tuple[int, int]] = []
    place, known = 0, True
    while (place := _skipped(text, place)) < len(text):
        part, end = _longest(text, place, words)
        if part is not None and not (part.kind == "hour" and not _beside_a_time(parts)):
            known = True
            parts.append(part)
        else:
            end = end if part is not None else _word_end(text, place)
            gaps[-1:] = [*gaps[-1:], (place, end)] if known else [(gaps[-1][0], end)]
            known = False
        place = end
    unknown = tuple(text[start:end] for start, end in gaps)
    return Reading(words, tuple(one for one in parts if one.kind not in _LITTLE), unknown)


def _beside_a_time(parts: Sequence[Part]) -> bool:
    """There a number alone is a time of day too: "at 9 and 18"."""
    told = [part.kind for part in parts if part.kind not in _LITTLE]
    return bool(told) and told[-1] in ("clock", "hour")


def _skipped(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return found.end() if found else place


def _word_end(text: str, place: int) -> int:
    found = _WORD.match(text, place)
    return found.end() if found else place + 1


def _longest(text: str, place: int, words: ScheduleWords) -> tuple[Part | None, int]:
    best, end = None, place
    for kind, shape in words.parts:
        found = shape.match(text, place)
        if found is None or found.end() <= end:
            continue
        values = {slot: words.value(slot, one) for slot, one in found.groupdict().items() if one}
        known = {slot: one for slot, one in values.items() if one is not None}
        if len(known) == len(values):
            said = "clock" if kind == "hour" and not _is_bare(known) else kind
            best, end = Part(kind=said, said=found[0], values=known), found.end()
    return best, end


def _is_bare(values: Mapping[str, Value]) -> bool:
    time = values.get("time")
    return isinstance(time, Clock) and time.bare
