"""How times to come are said in a language: the heading `[schedule]` of its file, made patterns.

`say` holds the shapes of the parts that such a saying consists of, `time` those of a time of day;
slots in braces stand for the tables of words beside them, or for those of the heading `[time]`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from skill_agent.text.language import english, language, spoken
from skill_agent.text.scripts import HAN

_SLOT = re.compile(r"\{([a-z]+)\}")
_HAN_DIGITS = "一二三四五六七八九"
_HAN_NUMBER = rf"[{_HAN_DIGITS}两十]{{1,3}}"
_DATE = r"(?P<year>20\d\d)-(?P<monthnumber>\d\d)-(?P<day>\d\d)"

Table = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as it was said."""

    hour: int
    minute: int = 0
    half: str = ""
    """`am` or `pm` where it said so."""
    bare: bool = False
    """A number alone, that may be something else."""


Value = Clock | float | str
"""What a word in a slot stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWords:
    """The patterns of one language."""

    code: str
    parts: tuple[tuple[str, re.Pattern[str]], ...]
    """Kind and shape of everything that may be part of such a saying."""
    times: tuple[tuple[str, re.Pattern[str]], ...]
    tables: Mapping[str, Table]
    examples: tuple[str, ...]
    weekdays: tuple[str, ...]
    """Their short names, from Monday."""

    def value(self, slot: str, word: str) -> Value | None:
        """None for a word that cannot stand there."""
        if slot in ("time", "from", "to"):
            return self._clock(word)
        if figures := re.match(r"\d+", word):
            return int(figures[0])
        found = next((one for one, like in self.tables[slot].items() if like.fullmatch(word)), None)
        if slot not in _COUNTS:
            return found
        return _han_number(word) if found is None else float(found) if "." in found else int(found)

    def _clock(self, word: str) -> Clock | None:
        for kind, shape in self.times:
            if found := shape.fullmatch(word):
                said = {
                    slot: self.value(slot, one) for slot, one in found.groupdict().items() if one
                }
                return _clock(kind, said, bare=kind == "plain" and set(said) == {"hour"})
        return None


_COUNTS = {"number", "hour", "minute", "day", "nth", "month", "monthnumber", "year", "weekday",
           "weekdays", "until"}  # fmt: skip
_SHORT = {"exact": 1, "plain": 2}
_SHIFTS = {"half_past": 30, "half_to": -30, "quarter_past": 15, "quarter_to": -15}


def _clock(kind: str, said: Mapping[str, Any], *, bare: bool) -> Clock:
    if kind in ("noon", "midnight"):
        return Clock(12 if kind == "noon" else 0)
    hour, minute = int(said["hour"]), int(said.get("minute", 0))
    if kind == "past" or kind == "to":
        shift = minute if kind == "past" else -minute
    else:
        shift = _SHIFTS.get(kind, minute)
    if shift < 0 and hour in (0, 1) and said.get("half") != "pm":
        hour += 12 if hour else 24  # a quarter to one is 12:45
    hours, minutes = divmod(hour * 60 + shift, 60)
    return Clock(hours, minutes, said.get("half", ""), bare)


@cache
def schedule_words(code: str) -> ScheduleWords | None:
    """A language's words; None where its file has none."""
    known = language(code)
    if known is None or "schedule" not in known.tables:
        return None
    mine, times = known.tables["schedule"], known.tables["time"]
    tables = {slot: _compiled(one) for slot, one in _tables(mine, times).items()}
    shapes = _Shapes(mine, times)
    return ScheduleWords(
        code=code,
        parts=tuple(shapes.parts()),
        times=tuple((kind, shapes.pattern(one)) for kind, one in shapes.times()),
        tables=tables,
        examples=tuple(mine["examples"]),
        weekdays=tuple(mine["shown"]),
    )


def in_each_language(code: str) -> Iterator[ScheduleWords]:
    """Every language there are words in: the person's, English, then the others."""
    for one in dict.fromkeys((code, english().code, *(one.code for one in spoken()))):
        if one and (words := schedule_words(one)) is not None:
            yield words


