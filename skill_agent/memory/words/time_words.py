"""Words for times and the calendar stretches they mean, in every language there is a file for.

A language's words and the shapes they come in are data: the heading `[time]` of its file. Here is
what such a shape means, the same in all of them. Which of a text's matches count, and what is made
of them, is decided in `when`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Literal

from skill_agent.text.language import language

Grain = Literal["part", "day", "week", "weekend", "month", "season", "quarter", "year", "range"]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_HAN = "一二三四五六七八九"
_HAN_NUMBER = rf"[{_HAN}两兩十]{{1,3}}"
_SLOT = re.compile(r"\{([a-z]+)\}")
_BLANK = re.compile(r"\(\?<[=!][^)]*\)|\[[^]]*\]| \??")
"""A blank; but of a look-behind, whose width is fixed, and of a class of characters nothing."""
_NUMERIC = (
    r"(?P<year>(?:19|20)\d\d)(?P<sign>[-/.])(?P<monthnumber>\d\d?)(?P=sign)(?P<day>\d\d?)",
    r"(?P<one>\d\d?)(?P<sign>[-/.])(?P<two>\d\d?)(?P=sign)(?P<year>(?:19|20)\d\d)",
)
"""Dates all in figures; where the year comes last, a language has its own order of the others."""


# -- the calendar ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clock:
    """When it is said, and which way an open expression points."""

    now: datetime
    ahead: bool

    @property
    def today(self) -> date:
        return self.now.date()

    def at(self, day: date, hour: int = 0) -> datetime:
        """A local hour of a day as UTC."""
        return datetime.combine(day, time(hour), self.now.tzinfo or UTC).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Time:
    """What a rule makes of its match; whole days unless `hours` says otherwise."""

    start: date
    end: date
    grain: Grain
    fixed: bool = False
    name: str = ""
    hours: tuple[int, int] = (0, 0)


def _day(start: date, *, fixed: bool = False) -> Time:
    return Time(start, start + timedelta(1), "day", fixed)


def _week(inside: date) -> Time:
    start = inside - timedelta(inside.weekday())
    return Time(start, start + timedelta(7), "week")


def _weekend(inside: date) -> Time:
    """Of the week from Monday to Sunday that holds the day."""
    start = _week(inside).start + timedelta(5)
    return Time(start, start + timedelta(2), "weekend")


def _months(year: int, month: int, count: int = 1) -> tuple[date, date]:
    """The first day of a month, which may lie outside 1..12, and the first after `count`."""

    def first(number: int) -> date:
        return date(min(9998, max(1, year + (number - 1) // 12)), (number - 1) % 12 + 1, 1)

    return first(month), first(month + count)


def _month(year: int, month: int, *, fixed: bool = False) -> Time:
    return Time(*_months(year, month), "month", fixed)


def _year(year: int, *, fixed: bool = False) -> Time:
    return Time(date(year, 1, 1), date(year + 1, 1, 1), "year", fixed)


def _unit(unit: str, steps: int, today: date) -> Time | None:
    """The day, week, month … so many steps from today's."""
    match unit:
        case "minute" | "hour":
            return _day(today)
        case "day":
            return _day(today + timedelta(steps))
        case "week":
            return _week(today + timedelta(7 * steps))
        case "weekend":
            return _weekend(today + timedelta(7 * steps))
        case "month":
            return _month(today.year, today.month + steps)
        case "quarter":
            start, end = _months(today.year, (today.month - 1) // 3 * 3 + 1 + 3 * steps, 3)
            return Time(start, end, "quarter")
        case "year":
            return _year(today.year + steps) if 1 < today.year + steps < 9998 else None
    return None


def _safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


# -- a language's words ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWords:
    """How times are said in one language."""

    slots: Mapping[str, Mapping[str, re.Pattern[str]]]
    """What a word in a slot stands for, and the words for it."""
    cues: Mapping[str, re.Pattern[str]]
    shapes: "tuple[tuple[re.Pattern[str], Rule], ...]"
    """How a time is said, and what that means."""
    order: str
    """Of day and month in a date of figures: "dmy" or "mdy"."""

    def cued(self, kind: str, text: str) -> bool:
        """Whether the words of a kind stand in a text; a cue that ends in `$` stands at its end."""
        cue = self.cues.get(kind)
        return bool(cue and cue.search(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A match of one shape, its slots by name."""

    found: re.Match[str]
    words: TimeWords

    def word(self, slot: str) -> str:
        return self.found.groupdict().get(slot) or ""

    def has(self, slot: str) -> bool:
        return self.found.groupdict().get(slot) is not None

    def value(self, slot: str) -> str:
        """What the word in a slot stands for; empty where there is none."""
        if not self.word(slot):
            return ""
        known = self.words.slots.get(slot, {}).items()
        inside = (self.found.string, *self.found.span(slot))
        return next((value for value, pattern in known if pattern.fullmatch(*inside)), "")

    def number(self, slot: str) -> float:
        word = self.word(slot)
        if word.isdecimal():
            return int(word)
        return _han_number(word) if word[0] in _HAN_DIGITS else float(self.value(slot))

    @property
    def year(self) -> int:
        return int(self.word("year") or 0)

    @property
    def month(self) -> int:
        return int(self.value("month") or self.number("monthnumber"))

    def cued(self, kind: str, slot: str | int = 0) -> bool:
        """Whether such words stand right before it, or before what is in a slot."""
        start = self.found.start(slot)
        return self.words.cued(kind, self.found.string[max(0, start - 60) : start])


Rule = Callable[[Said, Clock], Time | None]


@cache
def time_words(code: str) -> TimeWords | None:
    """A language's words for times; None where its file has none."""
    known = language(code)
    table: Mapping[str, Any] = known.tables.get("time", {}) if known else {}
    if not table:
        return None
    words: dict[str, Mapping[str, str]] = {name: table.get(name, {}) for name in _SLOTS}
    words["month"] = {str(at + 1): one for at, one in enumerate(table["months"])}
    words["weekday"] = {str(at): one for at, one in enumerate(table["weekdays"])}
    words["week"] = words["which"]
    shapes = [
        (_shape(one, words, table), _RULES[kind])
        for kind, said in table["say"].items()
        for one in said
    ]
    edges = r"(?<![\d./-])", r"(?![./-]?\d)"
    shapes += [(re.compile(edges[0] + one + edges[1]), _full_date) for one in _NUMERIC]
    return TimeWords(
        slots={
            name: {value: re.compile(one, re.IGNORECASE) for value, one in values.items()}
            for name, values in words.items()
        },
        cues={name: re.compile(one, re.IGNORECASE) for name, one in table["cue"].items()},
        shapes=tuple(shapes),
        order=table.get("order", "dmy"),
    )


_SLOTS = ("named", "which", "unit", "part", "season", "edge", "number", "day")


def _shape(
    shape: str, words: Mapping[str, Mapping[str, str]], table: Mapping[str, Any]
) -> re.Pattern[str]:
    """A shape of a file as a regular expression: its slots filled, a blank as any blanks."""
    close = bool(table.get("close"))
    han = [_HAN_NUMBER] if close else []
    inner = {name: "|".join(values.values()) for name, values in words.items()}
    inner["year"] = r"(?:19|20)\d\d"
    inner["monthnumber"] = "|".join([r"\d{1,2}", *han])
    inner["number"] = "|".join(filter(None, [*han, r"\d{1,3}", inner["number"]]))
    inner["day"] = "|".join(filter(None, [*han, r"\d{1,2}", inner["day"]]))
    after = {"day": table.get("nth", "")}

    def filled(found: re.Match[str]) -> str:
        return f"(?:(?P<{found[1]}>{inner[found[1]]}){after.get(found[1], '')})"

    def blanks(found: re.Match[str]) -> str:
        return {" ": r"\s{0,3}" if close else r"\s{1,3}", " ?": r"\s{0,3}"}.get(found[0], found[0])

    text = _BLANK.sub(blanks, _SLOT.sub(filled, shape))
    return re.compile(text if close else rf"(?<!\w)(?:{text})(?!\w)", re.IGNORECASE)


_HAN_DIGITS = "十两兩" + _HAN


def _han_number(word: str) -> int:
    """十二 as 12; the Chinese and Japanese way up to 99."""
    tens, ten, ones = word.replace("两", "二").replace("兩", "二").rpartition("十")
    return (_HAN.find(tens) + 1 or 1) * 10 * bool(ten) + (_HAN.find(ones) + 1 if ones else 0)


# -- what each kind of shape means ------------------------------------------------------------

_PARTS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (17, 0), "night": (18, 6)}
_STEPS = {"before_last": -2, "last": -1, "past": -1, "this": 0, "next": 1, "coming": 1,
          "after_next": 2}  # fmt: skip


def _named_day(said: Said, clock: Clock) -> Time:
    """ "yesterday", "tomorrow morning", "tonight"."""
    steps, _, part = said.value("named").partition(" ")
    day = clock.today + timedelta(int(steps))
    part = said.value("part") or part
    return _part_of(day, part) if part else _day(day)


def _part_of(day: date, part: str) -> Time:
    """A part of a day; the night goes on until six."""
    hours = _PARTS[part]
    end = day + timedelta(hours[1] <= hours[0])
    return Time(day, end, "part", name=f"the {part} of", hours=hours)


def _part_today(said: Said, clock: Clock) -> Time:
    back = said.value("which") in ("last", "past")
    return _part_of(clock.today - timedelta(back), said.value("part"))


def _ago(said: Said, clock: Clock) -> Time | None:
    return _counted(said, clock, -1)


def _hence(said: Said, clock: Clock) -> Time | None:
    """ "in two weeks", which in a report may be a duration."""
    return _counted(said, clock, 1) if said.has("sure") or clock.ahead else None


def _counted(said: Said, clock: Clock, sign: int) -> Time | None:
    count, unit = said.number("number") if said.word("number") else 1, said.value("unit")
    if count == 0.5:
        return _unit("month", sign * 6, clock.today) if unit == "year" else None
    count = int(count)
    if not said.words.cued("vague", said.word("number")) or unit in ("hour", "minute"):
        return _unit(unit, sign * count, clock.today)
    nearer = _unit(unit, sign * (count - 1), clock.today)
    farther = _unit(unit, sign * (count + 2), clock.today)
    if nearer is None or farther is None:
        return None
    ends = sorted([nearer.start, nearer.end, farther.start, farther.end])
    return Time(ends[0], ends[-1], "range", name="around")


def _span(said: Said, clock: Clock) -> Time | None:
    """ "the last three weeks", "the past month": up to and with today; "the next two days"."""
    days = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}.get(said.value("unit"))
    if days is None:
        return None
    length = timedelta(round(days * (said.number("number") if said.word("number") else 1)))
    today = clock.today
    if said.value("which") in ("next", "coming"):
        return Time(today, today + length + timedelta(1), "range", name="between")
    return Time(today - length, today + timedelta(1), "range", name="between")


def _which_unit(said: Said, clock: Clock) -> Time | None:
    """ "last week", "this month"; with two such words in a row, "the week before last"."""
    which, unit = said.value("which"), said.value("unit")
    if unit in ("minute", "hour", "day") or which not in _STEPS:
        return None
    steps = _STEPS[which]
    if unit == "weekend":
        steps -= which == "coming"
        steps += which == "last" and clock.today.weekday() == 6 and -steps - 1
    return _unit(unit, steps, clock.today)


def _before_last(said: Said, clock: Clock) -> Time | None:
    return _unit(said.value("unit"), -2, clock.today)


def _the_weekend(_said: Said, clock: Clock) -> Time:
    """The one going on, else the last or the next."""
    if clock.ahead or clock.today.weekday() >= 5:
        return _weekend(clock.today)
    return _weekend(clock.today - timedelta(7))


def _weekday(said: Said, clock: Clock) -> Time | None:
    if said.cued("each"):
        return None
    wanted, today = int(said.value("weekday")), clock.today
    which, monday = said.value("which"), _week(clock.today).start
    week = said.value("week") or (which if which in ("next", "this") else "")
    if which == "before_last":
        day = today - timedelta(((today.weekday() - wanted) % 7 or 7) + 7)
    elif week or which == "after_next":
        day = monday + timedelta(7 * _STEPS.get(week or which, 0) + wanted)
    elif which in ("last", "past") or (not which and not clock.ahead):
        day = today - timedelta((today.weekday() - wanted) % 7 or 7)
    else:
        day = today + timedelta((wanted - today.weekday()) % 7 or 7)
    return _part_of(day, said.value("part")) if said.word("part") else _day(day)


def _full_date(said: Said, clock: Clock) -> Time | None:
    """ "8 May", "May 8th, 2023"; without a year the nearest one that way."""
    if said.has("one"):
        return _figures(said)
    if said.words.cued("verb", said.word("month")) and not said.year and not said.cued("date"):
        return None
    day = int(said.number("day"))
    if not said.year:
        return _yearless(said.month, day, clock)
    exact = _safe_date(said.year, said.month, day)
    return _day(exact, fixed=True) if exact else None


def _figures(said: Said) -> Time | None:
    """ "5.3.2026", "5/3/2026": a point means the day first, a stroke the language's own order."""
    day, month = int(said.word("one")), int(said.word("two"))
    if (said.words.order == "mdy" and said.word("sign") != "." and day <= 12) or month > 12:
        day, month = month, day
    exact = _safe_date(said.year, month, day)
    return _day(exact, fixed=True) if exact else None


def _yearless(month: int, day: int, clock: Clock) -> Time | None:
    today = clock.today
    for steps in range(9):
        one = _safe_date(today.year + (steps if clock.ahead else -steps), month, day)
        if one and (one >= today if clock.ahead else one <= today):
            return _day(one)
    return None


def _nth(said: Said, clock: Clock) -> Time | None:
    """ "on the 5th": of this month, or of the one before or after."""
    month, which = clock.today.month, said.value("which")
    if which:
        first = _month(clock.today.year, month + _STEPS.get(which, 0)).start
        one = _safe_date(first.year, first.month, int(said.number("day")))
        return _day(one) if one else None
    for steps in (0, 1, 2) if clock.ahead else (0, -1, -2):
        first = _month(clock.today.year, month + steps).start
        one = _safe_date(first.year, first.month, int(said.number("day")))
        if one and (one >= clock.today if clock.ahead else one <= clock.today):
            return _day(one)
    return None


def _month_alone(said: Said, clock: Clock) -> Time | None:
    which, number, today = said.value("which"), said.month, clock.today
    cued = which or said.word("edge") or said.cued("in", "month") or said.cued("second", "month")
    if said.cued("each", "month"):
        return None
    if said.year:
        found = _month(said.year, number, fixed=True)
    elif not cued and said.words.cued("namesake", said.word("month")):
        return None
    elif which in ("last", "past"):
        found = _month(today.year - (number >= today.month), number)
    elif which in ("next", "coming"):
        found = _month(today.year + (number <= today.month), number)
    elif which in ("this_year", "last_year", "next_year"):
        found = _month(today.year + _STEPS[which.removesuffix("_year")], number)
    elif which == "this":
        found = _month(today.year, number)
    elif clock.ahead:
        found = _month(today.year + (number < today.month), number)
    else:
        found = _month(today.year - (number > today.month), number)
    return _edge(found, said.value("edge"))


def _edge(found: Time, edge: str) -> Time:
    """The first, middle or last part of a month or a year, as far as the words say."""
    third = timedelta(round((found.end - found.start).days / 3))
    match edge:
        case "late":
            return replace(found, start=found.end - third, name="late")
        case "mid":
            return replace(found, start=found.start + third, end=found.end - third, name="mid")
        case "early":
            return replace(found, end=found.start + third, name="early")
        case _:
            return found


def _season(said: Said, clock: Clock) -> Time | None:
    """Northern, December counting to the winter it begins."""
    which, today = said.value("which"), clock.today
    name, first = said.word("season").lower(), int(said.value("season"))
    if said.year:
        return Time(*_months(said.year, first, 3), "season", True, name)
    if not which and not said.cued("in"):
        return None
    spans = [_months(year, first, 3) for year in range(today.year - 2, today.year + 3)]
    begun = [span for span in spans if span[0] <= today]
    if which in ("last", "past"):
        span = [one for one in begun if one[1] <= today][-1]
    elif which in ("next", "coming") or (clock.ahead and which != "this"):
        span = next(one for one in spans if one[0] > today or (one[1] > today and which != "next"))
    elif which == "this":
        span = _months(today.year, first, 3)
    else:
        span = begun[-1]
    return Time(*span, "season", False, name)


def _bare_year(said: Said, _clock: Clock) -> Time | None:
    after = said.found.string[said.found.end() : said.found.end() + 20]
    cued = said.word("edge") or said.has("sure") or said.cued("year")
    if said.words.cued("counted", after) or not cued:
        return None
    return _edge(_year(said.year, fixed=True), said.value("edge"))


def _quarter(said: Said, clock: Clock) -> Time:
    year, first = said.year or clock.today.year, int(said.word("q")) * 3 - 2
    if not said.year and not clock.ahead and first > clock.today.month:
        year -= 1
    return Time(*_months(year, first, 3), "quarter", bool(said.year))


_RULES: Mapping[str, Rule] = {
    "named": _named_day, "part": _part_today, "ago": _ago, "hence": _hence, "span": _span,
    "unit": _which_unit, "before_last": _before_last, "weekend": _the_weekend,
    "weekday": _weekday, "date": _full_date, "nth": _nth, "month": _month_alone,
    "season": _season, "year": _bare_year, "quarter": _quarter,
}  # fmt: skip
ALWAYS_RELATIVE: frozenset[Rule] = frozenset(
    {_named_day, _part_today, _ago, _hence, _span, _which_unit, _before_last}
)
"""What means another day when it is read on another day; other shapes do with "last" or "next"."""
