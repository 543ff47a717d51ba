"""The days and hours of a person's own clock."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skill_agent.errors import UsageError
from skill_agent.memory.extraction.own_words import dated
from skill_agent.memory.recall.question import read_question, speaks_of
from skill_agent.memory.recall.wording import dated_line
from skill_agent.memory.words.when import find_times, resolve_dates
from skill_agent.text.clock import checked_zone, day_of, local, minute_of, said_at, zone_here
from skill_agent.values import IndexItem, Message


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def message(text: str, moment: datetime, zone: str) -> Message:
    return Message(
        id="m", session="s", turn="t", role="user", content=text, created_at=moment, zone=zone
    )


@pytest.fixture
def here() -> Iterator[None]:
    """Puts the machine's zone back."""
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Kiritimati", "2026-11-30"),
        ("Pacific/Pago_Pago", "2026-11-29"),
        ("Europe/Berlin", "2026-11-29"),
        ("+14:00", "2026-11-30"),
        ("-11:00", "2026-11-29"),
        ("Nowhere/Known", day_of(at("2026-11-29T13:58"))),
    ],
)
def test_a_day_is_the_persons_own(zone: str, day: str) -> None:
    assert day_of(at("2026-11-29T13:58"), zone) == day


def test_an_hour_is_what_the_clock_showed_then() -> None:
    assert minute_of(at("2026-10-25T00:30"), "Europe/Berlin") == "2026-10-25 02:30"
    assert minute_of(at("2026-10-25T01:30"), "Europe/Berlin") == "2026-10-25 02:30"
    assert minute_of(at("2026-07-01T10:00"), "Europe/Berlin") == "2026-07-01 12:00"
    assert local(datetime.max.replace(tzinfo=UTC), "Asia/Tokyo").year == 9999


@pytest.mark.parametrize(
    "name",
    ["Europe", "europa/berlin", "../etc/passwd", "/etc/localtime", "CET+1CEST", "+25:00", "+2:00",
     "x" * 5_000, "a\0b", "\ud800", " ", "Europe/Berlin\n"],
)  # fmt: skip
def test_what_is_no_zone_is_refused_with_what_would_be_one(name: str) -> None:
    with pytest.raises(UsageError, match="time zone") as caught:
        checked_zone(name)
    assert "IANA" in caught.value.hint


@pytest.mark.parametrize("name", ["", "Europe/Berlin", "UTC", "+02:00", "-09:30"])
def test_a_zone_is_a_name_or_an_offset(name: str) -> None:
    assert checked_zone(name) == name


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("Pacific/Kiritimati", "Pacific/Kiritimati"),
        (":Europe/Lisbon", "Europe/Lisbon"),
        ("XYZ-5", "+05:00"),
    ],
)
def test_the_machines_zone_has_a_name_where_one_fits(here: None, said: str, known: str) -> None:
    os.environ["TZ"] = said
    time.tzset()
    assert zone_here() == known


def test_days_end_at_midnight_also_when_clocks_change() -> None:
    monday = local(at("2026-10-26T09:00"), "Europe/Berlin")
    (yesterday,) = find_times("What did I do yesterday?", monday)
    assert (yesterday.start, yesterday.end) == (at("2026-10-24T22:00"), at("2026-10-25T23:00"))
    spring = local(at("2026-03-30T06:00"), "America/New_York")
    (week,) = find_times("What happened three weeks ago?", spring)
    assert minute_of(week.start, "America/New_York").endswith(" 00:00")


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Kiritimati", "2026-11-30"), ("-10:00", "2026-11-29")]
)
def test_what_is_read_in_passing_is_dated_by_who_said_it(zone: str, day: str) -> None:
    said = message("I had my boiler repaired today.", at("2026-11-29T13:58"), zone)
    assert dated(said.content, said_at(said)) == f"I had my boiler repaired today ({day})."


def test_the_indexed_line_has_the_day_it_was_said_on() -> None:
    said = message("hi", at("2026-11-29T13:58"), "Pacific/Kiritimati")
    item = IndexItem(id="m", kind="turn", seq=1, text="hi", created_at=said_at(said))
    assert "30 November 2026" in dated_line(item)


def test_an_item_speaks_of_a_day_of_whoever_asks() -> None:
    now = local(at("2026-11-30T00:30"), "Pacific/Kiritimati")
    asked = read_question("What did I do yesterday?", now)
    item = IndexItem(
        id="m", kind="turn", seq=1, text="I paint today", created_at=at("2026-11-28T09:59")
    )
    assert speaks_of(item, asked.times)
    assert not speaks_of(item, asked.times, asked.zone)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("I met Odile yesterday at the harbour", "I met Odile on 12 May 2026 at the harbour"),
        ("I fly to Oslo tomorrow", "I fly to Oslo on 14 May 2026"),
        ("The fair was two days ago", "The fair was 11 May 2026"),
        ("I sowed it 3 days ago", "I sowed it on 10 May 2026"),
        ("The lease ends in two weeks", "The lease ends in the week of 25 May 2026"),
        ("I deploy on Fridays", "I deploy on Fridays"),
        ("The standup is on Monday at 9", "The standup is on Monday at 9"),
        ("My birthday is in May", "My birthday is in May"),
    ],
)
def test_what_is_to_be_remembered_means_the_same_later(said: str, kept: str) -> None:
    assert resolve_dates(said, at("2026-05-13T15:00"), passing=True) == kept


def test_only_one_module_makes_local_times() -> None:
    root = Path(__file__).parents[2]
    offences = [
        f"{path.relative_to(root)}: {line.strip()}"
        for folder in ("skill_agent", "cli", "tui", "bots", "scheduler")
        for path in (root / folder).rglob("*.py")
        if path.name not in ("clock.py", "usage.py")
        for line in path.read_text("utf-8").splitlines()
        if ".astimezone()" in line or "_at:%Y" in line or "_at:%d" in line
    ]
    assert offences == []
