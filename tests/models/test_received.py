"""Characters that travel in two halves: whole again, or replaced, wherever they stand."""

from collections.abc import AsyncGenerator

import pytest
from http_fake import END, Raw, delta, provider
from hypothesis import given
from hypothesis import strategies as st
from listening import listen, user

from skill_agent.models.received import received, whole_characters
from skill_agent.models.remote import RemoteModel
from skill_agent.ports import (
    EndPart,
    ModelPart,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
)
from skill_agent.values import ModelInfo, ToolCall, Usage

HIGH, LOW, WHOLE, LOST = "\ud83d", "\ude00", "\U0001f600", "\ufffd"
OVER = EndPart(usage=Usage())
BUSY = StatusPart(text="busy")


async def given_parts(*parts: ModelPart) -> AsyncGenerator[ModelPart, None]:
    for part in parts:
        yield part


async def texts(*parts: ModelPart) -> list[str]:
    found = [part async for part in whole_characters(given_parts(*parts))]
    return [part.text for part in found if isinstance(part, TextPart | ThoughtPart)]


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ((f"Good {HIGH}", f"{LOW} day."), f"Good {WHOLE} day."),
        ((HIGH, LOW), WHOLE),
        ((HIGH + LOW,), WHOLE),
        ((f"Good {HIGH}", " day."), f"Good {LOST} day."),
        ((f"Good {HIGH}",), f"Good {LOST}"),
        ((f"{LOW} day.",), f"{LOST} day."),
        ((HIGH, HIGH, LOW), LOST + WHOLE),
        ((HIGH, "", LOW), WHOLE),
        ((WHOLE, "ü"), f"{WHOLE}ü"),
    ],
)
async def test_halves_are_joined_or_replaced(pieces: tuple[str, ...], text: str) -> None:
    parts = [TextPart(text=one) for one in pieces]
    assert "".join(await texts(*parts, OVER)) == text


async def test_a_half_of_a_thought_is_no_half_of_the_reply() -> None:
    parts = ThoughtPart(text=HIGH), BUSY, TextPart(text=LOW), OVER
    assert await texts(*parts) == [LOST, LOST]


async def test_a_call_is_whole_too() -> None:
    call = ToolCall(
        id=HIGH, name=f"a{LOW}", arguments={HIGH: [HIGH + LOW, {"b": HIGH}], "n": 1}, problem=LOW
    )
    (part, _) = [one async for one in received(given_parts(ToolPart(call=call), OVER))]
    assert isinstance(part, ToolPart)
    assert part.call == ToolCall(
        id=LOST, name=f"a{LOST}", arguments={LOST: [WHOLE, {"b": LOST}], "n": 1}, problem=LOST
    )


@given(st.lists(st.text(st.sampled_from(f"a{HIGH}{LOW}ü{WHOLE}"), max_size=4), max_size=6))
async def test_where_a_text_is_cut_does_not_matter(pieces: list[str]) -> None:
    cut = "".join(await texts(*(TextPart(text=one) for one in pieces), OVER))
    whole = "".join(await texts(TextPart(text="".join(pieces)), OVER))
    assert cut == whole
    cut.encode()


@pytest.mark.parametrize("name", ["content", "reasoning_content"])
async def test_a_provider_that_cuts_within_a_character(name: str) -> None:
    pieces = (delta(**{name: f"Good {HIGH}"}), delta(**{name: f"{LOW} day{HIGH}"}))
    with provider(Raw((*pieces, delta(content="."), END))) as server:
        model = RemoteModel(
            ModelInfo(name="openai/m", provider="openai"), timeout_s=10.0, base=server.base
        )
        ask = ModelRequest(messages=(user("hi"),))
        parts = [part async for part in model.stream(ask)]
        text = (await listen(model, ask)).text
    told = "".join(part.text for part in parts if isinstance(part, TextPart | ThoughtPart))
    assert told == f"Good {WHOLE} day{LOST}."
    text.encode()
