"""How a summary is worded, for which days, and which of a model's notes hold."""

from datetime import UTC, datetime, timedelta

import pytest

from skill_agent.errors import UsageError
from skill_agent.jobs.summary.checks import faithful
from skill_agent.jobs.summary.dates import due_day
from skill_agent.jobs.summary.facts import Facts
from skill_agent.jobs.summary.marks import mark_of
from skill_agent.jobs.summary.span import Span, midnight, today
from skill_agent.jobs.summary.wording import Wording
from skill_agent.text.clock import local
from skill_agent.text.language import language, spoken
from skill_agent.values import SUMMARY_MARKS, SummaryPoint, SummaryTalk

AT = datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
"""A Monday."""
NOTED = [one.code for one in spoken() if "notes" in one.tables["summary"]]


@pytest.mark.parametrize(
    ("code", "said", "mark"),
    [
        ("en", "We decided to move the launch to April.", "decided"),
        ("en", "I'll send the offer to Karen tomorrow.", "promised"),
        ("en", "We still don't know who feeds the rabbit.", "open"),
        ("en", "How do I sort a list?", None),
        ("en", "It rained the whole weekend.", None),
        ("de", "Wir haben uns für den kleinen Saal entschieden.", "decided"),
        ("de", "Ich schicke Karin morgen das Angebot.", "promised"),
        ("de", "Wir wissen noch nicht, wer das Kaninchen füttert.", "open"),
        ("de", "Es hat das ganze Wochenende geregnet.", None),
        ("es", "Hemos decidido mudarnos en abril.", "decided"),
        ("es", "Mañana le envío la oferta a Karina.", "promised"),
        ("es", "Todavía no sabemos quién cuida el conejo.", "open"),
        ("es", "Llovió todo el fin de semana.", None),
        ("fr", "Nous avons décidé de déménager en avril.", "decided"),
        ("fr", "J'envoie l'offre à Karine demain.", "promised"),
        ("fr", "On ne sait pas encore qui garde le lapin.", "open"),
        ("fr", "Il a plu tout le week-end.", None),
    ],
)
def test_what_a_sentence_tells(code: str, said: str, mark: str | None) -> None:
    assert mark_of(said, code) == mark


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("I'll write the notes by Wednesday.", "2026-12-02"),
        ("We skip it until Friday.", "2026-12-04"),
        ("Bis Donnerstag schreibe ich das Skript.", "2026-12-03"),
        ("Die alte Fassung schalte ich am 5. Dezember ab.", "2026-12-05"),
        ("Reservo la casa el sábado.", "2026-12-05"),
        ("Je dois rappeler le loueur avant le 7 décembre.", "2026-12-07"),
        ("The deadline is 2026-12-24.", "2026-12-24"),
        ("Last Friday we met.", ""),
        ("The budget is 8,000 now.", ""),
        ("Next month we move.", ""),
    ],
)
def test_the_day_something_is_for(said: str, day: str) -> None:
    assert due_day(said, local(AT, "Europe/Berlin")) == day


@pytest.mark.parametrize("code", NOTED)
def test_the_examples_of_notes_hold(code: str) -> None:
    known = language(code)
    assert known is not None
    for said, note in known.tables["summary"]["notes"].items():
        assert faithful(note, said, known), (said, note)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("My aunt does not eat cheese", "I don't know yet if my aunt eats cheese."),
        ("My aunt eats cheese", "I don't know yet if my aunt eats cheese."),
        ("Write the notes by Thursday", "I'll write the notes by Wednesday."),
        ("Write the notes", "I'll write the notes by Wednesday."),
        ("Pay 80 to the caterer", "I have to pay 90 to the caterer."),
        ("Ship it with XML support", "We're going to ship it without XML support."),
        ("Bring two chairs on Sunday", "My sister said she'd bring two chairs on Sunday."),
        ("Review everything", "Ravi said he'd review everything."),
        ("He sends the contract", "I'll send the contract to you tomorrow."),
        ("Luke sends the contract", "I will of course send the contract."),
        ("Keep the new logo", "We decided to keep the old logo."),
        ("Do not keep the logo", "We decided to keep the logo after all."),
        ("", "We decided to keep the old logo."),
        ("We decided to keep the old logo.", "We decided to keep the old logo."),
        ("Das alte Logo behalten wir so", "We decided to keep the old logo after all."),
        ("I cannot help with that", "We decided to keep the old logo."),
    ],
)
def test_a_note_that_says_anything_else_does_not_hold(note: str, said: str) -> None:
    known = language("en")
    assert known is not None
    assert not faithful(note, said, known)


def test_today_is_the_day_of_the_persons_zone() -> None:
    for zone, begun in (
        ("Asia/Tokyo", "2026-11-30T15:00"),
        ("America/Los_Angeles", "2026-11-30T08:00"),
        ("+05:30", "2026-11-29T18:30"),
    ):
        assert f"{today(AT, zone).since:%Y-%m-%dT%H:%M}" == begun
    assert today(datetime(2026, 11, 30, tzinfo=UTC), "UTC").since.day == 29


def test_a_day_is_as_long_as_it_was() -> None:
    for zone, evening, hours in (
        ("Europe/Berlin", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), 23),
        ("Europe/Berlin", datetime(2026, 10, 25, 23, 0, tzinfo=UTC), 25),
    ):
        assert evening - midnight(evening - timedelta(minutes=1), zone) == timedelta(hours=hours)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot begin"):
        Span(since=AT, until=AT)


@pytest.mark.parametrize("code", [one.code for one in spoken()])
def test_every_language_says_all_of_it(code: str) -> None:
    span = today(AT, "UTC")
    points = tuple(
        SummaryPoint(mark=mark, text=f"«{mark}»", until="2026-12-04", at=AT, memory="m" * 36)
        for mark in SUMMARY_MARKS
        for _ in range(14)
    )
    talk = SummaryTalk(id="s" * 36, title="Talk", agent="kyra", messages=2)
    wording = Wording(code)
    assert wording.language.code == code
    text = wording.text(Facts(span=span, language=code, talks=(talk,), points=points, unread=3))
    assert all(text.count(f"«{mark}»") == 12 for mark in SUMMARY_MARKS)
    assert "{" not in text
    assert "30" in text.splitlines()[0]
    assert Wording("sw").language.code == "en"
    empty = Wording(code).text(Facts(span=span, language=code))
    assert "\n" not in empty
    assert "{" not in empty


def test_a_longer_span_says_from_when_to_when() -> None:
    span = Span(since=AT - timedelta(days=3), until=AT, zone="UTC")
    assert Wording("en").title(span) == "Summary: 2026-11-27 17:00 – 2026-11-30 17:00"
