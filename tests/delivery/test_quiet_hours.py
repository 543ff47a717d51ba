"""Quiet hours by the person's own clock: what can wait is held until they are over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from told_home import Hand, Recording, told_home

from skill_agent.errors import ConfigError, NotDelivered, UsageError
from skill_agent.settings.parsing import parse_settings
from skill_agent.settings.quiet_hours import QuietHours
from skill_agent.values import Dispatch

NIGHT = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
RESULT = Dispatch(title="Done", text="It went well", targets=("desktop", "file"))


@pytest.mark.parametrize(
    ("span", "moment", "over"),
    [
        ("22:00-07:00", "2026-11-30T20:59:59", None),
        ("22:00-07:00", "2026-11-30T21:00:00", "2026-12-01T06:00:00"),
        ("22:00-07:00", "2026-12-01T05:59:59", "2026-12-01T06:00:00"),
        ("22:00-07:00", "2026-12-01T06:00:00", None),
        ("12:00 - 13:30", "2026-12-01T11:00:00", "2026-12-01T12:30:00"),
        ("22:00-07:00", "2026-03-28T22:00:00", "2026-03-29T05:00:00"),  # the night is short
        ("22:00-07:00", "2026-10-24T21:00:00", "2026-10-25T06:00:00"),  # and this one long
        ("23:00-02:30", "2026-03-28T23:00:00", "2026-03-29T01:30:00"),  # no 02:30 that night
    ],
)
def test_when_they_are_over(span: str, moment: str, over: str | None) -> None:
    quiet = QuietHours.parsed(span, "Europe/Berlin")
    assert quiet is not None
    found = quiet.over_at(datetime.fromisoformat(f"{moment}+00:00"))
    assert found == (datetime.fromisoformat(f"{over}+00:00") if over else None)


@pytest.mark.parametrize("text", ["22-7", "25:00-07:00", "22:00", "07:00-07:00", "nights"])
def test_what_is_no_span_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="quiet hours"):
        QuietHours.parsed(text)


def test_a_mistake_in_the_settings_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"config.toml:2: jobs.quiet_hours: .*22:00-07:00"):
        parse_settings('[jobs]\nquiet_hours = "nights"\n', "config.toml", {})
    settings, _ = parse_settings('[jobs]\nquiet_hours = "22:00-7:00"\n', "config.toml", {})
    assert settings.jobs.quiet_hours == "22:00-7:00"


def test_every_moment_is_either_loud_or_over_later() -> None:
    for span in ("22:00-07:00", "01:00-02:30", "02:00-03:00", "00:00-23:59"):
        quiet = QuietHours.parsed(span, "Europe/Berlin")
        assert quiet is not None
        for day in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
            for minutes in range(0, 3 * 1440, 5):
                moment = day + timedelta(minutes=minutes)
                over = quiet.over_at(moment)
                assert over is None or moment < over <= moment + timedelta(hours=25)


async def test_results_are_held_and_told_in_the_morning(tmp_path: Path) -> None:
    hand = Hand(NIGHT)
    loud, silent = Recording("desktop"), Recording("file")
    async with told_home(
        tmp_path, loud, silent, hand=hand, quiet="22:00-07:00", zone="Europe/Berlin"
    ) as home:
        item = await home.delivering.deliver(RESULT)
        await home.settle()
        assert (loud.tries, silent.taken) == ([], ["Done"])  # a file wakes nobody
        way = await home.way(item.id, "desktop")
        assert (way.state, way.next_try) == ("held", datetime(2026, 12, 1, 6, 0, tzinfo=UTC))
        assert len(await home.inbox.list(unread=True)) == 1
    async with told_home(  # also where nobody was there meanwhile
        tmp_path, loud, silent, hand=hand, quiet="22:00-07:00", zone="Europe/Berlin"
    ) as home:
        await home.run(hours=7, minutes=29)
        assert loud.tries == []
        await home.run(minutes=1)
        assert loud.taken == ["Done"]
        assert await home.notes() == ["file delivered", "desktop delivered"]


async def test_what_cannot_wait_goes_at_once_and_so_do_its_retries(tmp_path: Path) -> None:
    hand, loud = Hand(NIGHT), Recording("desktop", [NotDelivered("no")])
    async with told_home(tmp_path, loud, hand=hand, quiet="22:00-07:00") as home:
        await home.delivering.deliver(replace(RESULT, targets=("desktop",), always=True))
        await home.run(minutes=1)
        assert loud.taken == ["Done"]


async def test_a_retry_does_not_wake_anybody_either(tmp_path: Path) -> None:
    hand = Hand(datetime(2026, 11, 30, 21, 59, 30, tzinfo=UTC))
    loud = Recording("desktop", [NotDelivered("no")])
    async with told_home(tmp_path, loud, hand=hand, quiet="22:00-07:00") as home:
        item = await home.delivering.deliver(replace(RESULT, targets=("desktop",)))
        await home.run(hours=3)
        assert (await home.way(item.id, "desktop")).state == "held"
        await home.run(hours=7)
        assert loud.taken == ["Done"]
        assert await home.notes() == ["desktop failed", "desktop held", "desktop delivered"]
