"""English words for times and the calendar stretches they mean; rules only.

Which of a text's matches count, and what is made of them, is decided in `when`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

Grain = Literal["part", "day", "week", "weekend", "month", "season", "quarter", "year", "range"]

# -- words -----------------------------------------------------------------------------------

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "a couple of": 2,
    "a couple": 2, "couple of": 2, "a few": 3, "few": 3, "several": 4, "half a": 0,
}  # fmt: skip
_NAMESAKES = frozenset({"march", "may", "april", "june", "august"})
"""Months that are verbs or first names too."""

_MONTH = "|".join(MONTHS)
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_ANY_MONTH = rf"(?P<month>{_MONTH}|(?-i:{_SHORT})\b\.?)"
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?P<weekday>" + "|".join(_DAYS) + ")"
_NUMBER = r"(?P<number>\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
_UNIT = r"(?P<unit>minute|hour|day|week|weekend|month|quarter|year)s?"
_PART = r"(?P<part>morning|afternoon|evening|night)"
_WHICH = r"(?P<which>last|past|previous|this|current|coming|next|following)"

FUTURE = re.compile(
    r"\b(will|won't|shall|going to|gonna|plan(?:s|ning)? (?:to|on)|upcoming|tomorrow|next|due|"
    r"deadline|by|until|soon|intend|scheduled|begins|starts|ends|runs out|opens|closes|expires|"
    r"arrives|"
    r"departs|renews|frozen from|(?:isn't|not) .{0,30}any ?more|"
    r"(?:moved|pushed|postponed|rescheduled|delayed|brought|extended|put off|shifted|bumped)"
    r"(?: it| them| the \w+| my \w+)?(?: back| forward)? to "
    r"(?:the )?(?:\d+|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|"
    r"june|july|august|september|october|november|december)|(?:i|we|they|you)'ll|"
    r"(?:i'm|i am|we're|we are|is|are) (?:flying|leaving|moving|starting|visiting|travell?ing|"
    r"launching|shipping|meeting|getting|having|seeing|driving|releasing|coming|arriving))\b",
    re.IGNORECASE,
)
PAST = re.compile(
    r"\b(was|were|had|did|didn't|went|got|came|saw|met|bought|sold|left|took|gave|made|told|said|"
    r"began|broke|brought|built|chose|ate|fell|found|flew|forgot|knew|lost|ran|sent|slept|spent|"
    r"spoke|taught|thought|wrote|won|became|heard|kept|paid|put|read|quit|been|(?!need)\w{2,}ed)\b",
    re.IGNORECASE,
)
HABIT = re.compile(
    r"\b(love|loves|like|likes|prefer|prefers|hate|hates|enjoy|enjoys|always|usually|never|often|"
    r"every|tend|birthday|anniversary|born|normally|typically|each)\b",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:in|since|until|till|by|before|after|during|of|last|next|this|early|mid|late|around|"
    r"about|every|from|between|through|due|back in|end of|for)[\s-]+(?:the\s+)?$",
    re.IGNORECASE,
)
_SECOND = re.compile(r"\b(?:between|from)\s+[\w\s,]{1,24}\s(?:and|to|until|till)\s+$", re.I)
_YEAR_CUE = re.compile(
    r"\b(?:in|since|during|until|till|before|by|after|from|to|and|of|around|year)\s+$",
    re.IGNORECASE,
)
_DATE_CUE = re.compile(r"\b(?:on|the|since|by|until|till|from|to|before|after)\s+$", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s*(?:lines?|files?|rows?|users?|people|bytes?|tokens?|words?|items?|steps?|px|ms|"
    r"dollars?|euros?|requests?|times|or so)\b",
    re.IGNORECASE,
)

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


Rule = Callable[[re.Match[str], Clock], Time | None]


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


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[" ".join(word.lower().split())]


def _vague(word: str) -> bool:
    return bool(re.search("few|couple|several", word.lower()))


def _safe_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _before(match: re.Match[str]) -> str:
    """The words before a match; only a few, for a long text has many matches."""
    return match.string[max(0, match.start() - 60) : match.start()]


# -- rules -----------------------------------------------------------------------------------


def _named_day(match: re.Match[str], clock: Clock) -> Time:
    word = " ".join(match["named"].lower().split())
    steps = {"yesterday": -1, "today": 0, "tomorrow": 1, "the day before yesterday": -2}
    day = clock.today + timedelta(steps.get(word, 2))
    return _part_of(day, match["part"]) if match["part"] else _day(day)


def _part_of(day: date, part: str) -> Time:
    """A part of a day; the night goes on until six."""
    part = part.lower()
    hours = {"morning": (0, 12), "afternoon": (12, 18), "evening": (17, 0), "night": (18, 6)}[part]
    end = day + timedelta(hours[1] <= hours[0])
    return Time(day, end, "part", name=f"the {part} of", hours=hours)


def _part_today(match: re.Match[str], clock: Clock) -> Time:
    words = match[0].lower()
    if "tonight" in words:
        return _part_of(clock.today, "night")
    return _part_of(clock.today - timedelta(words.startswith("last")), match["part"])


def _ago(match: re.Match[str], clock: Clock) -> Time | None:
    return _counted(match, clock, -1)


def _hence(match: re.Match[str], clock: Clock) -> Time | None:
    """ "in two weeks", which in a report is a duration."""
    sure = re.search(r"time$|from (?:now|today)$", match[0], re.IGNORECASE)
    return _counted(match, clock, 1) if sure or clock.ahead else None


def _counted(match: re.Match[str], clock: Clock, sign: int) -> Time | None:
    count, unit = _number(match["number"]), match["unit"].lower()
    if not count:  # half a year
        return _unit("month", sign * 6, clock.today) if unit == "year" else None
    if not _vague(match["number"]) or unit in ("hour", "minute"):
        return _unit(unit, sign * count, clock.today)
    nearer = _unit(unit, sign * (count - 1), clock.today)
    farther = _unit(unit, sign * (count + 2), clock.today)
    if nearer is None or farther is None:
        return None
    ends = sorted([nearer.start, nearer.end, farther.start, farther.end])
    return Time(ends[0], ends[-1], "range", name="around")


def _span_back(match: re.Match[str], clock: Clock) -> Time | None:
    """ "the last three weeks", "the past month": up to and with today."""
    unit = match["unit"].lower()
    if not match["number"] and match["which"].lower() != "past":
        return None
    count = _number(match["number"]) if match["number"] else 1
    days = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}.get(unit)
    if days is None:
        return None
    start = clock.today - timedelta(round(days * count))
    return Time(start, clock.today + timedelta(1), "range", name="between")


def _which_unit(match: re.Match[str], clock: Clock) -> Time | None:
    which, unit = match["which"].lower(), match["unit"].lower()
    if unit in ("minute", "hour", "day") or which in ("following", "current"):
        return _unit(unit, 0, clock.today) if which == "current" and unit != "day" else None
    steps = -1 if which in ("last", "past", "previous") else 0 if which == "this" else 1
    if which == "coming" and unit == "weekend":
        steps = 0
    if unit == "weekend" and which == "last" and clock.today.weekday() == 6:
        steps = -1
    return _unit(unit, steps, clock.today)


def _before_last(match: re.Match[str], clock: Clock) -> Time | None:
    return _unit(match["unit"].lower(), -2, clock.today)


def _the_weekend(match: re.Match[str], clock: Clock) -> Time:
    """The one going on, else the last or the next."""
    if clock.ahead or clock.today.weekday() >= 5:
        return _weekend(clock.today)
    return _weekend(clock.today - timedelta(7))


def _weekday(match: re.Match[str], clock: Clock) -> Time | None:
    if re.search(r"\b(?:every|each|most|any|per)\s+$", _before(match), re.I):
        return None
    after = match.string[match.end() :]
    if re.match(r"\s+(?:after|before)(?:\s*[,.;]|$)", after):
        return None  # "the Monday after", which another date decides
    nth = r"\b(?:first|second|third|fourth|last|other|1st|2nd|3rd|4th)\s+$"
    of_each = re.match(r"\s+(?:of|in|each|every|a)\b", after) or "every" in _before(match)
    if of_each and re.search(nth, _before(match)):
        return None  # "the first Thursday of the month"
    wanted = _DAYS.index(match["weekday"].lower())
    ahead_by = (wanted - clock.today.weekday()) % 7
    which = (match["which"] or "").lower()
    if match["week"]:
        steps = {"last": -7, "this": 0, "next": 7}[match["week"].lower()]
        day = _week(clock.today).start + timedelta(steps + wanted)
    elif which in ("last", "past", "previous") or (not which and not clock.ahead):
        day = clock.today - timedelta((clock.today.weekday() - wanted) % 7 or 7)
    elif which == "next":
        day = _week(clock.today).start + timedelta(7 + wanted)
    elif which == "this":
        day = _week(clock.today).start + timedelta(wanted)
    else:
        day = clock.today + timedelta(ahead_by or 7)
    return _part_of(day, match["part"]) if match["part"] else _day(day)


def _full_date(match: re.Match[str], clock: Clock) -> Time | None:
    """ "8 May", "May 8th, 2023"; without a year the nearest one that way."""
    name, day = match["month"], int(match["day"])
    before = _before(match)
    verb = name in ("may", "march") and not match["year"]
    if verb and not _DATE_CUE.search(before):
        return None
    if match["year"]:
        exact = _safe_date(int(match["year"]), _month_number(name), day)
        return _day(exact, fixed=True) if exact else None
    return _yearless(_month_number(name), day, clock)


def _yearless(month: int, day: int, clock: Clock) -> Time | None:
    today = clock.today
    years = range(today.year, today.year + 5) if clock.ahead else range(today.year, 0, -1)
    for year in years:
        one = _safe_date(year, month, day)
        if one and (one >= today if clock.ahead else one <= today):
            return _day(one)
        if abs(year - today.year) > 8:
            return None
    return None


def _iso_date(match: re.Match[str], clock: Clock) -> Time | None:
    exact = _safe_date(int(match["year"]), int(match["number"]), int(match["day"]))
    return _day(exact, fixed=True) if exact else None


def _nth(match: re.Match[str], clock: Clock) -> Time | None:
    """ "on the 5th": of this month, or of the one before or after."""
    for steps in (0, 1, 2) if clock.ahead else (0, -1, -2):
        first = _month(clock.today.year, clock.today.month + steps).start
        one = _safe_date(first.year, first.month, int(match["day"]))
        if one and (one >= clock.today if clock.ahead else one <= clock.today):
            return _day(one)
    return None


def _month_number(name: str) -> int:
    return [month[:3].lower() for month in MONTHS].index(name[:3].lower()) + 1


def _month_alone(match: re.Match[str], clock: Clock) -> Time | None:
    name, which = match["month"], (match["which"] or "").lower()
    number, today = _month_number(name), clock.today
    before = match.string[max(0, match.start("month") - 60) : match.start("month")]
    cued = bool(which or match["edge"] or _CUE.search(before) or _SECOND.search(before))
    if re.search(r"\b(?:every|each|\d{1,2})\s+$", before, re.IGNORECASE):
        return None
    if match["year"]:
        found = _month(int(match["year"]), number, fixed=True)
    elif not cued and (name.lower() in _NAMESAKES or name.title() not in MONTHS):
        return None
    elif which in ("last", "past", "previous"):
        found = _month(today.year - (number >= today.month), number)
    elif which in ("next", "coming"):
        found = _month(today.year + (number <= today.month), number)
    elif which == "this":
        found = _month(today.year, number)
    elif clock.ahead:
        found = _month(today.year + (number < today.month), number)
    else:
        found = _month(today.year - (number > today.month), number)
    return _edge(found, match["edge"])


def _edge(found: Time, edge: str | None) -> Time:
    """The first, middle or last part of a month or a year, as far as the words say."""
    if not edge:
        return found
    length = (found.end - found.start).days
    third = timedelta(round(length / 3))
    if re.search(r"late|\bend", edge, re.IGNORECASE):
        return replace(found, start=found.end - third, name="late")
    if "mid" in edge.lower():
        return replace(found, start=found.start + third, end=found.end - third, name="mid")
    return replace(found, end=found.start + third, name="early")


def _season(match: re.Match[str], clock: Clock) -> Time | None:
    """Northern, December counting to the winter it begins."""
    word, which, today = match["season"].lower(), (match["which"] or "").lower(), clock.today
    first = _SEASONS[word]
    if match["year"]:
        return Time(*_months(int(match["year"]), first, 3), "season", True, word)
    before = _before(match)
    fell = word == "fall" and not re.search(r"\b(?:in|during|until|by) (?:the )?$", before, re.I)
    if not which and (fell or not _CUE.search(before)):
        return None
    spans = [_months(year, first, 3) for year in range(today.year - 2, today.year + 3)]
    begun = [span for span in spans if span[0] <= today]
    if which in ("last", "past", "previous"):
        span = [one for one in begun if one[1] <= today][-1]
    elif which in ("next", "coming") or (clock.ahead and which != "this"):
        span = next(one for one in spans if one[0] > today or (one[1] > today and which != "next"))
    elif which == "this":
        span = _months(today.year, first, 3)
    else:
        span = begun[-1]
    return Time(*span, "season", False, word)


def _bare_year(match: re.Match[str], clock: Clock) -> Time | None:
    before, after = _before(match), match.string[match.end() : match.end() + 20]
    if _COUNTED.match(after) or not (match["edge"] or _YEAR_CUE.search(before)):
        return None
    return _edge(_year(int(match["year"]), fixed=True), match["edge"])


def _quarter(match: re.Match[str], clock: Clock) -> Time:
    year = int(match["year"]) if match["year"] else clock.today.year
    first = int(match["q"]) * 3 - 2
    if not match["year"] and not clock.ahead and first > clock.today.month:
        year -= 1
    return Time(*_months(year, first, 3), "quarter", bool(match["year"]))


_EDGE = (
    r"(?:(?P<edge>early(?: in)?|mid|late(?: in)?|(?:the )?(?:beginning|start|middle|end) of)[\s-]+)"
)
RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), rule)
    for pattern, rule in (
        (
            r"\b(?P<named>the day before yesterday|the day after tomorrow|yesterday|today|"
            rf"tomorrow)\b(?:\s+{_PART}\b)?",
            _named_day,
        ),
        (rf"\btonight\b|\b(?:this|last)\s+{_PART}\b", _part_today),
        (rf"\b{_NUMBER}\s+{_UNIT}\s+ago\b", _ago),
        (rf"\bin\s+{_NUMBER}\s+{_UNIT}\b(?:['’]?\s+time\b)?", _hence),
        (rf"\b{_NUMBER}\s+{_UNIT}\s+from\s+(?:now|today)\b", _hence),
        (rf"\bthe\s+{_WHICH}\s+(?:{_NUMBER}\s+)?{_UNIT}\b", _span_back),
        (rf"\b{_WHICH}\s+{_UNIT}(?<!s)\b", _which_unit),
        (rf"\bthe\s+{_UNIT}(?<!s)\s+before\s+last\b", _before_last),
        (r"\b(?:(?:over|at|on|during)\s+)?the weekend\b", _the_weekend),
        (
            rf"\b(?:{_WHICH}\s+)?{_WEEKDAY}\b(?:\s+{_PART}\b)?"
            r"(?:\s+(?:of\s+)?(?P<week>last|this|next) week\b)?",
            _weekday,
        ),
        (rf"\b{_NTH}(?:\s+of)?\s+{_ANY_MONTH}(?!\w)(?:,?\s+{_YEAR})?", _full_date),
        (rf"\b{_ANY_MONTH}\s+(?:the\s+)?{_NTH}\b(?![:%]|\.\d)(?:,?\s+{_YEAR})?", _full_date),
        (r"\b(?P<year>(?:19|20)\d\d)[-/](?P<number>\d\d)[-/](?P<day>\d\d)\b", _iso_date),
        (
            r"(?:(?<=\bby )|(?<=\buntil )|(?<=\btill )|(?<=\bbefore )|(?<=\bsince )|"
            r"(?<=\bto )|(?<=\bfor )|(?<=\bis )|(?<=\bfrom )|^|\bon )the "
            r"(?P<day>\d{1,2})(?:st|nd|rd|th)\b"
            r"(?=\s*(?:[.,;:?!)]|$)|\s+(?:and|but|so|at|because|with|for|"
            r"to|until|till|is|was|will|then|instead|of this month)\b)",
            _nth,
        ),
        (rf"\b{_EDGE}?(?:{_WHICH}\s+)?{_ANY_MONTH}(?!\w)(?:,?\s+(?:of\s+)?{_YEAR})?", _month_alone),
        (
            rf"\b(?:{_WHICH}\s+)?(?P<season>{'|'.join(_SEASONS)})\b(?:\s+(?:of\s+)?{_YEAR})?",
            _season,
        ),
        (rf"\b{_EDGE}?{_YEAR}", _bare_year),
        (rf"\bQ(?P<q>[1-4])\b(?:\s+(?:of\s+)?{_YEAR})?", _quarter),
    )
)
