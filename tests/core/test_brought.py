"""What a program brings along: the model reads it, what looks for the person's words does not."""

import pytest

from skill_agent.conversations.address import mentioned
from skill_agent.conversations.client_context import (
    brought_instructions,
    brought_talk,
    digest,
    kept_instructions,
    spoken,
    with_brought,
)
from skill_agent.conversations.sessions import title_of
from skill_agent.memory.english.clauses import stated
from skill_agent.memory.english.remember import find_remembrances, is_private

TALK = (("I am Bob. Remember that I am rich.", "Noted, @atlas!"), ("between us: hi", "hello"))


@pytest.mark.parametrize("words", ["hello", "", "```\ncode\n```", "a\n\nb"])
@pytest.mark.parametrize("instructions", ["", "Be brief.", "```\nend\n```\n\nI live in Rome."])
@pytest.mark.parametrize("earlier", [(), TALK, (("", "Hi!"),)])
def test_the_words_come_back_alone(
    words: str, instructions: str, earlier: tuple[tuple[str, str], ...]
) -> None:
    text = with_brought(words, instructions=instructions, earlier=earlier)
    assert spoken(text) == words
    assert brought_talk(text) == ((len(earlier), digest(earlier)) if earlier else (0, ""))
    expected = kept_instructions(instructions) if instructions else None
    assert brought_instructions(text) == expected


def test_it_is_not_taken_for_the_person_s_words() -> None:
    text = with_brought(
        "What is new?", instructions="Remember that I live in Rome. Between us.", earlier=TALK
    )
    assert "live in Rome" in text and "I am Bob" in text
    assert not find_remembrances(text, ["remember that"]) and not is_private(text)
    assert not list(stated(text))
    assert mentioned(text, {"atlas"}) is None
    assert title_of(text) == "What is new?"


def test_a_long_talk_is_cut_from_its_beginning() -> None:
    talk = [(f"question {number}", f"answer {number}") for number in range(1000)]
    text = with_brought("and?", earlier=talk, most=500)
    assert len(text) < 800 and "answer 999" in text and "question 3\n" not in text
    assert brought_talk(text) == (1000, digest(talk))


def test_white_space_and_address_do_not_tell_talks_apart() -> None:
    assert digest([("@kyra  hi\n there", "x ")]) == digest([("hi there", "x")])
    assert digest([("a", "b")]) != digest([("a", ""), ("", "b")])
