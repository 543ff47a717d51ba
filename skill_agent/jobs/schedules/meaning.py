"""What the parts of a saying mean together, the same in every language."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

from .once import hence, on_coming_weekday, on_date, on_named_day
from .parts import Part
from .recurring import (
    by_calendar,
    daily,
    hourly,
    on_day_of_month,
    on_weekday_of_month,
    on_weekdays,
    steadily,
    within_days,
    yearly,
)
from .saying import DAY_OF_MONTH, TIMES_OF_DAY, Rule, Saying, needs_time, quoted

_WHOLE = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}
_DAYS_SAID = {"workdays", "weekend", "each", "bare", "on", "range", "nth_weekday", "nth_day",
              "last_day", "first_day", "day_alone", "date", "named", "coming", "following",
              "every_day"}  # fmt: skip
_CLOCKS = {"clock", "hour"}
_EVERY = {f"every_{unit}": unit for unit in ("hour", "day", "week", "month", "year")}


def meaning(parts: Sequence[Part], now: datetime, timezone: str) -> Schedule:
    """Raises UsageError where the parts do not make one schedule."""
    _refuse_two_in_one(parts)
    saying = Saying(parts=_plainer(parts), now=now, timezone=timezone)
    kinds = saying.kinds
    for needed, allowed, rule in _RULES:
        if needed <= kinds <= needed | allowed:
            return rule(saying)
    raise _incomplete(saying)


def _refuse_two_in_one(parts: Sequence[Part]) -> None:
    """ "Mondays at 9 and fridays at 17": not both days at both times."""
    kinds = [part.kind for part in parts]
    told = ["time" if kind in _CLOCKS else "day" for kind in kinds if kind in _CLOCKS | _DAYS_SAID]
    turns = [kind for kind, _ in groupby(told)]
    if len(turns) > 2:
        raise UsageError("more than one schedule in one", hint="make a job for each")


def _plainer(parts: Sequence[Part]) -> list[Part]:
    """With fewer kinds: "every 1 day" is daily, "every other friday" every 2 weeks on Friday."""
    plain: list[Part] = []
    for part in parts:
        if part.kind == "other" and "weekday" in part.values:
            plain += [_steps(part, "week", 2), replace(part, kind="day")]
        elif part.kind in ("every", "other"):
            plain.append(_steps(part, part.word("unit"), part.number("number", _least(part.kind))))
        elif part.kind in _EVERY and part.kind != "every_hour":
            plain.append(_steps(part, _EVERY[part.kind], 1))
        elif part.kind == "daily_part":
            plain += [part, replace(part, kind="daily")]
        elif part.kind in ("workdays", "weekend", "each", "bare", "range"):
            plain.append(replace(part, kind="day", values={**part.values, "days": part.kind}))
        else:
            plain.append(part)
    kinds = [part.kind for part in plain]
    if kinds == ["bare_every"]:
        return [_steps(plain[0], plain[0].word("unit"), plain[0].number("number"))]
    days = kinds.count("on") + kinds.count("day")
    if days > 1 or {"weekly", "steps", "every_hour"} & {*kinds}:
        plain = [replace(part, kind="day") if part.kind == "on" else part for part in plain]
    if "day" in {part.kind for part in plain}:  # "monday mornings" are no further days
        plain = [one for one in plain if one.kind != "daily" or "unit" in one.values]
    return plain


def _least(kind: str) -> int:
    return 2 if kind == "other" else 1


def _steps(part: Part, unit: str, count: float) -> Part:
    kind = _WHOLE.get(unit, "steps") if count == 1 else "steps"
    return replace(part, kind=kind, values={**part.values, "unit": unit, "number": count})


_PART = {"part", "hour"}

_RULES: Sequence[tuple[set[str], set[str], Rule]] = (
    ({"in"}, TIMES_OF_DAY, hence),
    ({"named", "clock"}, _PART, on_named_day),
    ({"coming", "clock"}, _PART, on_coming_weekday),
    ({"following", "clock"}, _PART, on_coming_weekday),
    ({"date", "clock"}, _PART, on_date),
    ({"date", "clock", "yearly"}, _PART, yearly),
    ({"daily", "clock"}, _PART | {"daily_part"}, daily),
    ({"day", "clock"}, _PART | {"daily_part", "weekly"}, on_weekdays),
    ({"nth_weekday", "clock"}, _PART | {"monthly"}, on_weekday_of_month),
    *(
        ({kind, "clock"}, _PART | DAY_OF_MONTH | {"day_alone", "monthly"}, on_day_of_month)
        for kind in DAY_OF_MONTH
    ),
    ({"day_alone", "monthly", "clock"}, _PART, on_day_of_month),
    ({"steps"}, set(), steadily),
    ({"every_hour"}, set(), hourly),
    *(({one}, {"day", "window", "daily"}, within_days) for one in ("steps", "every_hour")),
    ({"steps", "clock"}, _PART | {"day", "day_alone"} | DAY_OF_MONTH, by_calendar),
)


def _incomplete(saying: Saying) -> UsageError:
    kinds = saying.kinds
    if kinds and not kinds & {"clock", "hour"}:
        return needs_time(saying)
    if kinds <= TIMES_OF_DAY:
        return UsageError("says a time of day and no day", hint='"every day" or "tomorrow"?')
    if "on" in kinds or "day_alone" in kinds:
        said = quoted(saying.of("on", "day_alone"))
        return UsageError(f"{said} may be meant once or each time", hint=_ONCE_OR_EACH)
    if kinds & {"weekly", "monthly", "yearly"}:
        said = quoted(saying.of("weekly", "monthly", "yearly"))
        return UsageError(f"{said} says no day", hint='add "on monday" or "on the first"')
    return UsageError(f"these do not go together: {quoted(saying.parts)}")


_ONCE_OR_EACH = 'say "every monday" or "next monday", "the 15th of every month" or a date'
