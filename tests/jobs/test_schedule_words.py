"""Words for times in ten languages: the examples of the language files, and what is refused."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saying import BERLIN, CALENDAR, NOW, first_times, read
from unseen_phrases import UNSEEN

from skill_agent.errors import UsageError
from skill_agent.jobs.schedules.preview import preview
from skill_agent.jobs.schedules.words import schedule_words
from skill_agent.text.language import spoken

EXAMPLES = [
    (one.code, words, tuple(times))
    for one in spoken()
    for words, times in one.tables["schedule"]["examples"].items()
]


@pytest.mark.parametrize(("code", "words", "times"), EXAMPLES)
def test_examples_of_the_language_files(code: str, words: str, times: tuple[str, ...]) -> None:
    assert first_times(words, len(times), language=code) == times
    assert first_times(words, len(times)) == times, "without being told the language"


@pytest.mark.parametrize(("words", "times"), list(UNSEEN.items()))
def test_words_that_were_written_before(words: str, times: tuple[str, ...]) -> None:
    assert first_times(words, max(1, len(times))) == times


def test_every_language_can_say_the_same() -> None:
    for one in spoken():
        assert len(one.tables["schedule"]["examples"]) >= 11, one.code
        words = schedule_words(one.code)
        assert words is not None
        assert len({*words.weekdays}) == 7


@pytest.mark.parametrize(
    ("words", "kind", "expression"),
    [
        ("weekdays at 9am", "cron", "0 9 * * mon-fri"),
        ("every 4th and 10th of the month at noon", "cron", "0 12 4,10 * *"),
        ("end of month at 5pm", "cron", "0 17 L * *"),
        ("nightly at 11", "cron", "0 23 * * *"),
        ("saturday through tuesday at 9", "cron", "0 9 * * mon,tue,sat,sun"),
        ("Montagmorgen um 9", "cron", "0 9 * * mon"),
        ("Weekdays at 9AM!", "cron", "0 9 * * mon-fri"),
        ("at 9 am on weekdays", "cron", "0 9 * * mon-fri"),
        ("mon, wed, fri at 7.30 p.m.", "cron", "30 19 * * mon,wed,fri"),
        ("saturdays and sundays at noon", "cron", "0 12 * * sat,sun"),
        ("daily at 12am", "cron", "0 0 * * *"),
        ("daily at 12pm", "cron", "0 12 * * *"),
        ("daily at a quarter to one pm", "cron", "45 12 * * *"),
        ("täglich um halb eins", "cron", "30 12 * * *"),
        ("täglich um Viertel vor 0 Uhr", "cron", "45 23 * * *"),
        ("every day at 9:15, 12:15 and 18:15", "cron", "15 9,12,18 * * *"),
        ("last friday of the month at 17:00", "cron", "0 17 * * friL"),
        ("second tuesday of every month at 8", "cron", "0 8 * * tue#2"),
        ("last day of the month at noon", "cron", "0 12 L * *"),
        ("monthly on the 3rd at 6pm", "cron", "0 18 3 * *"),
        ("every year on december 24 at 18:00", "cron", "0 18 24 12 *"),
        ("every 15 minutes between 9 and 17 on weekdays", "cron",
         "*/15 9,10,11,12,13,14,15,16 * * mon-fri"),
        ("every 2 hours from 8 to 18", "cron", "0 8,10,12,14,16,18 * * *"),
        ("every hour between 22 and 2", "cron", "0 0,1,2,22,23 * * *"),
        ("30m", "interval", "1800"),
        ("90 s", "interval", "90"),
        ("every half hour", "interval", "1800"),
        ("every other day at 6 pm", "interval", "P2D"),
        ("every 3 weeks on tuesday at 8", "interval", "P3W"),
        ("every 3 months on the 1st at 9", "interval", "P3M"),
        ("wochentags um 7 Uhr 45", "cron", "45 7 * * mon-fri"),
        ("montags abends um 8", "cron", "0 20 * * mon"),
        ("0 9 * * 1-5", "cron", "0 9 * * mon-fri"),
        ("0 9 * * 7", "cron", "0 9 * * sun"),
        ("0 9 * * 0,6", "cron", "0 9 * * sun,sat"),
        ("*/10 8-18 1,15 jan-jun MON", "cron", "*/10 8-18 1,15 jan-jun MON"),
        ("@daily", "cron", "0 0 * * *"),
        ("@hourly", "cron", "0 * * * *"),
    ],
)  # fmt: skip
def test_what_words_become(words: str, kind: str, expression: str) -> None:
    found = read(words)
    assert (found.kind, found.expression, found.timezone) == (kind, expression, BERLIN)
    assert found.said == words


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("weekdays at 9am unless it rains", "“unless it rains”"),
        ("every weekday at 9am except holidays", "“except holidays”"),
        ("daily at 9 for 3 weeks", "“for”"),
        ("jeden Werktag um 9 außer Freitag", "“außer”"),
        ("every day 9", "“9”"),
        ("daily at 9 and", "“and”"),
        ("jeden Tag gegen 9 Uhr", "“gegen”"),
        ("every couple of hours", "“every couple of hours”"),
        ("every day", "no time of day"),
        ("every 2 days", "no time of day"),
        ("every morning", "no time of day"),
        ("at 9", "no day"),
        ("every week at 9", "no day"),
        ("on monday at 9", "once or each time"),
        ("on the 15th at 9", "once or each time"),
        ("am Montag um 9", "once or each time"),
        ("31st of every month at 9", "not every month has"),
        ("fifth friday of every month at 9", "not every month has"),
        ("daily at 9:00 and 17:30", "a job each"),
        ("mondays at 9 and fridays at 17", "more than one schedule"),
        ("monday at 9 and friday", "more than one schedule"),
        ("tomorrow at 9 and 17", "only one time of day"),
        ("every 2 weeks on monday and friday at 9", "one day of the week"),
        ("every 7 hours on weekdays", "evenly"),
        ("in 20 minutes at 9", "is a moment already"),
        ("daily at 13pm", "is no time of day"),
        ("daily at 24:30", "is no time of day"),
        ("every morning at 9pm", "is no time in the morning"),
        ("every 30 seconds", "more often than once a minute"),
        ("every 0 minutes", "more often than once a minute"),
        ("tomorrow weekdays at 9", "do not go together"),
        ("30 february at 9", "no day of the calendar"),
        ("today at 9", "has gone by"),
        ("yesterday at 9", "has gone by"),
        ("2026-05-13 10:20", "has gone by"),
        ("2026-13-01 10:00", "no day or time of the calendar"),
        ("in 99999 years", "beyond the calendar"),
        ("61 * * * *", "61 is no minute"),
        ("0 9 * * 8", "8 is no weekday"),
        ("0 9 * * foo", "'foo' is no weekday"),
        ("0 18-9 * * *", "ends before it begins"),
        ("0 0 9 * * *", "five fields"),
        ("0 0 30 2 *", "never happens"),
        ("@reboot", "is not known"),
        ("", "no time is said"),
        ("every day at 9 " * 30, "too long"),
    ],
)
def test_what_is_refused_and_why(words: str, part: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(words)
    assert part in str(refused.value)
    assert len(str(refused.value)) < 300


def test_what_is_refused_names_the_nearest_that_is_understood() -> None:
    with pytest.raises(UsageError) as refused:
        read("last friday of the mnth at 17:00")
    assert "“mnth”" in str(refused.value) or "mnth" in str(refused.value)
    assert "last friday of the month at 17:00" in refused.value.hint
    with pytest.raises(UsageError) as refused:
        read("jeden Werktag um neune", language="de")
    assert "jeden Werktag um 9" in refused.value.hint


@settings(max_examples=200, deadline=None)
@given(
    words=st.sampled_from([words for _, words, _ in EXAMPLES] + [*UNSEEN]),
    strange=st.text("bcfgkqvwxz", min_size=4, max_size=9),
    place=st.integers(0, 12),
)
def test_no_word_is_passed_over(words: str, strange: str, place: int) -> None:
    said = words.split()
    said.insert(min(place, len(said)), strange)
    with pytest.raises(UsageError):
        read(" ".join(said))


SCRAPS = sorted({scrap for _, words, _ in EXAMPLES for scrap in (*words.split(), words[:3])})
TYPED = st.text(max_size=60) | st.lists(
    st.sampled_from([*SCRAPS, "99", "0", "*", "*/5", "1-", "-", ":", "9:", "29.", "2027"]),
    max_size=7,
).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(TYPED)
def test_nothing_anybody_types_breaks_it(words: str) -> None:
    with suppress(UsageError):
        found = read(words)
        assert CALENDAR.next_fire(found, NOW) is not None


def test_a_moment_without_an_offset_is_the_persons() -> None:
    assert read("2026-06-01T08:30").expression == "2026-06-01T06:30:00+00:00"
    assert read("2026-06-01T08:30+00:00").expression == "2026-06-01T08:30:00+00:00"
    shown = preview(read("2026-06-01T08:30"), CALENDAR, NOW)
    assert shown.local == ("Mon 2026-06-01 08:30 Europe/Berlin",)


def test_an_hour_is_an_hour_when_clocks_change_meanwhile() -> None:
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read("in 2 hours", now=night).expression == "2026-10-25T02:30:00+00:00"


@pytest.mark.parametrize(
    ("words", "problem"),
    [("2026-10-25 02:30", "comes twice"), ("2027-03-28 02:30", "does not exist")],
)
def test_a_moment_that_clocks_skip_or_repeat_is_refused(words: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read(words)


def test_what_counts_from_a_day_keeps_its_time_of_day_from_the_first_time_on() -> None:
    before_spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    found = read("every other day at 02:30", now=before_spring)
    assert found.anchor == datetime(2026, 3, 30, 0, 30, tzinfo=UTC), "the 29th has no such time"
    assert found.anchor is not None
    assert found.anchor.tzinfo is UTC
    runs = preview(found, CALENDAR, before_spring, count=200).local
    assert {one.split()[2] for one in runs} == {"02:30"}


def test_a_preview_shows_the_next_times_in_the_persons_zone_and_language() -> None:
    schedule = read("jeden Werktag um 9", language="de", zone="America/New_York")
    found = preview(schedule, CALENDAR, NOW, language="de")
    assert found.schedule == schedule
    assert [f"{one:%d %H:%M}" for one in found.next_runs] == ["13 13:00", "14 13:00", "15 13:00"]
    assert found.local[0] == "Mi 2026-05-13 09:00 America/New_York"
    assert len(preview(read("in 1 hour"), CALENDAR, NOW, count=5).local) == 1


def test_a_zone_nobody_knows_is_told_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        read("daily at 9", zone="Europe/Berln")
    assert "Europe/Berlin" in refused.value.hint
