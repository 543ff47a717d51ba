"""What is due: every fire time gets one outcome, whatever the machine and its clock do."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skill_agent.scheduler.calendar import LocalCalendar

from skill_agent.jobs.due import LATE_AFTER, Accounted, Due, Span, before, due, put_right
from skill_agent.values import Schedule

CALENDAR = LocalCalendar()
LEAST = timedelta(microseconds=1)
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULES: dict[str, tuple[str, timedelta]] = {
    "30 2 * * *": ("cron", DAY),
    "0 0 * * *": ("cron", DAY),
    "*/30 * * * *": ("cron", HOUR / 2),
    "0 * * * *": ("cron", HOUR),
    "15 1-3 * * *": ("cron", DAY / 3),
    "0 9 * * mon-fri": ("cron", DAY),
    "0 17 * * friL": ("cron", 30 * DAY),
    "0 0 29 2 *": ("cron", 1461 * DAY),
    "0 12 13 * fri": ("cron", 6 * DAY),
    "5400": ("interval", 1.5 * HOUR),
    "P2D": ("interval", 2 * DAY),
    "P1M": ("interval", 30 * DAY),
}
"""Expressions with their kind and about how far apart their times are."""
STARTS = (
    datetime(2026, 3, 28, 12, tzinfo=UTC),  # a day before clocks are put forward in Europe
    datetime(2026, 10, 24, 12, tzinfo=UTC),  # and back
    datetime(2026, 4, 4, 3, tzinfo=UTC),  # the same on Lord Howe Island, by half an hour
    datetime(2026, 10, 3, 3, tzinfo=UTC),
    datetime(2028, 2, 28, 20, tzinfo=UTC),
    datetime(2011, 12, 29, 8, tzinfo=UTC),  # Samoa leaves a day out
)


@dataclass
class Host:
    """A process that does what is due, with a history that holds nothing twice."""

    schedule: Schedule
    created: datetime
    catch_up: bool
    accounted: Accounted = field(default_factory=Accounted)
    ran: dict[datetime, bool] = field(default_factory=dict)
    missed: list[Span] = field(default_factory=list)
    next: datetime | None = None

    def look(self, now: datetime) -> Due:
        found = self._due(now)
        if found.clock_was_ahead:
            self.accounted = put_right(self.accounted, self.missed, now)
            kept = [before(span, self.schedule, CALENDAR, now) for span in self.missed]
            self.missed = [span for span in kept if span]
            found = self._due(now)
            assert not found.clock_was_ahead
        for span in found.missed:
            assert span.count == len(times(self.schedule, span.first - LEAST, span.last))
            self.missed.append(span)
            self.accounted = self.accounted.through(span.last)
        if found.run is not None:
            assert found.run not in self.ran, "twice"
            assert found.run <= now
            assert found.late == (now - found.run > LATE_AFTER)
            self.ran[found.run] = found.late
            self.accounted = self.accounted.through(found.run)
        assert not self._due(now).run and not self._due(now).missed
        self.next = found.next
        return found

    def stay(self, start: datetime, end: datetime) -> None:
        """Up and running: it looks whenever its alarm goes off."""
        while self.next is not None and self.next <= end:
            assert self.next > start
            start = self.next
            found = self.look(start)
            assert found.run == start and not found.late and not found.missed

    def _due(self, now: datetime) -> Due:
        return due(
            self.schedule, CALENDAR, self.accounted, self.created, now, catch_up=self.catch_up
        )

    def outcomes(self, moment: datetime) -> int:
        """How many outcomes a fire time has."""
        return (moment in self.ran) + sum(one.first <= moment <= one.last for one in self.missed)


def times(schedule: Schedule, after: datetime, upto: datetime) -> list[datetime]:
    found, moment = [], CALENDAR.next_fire(schedule, after)
    while moment is not None and moment <= upto:
        found.append(moment)
        moment = CALENDAR.next_fire(schedule, moment)
    return found


def schedule_of(expression: str, zone: str, start: datetime) -> Schedule:
    kind = SCHEDULES[expression][0]
    assert kind in ("cron", "interval")
    anchor = start if kind == "interval" else None
    return Schedule(kind=kind, expression=expression, timezone=zone, anchor=anchor)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["up", "asleep", "set"]), st.floats(0, 12), st.floats(-8, 8, width=16)
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=300, deadline=None)
@given(
    expression=st.sampled_from(sorted(SCHEDULES)),
    zone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    catch_up=st.booleans(),
    events=EVENTS,
)
def test_each_fire_time_has_one_outcome(
    expression: str,
    zone: str,
    start: datetime,
    catch_up: bool,
    events: list[tuple[str, float, float]],
) -> None:
    """Whether the host was up, down or asleep, and wherever its clock was set in between."""
    schedule, apart = schedule_of(expression, zone, start), SCHEDULES[expression][1]
    host, now = Host(schedule, start, catch_up), start
    host.look(now)
    for kind, passes, set_by in events:
        later = now + passes * apart
        if kind == "up":
            host.stay(now, later)
        if kind == "set":
            later += set_by * apart
        now = max(later, start)
        host.look(now)
        assert_each_once(host, start, now)
        assert_not_deaf(host, now)


def assert_each_once(host: Host, start: datetime, now: datetime) -> None:
    for moment in times(host.schedule, start, now):
        assert host.outcomes(moment) == 1, moment
    assert all(span.last <= now for span in host.missed), "missed before it came"


def assert_not_deaf(host: Host, now: datetime) -> None:
    """The next time it looks is the first to come that has not run."""
    coming, moment = None, CALENDAR.next_fire(host.schedule, now)
    while moment is not None and coming is None:
        coming = None if moment in host.ran else moment
        moment = CALENDAR.next_fire(host.schedule, moment)
    assert host.next == coming


# -- by example ------------------------------------------------------------------------------

NINE = Schedule(kind="cron", expression="0 9 * * *", timezone="Europe/Berlin")
MONDAY = datetime(2026, 11, 30, 8, tzinfo=UTC)
"""Nine o'clock in Berlin."""