def _tables(mine: Mapping[str, Any], times: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The words of each slot by what they stand for."""

    def in_order(name: str, first: int) -> dict[str, str]:
        further = mine.get(name) or [""] * len(times[name])
        both = zip(times[name], further, strict=True)
        return {str(at): "|".join(filter(None, one)) for at, one in enumerate(both, first)}

    number = dict(mine["number"])
    whole = {one: words for one, words in number.items() if "." not in one}
    number["1"] = "|".join(filter(None, (number.get("1"), mine["article"])))
    weekday = in_order("weekdays", 0)
    return {
        "number": number,
        "hour": whole,
        "minute": whole,
        "day": mine.get("nth", {}),
        "nth": mine.get("nth", {}),
        "weekday": weekday,
        "until": weekday,
        "weekdays": {str(at): one for at, one in enumerate(mine.get("each", []))},
        "month": in_order("months", 1),
        "monthnumber": {},
        "year": {},
        "unit": mine["unit"],
        "named": {**times["named"], **mine.get("named", {})},
        "part": {**times["part"], **mine.get("part", {})},
        "parts": mine.get("parts", {}),
        "half": mine.get("half", {}),
    }


def _compiled(table: Mapping[str, str]) -> Table:
    return {value: re.compile(one, re.IGNORECASE) for value, one in table.items()}


class _Shapes:
    """Fills the slots of a file's shapes."""

    def __init__(self, mine: Mapping[str, Any], times: Mapping[str, Any]) -> None:
        self._mine = mine
        self._close = bool(times.get("close"))
        inner = {
            slot: "|".join(one.values()) or "(?!)" for slot, one in _tables(mine, times).items()
        }
        suffix, han = mine.get("suffix", ""), [_HAN_NUMBER] if self._close else []
        edge = "" if self._close else r"\b"  # "and" is not "an d", a day
        inner["number"] = "|".join([*han, r"\d{1,4}", f"(?:{inner['number']}){edge}"])
        inner["hour"] = "|".join([*han, r"\d{1,2}", inner["hour"]])
        inner["minute"] = "|".join([*han, r"[0-5]\d", inner["minute"]])
        inner["day"] = "|".join([*han, rf"\d{{1,2}}{suffix}", inner["day"]])
        inner["nth"] = "|".join([*han, rf"\d{suffix}", inner["nth"]])
        inner["monthnumber"], inner["year"] = r"\d{1,2}", r"20\d\d"
        self._inner = inner
        unnamed = "|".join(self._filled(one, named=False) for _, one in self.times())
        inner["time"] = inner["from"] = inner["to"] = unnamed

    def times(self) -> Iterator[tuple[str, str]]:
        """The longer ones first: "9 o'clock" before "9"."""
        kinds = sorted(self._mine["time"].items(), key=lambda one: _SHORT.get(one[0], 0))
        for kind, shapes in kinds:
            yield from ((kind, one) for one in shapes)

    def parts(self) -> Iterator[tuple[str, re.Pattern[str]]]:
        for kind, shapes in self._mine["say"].items():
            yield from ((kind, self.pattern(one)) for one in shapes)
        yield "date", self.pattern(_DATE)

    def pattern(self, shape: str) -> re.Pattern[str]:
        text = self._filled(shape, named=True)
        edged = text if self._close else rf"(?<!\w)(?:{text})(?!\w)"
        return re.compile(edged, re.IGNORECASE)

    def _filled(self, shape: str, *, named: bool) -> str:
        def slot(found: re.Match[str]) -> str:
            name = f"?P<{found[1]}>" if named else "?:"
            return f"({name}{self._inner[found[1]]})"

        return _SLOT.sub(slot, shape.replace(" ", " ?") if self._close else shape)


def _han_number(word: str) -> int | None:
    """十二 as 12, up to 99."""
    if not word or not re.match(f"[{HAN}]", word):
        return None
    tens, ten, ones = word.replace("两", "二").rpartition("十")
    return (_HAN_DIGITS.find(tens) + 1 or 1) * 10 * bool(ten) + (
        _HAN_DIGITS.find(ones) + 1 if ones else 0
    )
