"""One reply of the model, streamed; a small one's is watched, tried again, or said by code."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, assert_never

from skill_agent.conversations.usage import add
from skill_agent.errors import ModelFailed, ModelFiltered, TurnLimit
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
from skill_agent.text.shaping import estimate_tokens
from skill_agent.text.stops import Stops
from skill_agent.turns.guards.guarding import Guard
from skill_agent.turns.guards.outgoing import Outgoing
from skill_agent.turns.guards.watching import TRIES, Watch
from skill_agent.values import Finish, ToolCall, Usage

from .fitting import reply_room, window_of
from .hands import Brief, Hands, Talk

SMALL_TEMPERATURE = 0.3
CHARACTERS_EACH = 16
"""Of a token at most, over a whole reply: what is longer ignores the limit it was told."""


@dataclass(slots=True)
class Reply:
    """What one model call has given so far."""

    outgoing: Outgoing = field(default_factory=Outgoing)
    stops: Stops = field(default_factory=Stops)
    text: str = ""
    thought: bool = False
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish: Finish = "stop"
    heard: int = 0
    """Characters the model has given, thoughts among them."""
    first: float = 0.0
    """When its first piece came."""

    def hear(self, piece: str) -> None:
        self.heard += len(piece)
        self.first = self.first or time.monotonic()

    def say(self, piece: str, *, last: bool = False) -> str:
        """What of it is shown: nothing behind a stop that was asked for."""
        text = self.stops.feed(piece) + (self.stops.rest() if last else "")
        self.text += text
        return text

    def past(self, request: ModelRequest, seconds: float) -> bool:
        """Whether the model goes on for longer than anything it was asked for can take."""
        too_long = self.heard > request.max_tokens * CHARACTERS_EACH
        return too_long or (self.first > 0 and time.monotonic() - self.first > seconds)


async def spoken(
    brief: Brief, hands: Hands, request: ModelRequest, reply: Reply, watch: Watch | None
) -> AsyncGenerator[Event, None]:
    """One reply. A watched one that goes wrong at its first sentence is tried once more, then
    said by code; one that goes wrong later ends there."""
    if watch is None:
        async with aclosing(_stream(brief, hands, request, reply)) as events:
            async for event in events:
                yield event
        return
    model = hands.model
    for attempt in range(TRIES):
        opening = watch.opening(attempt, model.info.profile)
        guard = watch.guard(attempt)
        if opening and not reply.text and (text := reply.say(f"{opening} ")):
            yield TextDelta(**brief.ids, text=text)
        wanted = watch.request(request, attempt, opening, model.info.profile)
        async with aclosing(_stream(brief, hands, wanted, reply, guard)) as events:
            async for event in events:
                yield event
        if guard.sentences or reply.calls or reply.finish == "limit" or reply.stops.found:
            return
        if not guard.again:
            break
    if not reply.text and (said := reply.say(watch.instead(), last=True)):
        yield TextDelta(**brief.ids, text=said)


def check_end(brief: Brief, reply: Reply, text: str) -> None:
    """Raises where a turn has come to its end and nothing was said."""
    if text.strip() or (reply.stops.wanted and reply.finish == "stop"):
        return
    if reply.finish == "limit":
        raise TurnLimit(
            ending(brief, reply),
            hint=f"ask for less at once, or raise the limits of {_where(brief)}",
        )
    if reply.finish == "filtered":
        raise ModelFiltered("the provider's content filter withheld the reply")
    if reply.thought:
        raise only_thoughts(reply)
    raise ModelFailed("the model gave no reply", hint="ask again, or choose another model with -m")


def ending(brief: Brief, reply: Reply) -> str:
    """What the person is to be told of how a reply ended; "" where it simply did."""
    match reply.finish:
        case "length":
            return "the reply hit its length limit"
        case "filtered":
            return "the provider's content filter withheld the rest of the reply"
        case "cut":
            return "the reply broke off: the stream ended without saying that it was whole"
        case "limit" if reply.calls:
            most = brief.most_calls
            return f"stopped: the model went on calling tools past the limits ({most} calls a turn)"
        case "limit":
            return "stopped: the reply went on past the limits of one reply"
        case _:
            return ""


def finish_of(reply: Reply) -> Finish:
    return reply.finish if reply.finish != "tool_calls" else "stop"


def _where(brief: Brief) -> str:
    return f"agents.{brief.agent.slug}.boundaries in agents.toml"


def only_thoughts(reply: Reply) -> ModelFailed:
    cut = " before its length limit" if reply.finish == "length" else ""
    return ModelFailed(
        f"the model thought and gave no reply{cut}",
        hint="ask again with -o max_tokens=8000, or -o reasoning_effort=low",
    )


def request_of(brief: Brief, hands: Hands, talk: Talk) -> ModelRequest:
    """Tools stay described past the limit (they are part of the cached prefix), but forbidden."""
    limit = brief.most_calls
    overrides = dict(brief.agent.model.provider_overrides)
    gives_up = talk.failed and hands.model.info.profile.small
    if talk.calls >= limit or gives_up:
        overrides["tool_choice"] = "none"
    elif brief.client_tools and talk.tools and brief.tool_choice != "auto":
        overrides["tool_choice"] = _chosen(brief.tool_choice)
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


def _chosen(name: str) -> Any:
    """As providers take it: a mode, or one function."""
    if name in ("none", "required"):
        return name
    return {"type": "function", "function": {"name": name}}


def _temperature(brief: Brief, model: Model) -> float:
    """A small model wanders off where it is given much freedom, also into another language."""
    wanted = brief.agent.model.temperature
    capped = model.info.profile.small and not brief.warm
    return min(wanted, SMALL_TEMPERATURE) if capped else wanted


async def _stream(
    brief: Brief,
    hands: Hands,
    request: ModelRequest,
    reply: Reply,
    guard: Guard | None = None,
) -> AsyncGenerator[Event, None]:
    """One call of the model, until it has ended or runs away; with a guard, until that finds a
    fault."""
    seconds, ended, before = hands.reply_timeout_s, False, reply.heard
    async with aclosing(hands.model.stream(request)) as parts:
        async for part in parts:
            match part:
                case TextPart():
                    reply.hear(part.text)
                    passed = guard.feed(part.text) if guard else part.text
                    if text := reply.say(reply.outgoing.feed(passed)):
                        yield TextDelta(**brief.ids, text=text)
                    if (guard and guard.fault) or reply.stops.found:
                        break
                case ThoughtPart():
                    reply.hear(part.text)
                    reply.thought = True
                    yield ThoughtDelta(**brief.ids, text=part.text)
                case ToolPart():
                    reply.calls.append(part.call)
                case StatusPart():
                    yield Notice(**brief.ids, level="info", text=part.text)
                case EndPart():
                    reply.usage, reply.finish = add(reply.usage, part.usage), part.finish
                    ended = True
                case _:
                    assert_never(part)
            if reply.past(request, seconds):
                reply.finish = "limit"
                break
    passed = guard.rest() if guard and not guard.fault else ""
    if text := reply.say(reply.outgoing.feed(passed) + reply.outgoing.rest(), last=True):
        yield TextDelta(**brief.ids, text=text)
    if reply.stops.found:
        reply.finish = "stop"
    if not ended:
        used = await _estimated(hands, request, reply.heard - before)
        reply.usage = add(reply.usage, used)


async def _estimated(hands: Hands, request: ModelRequest, heard: int) -> Usage:
    """What a call has used that we broke off, so that its figures never came."""
    model = hands.model
    read = await hands.tokens.of_chat(model, request.messages)
    return Usage(
        model=model.info.name,
        prompt_tokens=read + await hands.tokens.of_tools(model, request.tools),
        completion_tokens=heard and estimate_tokens("x" * heard),
        priced=model.info.local,
    )
