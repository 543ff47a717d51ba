"""The tools a model calls, with their approvals; no tool's fault ends a turn."""

import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from skill_agent.conversations.client_context import typed
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
from skill_agent.tools.approvals import stored_rule
from skill_agent.values import ORIGINS, Origin, ToolCall

from .fitting import LONGEST_SHARE, SLACK, most, reply_room, window_of
from .hands import Brief, Hands, Talk
from .prompt import as_result

_log = logging.getLogger(__name__)


async def called(
    brief: Brief, hands: Hands, talk: Talk, calls: Sequence[ToolCall], said: str = ""
) -> AsyncGenerator[Event, None]:
    """The calls of a reply, made; what they give is cut to fit what is left of the window."""
    asked = ChatMessage(role="assistant", content=said, tool_calls=tuple(calls))
    talk.messages = (*talk.messages, asked)
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
    talk.calls += len(calls)


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


async def _tool(
    brief: Brief, hands: Hands, call: ToolCall, talk: Talk, outcome: _Outcome
) -> AsyncGenerator[Event, None]:
    """One tool call with its approval; fills `outcome`, never raises ToolFailed."""
    tools = {**talk.offer.tools, **talk.offer.then}
    tool = tools.get(call.name)
    begun = time.perf_counter()
    if tool is None:
        outcome.text = f"there is no tool {call.name!r}; there are: {', '.join(tools)}"
    else:
        tainted = bool(hands.taint.origins)
        words = typed(brief.message) if _speaks_for_the_person(hands) else ""
        why = tool.needs_approval(call.arguments, typed=words, tainted=tainted)
        choice: Choice = "once"
        if why and not hands.allows(tool.rule(call.arguments), tainted):
            asked = _asked(brief, hands, call, tool.rule(call.arguments), why)
            hands.announce(asked)
            yield asked
            choice, by = await hands.decide(asked.approval, asked.rule)
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
        origins=outcome.origins,
        seconds=time.perf_counter() - begun,
    )


def _asked(brief: Brief, hands: Hands, call: ToolCall, rule: str, why: str) -> ApprovalAsked:
    return ApprovalAsked(
        **brief.ids,
        approval=new_id(),
        tool=call.name,
        arguments=call.arguments,
        rule=stored_rule(brief.agent.slug, rule, tainted=bool(hands.taint.origins)),
        origins=hands.taint.origins,
        reason="; ".join(filter(None, (hands.asked_by, why, hands.suspicion.line))),
        timeout_s=hands.approval_timeout_s,
    )


def _speaks_for_the_person(hands: Hands) -> bool:
    """Whoever may put something into memory may also say what is to be fetched."""
    return hands.asker is None or hands.asker.may("memory")


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
        outcome.text = f"failed: {call.name} broke ({type(problem).__name__})"
        return
    outcome.text, outcome.origins, outcome.ok = result.text, result.origins, True
