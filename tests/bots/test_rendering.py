"""Markdown as messages: whole, within Telegram's limits, and safe to press."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skill_agent.bots.telegram.rendering import LONGEST, Part, parts_of, plain_parts, units

TABLE = "| name | price |\n|---|---|\n| tea | 3 |\n| קפה | ٤ |\n"
FENCE = "```python\n" + "print('👩‍👩‍👧 שלום')\n" * 200 + "```\n"
LONG = "\n".join(
    ["# Report 📌", "**bold _both_** and `code`", FENCE, TABLE, "> quoted\n", "- one\n- two\n"]
    + [f"{number}. line שורה مرحبا 🎉 of text" for number in range(150)]
)


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def whole(parts: list[Part]) -> str:
    return "".join(one.text for one in parts)


def check(parts: list[Part]) -> None:
    for part in parts:
        size, raw = units(part.text), part.text.encode("utf-16-le")
        assert 0 < size <= LONGEST
        assert part.text.strip()
        for one in part.entities:
            begin, end = one["offset"], one["offset"] + one["length"]
            assert 0 <= begin < end <= size
            raw[begin * 2 : end * 2].decode("utf-16-le")


def test_a_long_reply_keeps_every_word() -> None:
    assert units(LONG) > 9_000
    parts = parts_of(LONG)
    check(parts)
    assert len(parts) > 2
    told = words("\n".join(one.text for one in parts))
    assert [one for one in words(LONG) if one != "python"] == told


def test_a_fence_goes_on_in_the_next_message() -> None:
    parts = parts_of(FENCE)
    assert len(parts) > 1
    assert all(one.entities[0]["type"] == "pre" for one in parts)
    assert all(one.entities[0]["language"] == "python" for one in parts)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "JaVaScRiPt:x"]
)
def test_links_lead_to_places_only(url: str) -> None:
    [part] = parts_of(f"[press me]({url}) and [this](https://example.org)")
    assert part.text == "press me and this"
    assert [one.get("url") for one in part.entities] == ["https://example.org"]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("List<int> and <b>raw</b>", "List<int> and <b>raw</b>"),
        ("<think>hm</think>", "<think>hm</think>"),
        ("`a<b>` <c>", "a<b> <c>"),
        ("```\n<html>\n```\n<p>", "<html>\n<p>"),
        ("see <https://example.org>", "see https://example.org"),
        ("unclosed **bold", "unclosed **bold"),
        ("$x^2$ costs $5, and $$y$$", "$x^2$ costs $5, and $$y$$"),
        ("from $5 to $6", "from $5 to $6"),
        ("half \ud83d of a sign\0", "half ? of a sign"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
    ],
)
def test_nothing_is_dropped(markdown: str, text: str) -> None:
    assert whole(parts_of(markdown)).strip() == text


def test_blanks_are_no_message() -> None:
    assert parts_of("") == parts_of("  \n ") == plain_parts("\n") == []


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_becomes_messages(text: str) -> None:
    check(parts_of(text))
    assert whole(plain_parts(text)).strip() == text.replace("\0", "").strip() or not text.strip()


@given(st.lists(st.sampled_from(["```", "`", "**", "_", "\n", "a", "👩‍👩‍👧", "<b>", "|", " "])))
def test_any_marks_become_messages(marks: list[str]) -> None:
    check(parts_of("".join(marks)))
