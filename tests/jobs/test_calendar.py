"""Fire times by the rules of crontab(5), whatever clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from skill_agent.scheduler.calendar import LocalCalendar

from skill_agent.errors import UsageError
from skill_agent.values import Schedule

CALENDAR = LocalCalendar()
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"


def cron(expression: str, zone: str = BERLIN) -> Schedule:
    return Schedule(kind="cron", expression=expression, timezone=zone)


def fire_times(schedule: Schedule, after: str, count: int) -> list[str]:
    """By the clock of the zone, with its offset."""
    zone = ZoneInfo(schedule.timezone)
    moment = datetime.fromisoformat(after).replace(tzinfo=zone).astimezone(UTC)
    found = []
    for _ in range(count):
        moment = CALENDAR.next_fire(schedule, moment)
        assert moment is not None
        found.append(f"{moment.astimezone(zone):%y-%m-%d %H:%M%z}")
    return found


def test_a_time_of_day_comes_once_when_clocks_are_put_back() -> None:
    assert fire_times(cron("30 2 * * *"), "2026-10-24T12:00", 2) == [
        "26-10-25 02:30+0200",
        "26-10-26 02:30+0100",
    ]


def test_a_time_of_day_that_is_skipped_comes_as_much_later() -> None:
    assert fire_times(cron("30 2 * * *"), "2026-03-28T12:00", 2) == [
        "26-03-29 03:30+0200",
        "26-03-30 02:30+0200",
    ]


def test_two_times_that_fall_together_are_one() -> None:
    assert fire_times(cron("30 2,3 * * *"), "2026-03-28T12:00", 2) == [
        "26-03-29 03:30+0200",
        "26-03-30 02:30+0200",
    ]


def test_what_is_put_off_does_not_overtake() -> None:
    found = fire_times(cron("0,30 2,3 * * *"), "2026-03-28T12:00", 3)
    assert found == ["26-03-29 03:00+0200", "26-03-29 03:30+0200", "26-03-30 02:00+0200"]


def test_each_hour_is_an_hour() -> None:
    for start, last in (("2026-10-24T23:30", "03:00+0100"), ("2026-03-28T23:30", "05:00+0200")):
        found = fire_times(cron("0 * * * *"), start, 5)
        assert len({*found}) == 5
        assert found[-1].endswith(last)


def test_half_an_hour_on_lord_howe_island() -> None:
    found = fire_times(cron("*/30 * * * *", LORD_HOWE), "2026-04-05T01:10", 4)
    assert [one[9:] for one in found] == ["01:30+1100", "01:30+1030", "02:00+1030", "02:30+1030"]
    spring = fire_times(cron("15 2 * * *", LORD_HOWE), "2026-10-03T12:00", 2)
    assert spring == ["26-10-04 02:45+1100", "26-10-05 02:15+1100"]


def test_a_day_that_a_zone_leaves_out_is_no_day() -> None:
    found = fire_times(cron("0 8 * * *", "Pacific/Apia"), "2011-12-29T06:00", 3)
    assert [one[:8] for one in found] == ["11-12-29", "11-12-31", "12-01-01"]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 9 29 2 *", ["28-02-29", "32-02-29", "36-02-29"]),
        ("0 9 * * friL", ["26-05-29", "26-06-26", "26-07-31"]),
        ("0 9 * * fri#1", ["26-06-05", "26-07-03", "26-08-07"]),
        ("0 9 * * 5L", ["26-05-29", "26-06-26", "26-07-31"]),
        ("0 9 L * *", ["26-05-31", "26-06-30", "26-07-31"]),
        ("0 9 15,L * *", ["26-05-15", "26-05-31", "26-06-15"]),
        ("0 9 * * 0", ["26-05-17", "26-05-24", "26-05-31"]),
        ("0 9 * * 7", ["26-05-17", "26-05-24", "26-05-31"]),
        ("0 9 * * 6-7", ["26-05-16", "26-05-17", "26-05-23"]),
        ("0 9 * * fri-mon", ["26-05-15", "26-05-16", "26-05-17", "26-05-18", "26-05-22"]),
        ("0 9 * * */2", ["26-05-14", "26-05-16", "26-05-17", "26-05-19"]),
        ("0 9 13 * fri", ["26-05-15", "26-05-22", "26-05-29", "26-06-05", "26-06-12", "26-06-13"]),
        ("0 9 */10 * *", ["26-05-21", "26-05-31", "26-06-01"]),
        ("0 9 1 JAN,jul *", ["26-07-01", "27-01-01"]),
        ("0 9 29 2 */7", ["32-02-29"]),
        ("0 9 1-10/3 6 *", ["26-06-01", "26-06-04", "26-06-07", "26-06-10", "27-06-01"]),
    ],
)
def test_days(expression: str, days: list[str]) -> None:
    """The two days of a month and of a week: either, unless one begins with a star."""
    CALENDAR.check(cron(expression))
    assert [one[:8] for one in fire_times(cron(expression), "2026-05-13T12:00", len(days))] == days


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 9 * *", "five fields"),
        ("0 9 * * * *", "five fields"),
        ("60 9 * * *", "60 is no minute: they go from 0 to 59"),
        ("0 24 * * *", "24 is no hour"),
        ("0 9 0 * *", "0 is no day"),
        ("0 9 * 13 *", "13 is no month"),
        ("0 9 * * 8", "8 is no weekday"),
        ("0 9 * * fry", "'fry' is no weekday"),
        ("0 9 * * fri#6", "is no weekday"),
        ("a 9 * * *", "'a' is no minute"),
        ("*/0 9 * * *", "steps nowhere"),
        ("5-1 9 * * *", "ends before it begins"),
        ("*-5 9 * * *", "is no minute"),
        ("1,,2 9 * * *", "is no minute"),
        ("0 9 31 2,4 *", "never happens"),
    ],
)
def test_a_cron_expression_that_means_nothing(expression: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        CALENDAR.check(cron(expression))


@pytest.mark.parametrize("expression", ["", "59", "-60", "1.5", "2h", "P0D", "P1Y", "9" * 10])
def test_an_interval_that_means_nothing(expression: str) -> None:
    with pytest.raises(UsageError):
        CALENDAR.check(Schedule(kind="interval", expression=expression))


def test_a_moment_that_means_nothing() -> None:
    with pytest.raises(UsageError):
        CALENDAR.check(Schedule(kind="once", expression="tomorrow"))


@pytest.mark.parametrize(
    ("zone", "near"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Asia/Calcuta", "Asia/Calcutta"),
        ("../etc/passwd", ""),
        ("Mars/Olympus", ""),
        ("+25:00", ""),
    ],
)
def test_a_zone_that_does_not_exist(zone: str, near: str) -> None:
    with pytest.raises(UsageError) as refused:
        CALENDAR.check(cron("0 9 * * *", zone))
    assert near in refused.value.hint
    assert "an IANA name" in refused.value.hint


def test_an_offset_is_a_zone_too() -> None:
    after = datetime(2026, 5, 13, tzinfo=UTC)
    found = CALENDAR.next_fire(cron("0 9 * * *", "+05:30"), after)
    assert found == datetime(2026, 5, 13, 3, 30, tzinfo=UTC)


def test_intervals_do_not_drift() -> None:
    anchor = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
    schedule = Schedule(kind="interval", expression="5400", timezone=BERLIN, anchor=anchor)
    moment = anchor + timedelta(days=365)
    assert CALENDAR.next_fire(schedule, moment - timedelta(seconds=1)) == moment
    assert CALENDAR.next_fire(schedule, moment) == moment + timedelta(seconds=5400)
    assert CALENDAR.next_fire(schedule, anchor - timedelta(days=9)) == anchor
    assert CALENDAR.count(schedule, anchor - timedelta(days=9), moment) == 365 * 16 + 1


def test_months_keep_their_day_where_there_is_one() -> None:
    anchor = datetime(2026, 1, 31, 8, tzinfo=UTC)
    schedule = Schedule(kind="interval", expression="P1M", timezone=BERLIN, anchor=anchor)
    found = fire_times(schedule, "2026-01-31T09:00", 4)
    assert found == [
        "26-02-28 09:00+0100",
        "26-03-31 09:00+0200",
        "26-04-30 09:00+0200",
        "26-05-31 09:00+0200",
    ]


def test_once_comes_once() -> None:
    moment = datetime(2026, 5, 13, 9, tzinfo=UTC)
    schedule = Schedule(kind="once", expression="2026-05-13T11:00+02:00")
    assert CALENDAR.next_fire(schedule, moment - timedelta(days=1)) == moment
    assert CALENDAR.next_fire(schedule, moment) is None
    assert CALENDAR.last_fire(schedule, moment - timedelta(1), moment) == moment
    assert CALENDAR.last_fire(schedule, moment, moment + timedelta(1)) is None
    assert CALENDAR.count(schedule, moment - timedelta(1), moment) == 1


def test_there_is_an_end_to_the_calendar() -> None:
    late = datetime(9999, 12, 30, tzinfo=UTC)
    assert CALENDAR.next_fire(cron("0 9 1 1 *"), late) is None
    monthly = Schedule(kind="interval", expression="P1M", anchor=datetime(2026, 1, 1, tzinfo=UTC))
    assert CALENDAR.next_fire(monthly, late) is None
