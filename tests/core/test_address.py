import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ("**@kyra**: hi", "kyra"),
        ("cc:@kyra", "kyra"),
        ("ask @luke.", "luke"),
        ("is it @luke's?", "luke"),
        ("@nobody here", None),
        ("@lukewarm", None),
        ("@luké", None),
        ("@nobody or @kyra", "kyra"),
        ("请@luke看看", "luke"),
        ("@lukeさん、これを見て", "luke"),
        ("你好，@luke，你看", "luke"),
        ("@luke에게 물어봐", "luke"),
        ("見て@lukeの意見は", "luke"),
    ],
)
def test_who_is_addressed(text: str, slug: str | None) -> None:
    assert mentioned(text, SLUGS) == slug


@pytest.mark.parametrize(
    "text",
    [
        "mail me at a@luke.org",
        "mail luke@kyra.example or x+y@luke, почта@luke",
        "a@@luke @luke@social.example",
        "Matrix: @luke:matrix.example",
        "see https://social.example/@luke/1134",
        "看https://social.example/a,@luke",
        "social.example/@luke",
        "[@luke](https://social.example/)",
        "mailto:x,@luke",
        "npm i @luke/utils",
        "npm i @luke/utils@2 lodash@luke git@luke:repo",
        "use @luke.setter, @luke(1) and {@luke}",
        "/home/@luke C:\\@luke x=@luke #@luke <b>@luke</b>",
    ],
)
def test_addresses_and_names_of_other_things_call_nobody(text: str) -> None:
    assert mentioned(text, SLUGS) is None


@pytest.mark.parametrize(
    "text",
    [
        "use `@luke` as decorator",
        "what does ``@luke`` do",
        "what does ``` @luke ` ``` do",
        "```\n@luke\ndef f(): ...\n```",
        "~~~\n@luke\n~~~\nexplain",
        "explain\n```\n@luke",
        "explain ```\nx\n\n@luke",
        "explain\n````md\n```\n@luke\n```\n@luke\n````",
        "- see\n  ```py\n  @luke\n  ```",
        "> ```\n> @luke\n> ```",
        "look:\n\n    @luke\n    def f(): ...",
        "what is wrong?\n\n@luke\ndef f():\n    return 1\n",
        "@luke\ndef f():\n    return 1;\n    pass",
        "review\n\ndiff --git a/x b/x\n@@ -1 +1 @@\n-a\n+b\n\n@luke said so\n",
    ],
)
def test_code_and_what_lies_beside_the_words_call_nobody(text: str) -> None:
    assert mentioned(text, SLUGS) is None


@pytest.mark.parametrize(
    "text",
    [
        "```\n@kyra\n```\n@luke explain",
        "~~~\n@kyra\n~~~\nexplain, @luke",
        "it`s fine\n\n@luke look at `x`",
        "`@kyra` says @luke",
        "```@kyra``` @luke",
        "let it be `unclosed, @luke",
        "let me ask @luke: what is it?",
        "see https://kyra.example/@kyra @luke",
        "@luke what is wrong?\n\n@kyra\ndef f():\n    return 1\n",
    ],
)
def test_words_around_code_still_call(text: str) -> None:
    assert mentioned(text, SLUGS) == "luke"


def test_a_long_text_full_of_marks_is_read_at_once() -> None:
    for mark in ("`", "``` ", "[", "@", "a.", "\n", "\n```", "`` ` ", "www.", "x://"):
        assert mentioned(mark * 50_000, SLUGS) is None


@given(st.lists(st.sampled_from(["@luke", "`", "```", "~~~", "\n", " ", "x", "> ", "请", "://"])))
def test_only_an_address_is_taken_off(pieces: list[str]) -> None:
    text = "".join(pieces)
    left = without_address(text, "luke")
    assert text.endswith(left)
    if left != text:
        assert mentioned(text, SLUGS) == "luke"


def test_a_leading_address_is_taken_off_and_others_stay() -> None:
    assert without_address("@luke, look", "luke") == "look"
    assert without_address("ask @luke", "luke") == "ask @luke"
    assert without_address("@luke", "luke") == "@luke"
    assert without_address(" @Luke: look", "luke") == "look"
    assert without_address("@luke，你看", "luke") == "你看"
    assert without_address("@lukeさん、見て", "luke") == "@lukeさん、見て"
    assert without_address("@luke/utils is broken", "luke") == "@luke/utils is broken"
    assert without_address("@luke's idea", "luke") == "@luke's idea"
    assert without_address("@kyra look", "luke") == "@kyra look"


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
