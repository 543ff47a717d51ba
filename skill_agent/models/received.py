"""What every model's stream passes on its way in: whole characters, and thoughts told apart."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from skill_agent.ports import ModelPart, StatusPart, TextPart, ThoughtPart, ToolPart
from skill_agent.text.whole import whole, whole_json
from skill_agent.values import ToolCall

from .thoughts import thoughts_apart

_LOST = "\ufffd"


def received(parts: AsyncGenerator[ModelPart, None]) -> AsyncGenerator[ModelPart, None]:
    """The stream as the rest of the program may have it."""
    return thoughts_apart(whole_characters(parts))


async def whole_characters(
    parts: AsyncGenerator[ModelPart, None],
) -> AsyncGenerator[ModelPart, None]:
    """The stream with halves of characters joined over its pieces, those left alone replaced."""
    half: TextPart | ThoughtPart | None = None
    async with aclosing(parts):
        async for part in parts:
            if isinstance(part, StatusPart):
                yield part
                continue
            before = half.text if half and type(half) is type(part) else ""
            if half and not before:
                yield replace(half, text=_LOST)
            half = None
            match part:
                case TextPart() | ThoughtPart():
                    text = before + part.text
                    if "\ud800" <= text[-1:] <= "\udbff":
                        text, half = text[:-1], replace(part, text=text[-1])
                    if text:
                        yield replace(part, text=whole(text))
                case ToolPart():
                    yield replace(part, call=_mended_call(part.call))
                case _:
                    yield part


def _mended_call(call: ToolCall) -> ToolCall:
    return replace(
        call,
        id=whole(call.id),
        name=whole(call.name),
        arguments=whole_json(call.arguments),
        problem=whole(call.problem),
    )
