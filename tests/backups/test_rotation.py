"""Which backups stay: the newest of days and of weeks, and always the newest of all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from skill_agent.backups.rotation import outlived
from skill_agent.values import Backup, LedgerHead

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def made(*ages: float) -> list[Backup]:
    """Backups so many days old."""
    return [
        Backup(
            id=f"backup-{age}",
            path=Path("/b"),
            home="/h",
            at=NOON - timedelta(days=age),
            version="1",
            head=LedgerHead(seq=1, hash="", schema=1),
            size=1,
            encrypted=False,
            daily=True,
        )
        for age in ages
    ]


def test_seven_days_and_four_weeks_of_daily_backups_stay() -> None:
    daily = made(*range(60))
    kept = [one for one in daily if one not in outlived(daily, days=7, weeks=4)]
    assert [one.at.date() for one in kept[:7]] == [one.at.date() for one in daily[:7]]
    # 30 November 2026 is a Monday: the newest of the three weeks before are Sundays.
    assert [one.at.isoweekday() for one in kept[7:]] == [7, 7]
    assert len(kept) == 9


def test_the_newest_of_a_day_stands_for_it() -> None:
    several = made(0.0, 0.1, 0.2, 1.0)
    assert outlived(several, days=7, weeks=0) == several[1:3]


def test_days_without_a_backup_do_not_count() -> None:
    rare = made(0, 40, 80, 120)
    assert outlived(rare, days=3, weeks=0) == [rare[3]]


@given(
    st.lists(st.integers(0, 9_600), unique=True, max_size=40), st.integers(1, 9), st.integers(0, 9)
)
def test_the_newest_stays_and_what_is_kept_is_bounded(
    hours: list[int], days: int, weeks: int
) -> None:
    there = made(*(one / 24 for one in hours))
    going = outlived(there, days=days, weeks=weeks)
    assert len(there) - len(going) <= days + weeks
    if there:
        assert max(one.at for one in there) not in {one.at for one in going}
    assert outlived([one for one in there if one not in going], days=days, weeks=weeks) == []
