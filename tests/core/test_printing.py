"""What is printed of texts that others wrote."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skill_agent.tui.frame import plain

from skill_agent.text.printing import Printer, exact, json_shown, printable

WRITTEN_SO = (
    "family 👨\u200d👩\u200d👧, a heart ❤\ufe0f\u200d🔥, a flag 🏳\ufe0f\u200d🌈, 👩🏽\u200d🚀",
    "nodding 🙂\u200d↔\ufe0f and 1\ufe0f⃣",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f for England",
    "می\u200cخواهم",
    "क्\u200dष and ශ්\u200dරී",
    "ภาษา\u200bไทย",
    "שלום!\u200f and more",
    "葛\U000e0100城",
    "⠋\u2800⠙",
    "¡Hola! Ça va? 你好, naïve e\u0301",
)
"""Nothing of it is odd."""


@pytest.mark.parametrize("text", WRITTEN_SO)
def test_how_scripts_and_emoji_are_written_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202efdp.exe", "invoice‹U+202E›fdp.exe"),
        ("a\u2066b\u2069", "a‹U+2066›b‹U+2069›"),
        ("pay\u200bpal pay\u200cpal pay\u200dpal", "pay‹U+200B›pal pay‹U+200C›pal pay‹U+200D›pal"),
        ("pay\u200epal", "pay‹U+200E›pal"),
        ("so\u00adft\u2060\ufeff", "so‹U+00AD›ft‹U+2060›‹U+FEFF›"),
        ("x\U000e0049\U000e0067", "x‹U+E0049›‹U+E0067›"),
        ("🏴\U000e0049\U000e007f", "🏴‹U+E0049›‹U+E007F›"),
        ("😀\ufe0f\U000e0110\ufe01", "😀\ufe0f‹U+E0110›‹U+FE01›"),
        ("a\ufe0f and \u200d👧", "a‹U+FE0F› and ‹U+200D›👧"),
        ("می\u200c\u200cخواهم", "می\u200c‹U+200C›خواهم"),
        ("\u3164\uffa0\u2800\u115f", "‹U+3164›‹U+FFA0›‹U+2800›‹U+115F›"),
        ("a\x1b]0;never closed\n\nand more", "a]0;never closed\n\nand more"),
        ("a\x1b[31mb\x07\x9b1m\ud800\tc\n", "a[31mb1m\tc\n"),
        ("two\u2028lines", "two\nlines"),
    ],
)
def test_what_nobody_would_see_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_for_a_decision_everything_is_shown() -> None:
    assert exact("a\tb\xa0c\r\nd\x1b[0m") == "a‹U+0009›b‹U+00A0›c‹U+000D›\nd‹U+001B›[0m"
    assert exact("ש\u200f \u2009.\u3000\u2028") == "ש‹U+200F› ‹U+2009›.‹U+3000›‹U+2028›"
    assert (
        exact("می\u200cخواهم 👨\u200d👩\u200d👧 \u202eabc")
        == "می\u200cخواهم 👨\u200d👩\u200d👧 ‹U+202E›abc"
    )


ODD = (
    "a\r ש م😀🏴👧葛ภ\n\x1b[0;m]\u200b\u200c\u200d\u200e\u202e\ufe0f\U000e0067\U000e0100\U000e007f"
)


@given(st.lists(st.text(st.sampled_from(ODD), max_size=12), max_size=8))
def test_pieces_are_printed_as_the_whole_is(pieces: list[str]) -> None:
    for show in (printable, plain.printable):
        printer = Printer(show)
        live = "".join(map(printer.feed, pieces)) + printer.rest()
        assert live == show("".join(pieces))


def test_a_flood_of_unseen_characters_holds_nothing_up() -> None:
    printer, flood = Printer(), "\u200b" * 50_000
    shown = "".join(map(printer.feed, ["a", flood, "b", *flood[:9_000], "c\x1b[" * 9_000])) + "d"
    assert shown.count("‹U+200B›") == 59_000


@given(st.text())
def test_nothing_that_drives_a_terminal_is_left(text: str) -> None:
    for shown in (printable(text), exact(text)):
        left = [one for one in shown if unicodedata.category(one) in ("Cc", "Cs")]
        assert set(left) <= {"\n", "\t"}
        assert not any("\u202a" <= one <= "\u202e" for one in shown)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_plain_text_is_what_it_was(text: str) -> None:
    assert printable(text) == exact(text) == text
    printer = Printer()
    assert printer.feed(text) == text


@given(st.text(st.sampled_from(ODD + '"\\')))
def test_json_says_the_same(text: str) -> None:
    shown = json_shown(json.dumps(text, ensure_ascii=False))
    assert json.loads(shown) == text
    assert printable(shown) == shown