def host_at(now: datetime, *, catch_up: bool = True) -> Host:
    host = Host(NINE, MONDAY - HOUR, catch_up)
    host.look(now)
    return host


def test_down_over_three_fire_times_the_newest_is_caught_up_and_the_others_were_missed() -> None:
    found = host_at(MONDAY).look(MONDAY + 3 * DAY + HOUR)
    assert (found.run, found.late) == (MONDAY + 3 * DAY, True)
    assert found.missed == (Span(MONDAY + DAY, MONDAY + 2 * DAY, 2),)
    assert found.next == MONDAY + 4 * DAY


def test_without_catching_up_all_that_is_late_was_missed() -> None:
    found = host_at(MONDAY, catch_up=False).look(MONDAY + 3 * DAY + HOUR)
    assert (found.run, found.late) == (None, False)
    assert found.missed == (Span(MONDAY + DAY, MONDAY + 3 * DAY, 3),)


def test_what_is_still_in_time_runs_without_catching_up_too() -> None:
    found = host_at(MONDAY, catch_up=False).look(MONDAY + 2 * DAY + LATE_AFTER)
    assert (found.run, found.late) == (MONDAY + 2 * DAY, False)
    assert found.missed == (Span(MONDAY + DAY, MONDAY + DAY, 1),)


def test_a_clock_that_is_set_back_runs_nothing_twice() -> None:
    host = host_at(MONDAY)
    found = host.look(MONDAY - HOUR / 2)
    assert found == Due(next=MONDAY + DAY)
    assert host.look(MONDAY + HOUR).run is None


