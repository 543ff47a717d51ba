"""Echoes, wrong persons and made-up values, as the guard of small models finds them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skill_agent.text.language import Language, language, language_of, spoken
from skill_agent.text.parroting import echoes, has_mine, speaks_as, strange_values, turned

SAID = {
    "en": "My cello lesson is on Thursday at six",
    "de": "Meine Cellostunde ist am Donnerstag um sechs",
    "es": "Mi clase de violonchelo es el jueves a las seis",
    "fr": "Mon cours de violoncelle est jeudi à six heures",
    "ru": "Мой урок виолончели в четверг в шесть часов",
    "ja": "私のチェロのレッスンは木曜日の六時です",
    "zh": "我的大提琴课是星期四六点",
}


def known(code: str) -> Language:
    found = language(code)
    assert found is not None
    return found


@pytest.mark.parametrize("code", SAID)
def test_a_sentence_said_back_is_an_echo_in_any_script(code: str) -> None:
    said = SAID[code]
    assert echoes(said, said)
    assert echoes(f"{said}!", f"{said}. {said}")
    assert not echoes("Wonderful! ¿Qué? Ach so. はい、わかりました。", said)


@pytest.mark.parametrize("code", SAID)
def test_the_persons_sentence_is_turned_to_them(code: str) -> None:
    said, tongue = SAID[code], known(code)
    assert speaks_as(said, said, tongue)
    other = turned(said, tongue)
    assert other != said
    assert not has_mine(other, tongue)
    assert not speaks_as(other, said, tongue)


def test_what_stands_in_quotes_is_the_persons_own() -> None:
    said = "I deploy on Fridays"
    assert not speaks_as('You told me: "I deploy on Fridays"', said, known("en"))
    assert not speaks_as("I see that you deploy on Fridays", said, known("en"))


def test_a_long_answer_that_takes_up_a_few_words_is_no_echo() -> None:
    said = "I planted garlic and leeks behind the shed last weekend"
    assert not echoes("Garlic and leeks go well together, do they get enough sun there?", said)


def test_values_nobody_gave_are_found() -> None:
    told = ["My sister Ana lives in Porto since 1 March 2024, at 9:00 she runs 1,200 m."]
    assert strange_values("Ana moved on 1 March 2024 at 09:00.", told, known("en")) == []
    assert strange_values("She runs 1200 m or 1.200 m.", told, known("en")) == []
    assert strange_values("Ana is 27 and lives in Lisbon.", told, known("en")) == ["27", "Lisbon"]
    assert strange_values("你的航班号是12345。", ["我的航班号是多少？"], known("zh")) == ["12345"]
    assert strange_values("Deine Schwester wohnt in einem Haus.", told, known("de")) == []


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(spoken()))
def test_no_text_breaks_them(one: str, other: str, tongue: Language) -> None:
    echoes(one, other)
    speaks_as(one, other, tongue)
    strange_values(one, [other], tongue)
    assert turned(turned(one, tongue), tongue) is not None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Danke!"),
        ("de", "Wann ist mein Termin?"),
        ("es", "¿Cuándo sale mi tren?"),
        ("fr", "Où est-ce que j'habite ?"),
        ("ru", "Как зовут мою кошку?"),
        ("ja", "明日の予定は？"),
        ("zh", "我的护照在哪里？"),
        ("en", "where did I park the car"),
    ],
)
def test_a_short_message_tells_its_language(code: str, text: str) -> None:
    assert language_of(text) == code


def test_what_tells_nothing_takes_the_conversations_language() -> None:
    assert language_of("12:30", otherwise="de") == "de"


def test_every_language_has_all_it_needs() -> None:
    for tongue in spoken():
        assert "{undo}" in tongue.kept
        assert "{text}" in tongue.said and "{day}" in tongue.said
        assert "{text}" in tongue.quote
        assert tongue.openings and tongue.remember and tongue.mine and tongue.yours
        swapped = {other for _, other in tongue.yours}
        assert not swapped & set(tongue.mine) - {"me", "sono"}
