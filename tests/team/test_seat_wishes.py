"""What a person asks of who takes part, in ten languages: the examples of the language files."""

import pytest

from skill_agent.team.seats.wishes import KINDS, SeatWish, seat_wish, words_of
from skill_agent.text.language import spoken

NAMES = {"kyra": "kyra", "luke": "luke", "ada": "ada", "max": "max", "r. dee": "rd"}
EXAMPLES = [
    (one.code, text, meant)
    for one in spoken()
    for text, meant in one.tables["seats"]["examples"].items()
]
NONE = [(one.code, text) for one in spoken() for text in one.tables["seats"]["none"]]


def told(wish: SeatWish | None) -> str:
    return " ".join((wish.kind, *wish.agents)) if wish else ""


@pytest.mark.parametrize(("code", "text", "meant"), EXAMPLES)
def test_what_is_asked_for(code: str, text: str, meant: str) -> None:
    assert told(seat_wish(text, NAMES)) == meant


@pytest.mark.parametrize(("code", "text"), NONE)
def test_what_only_sounds_like_it(code: str, text: str) -> None:
    assert seat_wish(text, NAMES) is None


def test_every_language_has_each_kind_and_a_sentence_for_what_is_remembered() -> None:
    for one in spoken():
        kinds = {meant.split()[0] for meant in one.tables["seats"]["examples"].values()}
        assert kinds == {*KINDS}, one.code
        words = words_of(one.code)
        told = words["gone"].format(came_from="Kyra", agent="Luke", reason=words["asked"])
        assert "Kyra" in told and "Luke" in told and words["asked"] in told, one.code
        assert "Kyra" in words["may_not"].format(came_from="Kyra")
    assert words_of("sw") == words_of("en")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("BACK TO KYRA!!", "back kyra"),
        ("“Back to Kyra”", "back kyra"),
        ("ok thanks, that's enough. Let’s go back to Kyra", "back kyra"),
        ("Back to R. Dee please", "back rd"),
        ("back to Kyra, please. I have a question about the hens, it is long.", "back kyra"),
        ("invite Ada, Max and Luke", "invite ada max luke"),
        ("Kyra, Ada can leave", "leave ada"),
    ],
)
def test_how_people_write_it(text: str, meant: str) -> None:
    assert told(seat_wish(text, NAMES)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kyra",
        "Kyra?",
        "Is Luke back to Kyra's level yet?",
        "How do I get back to Kyra about the contract?",
        "I will get back to Kyra tomorrow",
        "Please get back to Kyra about the invoice",
        "Say hello. Go back to Kyra. Then sit down. That is the story.",
        "Tell me why Ada can leave",
        "back to kyrarama",
        "Invite Ada to the meeting on Friday",
        "Draft a mail: invite Ada and Max",
        "Luke can leave his keys with me",
        "Can Luke leave?",
        "Translate into French: Ada, join us",
        "Ada joined us yesterday",
        "Back to work with Ada",
        "Remove Ada from the list of authors",
        "x" * 700 + ". Back to Kyra",
    ],
)
def test_talk_about_people_moves_nobody(text: str) -> None:
    assert seat_wish(text, NAMES) is None


def test_near_misses_end_too() -> None:
    """Patterns of ten languages on a long message of near misses: no backtracking without end."""
    near = "please " * 60 + "go back to kyra and luke"
    assert seat_wish(near, NAMES) is None
    assert seat_wish("ok " * 150 + "kyra", NAMES) is None
