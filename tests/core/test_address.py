import pytest

from skill_agent.conversations.address import mentioned, without_address
from skill_agent.conversations.sessions import title_of

SLUGS = {"kyra", "luke"}


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("@luke look at this", "luke"),
        ("what does @Luke think?", "luke"),
        ("(@kyra)", "kyra"),
        ("@kyra, hi", "kyra"),
        ("mail me at a@luke.org", None),
        ("use `@luke` as decorator", None),
        ("```\n@luke\ndef f(): ...\n```", None),
        ("@nobody here", None),
        ("@lukewarm", None),
        ("@nobody or @kyra", "kyra"),
    ],
)
def test_who_is_addressed(text: str, slug: str | None) -> None:
    assert mentioned(text, SLUGS) == slug


def test_a_leading_address_is_taken_off_and_others_stay() -> None:
    assert without_address("@luke, look", "luke") == "look"
    assert without_address("ask @luke", "luke") == "ask @luke"
    assert without_address("@luke", "luke") == "@luke"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("hello", "hello"),
        ("\n\n  first   line\nsecond", "first line"),
        ("", "Untitled"),
        ("word " * 40, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * 59 + "…"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert title_of(text) == title
