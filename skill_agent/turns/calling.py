"""The tools a model calls, with their approvals; no call, however odd, ends a turn.

Each call is counted before it is made, also where several come at once. What is not made (a tool
that does not exist, arguments that are none, one call too many) is a result the model reads.
"""

import logging
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from skill_agent.conversations.client_context import typed, typed_origins
from skill_agent.errors import ToolFailed
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Choice,
    Event,
    Notice,
    ToolFinished,
    ToolStarted,
)
from skill_agent.identifiers import new_id
from skill_agent.ports import ChatMessage, Tool, ToolOutcome
from skill_agent.text.whole import whole
from skill_agent.tools.approvals import stored_rule
from skill_agent.values import ORIGINS, Origin, ToolCall

from .fitting import LONGEST_SHARE, SLACK, most, reply_room, window_of
from .hands import Brief, Hands, Talk
from .prompt import as_result

SAME_CALLS = 3
"""The very same call is made so often in a turn; what it gives is known by then."""
UNNAMED = "unnamed_tool"
_LONGEST_NAME = 64
_BROKE = "failed: {} broke ({})"

_log = logging.getLogger(__name__)


async def called(
    brief: Brief, hands: Hands, talk: Talk, calls: Sequence[ToolCall], said: str = ""
) -> AsyncGenerator[Event, None]:
    """The calls of a reply, made; what they give is cut to fit what is left of the window."""
    calls = [_sound(call, talk.ids) for call in calls]
    asked = ChatMessage(role="assistant", content=said, tool_calls=tuple(calls))
    talk.messages = (*talk.messages, asked)
    talk.useful = False
    for call in calls:
        outcome = _Outcome()
        async with aclosing(_tool(brief, hands, call, talk, outcome)) as events:
            async for event in events:
                yield event
        hands.taint.add(outcome.origins)
        if told := await hands.suspicion.reading(outcome.text, outcome.origins):
            yield Notice(**brief.ids, level="warning", text=told)
        talk.failed = talk.failed or not outcome.ok
        told = await _within(brief, hands, talk, outcome.text)
        told = as_result(told, outcome.origins, brief.turn)
        result = ChatMessage(role="tool", content=told, tool_call_id=call.id)
        talk.messages = (*talk.messages, result)


