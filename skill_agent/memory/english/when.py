"""The times a text speaks of, as ranges, and relative dates made absolute; English rules only.

Own rules, because what is needed are ranges with a direction: dateparser and parsedatetime give
single instants ("last week" is a moment seven days ago) and take "may", "sun" and "second" for
dates. The words themselves are in `time_words`; nothing here knows of memories or messages.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from .time_words import FUTURE, HABIT, MONTHS, PAST, RULES, Clock, Grain, Time

LONGEST = 20_000
"""Characters of a text that are looked at."""
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Where ranges open to the past begin; no rule finds an earlier date that matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A stretch of time some words mean: [start, end), UTC."""

    start: datetime
    end: datetime
    words: str
    span: tuple[int, int]
    """Where the words stand in the text."""
    grain: Grain = "day"
    fixed: bool = False
    """The words alone say when: a date with its year."""
    name: str = ""
    """What the range alone does not tell: "the morning of", "summer", "late"."""


def find_times(text: str, now: datetime) -> list[Moment]:
    """The times mentioned, in order and without overlap; days are those of `now`'s time zone.

    What could be either way ("on Friday", "in May") is the last one, unless the text looks ahead.
    "Since", "before", "after" and "between … and" belong to the range.
    """
    text = text[:LONGEST]
    clock = Clock(now, bool(FUTURE.search(text)))
    found = _joined(text, _moments(text, clock))
    tomorrow = clock.at(clock.today + timedelta(1))
    return [_opened(text, moment, tomorrow) for moment in found]


def resolve_dates(text: str, said_at: datetime, *, passing: bool = False) -> str:
    """The text with its relative dates spelt out: "yesterday" becomes "on 12 May 2026".

    What could be either way is the next one in a plan and the last one in a report; in a habit
    ("I love hiking in May") it is left alone; so is, with `passing`, all that comes round again
    ("on Monday"): only what means another day tomorrow is spelt out.
    """
    done: list[str] = []
    for sentence in re.split(r"(?<=[.!?])(?=\s)", text):
        past = bool(PAST.search(sentence)) and not FUTURE.search(sentence)
        habit = bool(HABIT.search(sentence))
        clock = Clock(said_at, not past)
        for moment in reversed(_moments(sentence, clock)):
            words = moment.words
            kept = not _RELATIVE.search(words) if passing else habit and _OPEN.search(words)
            if not moment.fixed and not kept:
                sentence = _replaced(sentence, moment, clock)
        done.append(sentence)
    return "".join(done)


_DUE = re.compile(r"\b(?:for|by|until|till|due|due on)\s+(?:the\s+)?$", re.IGNORECASE)
"""What stands before a time that is to come, whatever tense the sentence has."""
_SINCE = re.compile(r"\bsince\s+(?:the\s+)?$", re.IGNORECASE)
_OPEN = re.compile(
    rf"^(?:(?:on|in|over|at) )?(?:the )?(?:{'|'.join(MONTHS)}|(?:mon|tues|wednes|thurs|fri|satur|"
    r"sun)day|weekend|spring|summer|autumn|fall|winter)\b|^(?:the )?\d|^on the \d|\d$",
    re.IGNORECASE,
)
"""Words that come round again each week or year."""
_RELATIVE = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|ago|last|past|previous|this|next|coming|following)\b|"
    r"\bin (?:an?|\w+|a couple of) (?:minute|hour|day|week|weekend|month|quarter|year)s?\b",
    re.IGNORECASE,
)
"""Words that mean another day when they are read on another day."""


def _moments(text: str, clock: Clock) -> list[Moment]:
    """What the rules find; of overlapping matches the earliest, then the longest."""
    found: list[Moment] = []
    for pattern, rule in RULES:
        for match in pattern.finditer(text):
            try:
                due = bool(_DUE.search(before := text[max(0, match.start() - 30) : match.start()]))
                due = due or (clock.ahead and not _SINCE.search(before))
                time = rule(match, replace(clock, ahead=due))
                if time and not _plural(text, match.end()):
                    found.append(_moment(match, time, clock))
            except (OverflowError, ValueError):  # beyond the calendar: "900 years ago" and more
                continue
    found.sort(key=lambda one: (one.span[0], -one.span[1]))
    kept: list[Moment] = []
    for one in found:
        if not kept or one.span[0] >= kept[-1].span[1]:
            kept.append(one)
    return kept


def _plural(text: str, end: int) -> bool:
    """Whether a habit follows: "Monday mornings"."""
    return bool(re.match(r"\s+(?:mornings|afternoons|evenings|nights)\b", text[end:]))


def _moment(match: re.Match[str], time: Time, clock: Clock) -> Moment:
    return Moment(
        start=clock.at(time.start, time.hours[0]),
        end=clock.at(time.end, time.hours[1]),
        words=match[0],
        span=match.span(),
        grain=time.grain,
        fixed=time.fixed,
        name=time.name,
    )


# -- questions: ranges said with two ends or an open one ----------------------------------------


