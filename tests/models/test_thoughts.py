"""Thoughts in a reply's text: told apart however the text is cut."""

from collections.abc import AsyncGenerator, Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skill_agent.models.thoughts import ThoughtFilter, thoughts_apart
from skill_agent.ports import EndPart, ModelPart, StatusPart, TextPart, ThoughtPart, ToolPart
from skill_agent.values import ToolCall, Usage

END = EndPart(usage=Usage())


def sorted_out(pieces: Iterable[str]) -> tuple[str, str]:
    """Thoughts and words of a text given in these pieces."""
    thoughts = words = ""
    sorting = ThoughtFilter()
    parts = [part for piece in pieces for part in sorting.feed(piece)]
    for part in [*parts, *sorting.end()]:
        assert part.text
        if isinstance(part, ThoughtPart):
            thoughts += part.text
        else:
            words += part.text
    return thoughts, words


@pytest.mark.parametrize(
    ("text", "thoughts", "words"),
    [
        ("Hello.", "", "Hello."),
        ("<think>hm</think>Hello.", "hm", "Hello."),
        ("\n<think>\nhm\n</think>\n\nHello.\n", "hm", "Hello.\n"),
        ("<think>\n\n</think>\n\nHello.", "", "Hello."),
        ("<think>a</think>\n<think>b</think>Hello.", "ab", "Hello."),
        ("<think>no end", "no end", ""),
        ("<think>hm</think>", "hm", ""),
        ("<think>hm</think>\n \n", "hm", ""),
        ("<think>hm</thin", "hm</thin", ""),
        ("<think>", "", ""),
        ("<thin", "", "<thin"),
        ("<thinking aloud>", "", "<thinking aloud>"),
        ("  Hello.", "", "  Hello."),
        ("   ", "", "   "),
        ("", "", ""),
        ("Use <think>x</think>.", "", "Use <think>x</think>."),
        ("<think>a <think> b</think>c", "a <think> b", "c"),
        ("</think>Hello.", "", "</think>Hello."),
        ("<think>a</think>Hi <think>b</think>", "a", "Hi <think>b</think>"),
        ("<thinking>hm</thinking>Hello.", "hm", "Hello."),
        ("<thinking>hm </think> hm</thinking>Hello.", "hm </think> hm", "Hello."),
        ("<reasoning>\nhm\n</reasoning>\nHello.", "hm", "Hello."),
        ("<thought>hm</thought><think>hm</think>Hello.", "hmhm", "Hello."),
        ("<THINK>Hm</Think>Hello.", "Hm", "Hello."),
        ("[THINK]hm[/THINK]Hello.", "hm", "Hello."),
        ("◁think▷hm◁/think▷Hello.", "hm", "Hello."),
        ("<reasoning>no end", "no end", ""),
        ("<thinkers>", "", "<thinkers>"),
        ("[thin ice]", "", "[thin ice]"),
    ],
)
def test_thoughts_and_words(text: str, thoughts: str, words: str) -> None:
    assert sorted_out([text]) == (thoughts, words)
    assert sorted_out(text) == (thoughts, words), "sign by sign"


TEXTS = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "think>", "<thi", " ", "\n", "a", "é"])
    | st.text(max_size=3),
    max_size=12,
).map("".join)


@given(TEXTS, st.lists(st.integers(min_value=0, max_value=60), max_size=8))
@example("<think>a</think> b", [3, 9, 14])
def test_where_a_text_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    places = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    assert "".join(pieces) == text
    thoughts, words = sorted_out([text])
    assert sorted_out(pieces) == (thoughts, words)


@given(TEXTS)
def test_nothing_is_invented_and_plain_text_stays_as_it_is(text: str) -> None:
    thoughts, words = sorted_out([text])
    assert text.endswith(words)
    assert len(thoughts) + len(words) <= len(text)
    if not text.lstrip().startswith("<think>"):
        assert (thoughts, words) == ("", text)


async def parts_of(*parts: ModelPart) -> list[ModelPart]:
    async def stream() -> AsyncGenerator[ModelPart, None]:
        for part in parts:
            yield part

    return [part async for part in thoughts_apart(stream())]


async def test_a_stream_with_thoughts_in_its_text() -> None:
    busy = StatusPart(text="busy")
    parts = await parts_of(TextPart(text="<thi"), busy, TextPart(text="nk>a</think> b"), END)
    assert parts == [busy, ThoughtPart(text="a"), TextPart(text="b"), END]


async def test_what_is_held_back_comes_before_a_call_and_the_end() -> None:
    call = ToolPart(call=ToolCall(id="1", name="t", arguments={}))
    assert await parts_of(TextPart(text="<think>a"), call, END) == [
        ThoughtPart(text="a"), call, END,
    ]  # fmt: skip
    assert await parts_of(TextPart(text="<th"), END) == [TextPart(text="<th"), END]


async def test_thoughts_that_come_another_way() -> None:
    parts = await parts_of(ThoughtPart(text="a"), TextPart(text="\n\n"), TextPart(text="b"), END)
    assert parts == [ThoughtPart(text="a"), TextPart(text="b"), END]