def _sound(call: ToolCall, ids: set[str]) -> ToolCall:
    """A call that any provider reads again: with an id that no other one of the turn has, and a
    name of the letters a tool's may have."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", call.name)[:_LONGEST_NAME] or UNNAMED
    known = call.id in ids or not call.id.strip()
    found = replace(call, id=new_id() if known else whole(call.id), name=name)
    ids.add(found.id)
    return found


async def _within(brief: Brief, hands: Hands, talk: Talk, text: str) -> str:
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


@dataclass(slots=True)
class _Outcome:
    text: str = ""
    ok: bool = False
    origins: tuple[Origin, ...] = ()
    choice: Choice | None = None
    by: str = ""


async def _tool(
    brief: Brief, hands: Hands, call: ToolCall, talk: Talk, outcome: _Outcome
) -> AsyncGenerator[Event, None]:
    """One tool call with its approval; fills `outcome`, never raises for what a tool does."""
    tool = talk.callable.get(call.name)
    outcome.text = _not_made(brief, call, talk, tool)
    talk.count(call)
    if tool is not None and not outcome.text:
        async with aclosing(_allowed(brief, hands, call, tool, talk, outcome)) as events:
            async for event in events:
                yield event
    begun = time.perf_counter()
    yield ToolStarted(**brief.ids, call=call.id, tool=call.name, arguments=call.arguments)
    if tool is not None and not outcome.text:
        talk.useful = True
        await _run(tool, call, outcome)
    yield ToolFinished(
        **brief.ids,
        call=call.id,
        tool=call.name,
        ok=outcome.ok,
        result=whole(outcome.text),
        origins=outcome.origins,
        seconds=time.perf_counter() - begun,
        choice=outcome.choice,
        by=outcome.by,
    )


def _not_made(brief: Brief, call: ToolCall, talk: Talk, tool: Tool | None) -> str:
    """Why a call is not made at all, as the model is told; "" for one that is."""
    limit = brief.most_calls
    if talk.calls >= limit:
        return f"not made: this turn has made its {limit} tool calls; answer with what they gave"
    if call.problem:
        return f"not made: {call.problem}; write the arguments as one JSON object"
    if tool is None:
        names = ", ".join(talk.callable) or "none"
        return f"there is no tool {call.name!r}; there are: {names}"
    if talk.same(call) >= SAME_CALLS:
        return f"not made: this very call was made {SAME_CALLS} times; use what it gave"
    return ""


async def _allowed(
    brief: Brief, hands: Hands, call: ToolCall, tool: Tool, talk: Talk, outcome: _Outcome
) -> AsyncGenerator[Event, None]:
    """Asks where somebody has to allow the call; leaves in `outcome` why it may not be made."""
    words = typed(brief.message) if _speaks_for_the_person(brief, hands) else ""
    try:
        if _could_be_meant(call, tool, talk, words):
            hands.taint.add(("tool",))
        tainted = bool(hands.taint.origins)
        why = tool.needs_approval(call.arguments, typed=words, tainted=tainted)
        rule = tool.rule(call.arguments) if why else ""
    except Exception as problem:  # arguments it did not foresee: nothing of the tool's ends a turn
        _log.exception("the tool %s cannot be asked for", call.name)
        outcome.text = _BROKE.format(call.name, type(problem).__name__)
        return
    if not why or hands.allows(rule, tainted):
        return
    asked = _asked(brief, hands, call, rule, why)
    hands.announce(asked)
    yield asked
    decided = await hands.decide(asked.approval, asked.rule)
    outcome.choice, outcome.by = decided.choice, decided.by
    yield ApprovalAnswered(**brief.ids, approval=asked.approval, **decided._asdict())
    if decided.choice == "deny":
        outcome.text = "not allowed: the person (or nobody being there) denied this call"
        if decided.words:
            # The person's own words: they are no data to be framed, and taint nothing.
            outcome.text = f"not made: the person wants something else instead: {decided.words}"


def _could_be_meant(call: ToolCall, tool: Tool, talk: Talk, words: str) -> bool:
    """Whether it is a call that words of others could be after, while servers' own words on their
    tools stand in the prompt: one of a tool of ours that minds who else wrote there."""
    foreign = talk.offer.foreign
    if not foreign or call.name in foreign:
        return False
    why = [tool.needs_approval(call.arguments, typed=words, tainted=one) for one in (True, False)]
    return why[0] != why[1]


def _asked(brief: Brief, hands: Hands, call: ToolCall, rule: str, why: str) -> ApprovalAsked:
    return ApprovalAsked(
        **brief.ids,
        approval=new_id(),
        tool=call.name,
        arguments=call.arguments,
        rule=stored_rule(brief.agent.slug, rule, tainted=bool(hands.taint.origins)),
        origins=hands.taint.origins,
        chain=brief.chain,
        reason="; ".join(filter(None, (hands.asked_by, why, hands.suspicion.line))),
        timeout_s=hands.approval_timeout_s,
    )


def _speaks_for_the_person(brief: Brief, hands: Hands) -> bool:
    """Whoever may put something into memory may also say what is to be fetched, in words that are
    not a program's or another agent's."""
    own = hands.asker is None or hands.asker.may("memory")
    return own and not typed_origins(brief.message)


async def _run(tool: Tool, call: ToolCall, outcome: _Outcome) -> None:
    """The wall around a tool: whatever it raises is a result that failed."""
    try:
        result: ToolOutcome = await tool.run(call.arguments)
    except ToolFailed as problem:
        outcome.text = f"failed: {problem.message}"
        outcome.origins = tuple(one for one in ORIGINS if one in problem.origins)
        return
    except Exception as problem:  # a fault of the tool's own; the turn goes on without it
        _log.exception("the tool %s failed", call.name)
        outcome.text = _BROKE.format(call.name, type(problem).__name__)
        return
    outcome.text, outcome.origins, outcome.ok = result.text, result.origins, True


def for_client(brief: Brief, calls: Sequence[ToolCall]) -> tuple[ToolCall, ...]:
    """Those of a reply's calls that the program which asks is to carry out."""
    if brief.tool_choice == "none":
        return ()
    known = {one.name for one in brief.client_tools}
    ids: set[str] = set()
    found = [_sound(one, ids) for one in calls if one.name in known and not one.problem]
    alone = brief.agent.model.provider_overrides.get("parallel_tool_calls") is False
    return tuple(found[:1] if alone else found)
