"""The times a text speaks of, as ranges, and relative dates made absolute; rules only.

Own rules, because what is needed are ranges with a direction: dateparser and parsedatetime give
single instants ("last week" is a moment seven days ago) and take "may", "sun" and "second" for
dates. The words themselves are in `time_words`; nothing here knows of memories or messages.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from skill_agent.text.language import ENGLISH

from .likely import likely_languages
from .time_words import ALWAYS_RELATIVE, MONTHS, Clock, Grain, Said, Time, TimeWords, time_words

LONGEST = 20_000
"""Characters of a text that are looked at."""
_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
"""Where ranges open to the past begin; no rule finds an earlier date that matters."""
_A_YEAR = timedelta(366)
_AROUND = 40
"""Characters beside a time in which a word may stand that opens its range or joins it."""


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
    relative: bool = False
    """The words mean another day when they are read on another day; "on Monday" comes round."""
    name: str = ""
    """What the range alone does not tell: "the morning of", "summer", "late"."""


def find_times(text: str, now: datetime) -> list[Moment]:
    """The times mentioned, in order and without overlap; days are those of `now`'s time zone.

    What could be either way ("on Friday", "in May") is the last one, unless the text looks ahead.
    "Since", "before", "after" and "between … and" belong to the range.
    """
    text = text[:LONGEST]
    found: list[Moment] = []
    for said in _spoken_in(text):
        clock = Clock(now, said.cued("ahead", text))
        moments = _joined(text, _moments(text, clock, said), said)
        tomorrow = clock.at(clock.today + timedelta(1))
        found += [_opened(text, moment, tomorrow, said) for moment in moments]
    return _apart(found)


def resolve_dates(text: str, said_at: datetime, *, passing: bool = False) -> str:
    """The text with its relative dates spelt out: "yesterday" becomes "on 12 May 2026", and
    "gestern" becomes "gestern (2026-05-12)".

    What could be either way is the next one in a plan and the last one in a report; in a habit
    ("I love hiking in May") it is left alone; so is, with `passing`, all that comes round again
    ("on Monday"): only what means another day tomorrow is spelt out.
    """
    said, *_ = _spoken_in(text)
    spelt = _replaced if said is time_words(ENGLISH) else _noted
    done: list[str] = []
    for sentence in re.split(r"(?<=[.!?])(?=\s)|(?<=[。！？])", text):
        past = said.cued("past", sentence) and not said.cued("ahead", sentence)
        passing_here = passing or said.cued("habit", sentence)
        clock = Clock(said_at, not past)
        for moment in reversed(_moments(sentence, clock, said)):
            if not moment.fixed and (moment.relative or not passing_here):
                sentence = spelt(sentence, moment, clock)
        done.append(sentence)
    return "".join(done)


def _spoken_in(text: str) -> list[TimeWords]:
    """The words of the languages a text may be in; English ones where nothing tells."""
    codes = likely_languages(text) or (ENGLISH,)
    return [said for code in codes if (said := time_words(code))] or [_english()]


def _english() -> TimeWords:
    said = time_words(ENGLISH)
    assert said is not None  # part of the wheel
    return said


def _moments(text: str, clock: Clock, said: TimeWords) -> list[Moment]:
    """What the rules find; of overlapping matches the earliest, then the longest."""
    found: list[Moment] = []
    for pattern, rule in said.shapes:
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - _AROUND) : match.start()]
            after = text[match.end() : match.end() + _AROUND]
            if said.cued("no", after):  # a habit, or a day that another date decides
                continue
            due = said.cued("due", before) or said.cued("due_after", after)
            due = due or (clock.ahead and not said.cued("since", before))
            one = Said(found=match, words=said)
            try:
                if time := rule(one, replace(clock, ahead=due)):
                    relative = rule in ALWAYS_RELATIVE or bool(one.word("which"))
                    relative = relative or bool(one.word("week"))
                    found.append(_moment(match, time, clock, relative=relative))
            except (OverflowError, ValueError):  # beyond the calendar: "900 years ago" and more
                continue
    return _apart(found)


def _apart(found: list[Moment]) -> list[Moment]:
    kept: list[Moment] = []
    for one in sorted(found, key=lambda one: (one.span[0], -one.span[1])):
        if not kept or one.span[0] >= kept[-1].span[1]:
            kept.append(one)
    return kept


def _moment(match: re.Match[str], time: Time, clock: Clock, *, relative: bool) -> Moment:
    return Moment(
        start=clock.at(time.start, time.hours[0]),
        end=clock.at(time.end, time.hours[1]),
        words=match[0],
        span=match.span(),
        grain=time.grain,
        fixed=time.fixed,
        relative=relative,
        name=time.name,
    )


# -- questions: ranges said with two ends or an open one ----------------------------------------


def _joined(text: str, found: list[Moment], said: TimeWords) -> list[Moment]:
    """ "between March and May", "from Monday to Friday" as one range."""
    kept: list[Moment] = []
    for one in found:
        last = kept[-1] if kept else None
        if last and _one_range(text, last, one, said):
            start = last.start
            if start >= one.end and not last.fixed:
                start = _year_earlier(start)
            if start < one.end:
                kept[-1] = _covering(text, last, one, start)
                continue
        kept.append(one)
    return kept


def _one_range(text: str, first: Moment, second: Moment, said: TimeWords) -> bool:
    between = text[first.span[1] : second.span[0]].strip().lower()
    if len(between) > _AROUND:
        return False
    before = text[max(0, first.span[0] - _AROUND) : first.span[0]]
    both = said.cued("and", between) and said.cued("between", before)
    return both or said.cued("to", between) or between in ("–", "-", "~", "〜", "～")


def _covering(text: str, first: Moment, second: Moment, start: datetime) -> Moment:
    span = (first.span[0], second.span[1])
    far = not second.fixed and second.end - start > _A_YEAR
    return Moment(
        start=start,
        end=_year_earlier(second.end) if far else second.end,
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


def _opened(text: str, moment: Moment, tomorrow: datetime, said: TimeWords) -> Moment:
    """With "since", "after" and "before" taken into the range; the latest open end is tonight's."""
    left, right = moment.span
    before, after = text[max(0, left - _AROUND) : left], text[right : right + _AROUND]
    start, end = moment.start, moment.end
    for kind in ("since", "after", "before", "until"):
        cues = said.cues
        ahead = cues[kind].search(before) if kind in cues else None
        behind = cues[f"{kind}_after"].match(after) if f"{kind}_after" in cues else None
        if not (ahead or behind) or moment.name == "between":
            continue
        left = max(0, left - _AROUND) + ahead.start() if ahead else left
        right += behind.end() if behind else 0
        match kind:
            case "since":
                end = max(end, tomorrow)
            case "after":
                start, end = end, max(end + timedelta(1), tomorrow)
            case "before":
                start, end = min(_BEGINNING, start), start
            case _:
                start = min(_BEGINNING, start)
        words = text[left:right]
        return replace(moment, start=start, end=end, span=(left, right), words=words, grain="range")
    return moment


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


def _noted(sentence: str, moment: Moment, clock: Clock) -> str:
    """The day behind the words, as ISO 8601 writes it: no language needs another word for it."""
    before, after = sentence[: moment.span[1]], sentence[moment.span[1] :]
    if re.match(r"\s*[(（]\d{4}", after):
        return sentence
    start = moment.start.astimezone(clock.now.tzinfo)
    last = moment.end.astimezone(clock.now.tzinfo) - timedelta(1)
    match moment.grain:
        case "day" | "part":
            said = f"{start:%Y-%m-%d}"
        case "month" if start.day == 1 and not moment.name:
            said = f"{start:%Y-%m}"
        case "year" if not moment.name:
            said = f"{start:%Y}"
        case _:
            said = f"{start:%Y-%m-%d}/{last:%Y-%m-%d}"
    return f"{before} ({said}){after}"


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
