"""Which fire times of a schedule are due: a decision without ledger, clock or side effect.

Every fire time between a job's creation and now gets exactly one outcome: it is run, or it is
called missed together with its neighbours. How to use it:

    found = due(job.schedule, calendar, accounted, created, now, catch_up=job.catch_up)

1. Where `found.clock_was_ahead`, first write down `put_right(…)` and ask again.
2. Write down the missed spans, then claim `found.run` (or both in one note): folding either note is
   `accounted.through(last)`; only then run it. Runs by hand account for nothing.
3. Look again at `found.next`.

A clock that is set back lies before `accounted.until`: what has its outcome is not due again. One
that was ahead leaves outcomes in a future that is yet to come. What ran there has run, and is not
run again on its day; what was only called missed is not missed, so `put_right` takes it back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from skill_agent.ports import Calendar
from skill_agent.values import Schedule

LATE_AFTER = timedelta(seconds=60)
"""A run that begins later than this after its fire time is late."""
_LEAST = timedelta(microseconds=1)

Range = tuple[datetime, datetime]
"""Later than the first, up to and including the second."""


@dataclass(frozen=True, slots=True)
class Span:
    """Fire times one after another that share an outcome."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Accounted:
    """The fire times that have their outcome."""

    until: datetime | None = None
    """Every one up to this; None where there was none yet."""
    beyond: tuple[Range, ...] = ()
    """Later ones that have it all the same: they ran while the clock was ahead."""

    def through(self, moment: datetime) -> "Accounted":
        """With every fire time up to this one: the due of a claim, the last of a missed span."""
        if self.until is not None and moment <= self.until:
            return self
        if any(after < moment <= upto for after, upto in self.beyond):
            return self
        return Accounted(moment, tuple(each for each in self.beyond if each[1] > moment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be done now about a job's fire times."""

    run: datetime | None = None
    """The fire time to run: the newest that has no outcome."""
    late: bool = False
    missed: tuple[Span, ...] = ()
    """Those that are called missed instead; more than one span only after a clock was ahead."""
    next: datetime | None = None
    """When there is something to do again; None: never."""
    clock_was_ahead: bool = False
    """Fire times that are yet to come have an outcome: see `put_right`."""


def due(
    schedule: Schedule,
    calendar: Calendar,
    accounted: Accounted,
    created: datetime,
    now: datetime,
    *,
    catch_up: bool,
) -> Due:
    """Of fire times that went by, the newest is caught up and the ones before it were missed;
    without `catch_up` it is missed too once it is late.

    `created` is from when the schedule holds: when the job was made, changed or resumed.
    """
    until = accounted.until
    if until is None:
        # a job made while the clock was ahead does not wait for that day, and catches nothing up
        until = min(created, now - LATE_AFTER)
    spans = _spans(schedule, calendar, _without((until, now), accounted.beyond))
    run = spans[-1].last if spans else None
    late = run is not None and now - run > LATE_AFTER
    if run is not None and (catch_up or not late):
        spans[-1:] = _shortened(schedule, calendar, spans[-1])
    else:
        run, late = None, False
    return Due(
        run=run,
        late=late,
        missed=tuple(spans),
        next=_next(schedule, calendar, accounted.beyond, max(until, now)),
        clock_was_ahead=until > now,
    )


def put_right(accounted: Accounted, missed: Iterable[Span], now: datetime) -> Accounted:
    """What is accounted for once those of the missed spans that are yet to come are taken back.

    `missed` are all spans of the job that end later than now; `before` says what is left of each.
    """
    if accounted.until is None or accounted.until <= now:
        return accounted
    taken_back = sorted((span.first - _LEAST, span.last) for span in missed if span.last > now)
    stands = _without((now, accounted.until), taken_back)
    return Accounted(now, (*stands, *(each for each in accounted.beyond if each[1] > now)))


def before(span: Span, schedule: Schedule, calendar: Calendar, now: datetime) -> Span | None:
    """What is left of a missed span whose later fire times are yet to come; None: nothing."""
    if span.last <= now:
        return span
    left = _spans(schedule, calendar, [(span.first - _LEAST, now)])
    return left[0] if left else None


def _spans(schedule: Schedule, calendar: Calendar, ranges: Iterable[Range]) -> list[Span]:
    found = []
    for after, upto in ranges:
        first = calendar.next_fire(schedule, after)
        last = calendar.last_fire(schedule, after, upto)
        if first is not None and last is not None:
            found.append(Span(first, last, calendar.count(schedule, after, upto)))
    return found


def _shortened(schedule: Schedule, calendar: Calendar, span: Span) -> list[Span]:
    """Without its last fire time."""
    last = calendar.last_fire(schedule, span.first - _LEAST, span.last - _LEAST)
    return [] if last is None else [Span(span.first, last, span.count - 1)]


def _next(
    schedule: Schedule, calendar: Calendar, beyond: Iterable[Range], after: datetime
) -> datetime | None:
    found = calendar.next_fire(schedule, after)
    for start, upto in beyond:
        if found is not None and start < found <= upto:
            found = calendar.next_fire(schedule, upto)
    return found


def _without(whole: Range, parts: Iterable[Range]) -> list[Range]:
    """What is left of a range; the parts are in order."""
    left, (start, end) = [], whole
    for after, upto in parts:
        if after >= end:
            break
        if after > start:
            left.append((start, after))
        start = max(start, upto)
    if start < end:
        left.append((start, end))
    return left
