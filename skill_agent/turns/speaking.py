"""One reply of the model, streamed; a small one's is watched, tried again, or said by code."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import assert_never

from skill_agent.conversations.usage import add
from skill_agent.errors import ModelFailed
from skill_agent.events import Event, Notice, TextDelta, ThoughtDelta
from skill_agent.ports import (
    EndPart,
    Model,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    ToolPart,
)
from skill_agent.turns.guards.guarding import Guard
from skill_agent.turns.guards.outgoing import Outgoing
from skill_agent.turns.guards.watching import TRIES, Watch
from skill_agent.values import ToolCall, Usage

from .fitting import reply_room, window_of
from .hands import Brief, Hands, Talk

SMALL_TEMPERATURE = 0.3


@dataclass(slots=True)
class Reply:
    """What one model call has given so far."""

    outgoing: Outgoing = field(default_factory=Outgoing)
    text: str = ""
    thought: bool = False
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish: str = "stop"


async def spoken(
    brief: Brief, model: Model, request: ModelRequest, reply: Reply, watch: Watch | None
) -> AsyncGenerator[Event, None]:
    """One reply. A watched one that goes wrong at its first sentence is tried once more, then
    said by code; one that goes wrong later ends there."""
    if watch is None:
        async with aclosing(_stream(brief, model, request, reply)) as events:
            async for event in events:
                yield event
        return
    for attempt in range(TRIES):
        opening = watch.opening(attempt, model.info.profile)
        guard = watch.guard(attempt)
        if opening and not reply.text:
            reply.text = f"{opening} "
            yield TextDelta(**brief.ids, text=reply.text)
        wanted = watch.request(request, attempt, opening, model.info.profile)
        async with aclosing(_stream(brief, model, wanted, reply, guard)) as events:
            async for event in events:
                yield event
        if guard.sentences or reply.calls:
            return
        if not guard.again:
            break
    if not reply.text and (said := watch.instead()):
        reply.text = said
        yield TextDelta(**brief.ids, text=said)


def only_thoughts(reply: Reply) -> ModelFailed:
    cut = " before its length limit" if reply.finish == "length" else ""
    return ModelFailed(
        f"the model thought and gave no reply{cut}",
        hint="ask again with -o max_tokens=8000, or -o reasoning_effort=low",
    )


def request_of(brief: Brief, hands: Hands, talk: Talk) -> ModelRequest:
    """Tools stay described past the limit (they are part of the cached prefix), but forbidden."""
    limit = brief.agent.boundaries.max_tool_calls_per_turn
    overrides = dict(brief.agent.model.provider_overrides)
    gives_up = talk.failed and hands.model.info.profile.small
    if talk.calls >= limit or gives_up:
        overrides["tool_choice"] = "none"
    return ModelRequest(
        messages=talk.messages,
        tools=tuple(tool.spec for tool in talk.tools.values()),
        temperature=_temperature(brief, hands.model),
        max_tokens=reply_room(brief.agent.model.max_output_tokens, window_of(hands.model)),
        overrides=overrides,
        disclosed=talk.disclosed,
        purpose="tools" if talk.calls else "reply",
        response_schema=brief.response_schema,
    )


def _temperature(brief: Brief, model: Model) -> float:
    """A small model wanders off where it is given much freedom, also into another language."""
    wanted = brief.agent.model.temperature
    capped = model.info.profile.small and not brief.warm
    return min(wanted, SMALL_TEMPERATURE) if capped else wanted


async def _stream(
    brief: Brief, model: Model, request: ModelRequest, reply: Reply, guard: Guard | None = None
) -> AsyncGenerator[Event, None]:
    """One call of the model; with a guard, until that finds a fault."""
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            match part:
                case TextPart():
                    passed = guard.feed(part.text) if guard else part.text
                    if text := reply.outgoing.feed(passed):
                        reply.text += text
                        yield TextDelta(**brief.ids, text=text)
                    if guard and guard.fault:
                        break
                case ThoughtPart():
                    reply.thought = True
                    yield ThoughtDelta(**brief.ids, text=part.text)
                case ToolPart():
                    reply.calls.append(part.call)
                case StatusPart():
                    yield Notice(**brief.ids, level="info", text=part.text)
                case EndPart():
                    reply.usage, reply.finish = add(reply.usage, part.usage), part.finish
                case _:
                    assert_never(part)
    passed = guard.rest() if guard and not guard.fault else ""
    if text := reply.outgoing.feed(passed) + reply.outgoing.rest():
        reply.text += text
        yield TextDelta(**brief.ids, text=text)
