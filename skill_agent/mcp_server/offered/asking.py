"""The tool by which a program has an agent answer: an ordinary turn, in an ordinary conversation.

What the program sends is its own word and not the person's. Approvals are denied unless it asks to
wait for the person, who answers them in their own windows; no program answers them here.
"""

from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import anyio

from skill_agent.conversations.address import mentioned
from skill_agent.errors import (
    AgentUnavailable,
    BudgetSpent,
    CycleDetected,
    DelegationDepthExceeded,
    ModelUnavailable,
    SkillAgentError,
    UsageError,
)
from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    Event,
    MemorySaved,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFailed,
    TurnFinished,
)
from skill_agent.identifiers import new_id
from skill_agent.mcp_server.sets import Tell, Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import FailureReason, TurnRequest, all_origins

from .eyes import asker, began, is_ref, nothing_like, running_questions
from .memory_writing import BY_PROGRAM
from .offer import Arguments, Offer, Offers
from .personas import agent_of, agents_of
from .shapes import ORIGIN_LIST, flag, many, maybe, table, text
from .shown import in_a_line, moment, shown

LONGEST, REPLY = 100_000, 100_000
EVERY_S = 0.3
"""Seconds between two tellings of how the text grows."""
_TAIL, _KEPT = 400, 4_000
_STOP_S = 15.0
AT_ONCE = 3
"""Questions of one agent's own program that run together: past that it asks in a circle."""
AT_ONCE_ELSEWHERE = 12
"""Of any other program, which may ask much at a time, but may also run for one of our agents
without our knowing, as what its person has installed everywhere does."""
_FAILURES: dict[FailureReason, type[SkillAgentError]] = {
    "budget": BudgetSpent,
    "model_unavailable": ModelUnavailable,
}


def asking() -> Offers:
    """The tool."""
    return Offers(_offer())


def _offer() -> Offer:
    tool = table({"tool": text(), "ok": flag()})
    return Offer(
        name="ask_agent",
        title="Ask an agent",
        description=(
            "Have one of the user's agents answer. It knows what the user told it and has its own "
            "tools; what needs an approval is denied unless you set wait_for_person. Give the "
            "whole task: it does not see your conversation. Go on with the `session` of an earlier "
            "answer."
        ),
        scope="chat",
        takes=table(
            {
                "agent": text("Its slug; list_agents names them.", least=1, most=60),
                "message": text("What you ask.", least=1, most=LONGEST),
                "session": text("Of an earlier answer to you; begins anew where left out.",
                                most=200),
                "wait_for_person": flag("Approvals wait for the user instead of being denied."),
            },
            optional=("session", "wait_for_person"),
        ),
        gives=table(
            {
                "agent": text(),
                "session": text(),
                "turn": text(),
                "text": text(),
                "finish": text("stop, length, filtered, cut, limit or tool_calls."),
                "tools": many(tool),
                "denied": many(text(), "What was not allowed."),
                "remembered": many(text(), "Ids of memories it kept."),
                "origins": ORIGIN_LIST,
                "at": maybe(text()),
            }
        ),
        run=_asked,
        writes=True,
        repeatable=False,
        open_world=True,
    )  # fmt: skip


async def _request(visit: Visit, arguments: Arguments) -> TurnRequest:
    """Raises NotFound, UsageError for a message to somebody else, CycleDetected for itself."""
    message = arguments["message"]
    if not message.strip():
        raise UsageError("the message is empty", hint="say what you ask")
    dna = await agent_of(visit, arguments["agent"])
    called = mentioned(message, [one.slug for one in await agents_of(visit)])
    if called not in (None, dna.slug):
        raise UsageError(f"the message calls @{called}, not {dna.slug}", hint=f"agent={called!r}")
    if dna.slug == visit.agent:
        raise CycleDetected(
            f"{dna.slug} would be asking itself", hint="answer yourself, or ask another agent"
        )
    return TurnRequest(
        message,
        agent=dna.slug,
        session=await _session(visit, arguments.get("session", "")),
        interactive=arguments.get("wait_for_person", False),
        key=new_id(),
        origins=BY_PROGRAM,
        requester=asker(visit),
    )