def test_a_clock_that_was_a_year_ahead_leaves_no_year_of_silence() -> None:
    host = host_at(MONDAY)
    ahead = host.look(MONDAY + 365 * DAY + HOUR)
    assert (ahead.run, ahead.late) == (MONDAY + 365 * DAY, True)
    assert ahead.missed == (Span(MONDAY + DAY, MONDAY + 364 * DAY, 364),)
    right = host.look(MONDAY + HOUR)
    assert (right.run, right.missed, right.next) == (None, (), MONDAY + DAY)
    assert host.missed == []
    host.stay(MONDAY + HOUR, MONDAY + 370 * DAY)
    assert len(host.ran) == 371, "the one that ran ahead of its time is not run again"
    assert host.accounted == Accounted(MONDAY + 370 * DAY)


def test_a_job_made_while_the_clock_was_ahead_does_not_wait_for_that_day() -> None:
    host = Host(NINE, MONDAY + 100 * DAY, catch_up=True)
    assert host.look(MONDAY + HOUR) == Due(next=MONDAY + DAY)
    host.stay(MONDAY + HOUR, MONDAY + 3 * DAY)
    assert list(host.ran) == [MONDAY + DAY, MONDAY + 2 * DAY, MONDAY + 3 * DAY]


def test_once_is_once() -> None:
    moment = Schedule(kind="once", expression=MONDAY.isoformat())
    host = Host(moment, MONDAY - HOUR, catch_up=True)
    assert host.look(MONDAY - HOUR).next == MONDAY
    assert host.look(MONDAY + DAY) == Due(run=MONDAY, late=True)
    assert host.look(MONDAY + 2 * DAY) == Due()


def test_the_outcome_of_a_run_ahead_of_its_time_does_not_move_the_account() -> None:
    accounted = put_right(
        Accounted(MONDAY + 9 * DAY), [Span(MONDAY, MONDAY + 8 * DAY, 9)], MONDAY + DAY
    )
    assert accounted.until == MONDAY + DAY
    assert accounted.through(MONDAY + 9 * DAY) == accounted


def test_a_year_of_minutes_is_counted_and_not_walked_through() -> None:
    class Counting(LocalCalendar):
        asked = 0

        def next_fire(self, schedule: Schedule, after: datetime) -> datetime | None:
            self.asked += 1
            return super().next_fire(schedule, after)

    calendar = Counting()
    each_minute = Schedule(kind="cron", expression="* * * * *", timezone="Europe/Berlin")
    year = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    found = due(each_minute, calendar, Accounted(year[0]), year[0], year[1], catch_up=True)
    assert found.run == year[1]
    assert [one.count for one in found.missed] == [365 * 24 * 60 - 1]
    assert calendar.asked < 10


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("expression", sorted(SCHEDULES))
def test_counting_and_walking_agree_over_years(expression: str, zone: str) -> None:
    start = datetime(2011, 6, 1, tzinfo=UTC)
    schedule = schedule_of(expression, zone, start)
    apart = SCHEDULES[expression][1]
    end = start + min(5 * 366 * DAY, 4000 * apart)
    walked = times(schedule, start, end)
    assert walked == sorted({*walked})
    assert CALENDAR.count(schedule, start, end) == len(walked)
    assert CALENDAR.last_fire(schedule, start, end) == (walked[-1] if walked else None)
    for at in range(1, len(walked), max(1, len(walked) // 50)):
        assert CALENDAR.last_fire(schedule, start, walked[at] - LEAST) == walked[at - 1]
        assert CALENDAR.count(schedule, walked[at - 1], walked[at]) == 1


def test_the_local_time_of_day_stays_through_the_years() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 1, 1, 17, tzinfo=UTC)
    each_other = Schedule(kind="interval", expression="P2D", timezone="Europe/Berlin", anchor=start)
    found = times(each_other, start - LEAST, start + 3 * 365 * DAY)
    assert {f"{one.astimezone(zone):%H:%M}" for one in found} == {"18:00"}
    days = [one.astimezone(zone).date() for one in found]
    assert {later - earlier for earlier, later in pairwise(days)} == {2 * DAY}
