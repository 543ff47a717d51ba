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
from skill_agent.text.beside import as_it_is_now, parted
from skill_agent.values import Finish, Memory, Message, ToolCall, Usage

from .composition import Composition, composed
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
from .guarding import Guard
from .known import Kept, Offer, Recollection
from .manner import Manner
from .prompt import conversation
from .watching import TRIES, Watch, by_code, watched

SMALL_TEMPERATURE = 0.3


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
    warm: bool = False
    """The person chose the temperature for this reply."""
    parent: str | None = None
    reply_id: str = field(default_factory=new_id)

    @property
    def ids(self) -> Ids:
        return Ids(session=self.session, turn=self.turn, agent=self.agent.slug, parent=self.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a turn can do to the world, each as a callable or port."""

    model: Model
    read: Callable[[Message], Awaitable[Manner]]
    """How the message is to be answered."""
    keep: Callable[[Message, Manner], Awaitable[Kept]]
    """Stores what the message asks to be remembered; durable when it returns."""
    recall: Callable[[Message, Sequence[Memory], Manner], Awaitable[Recollection | None]]
    """(message, what it has just put into memory, manner): chooses and keeps the data block; gives
    None where memory is switched off."""
    compute: Callable[[Message], Awaitable[str]]
    """What code works out of a table that came with the message; "" where none did."""
    offer: Callable[[Message, Manner, Recollection | None], Awaitable[Offer]]
    """Which tools the message may want that is not answered by what is known."""
    decide: Callable[[str, str], Awaitable[tuple[Choice, str]]]
    """(approval id, rule) -> the choice and who made it."""
    announce: Callable[[str], None]
    """Opens an approval id for answers, before the question is published."""
    allows: Callable[[str], bool]
    """Whether a stored rule allows the call."""
    approval_timeout_s: float
    tokens: Tokens = field(default_factory=Tokens)
    compose: Callable[[Composition], None] = lambda _: None
    """Is told what the prompt is made of, before the model is asked."""


async def run_turn(brief: Brief, hands: Hands) -> AsyncGenerator[Event, None]:
    """Keeps, recalls, prompts, streams, runs tools and streams again until the model is done."""
    started = time.perf_counter()
    manner = await hands.read(brief.message)
    kept = await hands.keep(brief.message, manner)
    for memory in kept.memories:
        yield _saved(brief, memory)
    recall_start = time.perf_counter()
    try:
        recollection = await hands.recall(brief.message, kept.memories, manner)
    except SkillAgentError as problem:
        recollection = None
        hint = f" ({problem.hint})" if problem.hint else ""
        yield Notice(**brief.ids, level="warning", text=f"without memory: {problem.message}{hint}")
    if recollection is not None:
        if recollection.behind:
            yield _incomplete(brief, recollection.behind)
        yield _recalled(brief, recollection.selection, time.perf_counter() - recall_start)
    offer = await hands.offer(brief.message, manner, recollection)
    before = any(one.role == "user" for one in brief.draft.history)
    said = by_code(manner, kept, recollection, offer, said_before=before)
    if said and not brief.response_schema:
        yield TextDelta(**brief.ids, text=said)
        usage = Usage(model=hands.model.info.name, first_token_s=time.perf_counter() - started)
        yield _finished(brief, said, usage, started)
        return
    draft = replace(brief.draft, block=recollection.block if recollection else manner.hint)
    plan = await fit_block(draft, brief.fitted, hands.model, hands.tokens)
    if plan.dropped:
        yield _announcement(brief, plan.dropped)
    computed = await hands.compute(brief.message)
    hands.compose(composed(draft, plan, recollection))
    prompt = conversation(
        plan.system,
        plan.history,
        text=_as_shown(brief.message, draft.text, computed, manner),
        block=plan.block,
        summary=plan.summary,
    )
    if shown := brief.message.client_context:
        prompt = (*prompt[:-1], replace(prompt[-1], images=shown.images))
    free = not (offer.tools or brief.response_schema)
    said = brief.message.content
    watch = watched(manner, said, plan.history, recollection, computed) if free else None
    talk = _Talk(prompt, offer, started)
    async with aclosing(_converse(brief, hands, talk, watch)) as events:
        async for event in events:
            yield event


def _as_shown(message: Message, text: str, computed: str, manner: Manner) -> str:
    """The message as it is read. A small model gets figures in place of a table, which it would
    only add up wrongly, and the code that a diff leaves in place of the diff."""
    if not manner.small:
        return f"{text}\n\n<computed>\n{computed}\n</computed>" if computed else text
    said = parted(message.content)
    if computed:
        return text.replace(message.content, f"{computed}\n\n{said.words}")
    if not said.beside or "```" in said.beside:
        return text
    code = as_it_is_now(said.beside).strip("\n")
    return text.replace(message.content, f"{said.words}\n\n```\n{code}\n```".strip())


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


@dataclass(slots=True)
class _Talk:
    """A turn's conversation with its model, as far as it has come."""

    messages: tuple[ChatMessage, ...]
    offer: Offer
    started: float
    calls: int = 0
    tainted: bool = False

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Those in play now."""
        return {**self.offer.tools, **self.offer.then} if self.calls else self.offer.tools


async def _converse(
    brief: Brief, hands: Hands, talk: _Talk, watch: Watch | None
) -> AsyncGenerator[Event, None]:
    """Model call, tools, model call … until a reply comes without tool calls."""
    total, text, asked = Usage(), "", 0
    if talk.offer.first:
        watch = None
        async with aclosing(_called(brief, hands, talk, _Reply(calls=[talk.offer.first]))) as run:
            async for event in run:
                yield event
    while True:
        reply = _Reply()
        request = _request(brief, hands, talk)
        async with aclosing(_spoken(brief, hands.model, request, reply, watch)) as events:
            async for event in events:
                yield event
        first = total.first_token_s if asked else reply.usage.first_token_s
        total = replace(add(total, reply.usage), first_token_s=first)
        text, asked = text + reply.text, asked + 1
        if not reply.calls:
            break
        watch = None  # what tools give is told as it is
        async with aclosing(_called(brief, hands, talk, reply)) as events:
            async for event in events:
                yield event
    if reply.thought and not text.strip():
        raise _only_thoughts(reply)
    if reply.finish == "length":
        yield Notice(**brief.ids, level="warning", text="the reply hit its length limit")
    finish: Finish = "length" if reply.finish == "length" else "stop"
    yield _finished(brief, text, total, talk.started, finish)


async def _called(
    brief: Brief, hands: Hands, talk: _Talk, reply: _Reply
) -> AsyncGenerator[Event, None]:
    """The calls of a reply, made; what they give is cut to fit what is left of the window."""
    asked = ChatMessage(role="assistant", content=reply.text, tool_calls=tuple(reply.calls))
    talk.messages = (*talk.messages, asked)
    for call in reply.calls:
        outcome = _Outcome()
        async with aclosing(_tool(brief, hands, call, talk, outcome)) as events:
            async for event in events:
                yield event
        talk.tainted = talk.tainted or outcome.untrusted
        told = await _within(brief, hands, talk, outcome.text)
        result = ChatMessage(role="tool", content=told, tool_call_id=call.id)
        talk.messages = (*talk.messages, result)
    talk.calls += len(reply.calls)


def _finished(
    brief: Brief, text: str, usage: Usage, started: float, finish: Finish = "stop"
) -> TurnFinished:
    return TurnFinished(
        **brief.ids,
        message_id=brief.reply_id,
        text=text,
        usage=replace(usage, total_s=time.perf_counter() - started),
        finish=finish,
    )


async def _spoken(
    brief: Brief, model: Model, request: ModelRequest, reply: _Reply, watch: Watch | None
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
        guard = watch.guard()
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


def _only_thoughts(reply: _Reply) -> ModelFailed:
    cut = " before its length limit" if reply.finish == "length" else ""
    return ModelFailed(
        f"the model thought and gave no reply{cut}",
        hint="ask again with -o max_tokens=8000, or -o reasoning_effort=low",
    )


async def _within(brief: Brief, hands: Hands, talk: _Talk, text: str) -> str:
    """A tool's result as the model reads it: never more than a share of the window, nor than half
    of what is left of it."""
    window = window_of(hands.model)
    if most(text) > 256:
        specs = (tool.spec for tool in talk.tools.values())
        left = window - window // SLACK - reply_room(brief.agent.model.max_output_tokens, window)
        left -= await hands.tokens.of_tools(hands.model, specs)
        left -= await hands.tokens.of_chat(hands.model, talk.messages)
        limit = min(window // LONGEST_SHARE, max(left // 2, 64))
        return await hands.tokens.clip(hands.model, text, limit)
    return text


def _request(brief: Brief, hands: Hands, talk: _Talk) -> ModelRequest:
    """Tools stay described past the limit (they are part of the cached prefix), but forbidden."""
    limit = brief.agent.boundaries.max_tool_calls_per_turn
    overrides = dict(brief.agent.model.provider_overrides)
    if talk.calls >= limit:
        overrides["tool_choice"] = "none"
    return ModelRequest(
        messages=talk.messages,
        tools=tuple(tool.spec for tool in talk.tools.values()),
        temperature=_temperature(brief, hands.model),
        max_tokens=reply_room(brief.agent.model.max_output_tokens, window_of(hands.model)),
        overrides=overrides,
        purpose="tools" if talk.calls else "reply",
        response_schema=brief.response_schema,
    )


def _temperature(brief: Brief, model: Model) -> float:
    """A small model wanders off where it is given much freedom, also into another language."""
    wanted = brief.agent.model.temperature
    capped = model.info.profile.strength == "small" and not brief.warm
    return min(wanted, SMALL_TEMPERATURE) if capped else wanted


async def _stream(
    brief: Brief, model: Model, request: ModelRequest, reply: _Reply, guard: Guard | None = None
) -> AsyncGenerator[Event, None]:
    """One call of the model; with a guard, until that finds a fault."""
    async with aclosing(model.stream(request)) as parts:
        async for part in parts:
            match part:
                case TextPart():
                    if text := guard.feed(part.text) if guard else part.text:
                        reply.text += text
                        yield TextDelta(**brief.ids, text=text)
                    if guard and guard.fault:
                        return
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
    if guard and (text := guard.rest()):
        reply.text += text
        yield TextDelta(**brief.ids, text=text)


@dataclass(slots=True)
class _Outcome:
    text: str = ""
    ok: bool = False
    untrusted: bool = False


async def _tool(
    brief: Brief, hands: Hands, call: ToolCall, talk: _Talk, outcome: _Outcome
) -> AsyncGenerator[Event, None]:
    """One tool call with its approval; fills `outcome`, never raises ToolFailed."""
    tools = {**talk.offer.tools, **talk.offer.then}
    tool = tools.get(call.name)
    begun = time.perf_counter()
    if tool is None:
        outcome.text = f"there is no tool {call.name!r}; there are: {', '.join(tools)}"
    else:
        rule = tool.rule(call.arguments)
        said = brief.message.content
        why = tool.needs_approval(call.arguments, user_text=said, tainted=talk.tainted)
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