async def _session(visit: Visit, ref: str) -> str | None:
    """Only a talk that the visit began: in another, what the person said there would be told."""
    if not ref.strip():
        return None
    missing = nothing_like("conversation of yours", ref, "leave it out to begin one")
    if not is_ref(ref):
        raise missing
    try:
        found = await visit.station.conversations.find(ref.strip())
    except UsageError:
        raise missing from None
    if found.archived or not await began(visit, found.id):
        raise missing
    return found.id


async def _check_depth(visit: Visit) -> None:
    """Raises DelegationDepthExceeded where a program asks too much at once: agents that ask one
    another through it would never end."""
    most = AT_ONCE if visit.sees_as else AT_ONCE_ELSEWHERE
    if await running_questions(visit) >= most:
        raise DelegationDepthExceeded(
            f"{most} questions of {visit.agent} are being answered already",
            hint="wait for one of them, or answer yourself",
        )


async def _asked(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    """Cancelled, or unable to tell how far it is, it stops the turn and waits until it has."""
    request = await _request(visit, arguments)
    await _check_depth(visit)
    heard = _Heard(tell)
    try:
        async with aclosing(visit.station.turns.ask(request)) as events:
            async for event in events:
                await heard.hear(event)
    finally:
        if heard.end is None:
            # The scope that was cancelled would cancel this again and again.
            with anyio.move_on_after(_STOP_S, shield=True):
                await visit.station.turns.cancel(request.key or "")
    if isinstance(heard.end, TurnFinished):
        return await _told(visit, heard, heard.end)
    raise _problem(heard.end)


@dataclass(slots=True)
class _Heard:
    """What a turn told so far, and how it is told on."""

    tell: Tell
    end: TurnFinished | TurnFailed | None = None
    tools: list[dict[str, Any]] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    _asked: dict[str, str] = field(default_factory=dict)
    _text: str = ""
    _steps: int = 0
    _told_at: float = 0.0

    async def hear(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._text = (self._text + text)[-_KEPT:]
                if monotonic() - self._told_at >= EVERY_S:
                    self._told_at = monotonic()
                    await self._say(shown(self._text, _KEPT)[-_TAIL:])
            case ToolStarted():
                await self._say(in_a_line(event.line))
            case ToolFinished():
                self.tools.append({"tool": in_a_line(event.tool, 100), "ok": event.ok})
                await self._say(in_a_line(event.line))
            case ApprovalAsked():
                self._asked[event.approval] = in_a_line(event.line)
                await self._say(in_a_line(event.line))
            case ApprovalAnswered():
                if event.choice == "deny":
                    self.denied.append(self._asked.get(event.approval, in_a_line(event.line)))
                await self._say(in_a_line(event.line))
            case MemorySaved():
                self.remembered.append(event.memory_id)
            case TurnFinished() | TurnFailed():
                self.end = event
            case _:
                pass

    async def _say(self, what: str) -> None:
        self._steps += 1
        await self.tell(self._steps, None, what)


async def _told(visit: Visit, heard: _Heard, end: TurnFinished) -> Told:
    known = await visit.station.conversations.messages_by_id([end.message_id])
    reply = known.get(end.message_id)
    answer = shown(end.text, REPLY)
    data = {
        "agent": end.agent,
        "session": end.session,
        "turn": end.turn,
        "text": answer,
        "finish": end.finish,
        "tools": heard.tools[:50],
        "denied": heard.denied[:50],
        "remembered": heard.remembered[:50],
        "origins": [*all_origins(("agent",), reply.origins if reply else ())],
        "at": moment(reply.created_at) if reply else None,
    }
    return Told(data=data, text=f"{answer}\n\n({end.agent}; session {end.session})")


def _problem(end: TurnFailed | None) -> SkillAgentError:
    """What is to be read of a turn that gave no answer; the words of a bug are for our log."""
    if end is None:
        return AgentUnavailable("the answer was not told to its end", hint="ask again")
    if end.reason == "cancelled":
        return AgentUnavailable("the user stopped it", hint="ask them before you try again")
    if end.reason == "error":
        return SkillAgentError("something went wrong inside the home", hint="ska logs")
    kind = _FAILURES.get(end.reason, SkillAgentError)
    return kind(in_a_line(end.message or end.reason), hint=in_a_line(end.hint))
