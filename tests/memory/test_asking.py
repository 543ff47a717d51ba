"""Questions and requests that carry no mark, and statements that merely look like them."""

import pytest

from skill_agent.memory.recall.question import asks, tells_nothing


@pytest.mark.parametrize(
    "text",
    [
        "when's the standup again",
        "whats the wifi pw",
        "who do I call if the oven dies",
        "until when is the clinic open on wednesday",
        "have I paid my choir fee",
        "does my dad have a heart problem",
        "which day do I work",
        "write a haiku about rain",
        "please proofread: Their going home.",
        "phone number of the laboratory",
        "lol ok",
        "Good morning Kyra!",
        "Good morning! What is new?",
    ],
)
def test_what_only_asks_tells_nothing(text: str) -> None:
    assert tells_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "When we say the Boat, we mean the savings account",
        "What I like most is tea",
        "When I was a child we lived in Ghent",
        "Phone number of the lab: 555 81 20",
        "The wifi password is barnacle",
        "I paid the fee. Was that right?",
        "Where Lisa lives there is no tram",
        "What a lovely bakery that is!",
    ],
)
def test_what_tells_something_is_no_question(text: str) -> None:
    assert not tells_nothing(text)


def test_a_sentence_is_judged_by_itself() -> None:
    assert asks("How much is a rye bread")
    assert not asks("How wonderful that was!")