def _joined(text: str, found: list[Moment]) -> list[Moment]:
    """ "between March and May", "from Monday to Friday" as one range."""
    kept: list[Moment] = []
    for one in found:
        last = kept[-1] if kept else None
        if last and _one_range(text, last, one):
            start = last.start
            if start >= one.end and not last.fixed:
                start = _year_earlier(start)
            if start < one.end:
                kept[-1] = _covering(text, last, one, start)
                continue
        kept.append(one)
    return kept


def _one_range(text: str, first: Moment, second: Moment) -> bool:
    between = text[first.span[1] : second.span[0]].strip().lower()
    if between in ("and", "and the"):
        return bool(
            re.search(
                r"\bbetween\s+(?:the\s+)?$",
                text[max(0, first.span[0] - 20) : first.span[0]],
                re.IGNORECASE,
            )
        )
    return between in ("to", "until", "till", "through", "–", "-", "to the")


def _covering(text: str, first: Moment, second: Moment, start: datetime) -> Moment:
    span = (first.span[0], second.span[1])
    return Moment(
        start=start,
        end=second.end,
        words=text[slice(*span)],
        span=span,
        grain="range",
        fixed=first.fixed and second.fixed,
        name="between",
    )


def _year_earlier(moment: datetime) -> datetime:
    try:
        return moment.replace(year=moment.year - 1)
    except ValueError:  # 29 February
        return moment.replace(year=moment.year - 1, day=28)


def _opened(text: str, moment: Moment, tomorrow: datetime) -> Moment:
    """With "since", "after" and "before" taken into the range; the latest open end is tonight's."""
    word = re.search(
        r"\b(since|after|before|until|till|prior to|up to)\s+(?:the\s+)?$",
        text[max(0, moment.span[0] - 30) : moment.span[0]],
        re.IGNORECASE,
    )
    if word is None:
        return moment
    start, end = moment.start, moment.end
    match word[1].lower():
        case "since":
            end = max(end, tomorrow)
        case "after":
            start, end = end, max(end + timedelta(1), tomorrow)
        case "before" | "prior to":
            start, end = min(_BEGINNING, start), start
        case _:
            start = min(_BEGINNING, start)
    span = (word.start(), moment.span[1])
    words = text[slice(*span)]
    return replace(moment, start=start, end=end, span=span, words=words, grain="range")


# -- statements: the same time in words that stay true ------------------------------------------

_PREPOSED = re.compile(
    r"\b(?:by|until|till|since|before|after|from|to|for|of|between|and|around|about|through|"
    r"the|our|my|is|was|are|be)\s+$",
    re.IGNORECASE,
)
_ON_OR_IN = re.compile(r"\b(?:on|in|at|over|during)\s+(?:the\s+)?$", re.IGNORECASE)
_VERB = re.compile(r"\s+(?:is|was|were|are|will|has|had|would)\b", re.IGNORECASE)


def _replaced(sentence: str, moment: Moment, clock: Clock) -> str:
    """One expression spelt out; the preposition before it is kept or chosen anew."""
    before, after = sentence[: moment.span[0]], sentence[moment.span[1] :]
    if re.search(r"\d$", moment.words) and re.match(r"\s+\d{4}\b", after):
        return sentence
    preposition, name = _named(moment, clock)
    if on := _ON_OR_IN.search(before):
        before = before[: on.start()]
    elif _PREPOSED.search(before) or (not before.strip() and _VERB.match(after)):
        preposition = ""
    if re.match(r"['’]s\b", after):
        after = after[2:]
        preposition = "" if re.search(r"\b(?:the|our|my)\s+$", before) else "the"
    said = f"{preposition} {name}".strip()
    if not before.strip() and said:
        said = said[0].upper() + said[1:]
    return before + said + after


def _named(moment: Moment, clock: Clock) -> tuple[str, str]:
    """A preposition and the name of a range: ("in", "May 2026")."""
    start = moment.start.astimezone(clock.now.tzinfo)
    end = moment.end.astimezone(clock.now.tzinfo)
    day = _day_name(start)
    month = f"{MONTHS[start.month - 1]} {start.year}"
    edge = moment.name if moment.name in ("early", "mid", "late") else ""
    match moment.grain:
        case "part":
            return "on", f"{moment.name} {day}"
        case "day":
            return "on", day
        case "week":
            return "in", f"the week of {day}"
        case "weekend":
            return "on", f"the weekend of {day}"
        case "month":
            return "in", f"{edge} {month}".strip()
        case "season":
            return "in", f"{moment.name} {start.year}"
        case "quarter":
            return "in", f"Q{(start.month + 2) // 3} {start.year}"
        case "year":
            return "in", f"{edge} {start.year}".strip()
        case _ if moment.name == "around":
            middle = start + (end - start) / 2
            close = end - start < timedelta(15)
            name = _day_name(middle) if close else f"{MONTHS[middle.month - 1]} {middle.year}"
            return "around", name
        case _:
            return "between", f"{day} and {_day_name(end - timedelta(1))}"


def _day_name(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"
