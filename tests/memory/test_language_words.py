"""What each language's file says of times and of requests to remember holds, by its own
examples."""

from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.memory.extraction.concerns import SIGNS, concerns_team
from skill_agent.memory.remembrances import is_private, remembrances
from skill_agent.memory.words.likely import likely_languages, may_name_time
from skill_agent.memory.words.when import find_times, resolve_dates
from skill_agent.text.language import english, spoken

NOW = datetime(2026, 5, 13, 15, 0, tzinfo=UTC)
"""A Wednesday."""
LANGUAGES = {one.code: one for one in spoken()}


def table(code: str, name: str) -> Any:
    return LANGUAGES[code].tables[name]


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_file_has_the_same_headings_and_examples(code: str) -> None:
    for name in ("keep", "words", "time", "changes", "facts", "standing", "shared", "team"):
        assert name in LANGUAGES[code].tables, name
    assert set(table("en", "time")) <= {*table(code, "time"), "nth", "order", "day"}
    assert {"bare", "polite", "talk", "point", "please", "private"} <= set(table(code, "keep"))
    assert len(table(code, "time")["months"]) == 12
    assert len(table(code, "time")["weekdays"]) == 7
    assert len(table(code, "keep")["examples"]) >= 2
    assert len(table(code, "keep")["none"]) >= 3


@pytest.mark.parametrize("code", LANGUAGES)
def test_requests_to_remember_are_found_and_talk_of_it_is_not(code: str) -> None:
    for text, kept in table(code, "keep")["examples"].items():
        assert [one.content for one in remembrances(text, LANGUAGES[code])] == [kept], text
    for text in table(code, "keep")["none"]:
        assert remembrances(text, LANGUAGES[code]) == [], text


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_concerns_a_team_is_told_from_what_is_somebodys_own(code: str) -> None:
    assert set(SIGNS) < set(table(code, "shared"))
    assert len(table(code, "shared")["examples"]) >= 4
    for text in table(code, "shared")["examples"]:
        assert concerns_team(text, code), text
    for text in table(code, "shared")["none"]:
        assert not concerns_team(text, code), text


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_told_in_confidence_is_nobody_elses(code: str) -> None:
    aside = ASIDE[code]
    for text in table(code, "shared")["examples"]:
        assert not concerns_team(f"{aside}: {text}", code), text


ASIDE = {
    "de": "Unter uns", "en": "Between us", "es": "Entre nosotros", "fr": "Entre nous",
    "it": "Tra noi", "ja": "ここだけの話", "nl": "Onder ons", "pt": "Entre nós",
    "ru": "Между нами", "zh": "只告诉你",
}  # fmt: skip


def _range(text: str) -> str:
    found = [
        (one.start.date(), (one.end - one.start).days, one.end) for one in find_times(text, NOW)
    ]
    return " ".join(f"{day}" if days <= 1 else f"{day}/{end.date()}" for day, days, end in found)


@pytest.mark.parametrize("code", LANGUAGES)
def test_times_are_found_and_what_only_looks_like_one_is_not(code: str) -> None:
    for text, told in table(code, "time")["examples"].items():
        for one in told if text == "" else (text,):
            assert _range(one) == ("" if text == "" else told), one


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Ich habe gestern gekündigt", "Ich habe gestern (2026-05-12) gekündigt"),
        ("J'ai vu Léa hier soir", "J'ai vu Léa hier soir (2026-05-12)"),
        ("El año pasado viví en Lima", "El año pasado (2025) viví en Lima"),
        ("Через месяц поеду", "Через месяц (2026-06) поеду"),
        ("我下周五搬家", "我下周五 (2026-05-22)搬家"),
        ("来週引っ越します", "来週 (2026-05-18/2026-05-24)引っ越します"),
        ("Der Termin ist am 3.10.2024", "Der Termin ist am 3.10.2024"),
    ],
)
def test_the_persons_words_stay_and_the_day_stands_behind_them(said: str, kept: str) -> None:
    assert resolve_dates(said, NOW) == kept
    assert resolve_dates(kept, NOW) == kept


@given(st.text(max_size=80), st.sampled_from(sorted(LANGUAGES)), st.integers(0, 200))
def test_any_text_is_survived_and_spans_lie_in_it(text: str, code: str, at: int) -> None:
    examples = [one for one in table(code, "time")["examples"] if one]
    text = f"{text} {examples[at % len(examples)]} {text}"
    for one in find_times(text, NOW):
        assert one.start < one.end
        assert text[slice(*one.span)] == one.words
    resolve_dates(text, NOW)
    remembrances(text, LANGUAGES[code])


def test_commonest_words_tell_a_language() -> None:
    for code in LANGUAGES:
        for text in table(code, "keep")["none"]:
            assert code in likely_languages(text), text
    assert likely_languages("") == ()
    assert likely_languages("My cat is called 猫") == ("en",)


def test_a_text_without_times_need_not_be_read_closely() -> None:
    assert may_name_time("Am Dienstag") and may_name_time("来週") and may_name_time("in 2024")
    assert not may_name_time("The cat sleeps on the sofa")


def test_what_is_for_one_pair_of_ears_is_private_in_any_language() -> None:
    for text in ("just between us", "das bleibt unter uns", "entre nous", "между нами", "内緒だよ"):
        assert is_private(text), text
    assert not is_private("the door between the rooms")


def test_the_sentence_before_is_meant_where_a_request_only_points() -> None:
    [said] = remembrances("My code is red fox. Remember that.", english())
    assert said.content == "My code is red fox."
    [said] = remembrances("Mein Code ist Fuchs. Merk dir das.", LANGUAGES["de"])
    assert said.content == "Mein Code ist Fuchs."
    assert remembrances("Remember this.", english())[0].content == ""


def test_a_list_after_a_colon_is_kept_whole() -> None:
    [said] = remembrances("Merk dir Folgendes:\n- Papier am Montag\n- Glas am Freitag",
                          LANGUAGES["de"])  # fmt: skip
    assert said.content == "Papier am Montag - Glas am Freitag"


@pytest.mark.parametrize(
    "piece", ["kannst du dir ", "remember: ", "im  ", " ", "from May to ", "记住", "1.2."]
)
def test_long_and_odd_texts_take_no_time(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    before = process_time()
    find_times(text, NOW)
    for one in LANGUAGES.values():
        remembrances(text, one)
    assert process_time() - before < 10
