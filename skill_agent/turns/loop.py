"""The turn: one async generator of events, from a user's message to the end of the reply.

It touches neither store nor screen: what it needs comes in as `Hands`, what it does goes out as
events, and the runtime saves what a finished event carries. It raises ModelError and lets
cancellation through; turning those into a `TurnFailed` is the runtime's outer wall.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, assert_never

from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.usage import add
from skill_agent.errors import ModelFailed, SkillAgentError, ToolFailed
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    MemoryRecalled,
    MemorySaved,
    Notice,
    RecalledItem,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from skill_agent.identifiers import iso, new_id
from skill_agent.memory.recall.budget import Selection
from skill_agent.ports import (
    ChatMessage,
    EndPart,
    Model,
    ModelRequest,
    StatusPart,
    TextPart,
    ThoughtPart,
    Tool,
    ToolOutcome,
    ToolPart,
)
from skill_agent.values import Memory, Message, ToolCall, Usage

from .fitting import (
    LONGEST_SHARE,
    SLACK,
    Draft,
    Fit,
    Tokens,
    fit_block,
    most,
    reply_room,
    window_of,
)
from .prompt import conversation


class Ids(TypedDict):
    """What every event of a turn carries."""

    session: str
    turn: str
    agent: str
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a turn is about: who, where, and the text."""

    session: str
    turn: str
    agent: AgentDNA
    message: Message
    """The user's message, already in the ledger."""
    draft: Draft
    """Everything the prompt could hold, but for what recall finds."""
    fitted: Fit | None = None
    """What of it fits, where that was counted already."""
    response_schema: dict[str, Any] | None = None
    """A JSON schema the reply has to satisfy; then no tool is offered."""
    parent: str | None = None
    reply_id: str = field(default_factory=new_id)

    @property
    def ids(self) -> Ids:
        return Ids(session=self.session, turn=self.turn, agent=self.agent.slug, parent=self.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recollection:
    """What recall chose for a message, and the data block made of it."""

    selection: Selection
    block: str
    behind: int = 0
    """Log rows that could not be searched yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a turn can do to the world, each as a callable or port."""

    model: Model
    keep: Callable[[Message], Awaitable[list[Memory]]]
    """Stores what the message asks to be remembered; durable when it returns."""
    recall: Callable[[Message, Sequence[Memory]], Awaitable[Recollection | None]]
    """(message, what it has just put into memory): chooses and keeps the data block; gives None
    where memory is switched off."""
    tools: Mapping[str, Tool]
    decide: Callable[[str, str], Awaitable[tuple[Choice, str]]]
    """(approval id, rule) -> the choice and who made it."""
    announce: Callable[[str], None]
    """Opens an approval id for answers, before the question is published."""
    allows: Callable[[str], bool]
    """Whether a stored rule allows the call."""
    approval_timeout_s: float
    tokens: Tokens = field(default_factory=Tokens)


async def run_turn(brief: Brief, hands: Hands) -> AsyncGenerator[Event, None]:
    """Keeps, recalls, prompts, streams, runs tools and streams again until the model is done."""
    started = time.perf_counter()
    kept = await hands.keep(brief.message)
    for memory in kept:
        yield _saved(brief, memory)
    block = ""
    recall_start = time.perf_counter()
    try:
        recollection = await hands.recall(brief.message, kept)
    except SkillAgentError as problem:
        recollection = None
        hint = f" ({problem.hint})" if problem.hint else ""
        yield Notice(**brief.ids, level="warning", text=f"without memory: {problem.message}{hint}")
    if recollection is not None:
        block = recollection.block
        if recollection.behind:
            yield _incomplete(brief, recollection.behind)
        yield _recalled(brief, recollection.selection, time.perf_counter() - recall_start)
    draft = replace(brief.draft, block=block)
    plan = await fit_block(draft, brief.fitted, hands.model, hands.tokens)
    if plan.dropped:
        yield _announcement(brief, plan.dropped)
    prompt = conversation(
        plan.system,
        plan.history,
        text=draft.text,
        block=plan.block,
        summary=plan.summary,
    )
    if shown := brief.message.client_context:
        prompt = (*prompt[:-1], replace(prompt[-1], images=shown.images))
    async with aclosing(_converse(brief, hands, prompt, started)) as events:
        async for event in events:
            yield event


def _incomplete(brief: Brief, behind: int) -> Notice:
    rows = "entry" if behind == 1 else "entries"
    return Notice(
        **brief.ids,
        level="info",
        text=f"the search index is {behind} {rows} behind: what was said or kept last may be "
        "missing from this answer (ska status)",
    )


def _announcement(brief: Brief, dropped: int) -> Notice:
    messages = "message no longer fits" if dropped == 1 else "messages no longer fit"
    return Notice(
        **brief.ids,
        level="info",
        text=f"{dropped} earlier {messages} the model's window; they stay in the session and "
        "searchable, and are summed up when there is time, or now with: "
        f"ska sessions compact {brief.session}",
    )


@dataclass(slots=True)
class _Reply:
    """What one model call has given so far."""

    text: str = ""
    thought: bool = False
    calls: list[ToolCall] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    finish: str = "stop"


async def _converse(
    brief: Brief, hands: Hands, messages: tuple[ChatMessage, ...], started: float
) -> AsyncGenerator[Event, None]:
    """Model call, tools, model call … until a reply comes without tool calls.

    What tools give is cut so that it fits into what is left of the window.
    """
    total, text, calls_made, tainted = Usage(), "", 0, False
    while True:
        reply = _Reply()
        request = _request(brief, hands, messages, calls_made)
        async with aclosing(_stream(brief, hands.model, request, reply)) as events:
            async for event in events:
                yield event
        first = total.first_token_s if calls_made else reply.usage.first_token_s
        total = replace(add(total, reply.usage), first_token_s=first)
        text += reply.text
        if not reply.calls:
            break
        asked = ChatMessage(role="assistant", content=reply.text, tool_calls=tuple(reply.calls))
        messages = (*messages, asked)
        for call in reply.calls:
            outcome = _Outcome()
            async with aclosing(_tool(brief, hands, call, tainted, outcome)) as events:
                async for event in events:
                    yield event
            tainted = tainted or outcome.untrusted
            told = await _within(brief, hands, messages, outcome.text)
            result = ChatMessage(role="tool", content=told, tool_call_id=call.id)
            messages = (*messages, result)
        calls_made += len(reply.calls)
    if reply.thought and not text.strip():
        raise _only_thoughts(reply)
    if reply.finish == "length":
        yield Notice(**brief.ids, level="warning", text="the reply hit its length limit")
    yield TurnFinished(
        **brief.ids,
        message_id=brief.reply_id,
        text=text,
        usage=replace(total, total_s=time.perf_counter() - started),
        finish="length" if reply.finish == "length" else "stop",
    )


def _only_thoughts(reply: _Reply) -> ModelFailed:
    cut = " before its length limit" if reply.finish == "length" else ""
    return ModelFailed(
        f"the model thought and gave no reply{cut}",
        hint="ask again with -o max_tokens=8000, or -o reasoning_effort=low",
    )


async def _within(brief: Brief, hands: Hands, messages: tuple[ChatMessage, ...], text: str) -> str:
    """A tool's result as the model reads it: never more than a share of the window, nor than half
    of what is left of it."""
    window = window_of(hands.model)
    if most(text) > 256:
        specs = (tool.spec for tool in hands.tools.values())
        left = window - window // SLACK - reply_room(brief.agent.model.max_output_tokens, window)
        left -= await hands.tokens.of_tools(hands.model, specs)
        left -= await hands.tokens.of_chat(hands.model, messages)
        limit = min(window // LONGEST_SHARE, max(left // 2, 64))
        return await hands.tokens.clip(hands.model, text, limit)
    return text


def _request(
    brief: Brief, hands: Hands, messages: tuple[ChatMessage, ...], calls_made: int
) -> ModelRequest:
    """Tools stay described past the limit (they are part of the cached prefix), but forbidden."""
    limit = brief.agent.boundaries.max_tool_calls_per_turn
    overrides = dict(brief.agent.model.provider_overrides)
    if calls_made >= limit:
        overrides["tool_choice"] = "none"
    return ModelRequest(
        messages=messages,
        tools=tuple(tool.spec for tool in hands.tools.values()),
        temperature=brief.agent.model.temperature,
        max_tokens=reply_room(brief.agent.model.max_output_tokens, window_of(hands.model)),
        overrides=overrides,
        response_schema=brief.response_schema,
    )


async def _stream(
    brief: Brief, model: Model, request: ModelRequest, reply: _Reply
) -> AsyncGenerator[Event, None]:
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            match part:
                case TextPart():
                    reply.text += part.text
                    yield TextDelta(**brief.ids, text=part.text)
                case ThoughtPart():
                    reply.thought = True
                    yield ThoughtDelta(**brief.ids, text=part.text)
                case ToolPart():
                    reply.calls.append(part.call)
                case StatusPart():
                    yield Notice(**brief.ids, level="info", text=part.text)
                case EndPart():
                    reply.usage, reply.finish = part.usage, part.finish
                case _:
                    assert_never(part)


@dataclass(slots=True)
class _Outcome:
    text: str = ""
    ok: bool = False
    untrusted: bool = False


async def _tool(
    brief: Brief, hands: Hands, call: ToolCall, tainted: bool, outcome: _Outcome
) -> AsyncGenerator[Event, None]:
    """One tool call with its approval; fills `outcome`, never raises ToolFailed."""
    tool = hands.tools.get(call.name)
    begun = time.perf_counter()
    if tool is None:
        outcome.text = f"there is no tool {call.name!r}; there are: {', '.join(hands.tools)}"
    else:
        rule = tool.rule(call.arguments)
        said = brief.message.content
        why = tool.needs_approval(call.arguments, user_text=said, tainted=tainted)
        choice: Choice = "once"
        if why and not hands.allows(rule):
            asked = _asked(brief, hands, call, rule, why)
            hands.announce(asked.approval)
            yield asked
            choice, by = await hands.decide(asked.approval, rule)
            yield ApprovalAnswered(**brief.ids, approval=asked.approval, choice=choice, by=by)
        yield ToolStarted(**brief.ids, call=call.id, tool=call.name, arguments=call.arguments)
        begun = time.perf_counter()
        if choice == "deny":
            outcome.text = "not allowed: the person (or nobody being there) denied this call"
        else:
            await _run(tool, call, outcome)
    yield ToolFinished(
        **brief.ids,
        call=call.id,
        tool=call.name,
        ok=outcome.ok,
        result=outcome.text,
        seconds=time.perf_counter() - begun,
    )


def _asked(brief: Brief, hands: Hands, call: ToolCall, rule: str, why: str) -> ApprovalAsked:
    return ApprovalAsked(
        **brief.ids,
        approval=new_id(),
        tool=call.name,
        arguments=call.arguments,
        rule=f"{brief.agent.slug} {rule}",
        reason=why,
        timeout_s=hands.approval_timeout_s,
    )


async def _run(tool: Tool, call: ToolCall, outcome: _Outcome) -> None:
    try:
        result: ToolOutcome = await tool.run(call.arguments)
    except ToolFailed as problem:
        outcome.text = f"failed: {problem.message}"
        return
    outcome.text, outcome.untrusted, outcome.ok = result.text, result.untrusted, True


def _saved(brief: Brief, memory: Memory) -> MemorySaved:
    return MemorySaved(
        **brief.ids,
        memory_id=memory.id,
        content=memory.content,
        memory_type=memory.memory_type,
        pinned=memory.pinned,
        importance=memory.importance,
    )


def _recalled(brief: Brief, selection: Selection, seconds: float) -> MemoryRecalled:
    items = tuple(
        RecalledItem(
            id=hit.item.id,
            kind=hit.item.kind,
            content=hit.item.text,
            score=round(hit.score, 4),
            signals={name: round(value, 4) for name, value in hit.signals.items()},
            reason=hit.reason,
            memory_type=hit.item.memory_type,
            created_at=iso(hit.item.created_at),
        )
        for hit in (*selection.hits, *selection.present)
    )
    return MemoryRecalled(
        **brief.ids,
        items=items,
        tokens=selection.tokens,
        budget=selection.budget,
        seconds=seconds,
    )
