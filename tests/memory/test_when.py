"""Times in a text as ranges, and relative dates spelt out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.memory.words.when import find_times, resolve_dates

NOW = datetime(2026, 5, 13, 15, 0, tzinfo=UTC)
"""A Wednesday."""


def ranges(text: str) -> list[tuple[str, str]]:
    return [
        (one.start.date().isoformat(), one.end.date().isoformat()) for one in find_times(text, NOW)
    ]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("What did I eat yesterday?", "2026-05-12", "2026-05-13"),
        ("what happened the day before yesterday", "2026-05-11", "2026-05-12"),
        ("three days ago", "2026-05-10", "2026-05-11"),
        ("What did we do last week?", "2026-05-04", "2026-05-11"),
        ("two weeks ago", "2026-04-27", "2026-05-04"),
        ("the week before last", "2026-04-27", "2026-05-04"),
        ("two months ago", "2026-03-01", "2026-04-01"),
        ("five years ago", "2021-01-01", "2022-01-01"),
        ("next month", "2026-06-01", "2026-07-01"),
        ("this year", "2026-01-01", "2027-01-01"),
        ("Who called on Friday?", "2026-05-08", "2026-05-09"),
        ("last Wednesday", "2026-05-06", "2026-05-07"),
        ("What is due on Friday?", "2026-05-15", "2026-05-16"),
        ("Monday of last week", "2026-05-04", "2026-05-05"),
        ("Where was I in May?", "2026-05-01", "2026-06-01"),
        ("last May", "2025-05-01", "2025-06-01"),
        ("in November", "2025-11-01", "2025-12-01"),
        ("in May 2023", "2023-05-01", "2023-06-01"),
        ("8 May 2023", "2023-05-08", "2023-05-09"),
        ("May 8th, 2023", "2023-05-08", "2023-05-09"),
        ("May 8", "2026-05-08", "2026-05-09"),
        ("on the 20th of may", "2025-05-20", "2025-05-21"),
        ("2023-05-08", "2023-05-08", "2023-05-09"),
        ("since March", "2026-03-01", "2026-05-14"),
        ("before June 2025", "1900-01-01", "2025-06-01"),
        ("after Monday", "2026-05-12", "2026-05-14"),
        ("between March and May", "2026-03-01", "2026-06-01"),
        ("between November and February", "2025-11-01", "2026-03-01"),
        ("from 3 March to 5 April", "2026-03-03", "2026-04-06"),
        ("over the weekend", "2026-05-09", "2026-05-11"),
        ("in winter", "2025-12-01", "2026-03-01"),
        ("last summer", "2025-06-01", "2025-09-01"),
        ("in 2022", "2022-01-01", "2023-01-01"),
        ("in the last three days", "2026-05-10", "2026-05-14"),
        ("end of April", "2026-04-21", "2026-05-01"),
        ("in Q3 2025", "2025-07-01", "2025-10-01"),
    ],
)
def test_a_question_names_a_range(text: str, start: str, end: str) -> None:
    assert ranges(text) == [(start, end)]


@pytest.mark.parametrize(
    "text",
    [
        "It may rain",
        "May I march in the sun for a second?",
        "April said hello",
        "the fall was hard",
        "every Friday",
        "I like Monday mornings",
        "a file of 2000 lines",
        "in 2000 lines",
        "port 2022",
        "on 31 February",
        "10 may be too many",
        "900000 years ago",
        "it took two weeks",
        "",
    ],
)
def test_what_only_looks_like_a_time_is_none(text: str) -> None:
    assert ranges(text) == []


def test_parts_of_a_day_have_hours() -> None:
    [morning] = find_times("this morning", NOW)
    assert (morning.start.hour, morning.end.hour, morning.end.day) == (0, 12, 13)
    [night] = find_times("last night", NOW)
    assert (night.start.day, night.start.hour, night.end.day) == (12, 18, 13)


def test_days_are_those_of_the_speakers_time_zone() -> None:
    there = timezone(timedelta(hours=10))
    [day] = find_times("yesterday", datetime(2026, 5, 13, 1, 0, tzinfo=there))
    assert day.start == datetime(2026, 5, 11, 14, 0, tzinfo=UTC)
    assert day.end - day.start == timedelta(days=1)


def test_the_words_and_their_place_are_given() -> None:
    text = "Since last week, or was it on 3 March?"
    for one in find_times(text, NOW):
        assert text[slice(*one.span)] == one.words
    assert [one.words for one in find_times(text, NOW)] == ["Since last week", "3 March"]


@given(st.text(alphabet="abdeghinorstuwy 0123456789-/MFJ.", max_size=60))
def test_any_text_is_survived_and_spans_are_in_order(text: str) -> None:
    found = find_times(f"last {text} May {text} ago", NOW)
    ends = 0
    for one in found:
        assert one.start < one.end
        assert ends <= one.span[0] < one.span[1]
        ends = one.span[1]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("I moved to Lisbon yesterday", "I moved to Lisbon on 12 May 2026"),
        ("Yesterday was awful.", "12 May 2026 was awful."),
        ("The demo is on Friday", "The demo is on 15 May 2026"),
        ("We met on Friday", "We met on 8 May 2026"),
        ("Last week I flew to Rome", "In the week of 4 May 2026 I flew to Rome"),
        ("We go to Oslo next month", "We go to Oslo in June 2026"),
        ("The deadline is in June", "The deadline is in June 2026"),
        ("It must be ready by tomorrow", "It must be ready by 14 May 2026"),
        ("Next Friday's demo is off", "The 22 May 2026 demo is off"),
        ("Two months ago I quit", "In March 2026 I quit"),
        ("I ran this morning", "I ran on the morning of 13 May 2026"),
        ("Over the weekend we painted", "On the weekend of 9 May 2026 we painted"),
        ("I married in 2022", "I married in 2022"),
        ("I started in May 2023", "I started in May 2023"),
        ("I love hiking in May", "I love hiking in May"),
        ("My birthday is May 8", "My birthday is May 8"),
        ("I finished it in two weeks", "I finished it in two weeks"),
        ("In two weeks we will ship", "In the week of 25 May 2026 we will ship"),
        ("We ship next week. I said so yesterday!",
         "We ship in the week of 18 May 2026. I said so on 12 May 2026!"),
    ],
)  # fmt: skip
def test_relative_dates_become_absolute(said: str, kept: str) -> None:
    assert resolve_dates(said, NOW) == kept


@given(st.sampled_from(["yesterday", "last week", "next month", "on Friday", "in May", "tonight"]))
def test_resolving_twice_changes_nothing_more(words: str) -> None:
    once = resolve_dates(f"We shipped it {words}", NOW)
    assert resolve_dates(once, NOW + timedelta(days=400)) == once
